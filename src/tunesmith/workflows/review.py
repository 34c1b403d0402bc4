"""`tunesmith review`: the rows that are worth a decision, one at a time, and what was decided, kept for good.

Nothing of the project is held meanwhile: each decision is added to data/reviews.jsonl under a lock of its own, so that
several people may review at once; what another has just decided is not asked again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from typing import cast, get_args

from tunesmith.core.errors import DataError, UserError, nearest
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data import review as pure
from tunesmith.data.finding import Finding
from tunesmith.data.review import Agreement, Item
from tunesmith.data.reviews import Decision, Log, Tail, Verdict, append, read_log
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.review_desk import Desk, View, open_desk, open_row
from tunesmith.workflows.reviewer import Reviewer
from tunesmith.workflows.status import command, next_command

LISTED = 10  # rows of the queue that are printed; --json has them all
IDLE = 600.0  # seconds: who takes longer over a row was away
LONGEST = 4000  # characters of a text that a terminal shows at once; "w" shows the whole
KEYS = {"a": "accept", "e": "edit", "r": "reject", "s": "skip"}
PROMPT = "[a]ccept  [e]dit  [r]eject  [s]kip  [w]hole text  [q]uit: "
END = "."  # on a line of its own, ends a text of several lines

Ask = Callable[[str], str | None]  # shows a prompt; the line that was typed, None at the end of the input


class Entry(Record):
    """A row of the queue."""

    id: str
    origin: str
    why: pure.Why
    note: str
    findings: tuple[Finding, ...]
    input: str
    output: str


class ReviewOutcome(Outcome):
    reviewer: str
    guideline: str
    waiting: int
    queue: tuple[Entry, ...]
    decided: dict[str, int]  # verdict → rows, in this session
    outdated: int  # rows that were decided under another guideline and wait again
    hidden: int  # rows of the sealed eval set, which are not shown
    agreement: Agreement | None
    unreadable: tuple[int, ...]  # lines of data/reviews.jsonl


class DecidedOutcome(Outcome):
    decision: Decision


def show(project: Project, console: Console, view: View) -> ReviewOutcome:
    """The queue as it stands."""
    desk, log = open_desk(project, console, view), read_log(project.reviews)
    outcome = _outcome(desk, log, desk.queue(log), Counter())
    _tell_state(outcome, project, console)
    for number, entry in enumerate(outcome.queue[:LISTED], start=1):
        said = [*(_words(each, entry.origin) for each in entry.findings), *([entry.note] if entry.note else [])]
        console.say(
            f"{number:>3}. {entry.id} {entry.origin} “{shown(entry.input)}” → “{shown(entry.output)}”\n"
            f"     {' '.join(said) or 'Drawn by chance.'}"
        )
    if outcome.waiting > LISTED:
        console.say(f"… and {outcome.waiting - LISTED:,} more (--json lists all)")
    return outcome


def decide(
    project: Project,
    console: Console,
    row: str,
    verdict: str,
    *,
    text: str | None = None,
    reason: str = "",
    reviewer: str | None = None,
) -> DecidedOutcome:
    """Record one decision; `row` is an id or a place ("data/a.csv:12"). Raises UserError where it cannot be meant."""
    if verdict not in get_args(Verdict):
        known = list(get_args(Verdict))
        raise UserError(f"--decide {row} {verdict}: expected {', '.join(known)}{nearest(verdict, known)}.")
    if (verdict == "edit") != (text is not None):
        raise UserError("--decide ID edit and --text ANSWER go together: the answer that should stand there.")
    example, by = open_row(project, reviewer, row)
    decision = by.decision(example, cast(Verdict, verdict), text, reason)
    append(project.reviews, decision, project.reviews_lock)
    console.say(f"Recorded: {decision.reviewer} — {verdict} {example.origin}.")
    return DecidedOutcome(decision=decision, next=command(project, "review"))


def session(project: Project, console: Console, ask: Ask, view: View) -> ReviewOutcome:
    """Show one row after the other and record what is said, until the queue or the input ends."""
    desk = open_desk(project, console, view)
    tail, log = Tail(project.reviews), read_log(project.reviews)
    queue = desk.queue(log)
    _tell_state(_outcome(desk, log, queue, Counter()), project, console)
    decided: Counter[str] = Counter()
    settled: set[str | None] = set()  # meanwhile, by whoever it was
    for number, item in enumerate(queue, start=1):
        for each in tail.added():
            settled |= {each.row, each.becomes} if each.verdict != "skip" else set()
        if item.example.id in settled and not view.second:
            continue
        _show_row(item, f"{number:,} of {len(queue):,}", console)
        begun = monotonic()
        decision = _asked(desk.reviewer, item, console, ask)
        if decision is None:
            break
        decision = decision.model_copy(update={"seconds": round(min(monotonic() - begun, IDLE), 1)})
        append(project.reviews, decision, project.reviews_lock)
        decided[decision.verdict] += 1
    log = read_log(project.reviews)
    outcome = _outcome(desk, log, desk.queue(log), decided)
    words = ", ".join(f"{number:,} {verdict}" for verdict, number in decided.items()) or "nothing"
    console.say(f"\nDecided: {words}. {count(outcome.waiting, 'row')} left.")
    _tell_agreement(outcome.agreement, console)
    return outcome


def _outcome(desk: Desk, log: Log, queue: Sequence[Item], decided: Counter[str]) -> ReviewOutcome:
    guideline = desk.reviewer.guideline
    standing = pure.standings(log.decisions, guideline)
    outdated = sum(1 for item in queue if (found := standing.get(item.example.id)) and not found.current)
    return ReviewOutcome(
        reviewer=desk.reviewer.name,
        guideline=guideline,
        waiting=len(queue),
        queue=tuple(map(_entry, queue)),
        decided=dict(decided),
        outdated=outdated,
        hidden=desk.hidden,
        agreement=pure.agreement(log.decisions, guideline),
        unreadable=log.unreadable,
        next=next_command(desk.project),
    )


def _entry(item: Item) -> Entry:
    row = item.example
    return Entry(
        id=row.id,
        origin=row.origin,
        why=item.why,
        note=item.note,
        findings=item.findings,
        input=row.text,
        output=row.expected,
    )


def _tell_state(outcome: ReviewOutcome, project: Project, console: Console) -> None:
    console.say(f"{count(outcome.waiting, 'row')} to review, as {outcome.reviewer}.")
    if outcome.outdated:
        console.say(f"{count(outcome.outdated, 'row')} of them were decided under another guideline.")
    if outcome.hidden:
        console.say(f"{count(outcome.hidden, 'row')} of the sources stand in the sealed eval set and are not shown.")
    if outcome.unreadable:
        lines = ", ".join(f"{number:,}" for number in outcome.unreadable[:LISTED])
        name = project.name(project.reviews)
        console.say(
            f"{count(len(outcome.unreadable), 'line')} of {name} cannot be read (line {lines}), for instance because a "
            "write was cut off. They stay as they are and do not count."
        )
    _tell_agreement(outcome.agreement, console)


def _tell_agreement(found: Agreement | None, console: Console) -> None:
    if found is None:
        return
    both = f"{count(found.rows, 'row')} judged by {' and '.join(found.reviewers)}"
    if found.alpha is None:
        console.say(f"Agreement: {both}: too few, or all the same, for a figure.")
        return
    kappa = f"Cohen's kappa {found.kappa:.2f}, " if found.kappa is not None else ""
    console.say(f"Agreement: {both}: {kappa}Krippendorff's alpha {found.alpha:.2f}.")


def _show_row(item: Item, place: str, console: Console, *, whole: bool = False) -> None:
    row = item.example
    marks = "".join(f"  {name} {shown(value)}" for name, value in (("slice", row.slice), ("group", row.group)) if value)
    console.say(f"\n{place}  {row.origin}  {row.id}{marks}")
    for finding in item.findings:
        console.say(f"  ! {finding.check}: {_words(finding, row.origin)}")
    if item.note:
        console.say(f"  ! {item.note}")
    console.say(f"  input:  {excerpt(row.text, whole=whole)}")
    console.say(f"  answer: {excerpt(row.expected, whole=whole)}")


def _words(finding: Finding, origin: str) -> str:
    """What a finding says beside the row at `origin`, which may be one that it is about as well."""
    return finding.message if finding.origin == origin else f"{finding.origin}: {finding.message}"


def excerpt(text: str, *, whole: bool) -> str:
    """As much of `text` as a terminal shows at once."""
    if whole or len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} … ({len(text) - LONGEST:,} more characters; w shows them)"


def _asked(by: Reviewer, item: Item, console: Console, ask: Ask) -> Decision | None:
    """What the reviewer says about a row; None where they stop."""
    while True:
        key = (ask(PROMPT) or "q").strip().casefold()
        if key in ("q", "quit"):
            return None
        if key in ("w", "whole"):
            _show_row(item, "whole", console, whole=True)
            continue
        verdict = KEYS.get(key, key)
        if verdict not in KEYS.values():
            console.say("Type one of the letters in brackets.")
            continue
        try:
            text = None
            if verdict == "edit":
                if (text := _typed_label(item, ask) if by.labels is not None else _typed_text(ask)) is None:
                    continue
                by.answer(text)  # what cannot be meant is said before the reason is asked for
            reason = ask("Why (Enter: no reason): ") if verdict in ("reject", "edit") else ""
            return by.decision(item.example, cast(Verdict, verdict), text, (reason or "").strip())
        except DataError as error:
            console.say(str(error))


def _typed_label(item: Item, ask: Ask) -> str | None:
    """The label that is typed, or that which a check suggests; None where there is neither."""
    likely = next((finding.likely for finding in item.findings if finding.likely is not None), None)
    offer = f" (Enter: {shown(likely)})" if likely is not None else ""
    typed = ask(f"Label{offer}: ")
    return typed if typed is None else typed.strip() or likely


def _typed_text(ask: Ask) -> str | None:
    """The text until a line with a full stop alone; None where nothing is typed."""
    lines: list[str] = []
    prompt = f"New answer, ended by a line with {END!r} alone:\n"
    while (line := ask(prompt)) is not None and line != END:
        lines.append(line)
        prompt = ""
    return "\n".join(lines) if "".join(lines).strip() else None
