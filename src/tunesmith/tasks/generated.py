"""Generation measured: what every answer scores against the expected one, and the metrics of a set of them.

chrF is the sentence-level chrF2 of sacrebleu; BLEU is its sentence-level BLEU, a mean over the rows like every other
score: BLEU of a whole corpus is no mean, and of one candidate on one set there is nothing honest to make an interval
from. `similarity` is that of the letters, `edit_distance` the share of words that somebody would have to change, and
`meaning` the cosine of the vectors of both texts. Lengths, words and LIX are medians over the rows with a valid
answer; claims that nothing supports (`claims`) and broken rules (`style`) are shares of these rows.

M. Popović, Proceedings of the Tenth Workshop on Statistical Machine Translation (2015) 392. K. Papineni et al.,
Proceedings of the 40th Annual Meeting of the ACL (2002) 311. M. Post, Proceedings of the Third Conference on Machine
Translation (2018) 186, for signatures.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.tasks import bounded, generation, intervals, remarks
from tunesmith.tasks.base import Aids, Embed
from tunesmith.tasks.behaved import said
from tunesmith.tasks.claims import KINDS
from tunesmith.tasks.figures import Measures, estimate, groups_of, share, slices_of, states_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.readability import lix, words
from tunesmith.tasks.rouge import SIGNATURE, rouge
from tunesmith.tasks.similarity import edits, similarity
from tunesmith.tasks.spec import Task

try:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
except ImportError as error:
    raise MissingExtraError("Comparing texts needs sacrebleu. Run `pip install 'tunesmith[evidence]'`.") from error

SCORES = ("chrf", "bleu", "rouge_1", "rouge_2", "rouge_l", "exact_match", "similarity", "edit_distance")
RIGHT = (*(1.0,) * 7, 0.0)  # of an answer that is right
MISSING = (*(0.0,) * 7, 1.0)  # where there is no valid answer: everything would have to be written
SIZES = ("length_ratio", "words", "readability")
KEPT = 1 << 16  # pairs of texts whose scores are remembered: a comparison asks for the same ones several times

_chrf, _bleu = CHRF(), BLEU(effective_order=True)


class Answers(NamedTuple):
    """`scored` has a column for each of SCORES, `sizes` one for each of SIZES: NaN where there is no valid answer."""

    scored: Floats  # (rows, scores)
    missing: Booleans
    sizes: Floats  # (rows, sizes)
    groups: Integers | None

    @property
    def right(self) -> Booleans:
        return np.asarray(self.scores("exact_match") == 1.0)

    def scores(self, metric: str) -> Floats:
        return np.asarray(self.scored[:, SCORES.index(metric)])

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(self.scored[rows], self.missing[rows], self.sizes[rows], groups)


def answers_of(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    pairs = [(row.expected, said(task, row, each)) for row, each in zip(examples, predictions, strict=True)]
    return Answers(
        scored=np.array([MISSING if text is None else score(wanted, text) for wanted, text in pairs]),
        missing=np.array([text is None for _, text in pairs], np.bool_),
        sizes=np.array([(np.nan,) * len(SIZES) if text is None else _sizes(wanted, text) for wanted, text in pairs]),
        groups=groups_of(examples),
    )


@lru_cache(maxsize=KEPT)
def score(expected: str, answer: str) -> tuple[float, ...]:
    """Of one answer, by SCORES."""
    if generation.right(expected, answer):
        return RIGHT
    wanted, said = generation.level(expected), generation.level(answer)
    return (
        min(1.0, _chrf.sentence_score(answer, [expected]).score / 100),
        min(1.0, _bleu.sentence_score(answer, [expected]).score / 100),
        *rouge(expected, answer),
        0.0,
        similarity(wanted, said),
        edits(wanted.split(), said.split()),
    )


def _sizes(expected: str, answer: str) -> tuple[float, ...]:
    return len(answer) / len(expected.strip()), float(len(words(answer))), lix(answer)


def measure(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], aids: Aids) -> Measures:
    answers = answers_of(task, examples, predictions)
    given = answers.where(~answers.missing)
    noted = remarks.of_answers(task, examples, predictions, aids.passages)
    metrics = _rates(answers)
    if aids.embed is not None:
        metrics["meaning"] = _mean(_meaning(task, examples, predictions, aids.embed), answers.groups)
    metrics["unsupported_rate"] = share(np.any(noted.claims, axis=1), given.groups)
    if noted.rules:
        metrics["rule_rate"] = share(np.any(noted.breaks, axis=1), given.groups)
    for place, name in enumerate(SIZES):
        metrics[name] = estimate(intervals.median(given.sizes[:, place], given.groups), len(given.sizes))
    return Measures(
        metrics={name: metrics[name] for name in generation.METRICS if name in metrics},
        slices={name: _rates(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
        claims={kind: share(noted.claims[:, place], given.groups) for place, kind in enumerate(KINDS)},
        rules={name: share(noted.breaks[:, place], given.groups) for place, name in enumerate(noted.rules)},
        signatures=signatures(),
    )


@lru_cache(maxsize=1)
def signatures() -> dict[str, str]:
    """How the figures that come in many versions were computed, as other papers and tools state it."""
    for metric in (_chrf, _bleu):
        metric.sentence_score("a", ["a"])  # a signature states the number of references, which it knows only then
    return {"chrf": str(_chrf.get_signature()), "bleu": str(_bleu.get_signature()), "rouge": SIGNATURE}


def _rates(answers: Answers) -> dict[str, Estimate]:
    scored = {name: _mean(answers.scores(name), answers.groups) for name in SCORES if name != "exact_match"}
    return scored | {
        "exact_match": share(answers.right, answers.groups),
        "invalid_rate": share(answers.missing, answers.groups),
    }


def _mean(scores: Floats, groups: Integers | None) -> Estimate:
    found = bounded.mean(scores, groups)
    return estimate(found and (found.value, found.low, found.high), len(scores))


def _meaning(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], embed: Embed) -> Floats:
    """The cosine of every answer to the expected one, 0 where it is below or there is no valid answer."""
    pairs = [(row.expected, said(task, row, each)) for row, each in zip(examples, predictions, strict=True)]
    texts = list(dict.fromkeys(text for pair in pairs for text in pair if text is not None))
    vectors = dict(zip(texts, np.asarray(embed(texts), np.float64), strict=True))
    cosines = [0.0 if text is None else float(vectors[wanted] @ vectors[text]) for wanted, text in pairs]
    return np.asarray(np.clip(np.array(cosines), 0.0, 1.0))
