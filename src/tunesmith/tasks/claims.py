"""What an answer claims and nothing supports: numbers, dates, web addresses, reference numbers, names and negations
that stand neither in the input nor in what was given with it.

Values are compared as `stated` has it, so "£1,250" supports 1250 and "May 3" supports 2026-05-03; numbers may also
stand as words. A name is a word with a capital within a sentence; each of its words has to stand in a source, whatever
the case. A negation is unsupported where no source has any, or where what it negates stands in a source and is never
negated there; negations are known in English alone. Nothing here understands a text: what follows from the input
without standing in it counts as unsupported, and a wrong claim in the input's own words does not.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from tunesmith.tasks import stated
from tunesmith.tasks.stated import Value, first_of

KINDS = ("number", "date", "web address", "reference number", "name", "negation")
_STATED = {"price": "number", "date": "date", "url": "web address", "reference": "reference number"}
_VALUES = {_STATED[kind.name]: kind for kind in stated.KINDS if kind.name in _STATED}

UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
SPELT = {word: place for place, word in enumerate(f"{UNITS} seventeen eighteen nineteen".split())}
SPELT |= {word: 10 * place for place, word in enumerate(TENS.split(), start=2)}
LISTED = re.compile(r"(?m)^\s*\d{1,3}[.)]\s")  # the number of an item in a list is no claim

WORD = re.compile(r"[^\W\d_](?:[\w&]|['’\-](?=\w))*")
BEGINS = re.compile(r"(?:^|[.!?:;…]|\n|[\-*•–—#>|])[\s\"'“‘(\[*_]*$")  # what stands before the first word of a sentence
SHORTENED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|no)\.\s*$")
POLITE = {"i", "sir", "madam", "mr", "mrs", "ms", "dr", "customer", "team", "regards", "wishes"}
MOST_NAMES = 0.2  # of the words within sentences; with more of them in capitals, capitals do not mean names

NEGATION = re.compile(r"\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|unable)\b|n['’]t\b")
NEGATIVE = re.compile(
    r"\b(?:fail\w*|lack\w*|refus\w*|den(?:y|ie[sd])|impossible|unavailable|invalid|except|avoid\w*|forbidden|"
    r"prohibited|hardly|barely|stop\w*)\b"
)
FILLERS = re.compile(  # what stands between a negation and what it negates
    r"an?|the|be|been|being|is|are|was|were|am|do|does|did|has|have|had|will|would|can|could|may|might|must|shall|"
    r"should|to|of|in|on|at|for|any|all|yet|longer|more|only|just|even|so|very|that|this|its?|as|and|or|with|by|"
    r"also|able|ever|really"
)
STEM = 6  # letters by which words of one kind are known: refund, refunds, refundable


class Claim(NamedTuple):
    kind: str
    writing: str


class Sources(NamedTuple):
    """What may support a claim: its values by kind, its words, and what it negates."""

    values: dict[str, Value]
    words: frozenset[str]
    stems: frozenset[str]
    negates: bool
    negated: frozenset[str]


@lru_cache(maxsize=1024)
def sources_of(said: tuple[str, ...], given: str) -> Sources:
    """`said` is what the answer may repeat, negations as well; of `given`, such as the prompt, only its facts: what a
    prompt forbids is no reason to deny it."""
    facts, text = "\n".join((*said, given)), "\n".join(said)
    told = frozenset(_words(facts))
    values = {name: stated.meanings(kind, facts) for name, kind in _VALUES.items()}
    values["number"] |= frozenset((number,) for word, number in SPELT.items() if word in told)
    return Sources(
        values=values,
        words=told,
        stems=frozenset(word[:STEM] for word in _words(text)),
        negates=bool(NEGATION.search(text.casefold()) or NEGATIVE.search(text.casefold())),
        negated=frozenset(stem for _, stem in _negations(text)),
    )


def unsupported(answer: str, sources: Sources, *, names: bool = True) -> tuple[Claim, ...]:
    """The claims of `answer` that the sources lack, each once. `names`: whether capitals mean names."""
    found = [*_values(answer, sources), *(_names(answer, sources) if names else ()), *_denials(answer, sources)]
    return tuple(dict.fromkeys(found))


def capitals_are_names(texts: Iterable[str]) -> bool:
    """Whether words with a capital within a sentence are few, as in languages that do not write every noun so."""
    inner = [word for text in texts for word, first in _placed(text) if not first]
    return sum(word[0].isupper() for word in inner) <= MOST_NAMES * len(inner)


def _values(answer: str, sources: Sources) -> Iterator[Claim]:
    """What is part of a date, an address or a reference is no number of its own."""
    rest = LISTED.sub("\n", answer)
    for name in ("web address", "date", "reference number"):
        for writing, value in list(first_of(_VALUES[name].written(rest))):
            rest = rest.replace(writing, " ")
            if not value & sources.values[name]:
                yield Claim(name, writing)
    for match in islice(stated.ANY_NUMBER.finditer(rest), stated.VALUES):
        if not stated.numbers(match[0]) & sources.values["number"]:
            yield Claim("number", match[0])


def _names(answer: str, sources: Sources) -> Iterator[Claim]:
    for pattern in (stated.URL, stated.DATE, stated.REFERENCE):
        answer = pattern.sub(" ", answer)
    for word, first in _placed(answer):
        bare = _bare(word)
        if not first and word[0].isupper() and bare not in POLITE and bare not in sources.words:
            yield Claim("name", word)


def _denials(answer: str, sources: Sources) -> Iterator[Claim]:
    for writing, stem in _negations(answer):
        if not sources.negates or (stem in sources.stems and stem not in sources.negated):
            yield Claim("negation", writing)


def _negations(text: str) -> Iterator[tuple[str, str]]:
    """Each negation with the word that it negates, and the stem of that; both without where the sentence ends."""
    plain = text.casefold()
    for match in NEGATION.finditer(plain):
        rest = re.split(r"[.!?;\n]", plain[match.end() : match.end() + 80])[0]
        negated = next((word for word in _words(rest) if not FILLERS.fullmatch(word)), "")
        begin = max(plain.rfind(" ", 0, match.start()), plain.rfind("\n", 0, match.start())) + 1
        yield f"{plain[begin : match.end()]} {negated}".strip(), negated[:STEM]


def _placed(text: str) -> Iterator[tuple[str, bool]]:
    """Every word, and whether it is the first of its sentence."""
    for match in WORD.finditer(text):
        before = text[max(0, match.start() - 12) : match.start()]
        begins = match.start() == 0 or (BEGINS.search(before) is not None and not SHORTENED.search(before))
        yield match[0], begins


def _words(text: str) -> list[str]:
    return [_bare(word) for word in WORD.findall(text)]


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.casefold())
