"""A candidate in a conversation with simulated tools: it is told what its calls return, until it answers in words.

All rows that go on are asked together, turn by turn. The answer is what the conversation has done in the end: the calls
that did not fail, and the last words. What failed on the way is counted beside it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tunesmith.candidates.base import Candidate
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.accepted import schemas_of
from tunesmith.tasks.calls import Call, answer_of, answering, text_of
from tunesmith.tasks.simulated import Returned, Tools

ID = "call{:05d}"  # of a call, nine characters, as Mistral's templates want them
MOST_TURNS = 8  # of the candidate's in one conversation; what it has done by then is its answer


@dataclass
class Talk:
    """One conversation so far."""

    row: Example
    tools: Tools
    messages: tuple[Message, ...]
    said: list[Prediction] = field(default_factory=list)
    called: list[tuple[Call, Returned]] = field(default_factory=list)

    @property
    def asked(self) -> Example:
        if not self.said:
            return self.row
        return Example(messages=self.messages, expected=self.row.expected, tools=self.row.tools, origin=self.row.origin)

    def goes_on(self, prediction: Prediction) -> bool:
        """Take what was said, and call what it calls; whether there is something to tell."""
        self.said.append(prediction)
        if not self.row.results or prediction.output is None:
            return False
        turn = answering(prediction.output)
        calls = answer_of(prediction.output).calls
        returned = [self.tools.call(call) for call in calls]
        ids = [ID.format(len(self.called) + number) for number in range(len(calls))]
        named = tuple(call.model_copy(update={"id": id}) for call, id in zip(turn.tool_calls, ids, strict=True))
        answers = zip(returned, ids, strict=True)
        told = (Message(role="tool", content=each.text, tool_call_id=id) for each, id in answers)
        self.messages = (*self.messages, turn.model_copy(update={"tool_calls": named}), *told)
        self.called += zip(calls, returned, strict=True)
        return bool(calls)

    def prediction(self) -> Prediction:
        last = self.said[-1]
        if not self.row.results:
            return last
        done = [call for call, returned in self.called if not returned.failed]
        sums = {name: sum(getattr(each, name) for each in self.said) for name in ("seconds", "tokens_in", "tokens_out")}
        more = {
            "example": self.row.id,
            "output": None if last.output is None else text_of(answer_of(last.output).words, done),
            "text": "\n".join(each.text for each in self.said),
            "confidence": last.confidence if len(self.said) == 1 else None,
            "failed_calls": sum(returned.failed for _, returned in self.called),
        }
        return last.model_copy(update=more | sums)


def in_turns(candidate: Candidate, examples: Sequence[Example]) -> Candidate:
    """`candidate` as it answers `examples`: in several turns, where the tools of some are simulated."""
    recorded = getattr(candidate, "timed", False)  # what was answered elsewhere goes on here no more
    return InTurns(candidate) if not recorded and any(row.results for row in examples) else candidate


class InTurns:
    """Implements `Candidate` around another; rows without a table are asked once, as ever."""

    def __init__(self, candidate: Candidate):
        self.card = candidate.card
        self.digest = candidate.digest
        self._candidate = candidate

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        for group in [[example] for example in examples] if alone else [examples]:
            start = time.perf_counter()
            for prediction in self._answers(group, alone=alone):
                latency = time.perf_counter() - start if alone else None
                yield prediction.model_copy(update={"latency": latency})

    def _answers(self, examples: Sequence[Example], *, alone: bool) -> Iterator[Prediction]:
        talks = [Talk(row, Tools(row.results or "[]", schemas_of(row.tools)), row.messages) for row in examples]
        going = talks
        for _ in range(MOST_TURNS):
            said = self._candidate.predict([talk.asked for talk in going], alone=alone)
            pairs = zip(going, said, strict=True)
            going = [talk for talk, each in pairs if talk.goes_on(each)]
            if not going:
                break
        for talk in talks:
            yield talk.prediction()
