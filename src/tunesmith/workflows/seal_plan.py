"""`tunesmith seal --plan`: what an eval set of so many rows will show, before a row of it is labelled or looked at.

Nothing is measured here. How often candidates differ is taken from the newest comparison, the best baseline's accuracy
from there or from the newest baselines; what neither knows is assumed, and said to be.
"""

import json
from statistics import NormalDist
from typing import Any

from tunesmith.core.errors import UserError
from tunesmith.core.progress import Console
from tunesmith.core.units import count, level, share
from tunesmith.decisions.figures import margin, points
from tunesmith.decisions.plan import ASSUMED_RATE, Noise, Plan, assumed, plan
from tunesmith.decisions.power import TYPICAL_ACCURACY, level_of
from tunesmith.evaluation import seal as seals
from tunesmith.tasks.families import EXACT, SPARED, is_scored, name_of
from tunesmith.workflows import runs
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_eval, read_sources
from tunesmith.workflows.status import next_command

NONE = "–"
INVALID = "invalid_rate"
GROUPED = 1.25  # below it, a wider interval than rows alone would give is that of few rows, not of groups


class SealPlanOutcome(Outcome):
    plan: Plan


def seal_plan(project: Project, console: Console, *, accuracy: float | None = None) -> SealPlanOutcome:
    """`accuracy` of the best baseline as somebody knows or guesses it; otherwise measured, else assumed."""
    if accuracy is not None and not 0 < accuracy < 1:
        raise UserError(f"--accuracy {accuracy}: expected a share between 0 and 1, such as 0.85.")
    rules = project.config.rules
    if rules.least_share is None and rules.primary in SPARED:
        raise UserError(
            f"[rules] primary = {rules.primary!r}: how many rows a difference by what mistakes cost needs is only "
            "known once something is measured; `tunesmith baseline` says it then."
        )
    rows, slices = _rows(project)
    noise = _noise(project, accuracy)
    guards = _noises_of_guards(project, noise)
    made = plan(rules, noise, level=_level(project), rows=rows, slices=slices, guards=guards)
    outcome = SealPlanOutcome(plan=made, next=next_command(project))
    _tell(made, console)
    return outcome


def _rows(project: Project) -> tuple[int | None, dict[str, int]]:
    """The rows of the eval set and of its slices; without one, the slices that the sources name, at 0 rows."""
    evals = read_eval(project).examples
    if evals:
        found: dict[str, int] = {}
        for row in evals:
            if row.slice is not None:
                found[row.slice] = found.get(row.slice, 0) + 1
        return len(evals), dict(sorted(found.items()))
    if not project.sources():
        return None, {}
    names = {row.slice for reading in read_sources(project) for row in reading.examples if row.slice is not None}
    return None, dict.fromkeys(sorted(names), 0)


def _level(project: Project) -> float:
    """Of the next fine-tune's judgement on these rows."""
    if not project.lock_file.is_file():
        return level_of(1)
    return level_of(seals.attempt(seals.read_seal(project.lock_file), ""))


def _noise(project: Project, accuracy: float | None) -> Noise:
    primary = project.config.rules.primary
    scored = is_scored(primary)
    measured = None if accuracy is not None else _measured(project, primary, scored=scored)
    if measured is not None:
        return measured
    noise = assumed(scored=scored, accuracy=accuracy)
    if accuracy is not None:
        return noise.model_copy(update={"accuracy_origin": "given"})
    best = None if scored else _best_baseline(project, primary)
    if best is None:
        return noise
    return assumed(scored=False, accuracy=best).model_copy(update={"accuracy_origin": "measured"})


def _measured(project: Project, primary: str, *, scored: bool) -> Noise | None:
    """How the fine-tune and the best baseline differed in the newest comparison by this metric."""
    for run in reversed(runs.read_runs(project, "compare")):
        if run.state == "done" and run.result.get("primary") == primary:
            found = [each for each in run.result["comparisons"] if each["b"] == run.result["baseline"]]
            return _noise_of(found[0], _accuracy_in(project, run.result), scored=scored) if found else None
    return None


def _noises_of_guards(project: Project, primary: Noise) -> dict[str, Noise | None]:
    """How the fine-tune and the best baseline differed by each guarded metric in the newest comparison that knew it;
    None where nobody knows the unit."""
    rules = project.config.rules
    measured: dict[str, dict[str, Any]] = {}
    for run in runs.read_runs(project, "compare"):
        guarded = run.result.get("guards", ()) if run.state == "done" else ()
        measured |= {each["metric"]: each for each in guarded if each["low"] is not None}
    found: dict[str, Noise | None] = dict.fromkeys(rules.guards)
    for metric in rules.guards:
        if metric == rules.primary:
            found[metric] = primary
        elif metric in SPARED:
            continue
        elif metric in measured:
            found[metric] = Noise(variance=_variance(measured[metric]), origin="measured")
        elif metric == INVALID:
            found[metric] = Noise(discordant=ASSUMED_RATE)
        else:
            accuracy = primary.accuracy if metric in EXACT else None
            found[metric] = assumed(scored=is_scored(metric), accuracy=accuracy)
    return found


