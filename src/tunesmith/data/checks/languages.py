"""The languages of inputs and outputs, of rows drawn by chance: most of a set, and those that few rows are in.

py3langid says the language of a text and how sure it is. Texts of few letters, and those it is not sure of, are not
judged; how many that were is said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.units import count, share
from tunesmith.data.draw import Draw
from tunesmith.data.finding import Finding, place
from tunesmith.data.sensitive.quoting import quoted

DRAWN = 2_000  # rows that are looked at, however many there are
FEWEST_LETTERS = 20
READ = 1_000  # characters of a text
SURE = 0.9
FEWEST = 20  # judged texts, for a language to be most of them
NAMED = 5


class Text(NamedTuple):
    origin: str
    input: str
    output: str


class Sample:
    """Texts of at most DRAWN rows."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self._draw = Draw(DRAWN)

    def see(self, row: Example) -> None:
        at = self._draw.place()
        if at is not None:
            said = next((each.content for each in reversed(row.messages) if each.role == "user"), row.text)
            self.texts[at : at + 1] = [Text(row.origin, said[:READ], row.expected[:READ])]


class Languages:
    """The check. With `labelled`, outputs are labels, which have no language of their own."""

    def __init__(self, *, labelled: bool):
        self._labelled = labelled
        self._sample = Sample()

    def see(self, row: Example) -> Iterable[Finding]:
        self._sample.see(row)
        return ()

    def close(self) -> Iterable[Finding]:
        if len(self._sample.texts) < FEWEST:  # the model takes half a second to load
            return
        try:
            yield from self._minorities("input", [(each.origin, each.input) for each in self._sample.texts])
            if not self._labelled:
                yield from self._minorities("output", [(each.origin, each.output) for each in self._sample.texts])
                yield from self._crossed()
        except MissingExtraError as error:
            file = place(self._sample.texts[0].origin)[0]
            yield Finding(severity="note", check="language", file=file, line=0, message=str(error))

    def _minorities(self, field: str, texts: Sequence[tuple[str, str]]) -> Iterator[Finding]:
        judged = [(origin, language_of(text), text) for origin, text in texts]
        known = [(origin, language, text) for origin, language, text in judged if language]
        uses = Counter(language for _, language, _ in known)
        if len(known) < FEWEST or len(uses) < 2:
            return
        most = uses.most_common(1)[0][0]
        for language, number in sorted(uses.items(), key=lambda each: (-each[1], str(each[0]))):
            if language == most:
                continue
            rows = sorted(((origin, text) for origin, each, text in known if each == language), key=_by_place)
            file, line = place(rows[0][0])
            yield Finding(
                severity="note",
                check="language",
                file=file,
                line=line,
                field=field,
                message=f"{count(number, field)} of {len(known):,} judged ({share(number / len(known))}) in the "
                f"language '{language}', most ('{most}', {share(uses[most] / len(known))}) in another. Meant? Then "
                "have enough of them to learn from, and in the eval set, too.",
                excerpt=quoted(rows[0][1]),
                related=tuple(origin for origin, _ in rows[1 : 1 + NAMED]),
            )

    def _crossed(self) -> Iterator[Finding]:
        """Answers in another language than the question, where nearly all keep to it."""
        pairs = [(each, language_of(each.input), language_of(each.output)) for each in self._sample.texts]
        known = [(each, asked, said) for each, asked, said in pairs if asked and said]
        crossed = sorted((each for each in known if each[1] != each[2]), key=lambda each: place(each[0].origin))
        if len(known) < FEWEST or not 0 < len(crossed) <= len(known) / 10:
            return
        first, asked, said = crossed[0]
        file, line = place(first.origin)
        yield Finding(
            severity="look",
            check="answer-language",
            file=file,
            line=line,
            field="output",
            message=f"{count(len(crossed), 'answer')} of {len(known):,} judged in another language than the input "
            f"(here '{said}' to '{asked}'); the others keep to it.",
            excerpt=quoted(first.output),
            related=tuple(each.origin for each, _, _ in crossed[1 : 1 + NAMED]),
        )


@cache
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise MissingExtraError(
            "The languages were not looked at: that needs py3langid. Install it with `pip install 'tunesmith[data]'`."
        ) from None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=4 * DRAWN)  # the check and the card draw the same texts
def language_of(text: str) -> str | None:
    """The ISO 639 code of a text's language; None where the text is too short to tell, or it is not sure.

    Raises MissingExtraError without py3langid.
    """
    text = text[:READ]
    if sum(map(str.isalpha, text)) < FEWEST_LETTERS:
        return None
    language, sure = _identifier().classify(text.encode("utf-8", "replace").decode())
    return str(language) if sure >= SURE else None


def _by_place(row: tuple[str, str]) -> tuple[str, int]:
    return place(row[0])
