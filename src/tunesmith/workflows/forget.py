"""`tunesmith forget`: a subject's rows are taken out wherever rows are kept, and what was trained on them is marked.

Whose rows are to be forgotten is written down first, and what was trained on them is marked; then each file is
replaced whole, the sources last. Killed at any moment, the same command goes on. The eval set is touched only when
that is said, for it breaks the seal.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core import journal
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.files import write_json, write_text
from tunesmith.core.progress import Console
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data import reviews
from tunesmith.data.canonical import canonical, read_canonical
from tunesmith.data.finding import place
from tunesmith.data.forgetting import Subject, became
from tunesmith.data.reading import EvalReading, Reading, write_eval_set
from tunesmith.data.set_aside import refuse_packed, take_out
from tunesmith.evaluation.preferences import Judgement
from tunesmith.workflows import runs, traces
from tunesmith.workflows.marks import Mark, mark
from tunesmith.workflows.outcome import DONE, INPUT_WRONG, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import read_made
from tunesmith.workflows.rows import read_eval, read_sources
from tunesmith.workflows.status import command, next_command
from tunesmith.workflows.versions import kept_versions, read_splits, read_version

JOURNAL = "forgetting.json"
LISTED = 10


class ForgetOutcome(Outcome):
    done: bool
    rows: dict[str, int]  # file → rows in it
    eval_rows: int  # of the eval set, taken out only where that was said
    unread: int  # rows of the sources that cannot be read, so that nobody knows whose they are
    runs: tuple[str, ...]  # trained on these rows; marked
    unknown_runs: tuple[str, ...]  # of which is not known what they were trained on
    deleted: tuple[str, ...]  # what `check` wrote of the rows and writes anew
    quoting: tuple[str, ...]  # prompts, pairs and general rows that say what a row says, to be edited by hand
    held: tuple[str, ...]  # other files below .tunesmith that hold what the rows say

    @property
    def exit_code(self) -> int:
        return DONE if self.done else INPUT_WRONG


class Found(NamedTuple):
    """Where the subject stands."""

    subject: Subject
    readings: tuple[Reading, ...]
    evals: EvalReading
    lines: dict[str, set[int]]  # source → first lines of rows
    files: dict[Path, int]  # other files → rows of them to take out
    runs: tuple[str, ...]
    unknown_runs: tuple[str, ...]


def forget(
    project: Project,
    console: Console,
    confirmed: Callable[[], bool],
    *,
    groups: Sequence[str] = (),
    rows: Sequence[str] = (),
    eval_set: bool = False,
) -> ForgetOutcome:
    """Take out the rows of `groups` and the `rows` named by id or place. Raises UserError where there are none."""
    with project.locked("forget"):
        found = _look(project, groups, rows)
        for name in found.lines:
            refuse_packed(name)
        outcome = _outcome(project, found)
        _tell(outcome, project, console, eval_set=eval_set)
        if not confirmed():
            console.say("Nothing was removed. --yes removes it without asking.")
            return outcome
        _take_out(project, found, eval_set=eval_set)
    broken = eval_set and outcome.eval_rows and project.lock_file.exists()
    following = command(project, "seal --reseal") if broken else next_command(project)
    console.say("Removed. What git or a backup keeps of these files is not touched.")
    return outcome.model_copy(update={"done": True, "next": following})


def _look(project: Project, groups: Sequence[str], rows: Sequence[str]) -> Found:
    readings, evals = read_sources(project), read_eval(project)
    examples = [row for reading in readings for row in reading.examples]
    made, versions = read_made(project), {path: read_version(path) for path in kept_versions(project)}
    split = {path: _rows(project, path) for path in project.split_files}
    parts = [examples, evals.examples, made, *versions.values(), *split.values()]
    everything = [row for part in parts for row in part]
    ids = {row.id for row in everything if row.id in rows}
    ids |= {row.id for row in (*examples, *made) if row.origin in rows}  # places in older files are others by now
    log = reviews.read_log(project.reviews)
    before = _journal(project)
    whose = {"groups": before.groups | set(groups), "ids": became(before.ids | ids, log.decisions)}
    subject = before.model_copy(update=whose)
    aside = [_raw(row) for _, row in _json_lines(project.set_aside)]
    own = [row for row in everything if subject.covers(row)]
    if not own and before == Subject() and not any(subject.in_raw(*each) for each in aside):
        named = ", ".join(shown(name) for name in (*groups, *rows))
        raise UserError(f"Nothing of {named} is here: no row has that group, id or place.")
    subject = subject.joined(own).with_raw(aside)
    subject = subject.model_copy(update={"said": became(subject.said, log.decisions)})
    lines: dict[str, set[int]] = {}
    for row in filter(subject.covers, examples):
        file, line = place(row.origin)
        lines.setdefault(file, set()).add(line)
    files = {path: sum(map(subject.covers, part)) for path, part in (split | versions | {project.made: made}).items()}
    files[project.set_aside] = sum(not kept for _, kept in _aside(project, subject))
    files[project.left_out_file] = sum(not kept for _, kept in _left_out(project, subject))
    about = subject.ids | subject.said
    files[project.reviews] = sum(not {each.row, each.becomes}.isdisjoint(about) for each in log.decisions)
    judged = journal.read(project.judgements, Judgement).records
    files[project.judgements] = sum(each.row in about for each in judged)
    trained = {path.stem for path, part in versions.items() if any(map(subject.covers, part))}
    known = read_splits(project)
    affected = {each.data for each in known if each.version in trained}
    made_runs = [run for run in runs.read_runs(project) if run.verb in ("baseline", "train")]
    return Found(
        subject=subject,
        readings=readings,
        evals=evals,
        lines=lines,
        files={path: number for path, number in files.items() if number},
        runs=tuple(run.id for run in made_runs if run.inputs.get("data") in affected),
        unknown_runs=tuple(run.id for run in made_runs if run.inputs.get("data") not in {each.data for each in known}),
    )


def _take_out(project: Project, found: Found, *, eval_set: bool) -> None:
    subject = found.subject
    begun = {"groups": sorted(subject.groups), "ids": sorted(subject.ids), "said": sorted(subject.said)}
    write_json(project.state / JOURNAL, {"schema_version": 1, **begun})
    mark(project, Mark(time=runs.now(), rows=sum(map(len, found.lines.values())), runs=found.runs))
    for path in traces.made_again(project):
        path.unlink()
    _rewrite_lines(project.set_aside, _aside(project, subject))
    _rewrite_lines(project.left_out_file, _left_out(project, subject))
    about = subject.ids | subject.said
    reviews.forget(project.reviews, set(about), project.reviews_lock)
    journal.take_out(project.judgements, Judgement, lambda each: each.row in about, project.judgements_lock)
    for path in (project.made, *project.split_files, *kept_versions(project)):
        if found.files.get(path):
            rows = [row for row in _rows(project, path) if not subject.covers(row)]
            if path == project.made:  # a made row's place is its line, which is another from now on
                rows = [row.model_copy(update={"origin": ""}) for row in rows]
            _rewrite(path, rows)
    if eval_set and any(map(subject.covers, found.evals.examples)):
        write_eval_set(project.eval_file, [row for row in found.evals.rows if not subject.covers(row.example)])
    for reading in found.readings:
        if reading.name in found.lines:
            take_out(reading, found.lines[reading.name], project.folder)
    (project.state / JOURNAL).unlink()


def _rewrite(path: Path, rows: Sequence[Example]) -> None:
    """Whole, and dated as before: a version is as old as it was."""
    dated = path.stat()
    write_text(path, canonical(rows))
    os.utime(path, ns=(dated.st_atime_ns, dated.st_mtime_ns))


def _journal(project: Project) -> Subject:
    """What an earlier call had begun to forget."""
    try:
        kept = json.loads((project.state / JOURNAL).read_text(encoding="utf-8"))
        return Subject(groups=kept["groups"], ids=kept["ids"], said=kept["said"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Subject()


def _rows(project: Project, path: Path) -> tuple[Example, ...]:
    return read_canonical(path, project.name(path)) if path.exists() and path.stat().st_size else ()


def _aside(project: Project, subject: Subject) -> Iterator[tuple[str, bool]]:
    """The lines of the set-aside file, and whether each stays."""
    for line, row in _json_lines(project.set_aside):
        yield line, not subject.in_raw(*_raw(row))


def _raw(row: Mapping[str, Any]) -> tuple[str, str]:
    """A row that was set aside, as it stood, and the source in which it did."""
    return str(row.get("raw", "")), place(str(row.get("origin", "")))[0]


def _left_out(project: Project, subject: Subject) -> Iterator[tuple[str, bool]]:
    for line, row in _json_lines(project.left_out_file):
        yield line, row.get("input") not in subject.texts


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").split("\n"):
        if line:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = {"raw": line, "input": line}
            yield line, row if isinstance(row, dict) else {"raw": line}


def _rewrite_lines(path: Path, lines: Iterator[tuple[str, bool]]) -> None:
    every = list(lines)
    kept = [line for line, stays in every if stays]
    if len(kept) < len(every):
        write_text(path, "".join(f"{line}\n" for line in kept))


def _outcome(project: Project, found: Found) -> ForgetOutcome:
    """What is to be done, before it is."""

    def names(paths: Sequence[Path]) -> tuple[str, ...]:
        return tuple(project.name(path) for path in paths)

    rows = {name: len(lines) for name, lines in found.lines.items()}
    return ForgetOutcome(
        done=False,
        rows=rows | {project.name(path): number for path, number in found.files.items()},
        eval_rows=sum(map(found.subject.covers, found.evals.examples)),
        unread=sum(finding.line > 0 for reading in found.readings for finding in reading.findings),
        runs=found.runs,
        unknown_runs=found.unknown_runs,
        deleted=names(traces.made_again(project)),
        quoting=names(traces.by_hand(project, found.subject)),
        held=names([path for path in traces.results(project, found.subject) if path.name != JOURNAL]),
    )


def _tell(outcome: ForgetOutcome, project: Project, console: Console, *, eval_set: bool) -> None:
    kept = f"{project.name(project.versions)}/"
    console.say("To be removed:" if outcome.rows else "No row of any file is to be removed.")
    for name, number in outcome.rows.items():
        if not name.startswith(kept):
            console.say(f"  {count(number, 'row')} of {name}")
    if versions := [number for name, number in outcome.rows.items() if name.startswith(kept)]:
        console.say(f"  {count(sum(versions), 'row')} of {count(len(versions), 'version')} of the data")
    if outcome.eval_rows:
        name = project.name(project.eval_file)
        rows = count(outcome.eval_rows, "row")
        if eval_set:
            console.say(f"And {rows} of {name}, which breaks the seal: `tunesmith seal --reseal` seals what is left.")
        else:
            console.say(f"{rows} of {name} stay. --eval-set removes them too, which breaks the seal.")
    if outcome.unread:
        console.say(
            f"{count(outcome.unread, 'row')} of the sources cannot be read, so nobody knows whose they are; `tunesmith "
            "check` lists them."
        )
    for what, names in (
        ("To be deleted, since `tunesmith check` writes it anew", outcome.deleted),
        ("Trained on these rows, to be made again", outcome.runs),
        ("Of an earlier version, which may have been trained on them", outcome.unknown_runs),
        ("Saying what one of them says; edit it by hand", outcome.quoting),
        ("Still holding what they say, or answers to them; delete it once it is made again", outcome.held),
    ):
        if names:
            more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
            console.say(f"{what}: {', '.join(names[:LISTED])}{more}.")