def _variance(each: dict[str, Any]) -> float:
    """The width of an interval says what a row's part varies by, groups and all."""
    error: float = (each["high"] - each["low"]) / 2 / NormalDist().inv_cdf(0.5 + each["level"] / 2)
    return error**2 * int(each["n"])


def _noise_of(each: dict[str, Any], accuracy: float | None, *, scored: bool) -> Noise:
    variance = _variance(each)
    if scored:
        return Noise(variance=variance, origin="measured")
    discordant = max((each["a_only"] + each["b_only"]) / each["n"], 1 / each["n"])
    design = max(1.0, variance / max(discordant - each["difference"] ** 2, 1e-6))
    return Noise(
        accuracy=accuracy,
        discordant=discordant,
        design=design if design > GROUPED else 1.0,
        accuracy_origin="measured",
        origin="measured",
    )


def _accuracy_in(project: Project, result: dict[str, Any]) -> float | None:
    try:
        receipt = json.loads((project.folder / result["receipt"]).read_text(encoding="utf-8"))
        card = next(each for each in receipt["candidates"] if each["candidate"] == result["baseline"])
        value = card["metrics"][result["primary"]]["value"]
    except (OSError, ValueError, KeyError, StopIteration):
        return None
    return None if value is None else float(value)


def _best_baseline(project: Project, primary: str) -> float | None:
    for run in reversed(runs.read_runs(project, "baseline")):
        found = run.result.get("figures", {})
        if run.state == "done" and found.get("metric") == primary:
            known = [value for value in found["values"].values() if value is not None]
            return max(known) if known else None
    return None


def _tell(made: Plan, console: Console) -> None:
    console.say(_words_of_noise(made))
    metric, most = name_of(made.primary), points(made.slice_margin)
    console.table(
        f"What so many eval rows show, 4 times in 5 ({metric})",
        ["eval rows", "gain that ships", "slice loss that blocks", f"slice loses at most {most}"],
        [
            [
                f"{each.rows:,}{' (yours)' if each.rows == made.rows else ''}",
                _points(each.gain),
                _points(each.slice_loss),
                "shown" if each.slice_holds else "open",
            ]
            for each in made.sizes
        ],
    )
    needed = ", ".join(f"{points(each.gain)} points: {_count(each.rows)}" for each in made.gains)
    console.say(f"Eval rows that a true gain needs: {needed}.")
    if made.slices:
        console.table(
            f"Slices, at {level(made.slice_level)} each",
            ["slice", "eval rows", "loss that blocks", f"rows to show at most {most} lost"],
            [[each.name, f"{each.rows:,}", _points(each.loss), _count(each.needed)] for each in made.slices],
        )
    if made.guards:
        console.table(
            "Guards, should the fine-tune be no worse",
            ["guard", "may be worse by", "eval rows to show it", "rows differ as"],
            [
                [
                    each.metric,
                    margin(each.metric, each.margin),
                    _count(each.needed) if each.origin else NONE,
                    each.origin or "`compare` will tell",
                ]
                for each in made.guards
            ],
        )
    if made.rows is not None:
        gain = "no gain" if made.gain is None else f"a gain of {points(made.gain)} points"
        console.say(f"With the {count(made.rows, 'eval row')} that stand, {gain} would ship 4 times in 5.")


def _words_of_noise(made: Plan) -> str:
    noise = made.noise
    judged = "" if made.level == level_of(1) else f" The next judgement is at {level(made.level)}."
    asked = f"To ship, a fine-tune must gain more than {points(made.min_effect)} points.{judged}"
    if noise.variance is not None:
        spread = f"{points(noise.variance**0.5)} points"
        return (
            f"{asked} Row by row, two candidates' scores differ with a standard deviation of {spread} ({noise.origin})."
        )
    assert noise.discordant is not None
    accuracy = TYPICAL_ACCURACY if noise.accuracy is None else noise.accuracy
    differ = "as measured" if noise.origin == "measured" else "assumed: half of what unrelated errors would give"
    grouped = f"; {noise.design:.1f} rows that belong together count as one" if noise.design > 1 else ""
    return (
        f"{asked} The best baseline is right on {share(accuracy)} of the rows ({noise.accuracy_origin}), and exactly "
        f"one of the two is right on {share(noise.discordant)} ({differ}){grouped}."
    )


def _points(difference: float | None) -> str:
    return NONE if difference is None else f"{points(difference)} points"


def _count(rows: int | None) -> str:
    return "too many" if rows is None else f"{rows:,}"
