"""What `prefer` and `compare` share: two candidates' kept answers to the validation rows, and what was said of them.

Nothing is asked of a candidate here: `baseline` and `compare` keep what it answers.
"""

import json
import secrets
from collections.abc import Mapping, Sequence

from tunesmith.core import journal
from tunesmith.core.errors import DataError, UserError
from tunesmith.core.example import Example
from tunesmith.core.files import write_text
from tunesmith.core.prediction import Prediction
from tunesmith.core.preferred import Preferred
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.evaluation.preferences import Judgement, Pair, Side, draw
from tunesmith.evaluation.seal import rows_digest
from tunesmith.workflows import candidates, runs
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_split

NOTHING = "(no answer)"
LISTED = 10  # lines that a message names
Answers = Mapping[str, Prediction]  # by row


def kept_pair(project: Project, names: Sequence[str] = ()) -> Pair:
    """The two candidates called `names`, else those of the newest verdict, with their kept answers.

    Raises UserError where two cannot be named, or where one has not answered the validation rows of now.
    """
    a, b = candidates.choose(project, names or _of_verdict(project))
    if a.digest == b.digest:
        raise UserError(f"{a.name!r} and {b.name!r} are one candidate. Name two: --with NAME --with NAME.")
    validation = read_split(project)[1]
    with runs.open_ledger(project) as ledger:
        said = [_answers(ledger.predictions(each.digest, rows_digest(validation))) for each in (a, b)]
    for entry, answers in zip((a, b), said, strict=True):
        if not answers:
            raise UserError(
                f"{entry.name} has not answered the validation rows of now. `tunesmith baseline` and `tunesmith "
                "compare` keep what the candidates of now answer."
            )
    return pair_of(draw(validation), (a, said[0]), (b, said[1]))


def pair_of(rows: Sequence[Example], a: tuple[Entry, Answers], b: tuple[Entry, Answers]) -> Pair:
    """`rows` in the order of the draw."""
    return Pair(_side(rows, *a), _side(rows, *b), tuple(rows))


def _side(rows: Sequence[Example], entry: Entry, said: Answers) -> Side:
    return Side(entry.name, entry.digest, tuple(_text(said[row.id]) for row in rows))


def by_people(
    project: Project,
    validation: Sequence[Example],
    said: Sequence[tuple[Entry, Sequence[Prediction]]],
    console: Console,
) -> tuple[Preferred, ...]:
    """What people said of the last of `said` beside each other one; nothing where nobody has judged."""
    from tunesmith.decisions.preference import preferred  # loads scipy, which `prefer` does not need before its end

    judgements = read_judgements(project, console)
    answered = [(entry, _answers(predictions)) for entry, predictions in said]
    *others, tuned = answered
    rows = draw(validation)
    pairs = [pair_of(rows, tuned, each) for each in others]
    known = {pair.digests for pair in pairs}
    if away := sum(frozenset((each.first, each.second)) not in known for each in judgements):
        console.say(
            f"Not counted: {count(away, 'judgement')} in {project.name(project.judgements)} about other pairs than the "
            "fine-tune of now and one of the baselines."
        )
    judge = project.config.judge.model
    found = (preferred(judgements, pair, judge) for pair in pairs)
    return tuple(each for each in found if each.drawn)


def read_judgements(project: Project, console: Console) -> tuple[Judgement, ...]:
    """All that can be read; how many lines cannot is said."""
    found = journal.read(project.judgements, Judgement)
    if found.unreadable:
        lines = ", ".join(f"{number:,}" for number in found.unreadable[:LISTED])
        console.say(
            f"{count(len(found.unreadable), 'line')} of {project.name(project.judgements)} cannot be read (line "
            f"{lines}), for instance because a write was cut off. They stay as they are and do not count."
        )
    return found.records


def secret(project: Project) -> str:
    """Made at the first call; it stays on this computer."""
    path = project.blind_file
    if not path.is_file():
        from filelock import FileLock

        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(project.judgements_lock):
            if not path.is_file():
                made = {"schema_version": 1, "secret": secrets.token_hex(16)}
                write_text(path, json.dumps(made) + "\n", mode=0o600)
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["secret"])
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"{project.name(path)} cannot be read. Delete it: the answers then stand on other sides, and sheets that "
            "were written before cannot be read back."
        ) from None


def _of_verdict(project: Project) -> tuple[str, str]:
    """The fine-tune and the best baseline of the newest comparison."""
    done = [run for run in runs.read_runs(project, "compare") if run.state == "done"]
    if not done:
        raise UserError(
            "There is no verdict yet that names two candidates. Run `tunesmith compare` first, or name two: --with "
            "NAME --with NAME."
        )
    return done[-1].result["candidate"], done[-1].result["baseline"]


def _answers(predictions: Sequence[Prediction]) -> dict[str, Prediction]:
    return {each.example: each for each in predictions}


def _text(said: Prediction) -> str:
    return said.output or said.text or NOTHING
