"""A judge is a candidate on a judging task: a model with a rubric, asked which of two answers is better, or how good
each is from 1 to 5. Its labels are the judgements, so a local model answers by their probabilities and a provider by
text, as on any task of classification.

Pairwise, both orders are asked, and only what holds in both is a preference (L. Zheng et al., Judging LLM-as-a-Judge
with MT-Bench and Chatbot Arena (arXiv:2306.05685, 2023), section 3.4: judges favour a place).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import Field

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, question
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.evaluation.preferences import JUDGE, Choice, Judgement, Pair, Side
from tunesmith.tasks.spec import Task

Way = Literal["pairwise", "scored"]
CHOICES: dict[str, Choice] = {"1": "1", "2": "2", "tie": "tie"}
SCORES = ("1", "2", "3", "4", "5")
FORM: dict[Way, str] = {
    "pairwise": "You are shown a request and two answers to it. Say which answer is better by these rules. Answer with "
    "1, 2 or tie alone.",
    "scored": "You are shown a request and an answer to it. Say how good the answer is by these rules, from 1 (bad) to "
    "5 (as good as can be). Answer with one number alone.",
}


class JudgeSection(Record):
    model: str | None = Field(
        default=None,
        min_length=1,
        description="The model that judges, such as lab:MODEL, an alias or org/name. Absent: there is no judge.",
    )
    rubric: str = Field(
        default="prompts/rubric.md",
        min_length=1,
        description="File with what makes an answer good, in words, relative to the project.",
    )
    way: Way = Field(
        default="pairwise",
        description="`pairwise`: which of two answers is better, asked in both orders; `scored`: each answer from 1 to "
        "5.",
    )


def judging(rubric: str, way: Way) -> Task:
    """The judge's task."""
    labels = tuple(CHOICES) if way == "pairwise" else SCORES
    return Task(family="classification", prompt=f"{rubric}\n\n{FORM[way]}", labels=labels)


def asked(pair: Pair, places: Sequence[int], way: Way) -> list[Example]:
    """What the judge is asked about the rows at `places`, two requests each: a's answer first, then b's; or a's alone,
    then b's."""
    made = []
    for place in places:
        row, a, b = pair.rows[place], pair.a.said[place], pair.b.said[place]
        shown = (f"Answer:\n{a}", f"Answer:\n{b}")
        if way == "pairwise":
            shown = (f"Answer 1:\n{a}\n\nAnswer 2:\n{b}", f"Answer 1:\n{b}\n\nAnswer 2:\n{a}")
        asked = (request(row.text, each) for each in shown)
        made += [each.model_copy(update={"origin": row.origin}) for each in asked]
    return made


def request(asked: str, shown: str) -> Example:
    """What a judge is shown: what was asked, and one answer or two."""
    return question(f"Request:\n{asked}\n\n{shown}")


def answers_of(
    predict: Callable[[Sequence[Example]], Iterator[Prediction]],
    requests: Sequence[Example],
    say: Callable[[str], None],
) -> Iterator[Prediction]:
    """What `predict` answers to the requests of `asked`. It refuses all of them where it cannot take one, before the
    first answer; then each pair is asked by itself, and a pair that cannot be taken has failed."""
    answers = predict(requests)
    try:
        first = next(answers)
    except DataError as error:
        say(f"Asked pair by pair, since not all can be: {error}")
    else:
        yield first
        yield from answers
        return
    for at in range(0, len(requests), 2):
        pair = requests[at : at + 2]
        try:
            yield from list(predict(pair))
        except DataError as error:
            yield from (Prediction(example=each.id, state="failed", error=str(error)) for each in pair)


class Sitting(Record):
    """Who judges, when, and of how many rows."""

    model: str
    digest: str
    way: Way
    drawn: int
    time: str


def judgements(
    pair: Pair, places: Sequence[int], said: Iterator[Prediction], sitting: Sitting
) -> Iterator[Judgement | None]:
    """One for each of `places`, as the answers to `asked` come; None where either is no judgement."""
    for place in places:
        one, other = next(said).output, next(said).output
        if one is None or other is None:
            yield None
            continue
        if sitting.way == "pairwise":
            made: dict[str, object] = {"choice": CHOICES[one], "swapped": CHOICES[other]}
        else:
            made = {"scores": (int(one), int(other)), "choice": _higher(int(one), int(other))}
        yield _judgement(pair.rows[place].id, (pair.a, pair.b), sitting, **made)


def _higher(one: int, other: int) -> Choice:
    return "tie" if one == other else "1" if one > other else "2"


def _judgement(row: str, sides: tuple[Side, Side], sitting: Sitting, **said: object) -> Judgement:
    fields = {
        "row": row,
        "first": sides[0].digest,
        "second": sides[1].digest,
        "rater": JUDGE + sitting.model,
        "time": sitting.time,
        "drawn": sitting.drawn,
        "judge": sitting.digest,
    }
    return Judgement.model_validate(fields | said)
