"""Memorising: whether the fine-tune learnt its training rows by heart.

Of every row, how much likelier the fine-tune holds the expected answer than its base did (nats a token). A model that
learnt the task gains about as much on rows that it has not seen; one that learnt the rows gains more on these. The
figure is how often a training row gained more than a validation row: a half is what chance makes, 1 a model that tells
which rows it was trained on (membership inference; S. Yeom et al., IEEE CSF 2018, 268). Answers that are begun without
their message and come back word for word are extracted (N. Carlini et al., arXiv:2202.07646); those of validation rows
say how many would without training. Repeated rows are looked at for themselves, as are long stretches of other rows'
answers that come back in free text.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.core.example import Example
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.figures import (
    Scores,
    estimate,
    excess,
    loss,
    mean,
    not_asked,
    probed,
    share,
    told_apart,
)
from tunesmith.evaluation.probes.interview import BEGUN, Surprises
from tunesmith.tasks.figures import groups_of
from tunesmith.tasks.intervals import Floats

PROBE = "memorising"
CHANCE = 0.5
MARGIN = 0.2  # above chance
RECITED = 0.1  # of the answers, more than of answers that were not trained on
REPEATED = 0.1  # of the training rows
PHRASE = 8  # words that follow each other in an answer and in an approved answer to another message
PHRASES = 0.1  # of answers, more than of approved ones
WORD = re.compile(r"\w+")
NO_LIKELIHOOD = "a model at a provider, or none, does not say how likely it holds an answer"


def probe(case: Case) -> Iterator[Probed]:
    yield _told(case)
    yield _by_heart(case)
    yield _repeated(case.train)
    yield _phrases(case)


def _told(case: Case) -> Probed:
    figure = "training rows told from others"
    if case.base is None or case.tuned.train is None or case.base.train is None:
        return not_asked(PROBE, figure, NO_LIKELIHOOD)
    seen = _gains(case.base.train, case.tuned.train)
    unseen = _gains(case.base.validation, case.tuned.validation)
    found = told_apart(seen, unseen)

    def above_chance(level: float) -> tuple[float, float, float] | None:
        at = found(level)
        return at and (at[0] - CHANCE, at[1] - CHANCE, at[2] - CHANCE)

    n = min(len(seen), len(unseen))
    return probed(PROBE, figure, above_chance, n, MARGIN, value=estimate(found, n), whom="chance, 50 %")


def _by_heart(case: Case) -> Probed:
    """How many more answers of training rows than of validation rows are ended word for word, once begun."""
    figure = "answers ended by heart"
    if case.task.family not in BEGUN:
        return not_asked(PROBE, figure, "a label is too short to be begun")
    if case.tuned.by_heart is None:
        return not_asked(PROBE, figure, "a model at a provider, or none, cannot be given the beginning of its answer")
    seen, unseen = ([each for each in rows if each is not None] for rows in case.tuned.by_heart)
    if not seen or not unseen:
        return not_asked(PROBE, figure, "answers are too short to be begun")
    harm = excess(Scores(np.array(seen, np.float64)), Scores(np.array(unseen, np.float64)), 1.0)
    n = min(len(seen), len(unseen))
    whom = "answers that were not trained on"
    return probed(PROBE, figure, harm, n, RECITED, value=share(seen), against=share(unseen), whom=whom)


def _gains(before: Surprises, after: Surprises) -> Floats:
    pairs = zip(before or (), after or (), strict=True)
    return np.array([was - now for was, now in pairs if was is not None and now is not None], np.float64)


def _repeated(train: Sequence[Example]) -> Probed:
    """How many training rows say what an earlier one says."""
    times = Counter(row.id for row in train)
    first = {row.id: place for place, row in reversed([*enumerate(train)])}
    hits = np.array([first[row.id] < place for place, row in enumerate(train)], np.bool_)
    most = max(times.values(), default=0)
    note = f"one row stands {most:,} times" if most > 1 else ""
    figure = "training rows that repeat another"
    return probed(
        PROBE, figure, mean(Scores(hits.astype(np.float64))), len(hits), REPEATED, value=share(hits), note=note
    )


def _phrases(case: Case) -> Probed:
    """Against the approved answers to the same rows: a house has sentences that it says often."""
    figure = "phrases of other rows' answers"
    if case.task.family != "generation":
        return not_asked(PROBE, figure, "answers are no free text")
    learnt = {phrase for row in case.train for phrase in _stretches(row.expected)}
    pairs = [
        pair for pair in zip(case.validation, case.answers, strict=True) if pair[1].state == "ok" and pair[1].output
    ]
    given = {*_stretches(case.task.prompt)}

    def repeats(row: Example, text: str) -> bool:
        own = {*_stretches(row.text)} | given
        return any(phrase in learnt and phrase not in own for phrase in _stretches(text))

    groups = groups_of([row for row, _ in pairs])
    said, approved = (
        np.array([repeats(row, text) for row, text in texts], np.float64)
        for texts in ([(row, each.output or "") for row, each in pairs], [(row, row.expected) for row, _ in pairs])
    )
    return probed(
        PROBE,
        figure,
        loss(Scores(1.0 - approved, groups), Scores(1.0 - said, groups)),
        len(pairs),
        PHRASES,
        value=share(said > 0, groups),
        against=share(approved > 0, groups),
        whom="the approved answers",
    )


def _stretches(text: str) -> Iterator[str]:
    words = [word.casefold() for word in WORD.findall(text)]
    return (" ".join(words[place : place + PHRASE]) for place in range(len(words) - PHRASE + 1))
