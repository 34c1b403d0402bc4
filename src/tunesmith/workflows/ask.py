"""`tunesmith ask`: one message, and what each candidate answers to it."""

from collections.abc import Sequence

from tunesmith.candidates.load import load
from tunesmith.core import units
from tunesmith.core.errors import UserError
from tunesmith.core.example import question
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.engines.registry import LocalEngines
from tunesmith.workflows import candidates, sure, tables
from tunesmith.workflows.candidates import WRITTEN
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import next_command


class Answer(Record):
    candidate: str
    kind: str
    state: str
    answer: str | None
    confidence: float | None
    seconds: float
    error: str | None
    passages: tuple[str, ...] = ()  # the places of what it was shown


class AskOutcome(Outcome):
    message: str
    answers: tuple[Answer, ...]


def ask(project: Project, console: Console, message: str, names: Sequence[str] = ()) -> AskOutcome:
    """Each candidate answers alone; its time does not count the loading of its model."""
    if not message.strip():
        raise UserError('The message is empty. Ask something: tunesmith ask "my card was eaten".')
    if project.config.task.family == "tool_calls" and not project.tools:
        raise UserError(
            "A message alone has no tools to call: the rows of this task bring their own. Name the tools of every "
            "message under [task] tools, or let `tunesmith predict` answer a file whose rows have `tools`."
        )
    asked = question(message).model_copy(update={"tools": project.tools})
    chosen = candidates.choose(project, names)
    engines = LocalEngines(project.folder, project.config.providers, project.answers)
    progress = console.progress("asking")
    answers = []
    for number, entry in enumerate(chosen):
        progress(number, len(chosen))
        candidate = load(project.artifacts, entry.digest, engines)
        said = next(iter(candidate.predict([asked], alone=True)))
        [said] = project.settled(candidate.card.task, [asked], [said])
        [said] = sure.put_right(project, entry.digest, [said])
        answers.append(_answer(entry, said))
    progress(len(chosen), len(chosen))
    rows = [[each.candidate, _said(each), _sure(each), tables.duration(each.seconds)] for each in answers]
    raw = [entry for entry in chosen if entry.kind in WRITTEN and sure.kept(project, entry.digest) is None]
    title = "sure (uncalibrated)" if raw and not project.family.LABELLED else "sure"
    console.table(f"“{shown(message)}”", ["candidate", "answer", title, "took"], rows)
    for each in answers:
        if each.passages:
            console.say(f"{each.candidate} was shown: {', '.join(reversed(each.passages))}.")
    return AskOutcome(message=message, answers=tuple(answers), next=next_command(project))


def _answer(entry: candidates.Entry, prediction: Prediction) -> Answer:
    return Answer(
        candidate=entry.name,
        kind=entry.kind,
        state=prediction.state,
        answer=prediction.output,
        confidence=prediction.confidence,
        seconds=prediction.latency if prediction.latency is not None else prediction.seconds,
        error=prediction.error,
        passages=prediction.passages,
    )


def _said(answer: Answer) -> str:
    if answer.answer is not None:
        return answer.answer
    return f"{answer.state}: {answer.error}" if answer.error else answer.state


def _sure(answer: Answer) -> str:
    return "–" if answer.confidence is None else units.share(answer.confidence)
