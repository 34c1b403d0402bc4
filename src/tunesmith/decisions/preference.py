"""Judgements of pairs → how often one candidate is preferred to the other, with its interval.

A row scores 1 where a is preferred, 0 where b is, a half where it is a tie; of several raters their mean. The interval
is that of means of scores (`tasks/bounded.py`), so it speaks of these raters and of rows like these. It is stated once
every row that was drawn is judged: who could look on the way would stop where it pleases.

A judge has no say of its own. Where people have judged MIN_LABELLED of its rows or more, drawn by chance, and Cohen's
kappa with them is above MIN_KAPPA, it narrows their interval (`judged`), by as much as it agrees with them. A row on
which it gave no valid answer counts as its tie: the correction is right whatever a judge says.

J. Landis, G. Koch, Biometrics 33 (1977) 159, for the words: agreement above 0.4 is moderate.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.preferred import MIN_KAPPA, MIN_LABELLED, JudgeFigures, Preferred
from tunesmith.core.scorecard import Estimate
from tunesmith.data.agreement import cohen_kappa
from tunesmith.decisions.judged import corrected
from tunesmith.evaluation.agreement import MIN_UNITS, alpha
from tunesmith.evaluation.preferences import JUDGE, Judgement, Pair, Said, standing
from tunesmith.tasks import bounded
from tunesmith.tasks.figures import estimate, groups_of, share
from tunesmith.tasks.intervals import Floats, together

TIE = 0.5


def preferred(judgements: Sequence[Judgement], pair: Pair, judge: str | None = None) -> Preferred:
    """What people say of `pair`, and the model `judge` beside them. Figures are known once all rows are judged."""
    said = standing(judgements, pair)
    asked = pair.asked(said.drawn)
    done = [place for place in asked if pair.rows[place].id in said.by]
    every = [(place, each) for place in done for each in said.by[pair.rows[place].id].values()]
    found = Preferred.unknown(pair.a.name, pair.b.name).model_copy(
        update={
            "drawn": said.drawn,
            "judged": said.drawn - len(asked) + len(done),
            "same": said.drawn - len(asked),
            "raters": len({each.rater for _, each in every}),
            "judgements": len(every),
            "ties": sum(each.preferred is None for _, each in every),
        }
    )
    if not found.whole:
        return found
    rows, scores = pair.rows[: said.drawn], _scores(pair, said)
    people = mean(scores, rows)
    beside = judge_of(judgements, pair, judge)
    win = None if beside is None else _narrowed(judgements, pair, beside, scores)
    return found.model_copy(
        update={
            "win": win or people,
            "people": people,
            "slices": _slices(scores, rows),
            "left": _how_often(pair, every, lambda place, each: each.choice == "1"),
            "longer": _longer(pair, every),
            "judge": beside and beside.model_copy(update={"decides": win is not None}),
            **_agreement(pair, said, done),
        }
    )


def mean(scores: Floats, rows: Sequence[Example]) -> Estimate:
    found = bounded.mean(scores, groups_of(rows))
    return estimate(None if found is None else (found.value, found.low, found.high), len(rows))


def _scores(pair: Pair, said: Said) -> Floats:
    """Of the first `drawn` rows; a tie where nothing was said."""
    return np.array([_score(pair, said.by.get(row.id, {}).values()) for row in pair.rows[: said.drawn]])


def _score(pair: Pair, said: Iterable[Judgement]) -> float:
    worth = {pair.a.digest: 1.0, pair.b.digest: 0.0, None: TIE}
    each = [worth[judgement.preferred] for judgement in said]
    return sum(each) / len(each) if each else TIE


def _slices(scores: Floats, rows: Sequence[Example]) -> dict[str, Estimate]:
    names = sorted({row.slice for row in rows if row.slice})
    within = {name: [place for place, row in enumerate(rows) if row.slice == name] for name in names}
    return {name: mean(scores[places], [rows[place] for place in places]) for name, places in within.items()}


def _agreement(pair: Pair, said: Said, done: Sequence[int]) -> dict[str, float | int | None]:
    """Of the rows that several judged; kappa where two people judged all of these."""
    twice = [by for place in done if len(by := said.by[pair.rows[place].id]) > 1]
    names = sorted({rater for by in twice for rater in by})
    units = [[int(2 * _score(pair, [each])) for each in by.values()] for by in twice]
    enough = len(twice) >= MIN_UNITS
    pairs = [(_word(pair, by[names[0]]), _word(pair, by[names[1]])) for by in twice] if len(names) == 2 else []
    return {
        "twice": len(twice),
        "alpha": alpha(units) if enough else None,
        "kappa": cohen_kappa(pairs) if enough and pairs else None,
    }


Placed = tuple[int, Judgement]


def _longer(pair: Pair, every: Sequence[Placed]) -> Estimate:
    """How often the longer answer was chosen, of two that are not equally long."""

    def chosen(place: int, each: Judgement) -> bool:
        one, other = pair.sides(place, each.preferred or "")
        return len(one.said[place]) > len(other.said[place])

    apart = [(place, each) for place, each in every if len(pair.a.said[place]) != len(pair.b.said[place])]
    return _how_often(pair, apart, chosen)


def _how_often(pair: Pair, every: Sequence[Placed], true: Callable[[int, Judgement], bool]) -> Estimate:
    """Of the judgements that are no ties."""
    chosen = [(place, each) for place, each in every if each.preferred is not None]
    return _share(pair, [place for place, _ in chosen], [true(place, each) for place, each in chosen])


def _share(pair: Pair, places: Sequence[int], hits: Sequence[bool]) -> Estimate:
    """Of judgements about the rows at `places`; those of one row, or of one group, belong together."""
    keys = [pair.rows[place].group or pair.rows[place].id for place in places]
    number = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    groups = together(np.array([number[key] for key in keys], np.int64)) if keys else None
    return share(np.array(hits, np.bool_), groups)


def judge_of(judgements: Sequence[Judgement], pair: Pair, judge: str | None) -> JudgeFigures | None:
    """What the model `judge` says, and how far it agrees with people; None where it has judged nothing."""
    if judge is None:
        return None
    people, said = standing(judgements, pair), standing(judgements, pair, judge)
    places = [place for place in pair.asked(said.drawn) if pair.rows[place].id in said.by]
    if not places:
        return None
    own = [(place, said.by[pair.rows[place].id][f"{JUDGE}{judge}"]) for place in places]
    drawn = {row.id for row in pair.rows[: people.drawn]} & people.by.keys()
    both = [(people.by[row], each) for place, each in own if (row := pair.rows[place].id) in drawn]
    pairs = [(_side(_score(pair, by.values())), _word(pair, each)) for by, each in both]
    ordered = [(place, each) for place, each in own if each.swapped is not None]
    first = _share(pair, [place for place, _ in ordered], [each.choice == each.swapped == "1" for _, each in ordered])
    return JudgeFigures(
        name=judge,
        rows=len(own),
        win=mean(_scores(pair, said), pair.rows[: said.drawn]),
        first=first if ordered else None,
        longer=_longer(pair, own),
        both=len(both),
        kappa=cohen_kappa(pairs) if len(pairs) >= MIN_UNITS else None,
        decides=False,
    )


def _narrowed(judgements: Sequence[Judgement], pair: Pair, judge: JudgeFigures, scores: Floats) -> Estimate | None:
    """People's win rate, narrowed by what the judge says of rows that they were not asked; None where it may not
    decide, or has judged no such rows. `scores` are people's, of the rows that were drawn for them."""
    said = standing(judgements, pair, judge.name)
    if judge.both < MIN_LABELLED or judge.kappa is None or judge.kappa <= MIN_KAPPA or said.drawn <= len(scores):
        return None
    labelled = np.full(said.drawn, np.nan)
    labelled[: len(scores)] = scores
    found = corrected(_scores(pair, said), labelled, groups_of(pair.rows[: said.drawn]))
    return found and estimate((found.value, found.low, found.high), len(scores))


def _word(pair: Pair, each: Judgement) -> str:
    return _side(_score(pair, [each]))


def _side(score: float) -> str:
    return "a" if score > TIE else "b" if score < TIE else "tie"
