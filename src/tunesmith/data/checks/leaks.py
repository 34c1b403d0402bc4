"""Does the eval set know a row already?"""

from collections import Counter
from collections.abc import Iterator

from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.checks.base import about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding, place
from tunesmith.data.leaks import By, EvalIndex, is_cut_from
from tunesmith.data.meaning import MOST, twins_by_meaning, vectors_of
from tunesmith.data.near import twins
from tunesmith.data.normal import normalise
from tunesmith.data.one_word import OneWordApart
from tunesmith.data.sensitive.quoting import quoted
from tunesmith.data.sketches import Sketches
from tunesmith.tasks.base import Embed

AFTER = "`split` leaves it out of training."
SEE = "Nothing leaves it out: see whether it gives that answer away."


class Leaks:
    """Rows of the eval set itself, which `split` cut from the sources, are counted, not listed.

    What is nearly the same is found once all rows are sketched; of those that leak in another way nothing more is said.
    """

    def __init__(self, scope: Scope):
        self._scope = scope
        self._kept = scope.kept
        self._index = EvalIndex(scope.eval_set)
        self._keys = [normalise(text) for text in self._index.texts]
        self._apart = OneWordApart(self._keys)
        self._one_word: dict[int, int] = {}  # row → the text of the eval set that it is a word apart from
        self._cut: Counter[str] = Counter()
        self._leaking = bytearray()  # for each row, whether it is known to leak

    def see(self, row: Example) -> tuple[Finding, ...]:
        key = self._kept.last_key
        found = self._index.twin(row, key)
        if found is None:
            if (known := self._apart.find(key)) is not None:
                self._one_word[len(self._leaking)] = known
            self._leaking.append(False)
            return ()
        self._leaking.append(True)
        twin, by = found
        if by == "text" and is_cut_from(row, twin):
            self._cut[place(row.origin)[0]] += 1
            return ()
        return (about(row, "look", "leak", self._message(row, twin, by), related=(twin.origin,)),)

    def close(self) -> Iterator[Finding]:
        for file, rows in sorted(self._cut.items()):
            yield Finding(
                severity="note",
                check="eval-rows",
                file=file,
                line=0,
                message=f"{count(rows, 'row')} of {file} form the eval set; `split` leaves them out of training.",
            )
        if not self._index.rows:
            return
        yield from self._near()
        yield from self._but_for_a_word()
        if self._scope.embed:
            yield from self._by_meaning(self._scope.embed)

    def _near(self) -> Iterator[Finding]:
        kept, keys = self._kept, self._keys
        near = twins(kept.sketches, Sketches(keys), lambda each: kept.key(kept.distinct[each]), keys.__getitem__)
        for row, twin in self._others(near):
            self._leaking[row] = True
            message = f"Nearly the same as a row of the eval set ({twin.origin}: “{quoted(twin.text)}”); {AFTER}"
            yield kept.finding(row, "look", "near-leak", message, related=(twin.origin,))

    def _but_for_a_word(self) -> Iterator[Finding]:
        for row, known in self._one_word.items():
            if not self._leaking[row]:
                self._leaking[row] = True
                twin = self._index.rows[known]
                message = (
                    f"But for a word the same as a row of the eval set ({twin.origin}: “{quoted(twin.text)}”). {SEE}"
                )
                yield self._kept.finding(row, "look", "one-word-leak", message, related=(twin.origin,))

    def _by_meaning(self, embed: Embed) -> Iterator[Finding]:
        found = twins_by_meaning(self._scope.vectors, vectors_of(self._index.texts[:MOST], embed))
        for row, twin in self._others({number: other for number, (other, _) in found.items()}):
            message = f"Means nearly the same as a row of the eval set ({twin.origin}: “{quoted(twin.text)}”). {SEE}"
            yield self._kept.finding(row, "look", "meaning-leak", message, related=(twin.origin,))

    def _others(self, twin_of: dict[int, int]) -> Iterator[tuple[int, Example]]:
        """The rows of which nothing is known yet, with their twin; `twin_of`: of the distinct texts."""
        twin_of = {self._kept.distinct[number]: other for number, other in twin_of.items()}
        for row, leaking in enumerate(self._leaking):
            if not leaking and (twin := twin_of.get(self._kept.first(row))) is not None:
                yield row, self._index.rows[twin]

    def _message(self, row: Example, twin: Example, by: By) -> str:
        if by == "group":
            return f"Its group '{shown(row.group or '')}' is in the eval set ({twin.origin}); {AFTER}"
        if by == "made":
            return f"Made from a row of the eval set ({twin.origin}); {AFTER}"
        what = "label" if self._kept.labelled else "answer"
        other = f", with another {what} ('{shown(twin.expected)}')" if twin.expected != row.expected else ""
        return f"Stands in the eval set as well ({twin.origin}){other}; {AFTER}"
