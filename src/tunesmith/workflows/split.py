"""`tunesmith split`: rows → training, validation and, where none was given, the eval set.

A message that the prompt quotes stays in training: in the eval set its answer would be known.
"""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import ConfigError, DataError
from tunesmith.core.example import Example
from tunesmith.core.files import temporary_name, write_json, write_jsonl, write_text
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.canonical import canonical, write_canonical
from tunesmith.data.leaks import find_leaks
from tunesmith.data.made import place_made
from tunesmith.data.normal import normalise
from tunesmith.data.reading import EvalReading
from tunesmith.data.section import MOST_EVAL
from tunesmith.data.splitting import LeftOut, Split
from tunesmith.data.splitting import split as divide
from tunesmith.data.versions import name_of
from tunesmith.decisions.figures import points
from tunesmith.decisions.power import Sight, sight
from tunesmith.evaluation import seal as seals
from tunesmith.workflows import inputs, prompt_draft
from tunesmith.workflows.guards import say_unlooked
from tunesmith.workflows.inspecting import of_readings, refuse_found, stops_of
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import Decided, Reviewed, accepted_made, reviewed, standing
from tunesmith.workflows.rows import canonical_eval, read_eval, read_sources, refuse_other_eval_files
from tunesmith.workflows.split_record import SplitRecord, may_cut_again
from tunesmith.workflows.status import next_command
from tunesmith.workflows.versions import SplitMade, keep_version, record_split

REASONS = {
    "duplicate": "repeated",
    "leak": "known to the eval set",
    "near": "nearly known to the eval set",
    "group": "of a group in the eval set",
    "eval": "in the eval set, which was cut from here",
    "rejected": "rejected in review",
    "made": "made from, or too near to, rows that are not trained on",
}


class SplitOutcome(Outcome):
    train: int
    validation: int
    calibration: int  # rows kept for the threshold of a cascade
    eval: int
    eval_made: bool  # whether this split wrote evals/eval.jsonl
    left_out: dict[str, int]
    labels: int | None  # None where outputs are free text
    edited: int  # rows whose answer a reviewer wrote
    made: int  # rows of `augment` among those to train on
    version: str  # the name of the training and validation rows together
    detectable: float | None  # the smallest difference that the eval set shows, of labels
    rows_for_min_effect: int | None  # eval rows that show [rules] min_effect


def split(project: Project, console: Console) -> SplitOutcome:
    """Write data/split/*, and evals/eval.jsonl where it does not exist.

    Raises DataError where rows are broken, SealError where the eval set is not what was sealed.
    """
    say_unlooked(console)
    with project.locked("split"):
        if project.lock_file.exists():
            seals.verify(project.eval_file, project.lock_file)  # or what is sealed would be replaced without a word
        evals = EvalReading() if may_cut_again(project) else read_eval(project)
        made = not evals.rows
        if made:
            refuse_other_eval_files(project)
        readings, decided = read_sources(project), standing(project)
        found = reviewed(readings, decided)
        refuse_found(project, stops_of(project, of_readings(readings), evals, decided), "the split")
        rows = [example for reading in found.readings for example in reading.examples]
        eval_set = evals.examples
        divided = _divide(rows, eval_set, project)
        canonical_eval(project, evals)
        if made:
            divided = _quoted_to_training(divided, project.prompt)
        made_rows = accepted_made(project, decided)
        divided = _with_reviewed(divided, found, made_rows, eval_set)
        record = _write(project, divided, found, decided, eval_made=made)
        record_split(project, SplitMade(version=record.version, data=inputs.of_rows(project)))
    evals_now = len(divided.eval) if made else len(eval_set)
    least = project.config.rules.least_share if project.family.LABELLED else None
    seen = Sight(None, None) if least is None else sight(evals_now, least)
    outcome = SplitOutcome(
        train=len(divided.train),
        validation=len(divided.validation),
        calibration=len(divided.calibration),
        eval=evals_now,
        eval_made=made,
        left_out=dict(Counter(left.reason for left in divided.left_out)),
        labels=len({row.expected for row in divided.train}) if project.family.LABELLED else None,
        edited=record.edited,
        made=record.made,
        version=record.version,
        detectable=seen.detectable,
        rows_for_min_effect=seen.needed,
        next=next_command(project),
    )
    _tell(outcome, project, console)
    return outcome


