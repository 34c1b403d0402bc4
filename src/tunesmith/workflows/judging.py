"""`tunesmith prefer --judge`: the model of [judge] judges the same rows, and is held against people.

Each judgement is kept as it is made, so that a judge that was stopped goes on where it was; another model, rubric or
way is another judge, and begins anew.
"""

from pathlib import Path

from tunesmith.candidates import prompt
from tunesmith.candidates.load import load
from tunesmith.core import journal
from tunesmith.core.errors import ConfigError
from tunesmith.core.preferred import JudgeFigures
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.decisions import preference_words
from tunesmith.decisions.preference import judge_of
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.judge import Sitting, asked, judgements, judging
from tunesmith.evaluation.preferences import MOST, Judgement, Pair, standing
from tunesmith.workflows import runs
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.prefer import Wanted
from tunesmith.workflows.preferring import kept_pair
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import next_command


class JudgeOutcome(Outcome):
    model: str
    candidate: str  # the judge's digest
    between: tuple[str, str]
    drawn: int
    judged: int  # rows, in this call
    unanswered: int  # rows on which it gave no valid answer
    judge: JudgeFigures | None


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
        judged, unanswered = _judge(project, console, pair, sitting, engines)
    found = judge_of(_judgements(project), pair, section.model)
    said = f"{count(judged, 'row')} judged by {section.model}; {count(unanswered, 'row')} without a valid judgement."
    for text in (said, *(preference_words.judge_sentences(found) if found else ())):
        console.say(text)
    return JudgeOutcome(
        model=section.model,
        candidate=digest,
        between=(pair.a.name, pair.b.name),
        drawn=drawn,
        judged=judged,
        unanswered=unanswered,
        judge=found,
        next=next_command(project),
    )


def _judge(project: Project, console: Console, pair: Pair, sitting: Sitting, engines: LocalEngines) -> tuple[int, int]:
    """How many rows were judged, and on how many it gave no valid answer."""
    by = standing(_judgements(project), pair, sitting.model).by
    mine = {row for row, said in by.items() if any(each.judge == sitting.digest for each in said.values())}
    places = [place for place in pair.asked(sitting.drawn) if pair.rows[place].id not in mine]
    if not places:
        return 0, 0
    candidate = load(project.artifacts, sitting.digest, engines)
    answers = candidate.predict(asked(pair, places, sitting.way))
    progress = console.progress(f"judge {sitting.model}")
    made = 0
    for number, each in enumerate(judgements(pair, places, answers, sitting), start=1):
        if each is not None:
            journal.append(project.judgements, each, project.judgements_lock)
            made += 1
        progress(number, len(places))
    return made, len(places) - made


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
