"""The rows of the data benchmark: real messages, cut, joined and perturbed into as many as are wanted, always the same.

Most rows say something of their own: halves of two real texts with a third of the words exchanged. Planted among them
are pairs whose relation is known: repeats, near repeats at a known Jaccard index, contradictions, and real messages
of the eval set as they are, in other case and punctuation, with one word changed, and paraphrased.
"""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.data.normal import normalise
from tunesmith.data.sketches import likeness, shingles

DATA = Path(__file__).parents[2] / "shared" / "data"
NEAR_AT = (0.8, 0.85, 0.9, 0.95)  # Jaccard indices that near repeats are made for
PARAPHRASES = {
    "how do i": "what is the way to",
    "can i": "am i able to",
    "why": "for what reason",
    "my": "the",
    "card": "plastic",
    "money": "funds",
    "need": "require",
    "want": "would like",
    "get": "obtain",
    "help": "assist",
    "account": "profile",
    "what": "which thing",
    "is": "seems",
    "not": "never",
}


@dataclass
class Planted:
    """Line numbers of train.jsonl (or of eval.jsonl, where it says so), from 1."""

    repeats: list[tuple[int, int]] = field(default_factory=list)
    contradictions: list[tuple[int, int]] = field(default_factory=list)
    near: dict[float, list[tuple[int, int]]] = field(default_factory=dict)  # by the index they were made for
    leaks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # kind → (train, eval)


def banking(part: str) -> list[tuple[str, str]]:
    with (DATA / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as file:
        rows = [(" ".join(row["text"].split()), row["category"]) for row in csv.DictReader(file)]
    return [(text, label) for text, label in rows if len(text.split()) >= 6]


def real_texts() -> list[tuple[str, str]]:
    """Messages with a label, of several public sets."""
    found = banking("train")
    alpaca = json.loads((DATA / "llamafactory_demo" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    found += [(f"{row['instruction']} {row['input']}".strip(), "instruction") for row in alpaca]
    with (DATA / "gsm8k" / "test.jsonl").open(encoding="utf-8") as file:
        found += [(json.loads(line)["question"], "arithmetic") for line in file]
    return [(" ".join(text.split()), label) for text, label in found if len(text.split()) >= 6]


class Maker:
    """Deterministic: the same seed gives the same rows on every machine."""

    def __init__(self, seed: int = 0):
        self._random = random.Random(seed)
        self._real = real_texts()
        self._test = banking("test")
        self._words = sorted({word for text, _ in self._real for word in text.split() if word.isalpha()})

    def row(self) -> tuple[str, str]:
        """Halves of two texts, a third of their words exchanged."""
        (one, label), (other, _) = self._random.choice(self._real), self._random.choice(self._real)
        words = one.split()[: len(one.split()) // 2 + 1] + other.split()[len(other.split()) // 2 :]
        for place in range(len(words)):
            if self._random.random() < 1 / 3:
                words[place] = self._random.choice(self._words)
        return " ".join(words), label

    def messages(self, number: int) -> list[tuple[str, str]]:
        """Real ones of BANKING77's test file, as they are."""
        return self._random.sample(self._test, number)

    def near(self, text: str, index: float, width: float = 0.03) -> str | None:
        """`text` with letters exchanged, one after the other, as long as the index of the two stays that high; None
        where it does not come to within `width` of it."""
        letters, best, reached = list(text), text, 1.0
        original = shingles(normalise(text))
        places = [place for place, letter in enumerate(text) if letter.isalpha()]
        for place in self._random.sample(places, len(places)):
            letters[place] = self._random.choice("abcdefghijklmnopqrstuvwxyz")
            now = likeness(original, shingles(normalise("".join(letters))))
            if now < index:
                break
            best, reached = "".join(letters), now
        return best if best != text and reached < index + width else None

    def other_setting(self, text: str) -> str:
        return text.upper().replace(" ", "  ", 1) + "!?"

    def one_word(self, text: str) -> str:
        words = text.split()
        places = [place for place, word in enumerate(words) if word.isalpha()] or [0]
        words[self._random.choice(places)] = self._random.choice(self._words)
        return " ".join(words)

    def paraphrase(self, text: str) -> str:
        said = f" {text.lower()} "
        for words, instead in PARAPHRASES.items():
            said = said.replace(f" {words} ", f" {instead} ")
        words = said.split()
        return " ".join((*words[len(words) // 2 :], "and", *words[: len(words) // 2]))

    def chance(self, share: float) -> bool:
        return self._random.random() < share


def write(folder: Path, rows: int, eval_rows: int, seed: int = 0) -> Planted:
    """train.jsonl and eval.jsonl; a hundredth of the rows each: repeats, near repeats, contradictions, leaks."""
    maker, planted = Maker(seed), Planted()
    evals = maker.messages(eval_rows)
    with (folder / "eval.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(line(text, label) for text, label in evals)
    with (folder / "train.jsonl").open("w", encoding="utf-8") as file:
        number = 0
        for text, label in planting(maker, planted, evals, rows):
            number += 1
            file.write(line(text, label))
    assert number == rows
    return planted


def planting(maker: Maker, planted: Planted, evals: list[tuple[str, str]], rows: int) -> Iterator[tuple[str, str]]:
    number = 0
    kinds = {
        "exact": lambda text: text,
        "case and punctuation": maker.other_setting,
        "one word changed": maker.one_word,
        "paraphrased": maker.paraphrase,
    }
    while number < rows:
        text, label = maker.row()
        number += 1
        yield text, label
        if number + 1 > rows or not maker.chance(0.04):
            continue
        turn = number % 4
        if turn == 0:
            planted.repeats.append((number, number + 1))
            made = maker.other_setting(text), label
        elif turn == 1:
            planted.contradictions.append((number, number + 1))
            made = text, f"not {label}"
        elif turn == 2:
            index = NEAR_AT[number // 4 % len(NEAR_AT)]
            near = maker.near(text, index)
            if near is None:
                continue
            planted.near.setdefault(index, []).append((number, number + 1))
            made = near, label
        else:
            kind = list(kinds)[number // 4 % len(kinds)]
            known = number % len(evals)
            planted.leaks.setdefault(kind, []).append((number + 1, known + 1))
            made = kinds[kind](evals[known][0]), evals[known][1]
        number += 1
        yield made


def line(text: str, label: str) -> str:
    return json.dumps({"input": text, "output": label}, ensure_ascii=False) + "\n"
