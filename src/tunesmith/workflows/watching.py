"""A run as it is watched: the pre-flight, a bar, a line for each validation, and warnings while it goes on.

Overfitting is called out while it happens: the validation loss has risen twice in a row while the training loss fell.
So is forgetting: the loss on general text beside the task has risen by a tenth of a nat, or a quarter of the general
questions that are asked at each look is not answered rightly any more, or half of what was and an eighth of all.
"""

import itertools
import math
from typing import Any

from tunesmith.core import units
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.general import FORGOTTEN
from tunesmith.tasks.families import name_of
from tunesmith.training.events import Event

LOST, LEAST_LOST = 0.25, 0.125  # of the general questions
RISES = 2  # validation losses in a row above the one before, after which it is said


class Watcher:
    """Turns a run's events into words; what a provider says is said as well."""

    def __init__(self, console: Console, price_per_hour: float | None = None, currency: str = "$"):
        self._console = console
        self._progress = console.progress("training")
        self._price, self._currency = price_per_hour, currency
        self._told_of_forgetting = False
        self._losses: list[tuple[float, float]] = []  # of training and validation, at each validation

    def __call__(self, event: Event) -> None:
        kind = event["event"]
        if kind == "unusable":
            self._console.say(f"The checkpoint of step {event['checkpoint']:,} is not used: {event['reason']}.")
        elif kind == "plan":
            tell_plan(event, self._console, self._price, self._currency)
        elif kind == "start":
            self._start(event)
        elif kind == "note":
            self._console.say(event["message"])
        elif kind in ("step", "done") and event["steps"]:
            # At the end there are fewer than planned where training stopped early; a provider may not know how many.
            self._progress(event["step"] if kind == "step" else event["steps"], event["steps"])
        elif kind == "validation":
            self._validation(event)

    def _start(self, event: Event) -> None:
        if "provider" in event:
            self._console.say(
                f"{event['provider']} trains {event['model']} on {count(event['rows'], 'row')}: job {event['job']}. "
                "It goes on there when nobody follows it."
            )
            return
        if event["resumed_from"]:
            self._console.say(f"Going on from step {event['resumed_from']:,}.")
        elif event["unusable"]:
            self._console.say("No checkpoint is whole, so training begins anew, from the first step.")
        self._progress(event["resumed_from"] or 0, event["steps"])

    def _validation(self, event: Event) -> None:
        best = ", the best so far" if event["best"] else ""
        name = name_of(event["metric"])
        beside = f" (training {event['train_loss']:.3f})" if event.get("train_loss") is not None else ""
        if event.get("preferred") is not None:
            beside += f", {units.share(event['preferred'])} of the pairs held out the right way round"
        before, general = event.get("general_before"), event.get("general_loss")
        elsewhere = f"; general text {general:.3f} ({before:.3f} before)" if before and general else ""
        known, kept = event.get("general_score_before"), event.get("general_score")
        if known is not None and kept is not None:
            elsewhere += f", general questions {units.share(kept)} ({units.share(known)})"
        self._console.say(
            f"Step {event['step']:,} of {event['steps']:,}: validation {name} {units.share(event['value'])}, "
            f"loss {event['loss']:.3f}{beside}{elsewhere}{best}."
        )
        if before and general and general > before + FORGOTTEN:
            more = units.share(math.expm1(general - before))
            self._warn_of_forgetting(f"text beside the task has become {more} more perplexing to the model")
        if known is not None and kept is not None and _is_lost(known, kept):
            share, earlier = units.share(kept), units.share(known)
            self._warn_of_forgetting(f"the model answers {share} of general questions rightly, {earlier} before")
        if event.get("train_loss") is not None:
            self._losses.append((event["train_loss"], event["loss"]))
            self._warn()

    def _warn_of_forgetting(self, what: str) -> None:
        if not self._told_of_forgetting:
            self._told_of_forgetting = True
            self._console.say(
                f"Forgetting: {what}. [train] rehearsal = 0.1, a lower learning_rate or fewer epochs would help."
            )

    def _warn(self) -> None:
        last = self._losses[-RISES - 1 :]
        pairs = list(itertools.pairwise(last))
        if len(pairs) == RISES and all(after[1] > before[1] and after[0] < before[0] for before, after in pairs):
            self._console.say(
                "Overfitting: the validation loss rises while the training loss falls. The best weights so far are "
                "kept; fewer [train] epochs, a lower learning_rate, lora_dropout or more varied rows would help."
            )


def _is_lost(known: float, kept: float) -> bool:
    """A quarter of all questions, or half of those that were answered rightly; of few, chance may have it."""
    lost = known - kept + 1e-9  # shares are not exact
    return lost >= LOST or (lost >= LEAST_LOST and kept <= known / 2)


def tell_plan(plan: dict[str, Any], console: Console, price_per_hour: float | None, currency: str) -> None:
    """The pre-flight in words."""
    tokens = plan["tokens"]
    learnt_from = count(plan["rows"], "pair" if plan["objective"] == "dpo" else "row")
    console.say(
        f"Training on {learnt_from} in {count(plan['steps'], 'step')} of {plan['batch_size']}; "
        f"{count(plan['trainable'], 'weight')} change, in {plan['dtype']} on {plan['device']}. No row was cut or left "
        "out."
    )
    if plan["rehearsed"]:
        console.say(
            f"Rehearsal: {count(plan['rehearsed'], 'general row')} in each epoch, each with the weight of an average "
            "row of the task."
        )
    if plan["unrendered"]:
        left = count(plan["unrendered"], "general row or question", "general rows and questions")
        console.say(f"{left} of Tunesmith's cannot be put to this model; left out.")
    console.say(
        f"An epoch has {tokens['prompt']:,} tokens in prompts and {tokens['labels']:,} that carry loss; "
        f"{tokens['shared']:,} are shared, {tokens['computed']:,} computed, {tokens['padded']:,} padding. The longest "
        f"row has {tokens['longest']:,} ({tokens['longest_row']}). {plan['sharing']}"
    )
    for mask in plan["masks"]:
        console.say(masked(mask))
    console.say(f"The answers' end of turn, {plan['end_of_turn']}, carries loss.")
    free = f" of {units.size(plan['available'])} free" if plan["available"] is not None else ""
    cost = f", {units.money(plan['seconds'] / 3600 * price_per_hour, currency)}" if price_per_hour else ""
    console.say(
        f"Expected: {units.seconds(plan['seconds'])}{cost} where nothing stops it early, and "
        f"{units.size(plan['memory'])} of memory{free}."
    )


def masked(mask: dict[str, Any]) -> str:
    """A row token by token: what carries loss stands in ⟦⟧."""
    words: list[str] = []
    for stretch in mask["stretches"]:
        words += [f"… {count(stretch['hidden'], 'token')} …"] if stretch["hidden"] else []
        tokens = map(_visible, stretch["tokens"])
        words += [f"⟦{token}⟧" for token in tokens] if stretch["weight"] else tokens
    return f"Row {mask['row']}, ⟦⟧ carries loss: {' '.join(words)}"


def _visible(token: str) -> str:
    return token.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "·") or "∅"
