"""How long and how heavy a text is: its words, and LIX.

LIX is the mean number of words in a sentence plus the percentage of words with more than six letters: below 30 is easy,
above 60 hard. It counts no syllables, so it serves any language that parts its words by spaces.

C. H. Björnsson, Reading Research Quarterly 18 (1983) 480.
"""

import re

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*(?:\s|$)|\n+")
LONG = 6  # letters; a word with more is a long one


def words(text: str) -> list[str]:
    return WORD.findall(text)


def lix(text: str) -> float:
    """0.0 of a text without words."""
    found = words(text)
    if not found:
        return 0.0
    sentences = sum(1 for part in SENTENCE.split(text) if WORD.search(part))
    return len(found) / sentences + 100 * sum(len(word) > LONG for word in found) / len(found)
