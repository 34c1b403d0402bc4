"""The cascade of a project: its threshold from the calibration rows, and its scorecard from answers that are there.

Its first and second candidate have answered the sealed rows already, so nothing is asked again but the calibration
rows.
"""

from collections.abc import Sequence

import numpy as np

from tunesmith.candidates import cascade
from tunesmith.candidates.base import read_card
from tunesmith.candidates.section import CascadeSection
from tunesmith.core.errors import ConfigError, DataError, nearest
from tunesmith.core.run import Artifact
from tunesmith.core.scorecard import CascadeFigures, Estimate
from tunesmith.core.units import count, share
from tunesmith.evaluation import threshold
from tunesmith.evaluation.runner import Evaluation, of_answers
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks.figures import groups_of
from tunesmith.tasks.figures import share as share_of
from tunesmith.tasks.measures import answers_of
from tunesmith.workflows import runs
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.evaluating import Bench
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project
from tunesmith.workflows.runs import Recording


def pair(project: Project, entries: Sequence[Entry]) -> tuple[Entry, Entry] | None:
    """The first and the second candidate; None where [cascade] names none.

    Raises ConfigError where a name is no candidate's, or where answers are better or worse rather than right or wrong.
    """
    section = project.config.cascade
    if section.then is None:
        return None
    if project.family.SUCCESS is None:
        raise ConfigError(
            f"[cascade] needs answers that are right or wrong; those of a {project.config.task.family} task are better "
            "or worse. Take the section out."
        )
    by_name = {entry.name: entry for entry in entries}
    for key, name in (("first", section.first), ("then", section.then)):
        if name not in by_name:
            raise ConfigError(
                f"[cascade] {key} = {name!r} is no candidate{nearest(name, list(by_name))}. There are: "
                f"{', '.join(by_name)}."
            )
    return by_name[section.first], by_name[section.then]


def make(project: Project, state: Ready, recording: Recording, bench: Bench, both: tuple[Entry, Entry]) -> Entry:
    """Choose the threshold and keep the cascade. Raises DataError where the first never says how sure it is."""
    first, then = both
    section = project.config.cascade
    calibrating, guiding = bench.on_calibration(first).predictions, bench.on_validation(first).predictions
    if not np.isfinite(threshold.confidences(guiding)).any():
        raise DataError(
            f"{first.name} does not say how sure it is of its answers, so no threshold can be chosen. Name another "
            "candidate under [cascade] first."
        )
    right = answers_of(state.task, state.calibration, calibrating).right
    guide = (guiding, answers_of(state.task, state.validation, guiding).right)
    levels = {"max_error": section.max_error, "confidence": section.confidence}
    chosen = threshold.choose(state.calibration, calibrating, right, guide, **levels)
    config = {"first": first.digest, "then": then.digest, "first_name": first.name, "then_name": then.name}
    config |= chosen.model_dump(mode="json")
    made_from = {"calibration": rows_digest(state.calibration)}
    digest = cascade.make(project.artifacts, state.task, config, made_from)
    entry = Entry(name=cascade.NAME, kind=cascade.KIND, digest=digest)
    recording.ledger.add_artifact(Artifact(**entry.model_dump(), run=recording.id, created=runs.now()))
    return entry


def on_sealed(project: Project, state: Ready, entry: Entry, first: Evaluation, then: Evaluation) -> Evaluation:
    """The cascade on the sealed rows, from what both have answered there."""
    card = read_card(project.artifacts / entry.digest)
    limit = card.config["threshold"]
    names = (card.config["first_name"], card.config["then_name"])
    stands = np.array([cascade.accepts(each, limit) for each in first.predictions], dtype=bool)
    both = zip(first.predictions, then.predictions, stands, strict=True)
    predictions = [cascade.joined(one, None if alone else other, names) for one, other, alone in both]
    made = of_answers(card, entry.digest, state.sealed, predictions, task=state.task, eval_version=state.seal.version)
    answers = answers_of(state.task, state.sealed, predictions)
    wrong = ~answers.right[stands]
    accepted = [example for example, alone in zip(state.sealed, stands, strict=True) if alone]
    figures = CascadeFigures(
        first=names[0],
        then=names[1],
        threshold=limit,
        max_error=card.config["max_error"],
        confidence=card.config["confidence"],
        calibrated=card.config["rows"],
        accepted=card.config["accepted"],
        wrong=card.config["wrong"],
        coverage=share_of(stands, groups_of(state.sealed)),
        error=share_of(wrong, groups_of(accepted)) if accepted else Estimate(value=None, n=0),
    )
    return made.model_copy(update={"scorecard": made.scorecard.model_copy(update={"cascade": figures})})


def said(figures: CascadeFigures, section: CascadeSection) -> str:
    """What the cascade does and promises, in words."""
    most, sure, rows = share(figures.max_error), share(figures.confidence), count(figures.calibrated, "calibration row")
    if figures.threshold is None:
        return (
            f"The cascade passes everything on to {figures.then}: on {rows} no threshold shows with {sure} confidence "
            f"that at most {most} of the answers of {figures.first} above it are wrong. More rows ([cascade] "
            f"calibration = {section.calibration:g}) or a larger max_error may let it answer some."
        )
    error = "too few to say how many" if figures.error.value is None else share(figures.error.value)
    coverage = share(figures.coverage.value or 0.0)
    return (
        f"In the cascade {figures.first} answers {coverage} of the sealed rows alone, where it is at least "
        f"{figures.threshold:.4f} sure; {error} of these answers are wrong there. With {sure} confidence at most "
        f"{most} are, on rows like these: the threshold was chosen on {rows} that served for nothing else, where it "
        f"let {figures.accepted:,} pass, {figures.wrong:,} of them wrong. {figures.then} answers the rest."
    )
