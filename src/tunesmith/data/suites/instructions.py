"""Instructions that code can check: the 25 kinds of IFEval, by the names and arguments of its files.

J. Zhou et al., Instruction-Following Evaluation for Large Language Models, arXiv:2311.07911 (2023). The checks are our
own, written after the paper. Where its code asks nltk or langdetect, ours differ a little: sentences end at . ! or ?
before a space, apart from common abbreviations and numbers; "I'm" has two words, one of them in capitals; the
language is py3langid's, and a text that it is not sure of counts as English where English is asked for, else as wrong.
Beside the paper's "at least" and "less than", a relation may be "exactly", "at most" or "more than", and five kinds of
our own stand at the end.

Loose: it counts where the instruction is followed without the first line, the last line, or asterisks.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.texts import shown, unfenced
from tunesmith.data.checks.languages import language_of
from tunesmith.data.suites.words import said

RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "at least": lambda found, wanted: found >= wanted,
    "less than": lambda found, wanted: found < wanted,
    "exactly": lambda found, wanted: found == wanted,
    "at most": lambda found, wanted: found <= wanted,
    "more than": lambda found, wanted: found > wanted,
}
PHRASES = ("my answer is yes.", "my answer is no.", "my answer is maybe.")
WORD = re.compile(r"\w+")
SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+[\"'”’)\]*_]*(?=\s|$)")  # from the first mark of a run alone
ABBREVIATION = re.compile(r"(?:^|[\s(])(?:mrs?|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|fig|[a-z])\.$", re.IGNORECASE)
LONGEST = 12  # letters that decide whether a word is an abbreviation: more than the longest has
BULLET = re.compile(r"^[^\S\n]*(?:\*[^*]|-).*$", re.MULTILINE)
POSTSCRIPTS = {"P.S.": r"^.*p\.\s?s\.", "P.P.S": r"^.*p\.\s?p\.\s?s"}

Arguments = Mapping[str, Any]


class Kind(NamedTuple):
    """`follows` is given the arguments and the text; `arguments` are their names and what JSON type each has."""

    follows: Callable[[Arguments, str], bool]
    arguments: Mapping[str, type]


def follows(id: str, kwargs: Arguments, text: str, *, loose: bool = False) -> bool:
    """Whether `text` follows one instruction; an empty text follows none."""
    check = KINDS[id].follows
    return any(bool(each.strip()) and check(kwargs, each) for each in (_variants(text) if loose else (text,)))


def fault(id: str, kwargs: Arguments) -> str | None:
    """What is wrong with the arguments of an instruction of a known kind, in words; None where nothing is."""
    for name, kind in KINDS[id].arguments.items():
        value: Any = kwargs.get(name)
        if value is None or not _fits(value, kind):
            found = "is missing" if value is None else f"is {shown(repr(value))}"
            return f"'{name}' of '{id}' {found}; expected {NAMES[kind]}"
        if name.endswith("relation") and value not in RELATIONS:
            return f"'{name}' of '{id}' is {shown(repr(value))}; expected one of {', '.join(RELATIONS)}"
    if id == "detectable_content:postscript" and kwargs["postscript_marker"] not in POSTSCRIPTS:
        return f"'postscript_marker' is {shown(kwargs['postscript_marker'])!r}; expected {' or '.join(POSTSCRIPTS)}"
    return None


def _fits(value: Any, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list) and bool(value) and all(_fits(each, str) for each in value)
    return type(value) is kind and bool(kind is not str or str(value).strip())


def uncheckable(id: str) -> str | None:
    """Why instructions of this kind cannot be checked here, in words; None where they can."""
    if id not in KINDS:
        return f"the instruction {id[:80]!r} is not known"
    if id in NEEDS_LANGUAGE:
        try:
            language_of("The language of this text is known.")
        except MissingExtraError:
            return f"'{id}' needs py3langid (pip install 'tunesmith[data]')"
    return None


def _variants(text: str) -> Iterator[str]:
    lines = text.split("\n")
    for kept in (lines, lines[1:], lines[:-1], lines[1:-1]):
        whole = "\n".join(kept).strip()
        yield from (whole, whole.replace("*", ""))


def _related(kwargs: Arguments, relation: str, found: int, wanted: str) -> bool:
    return RELATIONS[kwargs[relation]](found, kwargs[wanted])


def sentences(text: str) -> int:
    """How many there are; what stands behind the last end of one counts as one."""
    count, start = 0, 0
    for end in SENTENCE_END.finditer(text):
        if end[0].startswith(".") and ABBREVIATION.search(text[max(start, end.start() - LONGEST) : end.start() + 1]):
            continue
        count, start = count + bool(WORD.search(text[start : end.end()])), end.end()
    return count + bool(WORD.search(text[start:]))


def _in_english(text: str) -> bool:
    return language_of(text.lower()) in (None, "en")


def _capital_words(text: str) -> int:
    return sum(word.isupper() for word in re.findall(r"\w+(?:-\w+)*", text))


def _is_json(text: str) -> bool:
    try:
        json.loads(unfenced(text))
    except (ValueError, RecursionError):
        return False
    return True


def _parts(text: str, divider: str) -> list[str] | None:
    """What a divider parts, where nothing but the first and the last may be empty; None where another is."""
    parts = [part.strip() for part in re.split(divider, text)]
    return None if any(not part for part in parts[1:-1]) else [part for part in parts if part]


def _two_responses(_: Arguments, text: str) -> bool:
    parts = _parts(text, re.escape("******"))
    return parts is not None and len(parts) == 2 and parts[0] != parts[1]


def _nth_paragraph(kwargs: Arguments, text: str) -> bool:
    paragraphs = text.split("\n\n")
    place = kwargs["nth_paragraph"]
    if sum(bool(each.strip()) for each in paragraphs) != kwargs["num_paragraphs"] or not 1 <= place <= len(paragraphs):
        return False
    first = WORD.search(paragraphs[place - 1])
    return first is not None and first[0].casefold() == kwargs["first_word"].casefold()


def _highlights(text: str) -> int:
    found = re.findall(r"\*\*[^\n*]+\*\*|\*[^\n*]+\*", text)
    return sum(bool(each.strip("* ")) for each in found)


def _sections(kwargs: Arguments, text: str) -> bool:
    found = re.findall(rf"{re.escape(kwargs['section_spliter'])}\s?\d+", text)
    return bool(len(found) >= kwargs["num_sections"])


def _placeholders(kwargs: Arguments, text: str) -> bool:
    return bool(len(re.findall(r"\[[^\[\]\n]*\]", text)) >= kwargs["num_placeholders"])


def _postscript(kwargs: Arguments, text: str) -> bool:
    return bool(re.search(POSTSCRIPTS[kwargs["postscript_marker"]], text, re.MULTILINE | re.IGNORECASE))


def _all_named(kwargs: Arguments, text: str) -> bool:
    return all(word.casefold() in text.casefold() for word in kwargs["keywords"])


def _none_named(kwargs: Arguments, text: str) -> bool:
    words = (rf"\b{re.escape(word)}\b" for word in kwargs["forbidden_words"])
    return not any(re.search(word, text, re.IGNORECASE) for word in words)


def _named_often(kwargs: Arguments, text: str) -> bool:
    found = text.casefold().count(kwargs["keyword"].casefold())
    return _related(kwargs, "relation", found, "frequency")


def _letters(kwargs: Arguments, text: str) -> bool:
    return _related(kwargs, "let_relation", text.casefold().count(kwargs["letter"].casefold()), "let_frequency")


def _ends(kwargs: Arguments, text: str) -> bool:
    return text.strip().strip('"').casefold().endswith(kwargs["end_phrase"].strip().casefold())


def _quoted(_: Arguments, text: str) -> bool:
    bare = text.strip()
    return len(bare) > 1 and bare.startswith('"') and bare.endswith('"')


def _repeats(kwargs: Arguments, text: str) -> bool:
    return text.strip().casefold().startswith(kwargs["prompt_to_repeat"].strip().casefold())


KINDS: dict[str, Kind] = {
    "keywords:existence": Kind(_all_named, {"keywords": list}),
    "keywords:frequency": Kind(_named_often, {"relation": str, "keyword": str, "frequency": int}),
    "keywords:forbidden_words": Kind(_none_named, {"forbidden_words": list}),
    "keywords:letter_frequency": Kind(_letters, {"let_relation": str, "letter": str, "let_frequency": int}),
    "language:response_language": Kind(lambda k, text: language_of(text) == k["language"], {"language": str}),
    "length_constraints:number_sentences": Kind(
        lambda k, text: _related(k, "relation", sentences(text), "num_sentences"),
        {"relation": str, "num_sentences": int},
    ),
    "length_constraints:number_paragraphs": Kind(
        lambda k, text: len(_parts(text, r"\*\*\*") or ()) == k["num_paragraphs"], {"num_paragraphs": int}
    ),
    "length_constraints:number_words": Kind(
        lambda k, text: _related(k, "relation", len(WORD.findall(text)), "num_words"),
        {"relation": str, "num_words": int},
    ),
    "length_constraints:nth_paragraph_first_word": Kind(
        _nth_paragraph, {"num_paragraphs": int, "nth_paragraph": int, "first_word": str}
    ),
    "detectable_content:number_placeholders": Kind(_placeholders, {"num_placeholders": int}),
    "detectable_content:postscript": Kind(_postscript, {"postscript_marker": str}),
    "detectable_format:number_bullet_lists": Kind(
        lambda k, text: len(BULLET.findall(text)) == k["num_bullets"], {"num_bullets": int}
    ),
    "detectable_format:constrained_response": Kind(
        lambda _, text: any(phrase in text.casefold() for phrase in PHRASES), {}
    ),
    "detectable_format:number_highlighted_sections": Kind(
        lambda k, text: _highlights(text) >= k["num_highlights"], {"num_highlights": int}
    ),
    "detectable_format:multiple_sections": Kind(_sections, {"section_spliter": str, "num_sections": int}),
    "detectable_format:json_format": Kind(lambda _, text: _is_json(text), {}),
    "detectable_format:title": Kind(
        lambda _, text: any(each.strip() for each in re.findall(r"<<([^\n<>]+)>>", text)), {}
    ),
    "combination:two_responses": Kind(_two_responses, {}),
    "combination:repeat_prompt": Kind(_repeats, {"prompt_to_repeat": str}),
    "startend:end_checker": Kind(_ends, {"end_phrase": str}),
    "startend:quotation": Kind(_quoted, {}),
    "change_case:capital_word_frequency": Kind(
        lambda k, text: _related(k, "capital_relation", _capital_words(text), "capital_frequency"),
        {"capital_relation": str, "capital_frequency": int},
    ),
    "change_case:english_capital": Kind(lambda _, text: text.isupper() and _in_english(text), {}),
    "change_case:english_lowercase": Kind(lambda _, text: text.islower() and _in_english(text), {}),
    "punctuation:no_comma": Kind(lambda _, text: "," not in text, {}),
    # Of our own, for short answers in any language:
    "change_case:capital": Kind(lambda _, text: text.isupper(), {}),
    "change_case:lowercase": Kind(lambda _, text: text.islower(), {}),
    "detectable_format:number_lines": Kind(
        lambda k, text: _related(k, "relation", sum(bool(line.strip()) for line in text.split("\n")), "num_lines"),
        {"relation": str, "num_lines": int},
    ),
    "startend:begin_checker": Kind(
        lambda k, text: f"{said(text)} ".startswith(f"{said(k['begin_phrase'])} "), {"begin_phrase": str}
    ),
    "startend:last_words": Kind(
        lambda k, text: f" {said(text)}".endswith(f" {said(k['end_phrase'])}"), {"end_phrase": str}
    ),
}
NEEDS_LANGUAGE = ("language:response_language", "change_case:english_capital", "change_case:english_lowercase")
NAMES: dict[type, str] = {str: "a text", int: "a whole number", list: "a list of texts"}