def _divide(rows: Sequence[Example], eval_set: Sequence[Example], project: Project) -> Split:
    try:
        share = _eval_share(rows, project) if not eval_set else None
        kept = project.config.cascade.share
        _refuse_shares(project, share, kept)
        return divide(
            rows, eval_set, project.config.data, strata=project.strata, eval_share=share, calibration_share=kept
        )
    except DataError:
        leaks = find_leaks(rows, eval_set)
        if len(leaks) <= len(rows) / 2:
            raise
        same = f"All {count(len(rows), 'row')}" if len(leaks) == len(rows) else f"{len(leaks):,} of {len(rows):,} rows"
        sources = " and ".join(project.name(path) for path in project.sources())
        name = project.name(project.eval_file)
        raise DataError(
            f"{same} of {sources} stand in {name} as well, or belong to a group that does: the sources and the eval "
            "set hold the same rows, which leaves too few to train on. Put other rows into one of the two; or take "
            f"{name} away, so that `tunesmith split` cuts an eval set from the sources."
        ) from None


def _refuse_shares(project: Project, evals: float | None, calibration: float | None) -> None:
    validation = project.config.data.validation
    if calibration and validation + calibration + (evals or 0.0) >= 1:
        raise ConfigError(
            f"[cascade] calibration = {calibration:g} leaves no rows to train on, beside [data] validation = "
            f"{validation:g} and eval = {evals or 0.0:g}. Lower one of them."
        )


def _eval_share(rows: Sequence[Example], project: Project) -> float:
    """The share as it is set, or that of the rows which [rules] min_effect needs to be seen, at most MOST_EVAL."""
    share = project.config.data.eval
    if share != "auto":
        return share
    least = project.config.rules.least_share
    if not project.family.LABELLED or least is None:
        what = "by what mistakes cost" if least is None else "of free text"
        raise ConfigError(
            f'[data] eval = "auto": how many rows a difference {what} needs is only known once something is measured. '
            "Name a share, such as 0.1."
        )
    distinct = len({(normalise(row.text), row.expected) for row in rows})
    needed = sight(distinct, least).needed
    return MOST_EVAL if needed is None else min(MOST_EVAL, needed / max(distinct, 1))


def _with_reviewed(divided: Split, found: Reviewed, made: Sequence[Example], eval_set: Sequence[Example]) -> Split:
    """With the made rows that were accepted, and with the rejected rows among those left out."""
    rejected = tuple(LeftOut(example=row, reason="rejected", of=who) for row, who in found.rejected)
    divided = divided.model_copy(update={"left_out": (*rejected, *divided.left_out)})
    return place_made(divided, made, eval_set, found.edited) if made else divided


def _quoted_to_training(divided: Split, prompt: str) -> Split:
    """Take the rows that the prompt quotes, and what nearly equals them, out of the eval set that was just cut."""
    kept = list(divided.eval)
    moving = [row for row in kept if prompt_draft.quotes(prompt, row.text)]
    moved: list[Example] = []
    while moving:
        moved += moving
        going = {row.origin for row in moving}
        kept = [row for row in kept if row.origin not in going]
        near = {leak.eval for leak in find_leaks(moving, kept)}
        moving = [row for row in kept if row.origin in near]
    return divided.model_copy(update={"eval": tuple(kept), "train": (*divided.train, *moved)})


