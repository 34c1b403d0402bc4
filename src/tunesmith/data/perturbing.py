"""Rows as another hand writes them: changes without a model, which the row and the seed alone decide.

Each keeps what the message says. Case, punctuation and spacing are set otherwise; typos and contractions change
letters, other wording changes turns of phrase for equal ones, and another order puts the last sentence first. Words
with digits, addresses and links stay as they are.
"""

import re
from collections.abc import Callable, Mapping
from random import Random

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
WORD = re.compile(r"(?<![\w@/:.])[^\W\d_]{4,}(?![\w@/:])")
TYPOS = 25  # letters for each typo, with at least one
PAIRS = (
    ("cannot", "can't"),
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("did not", "didn't"),
    ("is not", "isn't"),
    ("are not", "aren't"),
    ("was not", "wasn't"),
    ("have not", "haven't"),
    ("has not", "hasn't"),
    ("will not", "won't"),
    ("would not", "wouldn't"),
    ("could not", "couldn't"),
    ("should not", "shouldn't"),
    ("i am", "i'm"),
    ("i have", "i've"),
    ("i will", "i'll"),
    ("i would", "i'd"),
    ("it is", "it's"),
    ("that is", "that's"),
    ("what is", "what's"),
    ("there is", "there's"),
    ("you are", "you're"),
    ("we are", "we're"),
    ("they are", "they're"),
    ("let us", "let's"),
)
PHRASES = (
    ("can you please", "could you please"),
    ("please help me", "could you help me"),
    ("how do i", "how can i"),
    ("how long does it take", "how much time does it take"),
    ("what should i do", "what can i do"),
    ("why is my", "for what reason is my"),
    ("i want to", "i would like to"),
    ("i need to", "i have to"),
    ("i am not able to", "i cannot"),
    ("i was not able to", "i could not"),
    ("is there a way to", "is it possible to"),
    ("does not work", "is not working"),
    ("doesn't work", "isn't working"),
    ("let me know", "tell me"),
    ("at the moment", "right now"),
    ("in order to", "so as to"),
    ("thank you", "thanks"),
    ("perhaps", "maybe"),
    ("because", "since"),
    ("purchase", "buy"),
    ("received", "got"),
)
LEANING = re.compile(  # openings of a sentence that lean on the one before, or greet
    r"(?:and|but|or|so|then|also|because|since|however|instead|otherwise|yet|still|again|after|before|it|its|this|that|"
    r"these|those|he|she|they|them|which|such|both|neither|same|if so|yes|no|hello|hi|dear|thanks|thank|regards|best|"
    r"sincerely|cheers|please advise)\b",
    re.IGNORECASE,
)
I_MYSELF = re.compile(r"\bI\b")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
SHORT = dict(PAIRS)
LONG = {short: long for long, short in PAIRS if short != "i'd"}  # which may be "i had" as well
ONE_WAY = ("since", "tell me", "got")  # which may mean something else as well
EQUAL = dict(PHRASES) | {other: one for one, other in PHRASES if other not in ONE_WAY}


def _near() -> dict[str, str]:
    """Letter → the keys beside it, on a QWERTY keyboard."""
    near: dict[str, str] = {}
    for number, row in enumerate(ROWS):
        for place, letter in enumerate(row):
            beside = [row[place - 1 : place], row[place + 1 : place + 2]]
            beside += [other[max(place - 1, 0) : place + 2] for other in ROWS[max(number - 1, 0) : number + 2]]
            near[letter] = "".join(dict.fromkeys("".join(beside).replace(letter, "")))
    return near


NEAR = _near()


def perturb(kind: str, text: str, seed: str) -> str | None:
    """`text` changed in the way of `kind`; None where there is nothing to change."""
    changed = KINDS[kind](text, Random(seed))  # noqa: S311  (nothing secret)
    return changed if changed != text and changed.strip() else None


def typos(text: str, draw: Random) -> str:
    """A neighbouring key, two letters swapped, one doubled or one left out, about every TYPOS letters."""
    words = list(WORD.finditer(text))
    chosen = draw.sample(words, min(len(words), max(1, sum(map(len, (word[0] for word in words))) // TYPOS)))
    for word in sorted(chosen, key=lambda word: word.start(), reverse=True):
        text = text[: word.start()] + _misspelt(word[0], draw) + text[word.end() :]
    return text


def case(text: str, draw: Random) -> str:
    ways = [text.lower(), text.upper(), text[:1].swapcase() + text[1:], text.capitalize()]
    return _other(text, ways, draw)


def punctuation(text: str, draw: Random) -> str:
    bare = re.sub(r"(?<=\w)[.,!?;:]+(?=\s|$)", "", text)
    ended = text.rstrip(".!? ")
    return _other(text, [bare, ended, f"{ended}!!", f"{ended}...", f"{ended}??"], draw)


def spacing(text: str, draw: Random) -> str:
    gaps = [match.start() for match in re.finditer(r"(?<=\S) (?=\S)", text)]
    ways = [re.sub(r"(?<=[,.!?;:]) ", "", text)]
    if gaps:
        gap = draw.choice(gaps)
        ways += [f"{text[:gap]}  {text[gap:].lstrip()}", f"{text[:gap]} \n{text[gap:].lstrip()}"]
    return _other(text, ways, draw)


def contractions(text: str, draw: Random) -> str:
    """Every long form short, or every short form long: whichever there are, the first where there are both."""
    text = text.replace("’", "'") if any(short in text.casefold().replace("’", "'") for short in LONG) else text
    return next((changed for forms in (SHORT, LONG) if (changed := _exchanged(text, forms)) != text), text)


def wording(text: str, draw: Random) -> str:
    """Every turn of phrase that has an equal one, exchanged for it."""
    return _exchanged(text, EQUAL)


def order(text: str, draw: Random) -> str:
    """The last sentence first, where none of the sentences leans on another."""
    sentences = SENTENCE.split(text.strip())
    if len(sentences) < 2 or text.rstrip()[-1] not in ".!?" or any(map(LEANING.match, sentences)):
        return text
    return " ".join((sentences[-1], *sentences[:-1]))


KINDS: Mapping[str, Callable[[str, Random], str]] = {
    "typos": typos,
    "case": case,
    "punctuation": punctuation,
    "spacing": spacing,
    "contractions": contractions,
    "wording": wording,
    "order": order,
}


def _misspelt(word: str, draw: Random) -> str:
    place = draw.randrange(1, len(word) - 1)
    letter, before, after = word[place], word[:place], word[place + 1 :]
    near = NEAR.get(letter.casefold(), "")
    key = draw.choice(near) if near else letter
    ways = [
        before + (key.upper() if letter.isupper() else key) + after,
        before + after[:1] + letter + after[1:],
        before + letter + letter + after,
        before + after,
    ]
    return _other(word, ways, draw)


def _exchanged(text: str, forms: Mapping[str, str]) -> str:
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))

    def other(match: "re.Match[str]") -> str:
        changed = forms[match[0].casefold()]
        if I_MYSELF.search(match[0]):
            changed = re.sub(r"\bi\b", "I", changed)
        return changed[0].upper() + changed[1:] if match[0][0].isupper() else changed

    return re.sub(rf"\b(?:{pattern})\b(?!')", other, text, flags=re.IGNORECASE)


def _other(text: str, ways: list[str], draw: Random) -> str:
    """One of `ways` that is not `text`, where there is one."""
    different = list(dict.fromkeys(way for way in ways if way != text))
    return draw.choice(different) if different else text
