"""`tunesmith prefer --judge`: the model of [judge] judges the same rows, and is held against people.

Each judgement is kept as it is made, so that a judge that was stopped goes on where it was; another model, rubric or
way is another judge, and begins anew.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.candidates import prompt
from tunesmith.candidates.load import load
from tunesmith.core import journal
from tunesmith.core.errors import ConfigError
from tunesmith.core.prediction import Prediction
from tunesmith.core.preferred import JudgeFigures
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.units import count, money
from tunesmith.decisions import preference_words
from tunesmith.decisions.preference import judge_of
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.judge import Sitting, answers_of, asked, judgements, judging
from tunesmith.evaluation.preferences import JUDGE, MOST, Judgement, Pair, standing
from tunesmith.evaluation.prices import PricesSection
from tunesmith.workflows import runs
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.prefer import Wanted
from tunesmith.workflows.preferring import kept_pair
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import next_command


class Spent(Record):
    """What the answers of this call took, of which `kept` were answered and paid before; `cost` is None where [prices]
    names no price."""

    requests: int = 0
    kept: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None


class JudgeOutcome(Outcome):
    model: str
    candidate: str  # the judge's digest
    between: tuple[str, str]
    drawn: int
    judged: int  # rows, in this call
    unanswered: int  # rows on which it gave no valid answer
    spent: Spent
    judge: JudgeFigures | None  # also None while people have not judged all of the rows that they began


def judge(project: Project, console: Console, wanted: Wanted) -> JudgeOutcome:
    """Raises ConfigError where [judge] names no model, or no rubric that can be read."""
    section = project.config.judge
    if section.model is None:
        raise ConfigError('There is no judge: name one under [judge], such as model = "lab:MODEL".')
    task = judging(_rubric(project), section.way)
    pair = kept_pair(project, wanted.names)
    drawn = min(wanted.rows or MOST, len(pair.rows))
    engines = LocalEngines(project.folder, project.config.providers, project.answers)
    with project.locked("prefer --judge"):
        digest = prompt.make(
            project.artifacts,
            task,
            model=section.model,
            max_tokens=project.config.model.max_tokens,
            engines=engines,
            name=f"judge:{section.model}",
        )
        sitting = Sitting(model=section.model, digest=digest, way=section.way, drawn=drawn, time=runs.now())
        judged, unanswered, spent = _judge(project, console, pair, sitting, engines)
    console.say(
        f"{count(judged, 'row')} judged by {section.model}; {count(unanswered, 'row')} without a valid judgement."
    )
    if spent.requests:
        console.say(_words(spent, project.config.prices.currency))
    found = _figures(project, console, pair, section.model)
    return JudgeOutcome(
        model=section.model,
        candidate=digest,
        between=(pair.a.name, pair.b.name),
        drawn=drawn,
        judged=judged,
        unanswered=unanswered,
        spent=spent,
        judge=found,
        next=next_command(project),
    )


def _figures(project: Project, console: Console, pair: Pair, model: str) -> JudgeFigures | None:
    """What the judge says; held back while people judge, who would learn which candidate is ahead."""
    said = _judgements(project)
    if begun := standing(said, pair).begun:
        console.say(f"Its figures are shown once people have judged all {begun:,} rows that they began.")
        return None
    found = judge_of(said, pair, model)
    for text in preference_words.judge_sentences(found) if found else ():
        console.say(text)
    return found


def _words(spent: Spent, currency: str) -> str:
    cost = "" if spent.cost is None else f", {money(spent.cost, currency)}"
    tokens = f"{spent.tokens_in:,} tokens read and {spent.tokens_out:,} written"
    kept = f"; {spent.kept:,} of them were answered and paid before" if spent.kept else ""
    return f"{count(spent.requests, 'request')}: {tokens}{cost}{kept}."


def _judge(
    project: Project, console: Console, pair: Pair, sitting: Sitting, engines: LocalEngines
) -> tuple[int, int, Spent]:
    """How many rows were judged, on how many it gave no valid answer, and what that took."""
    rater = JUDGE + sitting.model
    own = [each for each in _judgements(project) if each.rater == rater and {each.first, each.second} == pair.digests]
    mine = {each.row: each for each in own if each.judge == sitting.digest}
    if mine and own[-1].judge != sitting.digest:  # an earlier rubric again: the newest judgement says which counts
        again = next(reversed(mine.values())).model_copy(update={"time": sitting.time})
        journal.append(project.judgements, again, project.judgements_lock)
    places = [place for place in pair.asked(sitting.drawn) if pair.rows[place].id not in mine]
    if not places:
        return 0, 0, Spent()
    candidate = load(project.artifacts, sitting.digest, engines)
    said: list[Prediction] = []
    answers = _kept(answers_of(candidate.predict, asked(pair, places, sitting.way), console.say), said)
    progress = console.progress(f"judge {sitting.model}")
    made = 0
    for number, each in enumerate(judgements(pair, places, answers, sitting), start=1):
        if each is not None:
            journal.append(project.judgements, each, project.judgements_lock)
            made += 1
        progress(number, len(places))
    return made, len(places) - made, _spent(said, engines.answers_used, project.config.prices.of(sitting.model))


def _kept(answers: Iterator[Prediction], said: list[Prediction]) -> Iterator[Prediction]:
    for each in answers:
        said.append(each)
        yield each


def _spent(answers: Sequence[Prediction], kept: int, prices: PricesSection) -> Spent:
    """Without requests that failed or were not sent."""
    said = [each for each in answers if each.state != "failed"]
    return Spent(
        requests=len(said),
        kept=kept,
        tokens_in=sum(each.tokens_in for each in said),
        tokens_out=sum(each.tokens_out for each in said),
        cost=sum(map(prices.cost, said)) if prices.known else None,
    )


def _judgements(project: Project) -> tuple[Judgement, ...]:
    return journal.read(project.judgements, Judgement).records


def _rubric(project: Project) -> str:
    name = project.config.judge.rubric
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ConfigError(f"[judge] rubric: {name!r} leaves the project; name a file inside it.")
    try:
        text = (project.folder / name).read_text(encoding="utf-8-sig").strip()
    except (FileNotFoundError, IsADirectoryError):
        raise ConfigError(
            f"[judge] rubric: {name} does not exist. Write what makes an answer good, in words, or name another file."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"[judge] rubric: {name} is not UTF-8 text. Save it as UTF-8.") from None
    if not text:
        raise ConfigError(f"[judge] rubric: {name} is empty. Write what makes an answer good, in words.")
    return text
