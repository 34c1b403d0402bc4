"""A candidate on examples → predictions and scorecard.

The candidate answers all rows at once, so that it can batch and share what they have in common; then some rows alone,
for the latency that a single request sees. A row on which it raises is `failed` and the rest go on: the rows not yet
answered are halved until the one that raises stands alone. What is not a row's fault is never turned into a score:
errors that Tunesmith says in words (a model that is missing, a row too long), mistakes in a program, and a candidate
that raises on every row end the evaluation.

Answers are kept, so what was asked once need not be asked again: `priced` counts them at other prices, `complete` asks
only the rows that failed, and `measured_again` measures them by what the task says now.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.candidates.base import Candidate, Card
from tunesmith.candidates.turns import in_turns
from tunesmith.core import memory
from tunesmith.core.errors import TunesmithError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Progress, silent
from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate, Scorecard
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks import behaviour_figures, families, intervals
from tunesmith.tasks.base import Aids
from tunesmith.tasks.figures import Measures
from tunesmith.tasks.measures import measure, yardstick
from tunesmith.tasks.spec import Task
from tunesmith.tasks.validating import settled

ALONE = 24  # rows answered alone, at least,
ALONE_LEAST, ALONE_LONGEST = 8, 30.0  # except that this many are enough after so many seconds: long texts take theirs
ALONE_AT_MOST = 100  # while they take less than ALONE_SECONDS together: enough for an interval of the 95th percentile
ALONE_SECONDS = 10.0
HOPELESS = 10  # rows that raise before any is answered: then it is the candidate, not the rows
NO_AIDS = Aids()
BUGS = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, MemoryError, NameError),
    *(NotImplementedError, TypeError),
)


class Evaluation(Record):
    scorecard: Scorecard
    predictions: tuple[Prediction, ...]


def evaluate(
    candidate: Candidate,
    examples: Sequence[Example],
    *,
    task: Task,
    eval_version: int | None,
    prices: PricesSection,
    aids: Aids = NO_AIDS,
    timed: bool = True,
    progress: Progress = silent,
) -> Evaluation:
    """Answer and measure `examples`. `eval_version` is the seal's version; None for rows that are not sealed.

    `aids` are what measuring free text uses; `timed`: some rows are answered alone as well, for the latency.
    """
    memory.reset_peak()
    total = len(examples) + (min(ALONE, len(examples)) if timed else 0)
    predictions: list[Prediction] = []
    candidate = in_turns(candidate, examples)
    for prediction in answered_rows(candidate, examples):
        predictions.append(prediction)
        progress(len(predictions), total)
    if timed:
        predictions = _with_latency(candidate, examples, predictions)
    predictions = settled(task, examples, predictions)
    progress(total, total)
    figures = _figures(task, examples, predictions, aids)
    card = _scorecard(candidate.card, candidate.digest, examples, predictions, figures, eval_version, memory.peak())
    return priced(Evaluation(scorecard=card, predictions=tuple(predictions)), examples, prices)


def complete(
    candidate: Candidate,
    examples: Sequence[Example],
    kept: Evaluation,
    *,
    task: Task,
    prices: PricesSection,
    aids: Aids = NO_AIDS,
    progress: Progress = silent,
) -> Evaluation:
    """`kept` with its failed rows answered again; every other answer stays as it is."""
    memory.reset_peak()
    predictions = list(kept.predictions)
    places = [place for place, prediction in enumerate(predictions) if prediction.state == "failed"]
    candidate = in_turns(candidate, examples)
    again = answered_rows(candidate, [examples[place] for place in places], answered=len(predictions) - len(places))
    for number, (place, prediction) in enumerate(zip(places, again, strict=True), start=1):
        predictions[place] = prediction
        progress(number, len(places))
    predictions = settled(task, examples, predictions)
    peak = max(memory.peak(), kept.scorecard.memory or 0)
    figures, version = _figures(task, examples, predictions, aids), kept.scorecard.eval_version
    card = _scorecard(candidate.card, candidate.digest, examples, predictions, figures, version, peak)
    return priced(Evaluation(scorecard=card, predictions=tuple(predictions)), examples, prices)


def measured_again(
    kept: Evaluation, examples: Sequence[Example], *, task: Task, prices: PricesSection, aids: Aids = NO_AIDS
) -> Evaluation:
    """The same answers, measured by what `task` says now and by the figures that there are now."""
    predictions = tuple(settled(task, examples, kept.predictions))
    card = kept.scorecard.model_copy(update=_figures(task, examples, predictions, aids))
    return priced(Evaluation(scorecard=card, predictions=predictions), examples, prices)


def priced(evaluation: Evaluation, examples: Sequence[Example], prices: PricesSection) -> Evaluation:
    """The same answers at `prices`, whatever they cost when they were given."""
    predictions = [each.model_copy(update={"cost": prices.cost(each)}) for each in evaluation.predictions]
    known = prices.known or any(prediction.paid is not None for prediction in predictions)
    return _with_costs(evaluation.scorecard, predictions, known=known)


def of_answers(
    card: Card,
    digest: str,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    *,
    task: Task,
    eval_version: int | None,
) -> Evaluation:
    """Measure answers that others have given, with the costs that stand in them."""
    made = _scorecard(card, digest, examples, predictions, _figures(task, examples, predictions, NO_AIDS), eval_version)
    return _with_costs(made, predictions, known=any(prediction.cost for prediction in predictions))


def _with_costs(card: Scorecard, predictions: Sequence[Prediction], *, known: bool) -> Evaluation:
    success = card.metrics.get(families.named(card.family).SUCCESS or "")
    successes = round((success.value or 0.0) * success.n) if success else 0
    cost = sum(prediction.cost for prediction in predictions)
    costs = {"cost": cost, "cost_per_success": cost / successes if known and successes else None}
    return Evaluation(scorecard=card.model_copy(update=costs), predictions=tuple(predictions))


def answered_rows(candidate: Candidate, examples: Sequence[Example], answered: int = 0) -> Iterator[Prediction]:
    """One prediction per example, in order. A row on which the candidate raises is `failed`; `answered` rows were
    answered before, and where none was, one that raises on every row is raised."""
    for example, prediction in zip(examples, _halving(candidate, examples, answered), strict=True):
        assert prediction.example == example.id, f"{candidate.card.name} answered another row than it was asked"
        yield prediction


def _halving(candidate: Candidate, examples: Sequence[Example], answered: int) -> Iterator[Prediction]:
    pending = [list(examples)]
    failed = 0
    while pending:
        rows = pending.pop()
        done = 0
        try:
            for prediction in candidate.predict(rows):
                assert done < len(rows), f"{candidate.card.name} gave more predictions than rows"
                yield prediction
                done += 1
        except Exception as error:
            answered += done
            if not _is_of_a_row(error) or done == len(rows):
                raise
            rest = rows[done:]
            if len(rest) > 1:
                middle = len(rest) // 2
                pending += [rest[middle:], rest[:middle]]
                continue
            failed += 1
            if not answered and failed == min(HOPELESS, len(examples)):
                raise
            yield _failed(rest[0], error)
        else:
            answered += done
            assert done == len(rows), f"{candidate.card.name} gave {done} predictions for {len(rows)} rows"


def _is_of_a_row(error: Exception) -> bool:
    return not isinstance(error, (TunesmithError, *BUGS))


def _failed(example: Example, error: Exception) -> Prediction:
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return Prediction(example=example.id, state="failed", error=f"{type(error).__name__}: {first}")


def _with_latency(
    candidate: Candidate, examples: Sequence[Example], predictions: Sequence[Prediction]
) -> list[Prediction]:
    """`predictions`, those of a sample with the seconds that the row took alone.

    The sample is the same on every machine: rows in the order of their ids. The first answer is made twice, because
    caches and prefixes are still cold then.
    """
    timed = list(predictions)
    if getattr(candidate, "timed", False):
        return timed
    places = [place for place, prediction in enumerate(predictions) if prediction.state != "failed"]
    sample = sorted(places, key=lambda place: (examples[place].id, place))[:ALONE_AT_MOST]
    if not sample:
        return timed
    order = [sample[0], *sample]
    answers = iter(candidate.predict([examples[place] for place in order], alone=True))
    begin = last = time.perf_counter()
    for turn, place in enumerate(order):
        try:
            next(answers)
        except Exception as error:
            if not _is_of_a_row(error):
                raise
            break
        now = time.perf_counter()
        if turn > 0:
            timed[place] = timed[place].model_copy(update={"latency": now - last})
        last = now
        if turn >= ALONE and now - begin > ALONE_SECONDS:
            break
        if turn >= ALONE_LEAST and now - begin > ALONE_LONGEST:
            break
    return timed


def _scorecard(
    card: Card,
    digest: str,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    figures: Mapping[str, Any],
    eval_version: int | None,
    peak: int | None = None,
) -> Scorecard:
    """Without costs: `priced` adds them."""
    return Scorecard(
        candidate=card.name,
        kind=card.kind,
        candidate_digest=digest,
        eval_set=rows_digest(examples),
        eval_version=eval_version,
        rows=len(examples),
        cost=0.0,
        cost_per_success=None,
        seconds=sum(prediction.seconds for prediction in predictions),
        tokens_in=sum(prediction.tokens_in for prediction in predictions),
        tokens_out=sum(prediction.tokens_out for prediction in predictions),
        memory=peak,
        **figures,
    )


def _figures(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], aids: Aids) -> dict[str, Any]:
    """The fields of a scorecard that depend on task, rows and answers alone."""
    measures = measure(task, examples, predictions, aids)
    latencies = [prediction.latency for prediction in predictions if prediction.latency is not None]
    timed = {f"latency_p{share}": _quantile(latencies, share / 100) for share in (50, 95)}
    found = {name: getattr(measures, name) for name in Measures.model_fields}
    behaviours, red_team = behaviour_figures.figures(task, examples, predictions)
    found |= {"behaviours": behaviours, "red_team": red_team}
    by = yardstick(task, meaning=aids.embed is not None)
    return found | {"metrics": measures.metrics | timed, "family": task.family, "measured": by}


def _quantile(latencies: Sequence[float], share: float) -> Estimate:
    found = intervals.quantile(np.array(latencies), share)
    if found is None:
        return Estimate(value=None, n=len(latencies))
    value, low, high = found
    return Estimate(value=value, low=low, high=high, n=len(latencies))