def _write(project: Project, divided: Split, found: Reviewed, decided: Decided, *, eval_made: bool) -> SplitRecord:
    """Everything is on disk under another name before anything that stands is touched: the disk may be full.

    A split without its record is none, and neither is one whose eval set is not the recorded one. An eval set that was
    cut comes after the record: without it, a later split would take the cut for the user's own.
    """
    cut = canonical(divided.eval)
    rows = (*divided.train, *divided.validation)
    record = SplitRecord(
        made_from=inputs.of_split(project, decided) | {reading.name: reading.sha256 for reading in found.readings},
        eval_sha256=sha256_text(cut) if eval_made else inputs.of_seal(project),
        eval_made=eval_made,
        seed=project.config.data.seed,
        validation_share=project.config.data.validation,
        train=len(divided.train),
        validation=len(divided.validation),
        calibration=len(divided.calibration),
        left_out=dict(Counter(left.reason for left in divided.left_out)),
        edited=len(found.edited),
        made=sum(row.made is not None for row in divided.train),
        version=name_of(rows),
    )
    keep_version(project, record.version, rows)
    files = {
        path: temporary_name(path)
        for path in (project.train_file, project.validation_file, project.left_out_file, project.split_file)
    }
    try:
        write_canonical(files[project.train_file], divided.train)
        write_canonical(files[project.validation_file], divided.validation)
        if divided.calibration:
            files[project.calibration_file] = temporary_name(project.calibration_file)
            write_canonical(files[project.calibration_file], divided.calibration)
        write_jsonl(files[project.left_out_file], [_left_out(left) for left in divided.left_out])
        write_json(files[project.split_file], record.model_dump(mode="json"))
        if eval_made:
            files[project.eval_file] = temporary_name(project.eval_file)
            write_text(files[project.eval_file], cut)
            project.eval_file.unlink(missing_ok=True)
        project.split_file.unlink(missing_ok=True)
        project.calibration_file.unlink(missing_ok=True)
        for path, temporary in files.items():
            os.replace(temporary, path)
    except BaseException:
        for temporary in files.values():
            temporary.unlink(missing_ok=True)
        raise
    return record


def _left_out(left: LeftOut) -> dict[str, Any]:
    row = left.example
    return {
        "reason": left.reason,
        "of": left.of,
        "origin": row.origin,
        "input": row.text,
        "output": row.expected,
    }


def _tell(outcome: SplitOutcome, project: Project, console: Console) -> None:
    labels = "" if outcome.labels is None else f"; {count(outcome.labels, 'label')}"
    kept = f" {outcome.calibration:,} for the threshold of the cascade," if outcome.calibration else ""
    console.say(
        f"Split: {outcome.train:,} to train on, {outcome.validation:,} to validate,{kept} {outcome.eval:,} in the eval "
        f"set{labels}."
    )
    if outcome.eval_made:
        console.say(f"The eval set was cut from your rows into {project.name(project.eval_file)}.")
    if outcome.edited or outcome.made:
        console.say(
            f"{count(outcome.edited, 'answer')} as reviewers wrote them; {count(outcome.made, 'made row')} among those "
            "to train on."
        )
    _tell_sight(outcome, project, console)
    if outcome.left_out:
        words = ", ".join(f"{number:,} {REASONS[reason]}" for reason, number in outcome.left_out.items())
        console.say(f"Left out: {words}. {project.name(project.left_out_file)} lists each with its twin.")


def _tell_sight(outcome: SplitOutcome, project: Project, console: Console) -> None:
    """What the eval set can show, of labels: how far scores or costs spread is only known once measured."""
    effect, needed = project.config.rules.least_share, outcome.rows_for_min_effect
    if outcome.labels is None or effect is None:
        return
    seen = outcome.detectable
    said = f"a difference of {points(seen)} points can be detected" if seen else "no difference can be detected"
    if not effect:
        more = ""
    elif needed is None:
        more = f"; no reasonable number of rows shows min_effect ({points(effect)} points)"
    elif needed <= outcome.eval:
        more = f", and so can min_effect ({points(effect)} points)"
    else:
        more = f"; {count(needed, 'row is', 'rows are')} needed for min_effect ({points(effect)} points)"
    console.say(f"With {count(outcome.eval, 'eval row')} {said}{more}.")
