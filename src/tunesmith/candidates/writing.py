"""Writing: a text, token by token, until the model ends its turn → `engine.generate`.

An answer that reaches the limit without an end is `invalid`: a text that breaks off is none. Under a constraint every
answer that ended is valid; one that could not be followed to its end is `failed`. The confidence in a set of labels
is its probability among all sets that decoding could have said. That in a text or a record is the
geometric mean of the tokens' probabilities: it says how smoothly the text went on, is not calibrated, and a long text
of likely words has a high one whatever it says.
"""

from collections.abc import Iterator, Sequence

from tunesmith.candidates.ways import Said, Tools, constraint_of, sureness
from tunesmith.engines.base import Constraint, Engine, TextAnswer, Tokens
from tunesmith.models.renderer import Renderer
from tunesmith.tasks import call_grammar
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import Task


class Writing:
    """Implements `ways.Way`."""

    def __init__(self, renderer: Renderer, task: Task):
        assert task.max_new_tokens is not None
        self.longest = task.max_new_tokens
        self._constraint = constraint_of(task)
        self._renderer = renderer
        self._task = task

    def answers(
        self,
        engine: Engine,
        prompts: Sequence[Tokens],
        *,
        ids: Sequence[str] | None = None,
        tools: Sequence[Tools] | None = None,
        tuned: bool = False,
    ) -> Iterator[Said]:
        stop = [self._renderer.end_of_turn]
        listed: Sequence[Tools] = [()] * len(prompts) if tools is None else tools
        held = self._constraint or self._of_rows(listed)
        said = engine.generate(prompts, max_new_tokens=self.longest, stop=stop, constraint=held)
        return map(self._said, said, listed)

    def _of_rows(self, tools: Sequence[Tools]) -> list[Constraint] | None:
        """Where answers call tools: words, or calls of those of the row."""
        if self._task.family != "tool_calls" or not self._task.constrained:
            return None
        return [Constraint(kind="grammar", text=call_grammar.of(tuple(each))) for each in tools]

    def _said(self, answer: TextAnswer, tools: Tools) -> Said:
        text = self._renderer.decode(answer.tokens)
        output, fault = FAMILIES[self._task.family].parse(text, self._task, cut=not answer.ended, tools=tools)
        if answer.fault:
            output, fault = None, f"the constraint could not be followed: {answer.fault}"
        sure = sureness(self._task, answer.logprob, len(answer.tokens) + 1)
        return Said(
            state="failed" if answer.fault else "invalid" if output is None else "ok",
            output=output,
            text=text,
            confidence=None if output is None else sure,
            seconds=answer.seconds,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            error=fault,
        )
