"""`tunesmith prefer`: two candidates' answers to the same rows, blind, one row at a time.

Nothing of the project is held meanwhile: each judgement is added to evals/preferences.jsonl under a lock of its own,
so that several people may judge at once. Figures are shown to who has judged all of their rows, not before.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunesmith.core import journal
from tunesmith.core.errors import UserError, nearest
from tunesmith.core.preferred import Preferred
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.decisions import preference_words
from tunesmith.evaluation.preferences import JUDGE, ROWS, Blind, Judgement, Pair, standing
from tunesmith.workflows import runs
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.preferring import kept_pair, read_judgements, secret
from tunesmith.workflows.project import Project
from tunesmith.workflows.review import LISTED, excerpt
from tunesmith.workflows.reviewer import who
from tunesmith.workflows.status import command, next_command

CHOICES = {"1": "1", "2": "2", "=": "tie", "tie": "tie"}
PROMPT = "[1] or [2] is better  [=] a tie  [s]kip  [u]ndo the last  [w]hole texts  [q]uit: "

Ask = Callable[[str], str | None]  # shows a prompt; the line that was typed, None at the end of the input


class Wanted(NamedTuple):
    """Which candidates (else those of the verdict), how many rows (else as before), and who judges."""

    names: Sequence[str] = ()
    rows: int | None = None
    rater: str | None = None


class Asked(Record):
    """A row that is still to be judged, with its two answers as this rater sees them."""

    id: str
    request: str
    answer_1: str
    answer_2: str


class PreferOutcome(Outcome):
    rater: str
    between: tuple[str, str]  # names of the candidates, which say nothing of the sides
    drawn: int
    same: int  # of these, with equal answers: ties, and not asked
    rows: tuple[Asked, ...]  # still to be judged by this rater
    preferred: Preferred | None  # once this rater has judged all of them, and every row is judged by somebody


class Seat(NamedTuple):
    """What a rater has before them: the first `drawn` rows of the pair."""

    project: Project
    pair: Pair
    blind: Blind
    drawn: int

    def judgements(self) -> tuple[Judgement, ...]:
        return journal.read(self.project.judgements, Judgement).records

    def waiting(self) -> list[int]:
        """The places of the rows that this rater has not judged."""
        by = standing(self.judgements(), self.pair).by
        return [
            place
            for place in self.pair.asked(self.drawn)
            if self.blind.rater not in by.get(self.pair.rows[place].id, {})
        ]

    def answers(self, place: int) -> tuple[str, str]:
        one, other = self.pair.sides(place, self.blind.first(self.pair.rows[place].id))
        return one.said[place], other.said[place]

    def judgement(self, place: int, choice: str) -> Judgement:
        row = self.pair.rows[place].id
        one, other = self.pair.sides(place, self.blind.first(row))
        return Judgement.model_validate(
            {
                "row": row,
                "first": one.digest,
                "second": other.digest,
                "choice": choice,
                "rater": self.blind.rater,
                "time": runs.now(),
                "drawn": self.drawn,
            }
        )

    def add(self, place: int, choice: str) -> None:
        journal.append(self.project.judgements, self.judgement(place, choice), self.project.judgements_lock)


def open_seat(project: Project, wanted: Wanted) -> Seat:
    """Raises UserError where there are no two candidates to compare, where the rater's name is a judge's, or where a
    session of more rows is not finished: whoever made it a smaller one could see how it goes, and stop there."""
    rater = who(wanted.rater, project)
    if rater.startswith(JUDGE):
        raise UserError(f"--as {shown(rater)}: names that begin with {JUDGE!r} are those of models. Take another.")
    pair = kept_pair(project, wanted.names)
    before = standing(journal.read(project.judgements, Judgement).records, pair)
    drawn = min(wanted.rows or before.begun or before.drawn or ROWS, len(pair.rows))
    if drawn < before.begun:
        raise UserError(
            f"--rows {wanted.rows}: {count(before.begun, 'row')} of {pair.a.name} and {pair.b.name} were begun and are "
            "not all judged. Judge those (`tunesmith prefer` goes on), or draw more; fewer would be a choice made on "
            "the way."
        )
    return Seat(project, pair, Blind(secret(project), pair, rater), drawn)


def show(project: Project, console: Console, wanted: Wanted) -> PreferOutcome:
    """What is still to be judged, or what came of it."""
    seat = open_seat(project, wanted)
    outcome = outcome_of(seat)
    tell_state(outcome, project, console)
    for number, row in enumerate(outcome.rows[:LISTED], start=1):
        answers = f"     1: {shown(row.answer_1)}\n     2: {shown(row.answer_2)}"
        console.say(f"{number:>3}. {row.id} “{shown(row.request)}”\n{answers}")
    if len(outcome.rows) > LISTED:
        console.say(f"… and {len(outcome.rows) - LISTED:,} more (--json lists all)")
    tell_result(outcome, console)
    return outcome


def decide(project: Project, console: Console, wanted: Wanted, row: str, choice: str) -> PreferOutcome:
    """Record one judgement; `row` is an id or a place. Raises UserError where it cannot be meant."""
    if choice not in CHOICES:
        raise UserError(f"--decide {row} {choice}: expected 1, 2 or tie{nearest(choice, list(CHOICES))}.")
    seat = open_seat(project, wanted)
    rows = seat.pair.rows
    asked = seat.pair.asked(seat.drawn)
    place = next((place for place in asked if row in (rows[place].id, rows[place].origin)), None)
    if place is None:
        raise UserError(
            f"There is no row {shown(row)!r} to judge. `tunesmith prefer --list --json` names each by its id."
        )
    seat.add(place, CHOICES[choice])
    console.say(f"Recorded: {seat.blind.rater} — {CHOICES[choice]} on {rows[place].id}.")
    return outcome_of(seat)


def session(project: Project, console: Console, ask: Ask, wanted: Wanted) -> PreferOutcome:
    """Show one row after the other and record what is said, until all are judged or the input ends."""
    seat = open_seat(project, wanted)
    outcome = outcome_of(seat)
    tell_state(outcome, project, console)
    queue, given = deque(seat.waiting()), list[int]()
    while queue:
        place = queue.popleft()
        _show_row(seat, place, f"{len(queue) + 1:,} left", console)
        match _key(seat, place, console, ask):
            case None:
                break
            case "skip":
                queue.append(place)
            case "undo" if given:
                last = given.pop()
                seat.add(last, "undone")
                queue.extendleft((place, last))
            case "undo":
                console.say("Nothing has been judged in this session that could be undone.")
                queue.appendleft(place)
            case choice:
                seat.add(place, choice)
                given.append(place)
    outcome = outcome_of(seat)
    console.say(f"\nJudged: {count(len(given), 'row')}. {count(len(outcome.rows), 'row')} left.")
    tell_result(outcome, console)
    return outcome


def _key(seat: Seat, place: int, console: Console, ask: Ask) -> str | None:
    """A choice, "skip" or "undo"; None where the rater stops."""
    while True:
        line = ask(PROMPT)
        key = "q" if line is None else line.strip().casefold()
        if key in ("q", "quit"):
            return None
        if key in CHOICES:
            return CHOICES[key]
        if key in ("s", "skip", "u", "undo"):
            return {"s": "skip", "u": "undo"}[key[0]]
        if key in ("w", "whole"):
            _show_row(seat, place, "whole", console, whole=True)
        else:
            console.say("Type one of the keys in brackets.")


def _show_row(seat: Seat, place: int, title: str, console: Console, *, whole: bool = False) -> None:
    row = seat.pair.rows[place]
    console.say(f"\n{title}  {row.id}\n  request: {excerpt(row.text, whole=whole)}")
    for number, text in enumerate(seat.answers(place), start=1):
        console.say(f"  {number}: {excerpt(text, whole=whole)}")


def outcome_of(seat: Seat) -> PreferOutcome:
    waiting = seat.waiting()
    found = None if waiting else _figures(seat)
    rows = [(seat.pair.rows[place], *seat.answers(place)) for place in waiting]
    names = sorted((seat.pair.a.name, seat.pair.b.name))
    return PreferOutcome(
        rater=seat.blind.rater,
        between=(names[0], names[1]),
        drawn=seat.drawn,
        same=seat.drawn - len(seat.pair.asked(seat.drawn)),
        rows=tuple(Asked(id=row.id, request=row.text, answer_1=one, answer_2=other) for row, one, other in rows),
        preferred=found if found is not None and found.whole else None,
        next=command(seat.project, "prefer") if waiting else next_command(seat.project),
    )


def _figures(seat: Seat) -> Preferred:
    from tunesmith.decisions.preference import preferred  # loads scipy, which a list and a single judgement do not need

    return preferred(seat.judgements(), seat.pair, seat.project.config.judge.model)


def tell_state(outcome: PreferOutcome, project: Project, console: Console) -> None:
    read_judgements(project, console)  # says what cannot be read
    console.say(
        f"{count(len(outcome.rows), 'row')} to judge, as {outcome.rater}: {outcome.between[0]} and "
        f"{outcome.between[1]} on {count(outcome.drawn, 'validation row')}, {outcome.same:,} with equal answers."
    )


def tell_result(outcome: PreferOutcome, console: Console) -> None:
    for text in preference_words.sentences(outcome.preferred) if outcome.preferred else ():
        console.say(text)
