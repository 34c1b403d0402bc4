"""The findings of a project's rows, and the refusal of verbs whose rows are not in order."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.progress import Progress, silent
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.checks.all import check_eval, look_at_eval, look_at_sources
from tunesmith.data.checks.found import Found
from tunesmith.data.checks.kept import Kept
from tunesmith.data.checks.scope import Scope, TooLong
from tunesmith.data.checks.thin_topics import ThinTopics
from tunesmith.data.finding import Finding, place
from tunesmith.data.reading import EvalReading, Reading
from tunesmith.data.sensitive.quoting import quoted
from tunesmith.data.set_aside import faults_of_form
from tunesmith.tasks.base import Embed
from tunesmith.workflows import prompt_draft
from tunesmith.workflows.content import Content
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import Decided, as_reviewed, standing
from tunesmith.workflows.rows import Source, longest_allowed
from tunesmith.workflows.split_record import may_cut_again

SHOWN = 5  # findings of each check that are printed; --json has more
SETTLE = "`tunesmith check` lists them all; correct the rows, or move them out with `tunesmith check --set-aside`."


class Inspection(Record):
    findings: tuple[Finding, ...]
    severities: dict[str, int]
    unlisted: dict[str, int]  # check → findings that were counted, but are not among `findings`
    rows: int
    eval_rows: int
    skipped: tuple[str, ...]
    faults: tuple[str, ...]  # of the settings or of whole files, in words: setting rows aside would not help

    def and_of(self, findings: Iterable[Finding]) -> "Inspection":
        """With further findings, after its own."""
        more = tuple(findings)
        severities = Counter(self.severities) + Counter(finding.severity for finding in more)
        return self.model_copy(update={"findings": (*self.findings, *more), "severities": dict(severities)})


@dataclass
class Aim:
    """What rows are checked for: the task's labels (None: as the rows have them), whether outputs are labels, and
    whether the eval set is a file of its own, whose faults are mended there."""

    labels: Sequence[str] | None
    labelled: bool
    too_long: TooLong
    counted: Callable[[str], str] | None = None  # of a record, what decides whether it is right
    eval_is_own: bool = True
    embed: Embed | None = None  # where meaning counts
    fitting: Progress = silent  # of what is learnt from the vectors
    content: Content | None = None  # where more is asked than whether the rows can be used
    skipped: tuple[str, ...] = ()
    only_stops: bool = False  # for a verb that refuses rows and says nothing else of them


def of_readings(readings: Iterable[Reading]) -> list[Source]:
    return [Source(reading.name, chain(reading.findings, reading.examples)) for reading in readings]


def aim_of(
    project: Project, embed: Embed | None = None, content: Content | None = None, fitting: Progress = silent
) -> Aim:
    too_long, skipped = longest_allowed(project)
    return Aim(
        labels=project.config.task.labels,
        labelled=project.family.LABELLED,
        too_long=too_long,
        counted=project.counted,
        eval_is_own=not may_cut_again(project),
        embed=embed,
        fitting=fitting,
        content=content,
        skipped=(skipped,) if skipped else (),
    )


def inspect(
    project: Project,
    sources: Sequence[Source],
    evals: EvalReading,
    *,
    aim: Aim | None = None,
    limit: int | None = None,
    decided: Decided | None = None,
) -> Inspection:
    """The findings of the sources as reviewed, and of the eval set. What an unsealed cut holds is judged where it was
    cut from.

    `aim`: where more is asked than whether the rows can be used. `decided`: by reviewers, where that was read already.
    """
    aim = aim or aim_of(project)
    sources = as_reviewed(sources, standing(project) if decided is None else decided)
    return examine(aim, sources, evals, quoted=_quoted(project, evals.placed), limit=limit)


def examine(
    aim: Aim,
    sources: Sequence[Source],
    evals: EvalReading,
    *,
    quoted: Sequence[Finding] = (),
    limit: int | None = None,
) -> Inspection:
    """One pass over the sources, then one over the eval set; at most `limit` findings of each check are kept."""
    found, rows = Found(limit), dict.fromkeys((source.name for source in sources), 0)
    kept = Kept(labelled=aim.labelled, declared=aim.labels, counted=aim.counted, sketching=not aim.only_stops)
    content = aim.content
    scope = Scope(kept, aim.too_long, evals.examples, aim.embed, fitting=aim.fitting)
    further = (*content.checks, ThinTopics(scope)) if content else ()
    look_at_sources(_counted(sources, rows), scope, found, further, only_stops=aim.only_stops)
    faults = faults_of_form(rows, found.stopped)
    if aim.eval_is_own:
        known = dict(zip(kept.labels, kept.uses, strict=True))
        kept_of_eval = Kept(
            labelled=aim.labelled,
            declared=aim.labels,
            known=known,
            counted=aim.counted,
            sketching=not aim.only_stops,
        )
        scope = Scope(kept_of_eval, aim.too_long, repeats="the eval set counts it twice")
        look_at_eval(chain(evals.findings, evals.placed), scope, found, only_stops=aim.only_stops)
    found.add((*quoted, *(content.findings if content else ())))
    return Inspection(
        findings=tuple(found.sorted(list(rows))),
        severities=dict(found.severities),
        unlisted=found.unlisted,
        rows=len(kept),
        eval_rows=len(evals.rows),
        skipped=(*aim.skipped, *(content.skipped if content else ())),
        faults=tuple(faults),
    )


def _counted(sources: Sequence[Source], rows: dict[str, int]) -> Iterator[Example | Finding]:
    """All outcomes; `rows` counts those of each file, rows that cannot be read included."""
    for source in sources:
        for outcome in source.outcomes:
            rows[source.name] += isinstance(outcome, Example) or outcome.line > 0
            yield outcome


def stops_of(
    project: Project, sources: Sequence[Source], evals: EvalReading, decided: Decided | None = None
) -> Inspection:
    """What of the sources and of the eval set stops the work, and nothing else."""
    aim = aim_of(project)
    aim.only_stops = True
    return inspect(project, sources, evals, aim=aim, decided=decided)


def refuse_eval_stops(project: Project, evals: EvalReading, known: Mapping[str, int], verb: str) -> None:
    """Raise DataError where a row of the eval set cannot be used as it is; `known`: the labels of the rows to learn
    from."""
    name = project.name(project.eval_file)
    advice = (
        "Correct the sources, then run `tunesmith split`, which cuts the eval set anew."
        if may_cut_again(project)
        else f"Correct them in {name}; `tunesmith check` lists them all."
    )
    aim = aim_of(project)
    found = check_eval(
        evals, known, aim.labels, aim.too_long, labelled=aim.labelled, counted=aim.counted, only_stops=True
    )
    refuse_stops(found, verb, advice)


def refuse_found(project: Project, found: Inspection, verb: str) -> None:
    """`refuse_stops`, with the way out that there is."""
    name = project.name(project.eval_file)
    files = {finding.file for finding in found.findings if finding.severity == "stop"}
    advice = [whole(found.faults)] if found.faults else []
    if name in files:
        advice.append(f"`tunesmith check` lists them all; correct the rows of {name} there.")
    if not found.faults and files - {name}:
        advice.append(SETTLE if name not in files else "Move the others out with `tunesmith check --set-aside`.")
    refuse_stops(found.findings, verb, " ".join(advice))


def refuse_stops(findings: Sequence[Finding], verb: str, advice: str = SETTLE) -> None:
    """Raise DataError with the first findings that stop the work, if there are any."""
    stops = [finding for finding in findings if finding.severity == "stop"]
    if stops:
        number = count(len(stops), "finding")
        raise DataError(f"{number} in the data must be settled before {verb}:\n{first_stops(stops)}\n{advice}")


def whole(faults: Sequence[str]) -> str:
    return (
        f"{' and '.join(faults)} cannot be used as they are, so the settings are wrong, or the form of the file, not "
        "single rows. Compare [task] labels and [data] in tunesmith.toml with the file, and correct the one that is "
        "wrong."
    )


def first_stops(findings: Sequence[Finding]) -> str:
    stops = [finding for finding in findings if finding.severity == "stop"]
    more = [f"… and {len(stops) - SHOWN:,} more"] if len(stops) > SHOWN else []
    return "\n".join([*(line(finding) for finding in stops[:SHOWN]), *more])


def line(finding: Finding) -> str:
    """A finding as a terminal shows it."""
    where = finding.origin if finding.line else finding.file
    excerpt = f" “{finding.excerpt}”" if finding.excerpt else ""
    return f"{where}: {finding.message}{excerpt}"


def _quoted(project: Project, eval_set: Sequence[Example]) -> list[Finding]:
    """Eval rows that the prompt quotes: every candidate with that prompt has seen their answer."""
    found = []
    for example in eval_set:
        if prompt_draft.quotes(project.prompt, example.text):
            file, number = place(example.origin)
            found.append(
                Finding(
                    severity="look",
                    check="quoted-in-prompt",
                    file=file,
                    line=number,
                    message=f"{project.config.task.prompt} quotes this row of the eval set. Quote another.",
                    excerpt=quoted(example.text),
                )
            )
    return found
