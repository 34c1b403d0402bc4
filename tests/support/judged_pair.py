"""Two candidates' answers to made-up rows, and people and judges whose preferences a test dictates."""

from collections.abc import Sequence

from tunesmith.core.example import Example, Message
from tunesmith.evaluation.preferences import Blind, Judgement, Pair, Side, draw

A, B = "a" * 64, "b" * 64


def rows(n: int, *, slices: Sequence[str] = (), groups: Sequence[str] = ()) -> list[Example]:
    return [
        Example(
            messages=(Message(role="user", content=f"request {place}"),),
            expected="x",
            slice=slices[place] if slices else None,
            group=groups[place] if groups else None,
        )
        for place in range(n)
    ]


def answered(n: int, *, same: int = 0, long: int = 0, **more: Sequence[str]) -> Pair:
    """The last `same` rows of the draw have equal answers; on the first `long` a's is the longer one."""
    drawn = draw(rows(n, **more))
    ours = ["yes, indeed" if place < long else "yes" for place in range(n - same)] + ["same"] * same
    theirs = ["nay"] * (n - same) + ["same"] * same
    return Pair(Side("fine-tune", A, tuple(ours)), Side("prompt", B, tuple(theirs)), tuple(drawn))


def says(
    made: Pair, place: int, score: float, rater: str = "ann", *, drawn: int | None = None, time: str = "1"
) -> Judgement:
    """`rater` prefers a (1), b (0) or neither (a half), whichever stands first for them."""
    row = made.rows[place].id
    first = Blind("secret", made, rater).first(row)
    choice = "tie" if score == 0.5 else "1" if (score == 1.0) == (first == A) else "2"
    return Judgement.model_validate(
        {
            "row": row,
            "first": first,
            "second": B if first == A else A,
            "choice": choice,
            "rater": rater,
            "time": time,
            "drawn": len(made.rows) if drawn is None else drawn,
        }
    )


def judges(made: Pair, place: int, score: float, *, first: bool = False, drawn: int | None = None) -> Judgement:
    """A model says so in both orders, or chooses what stands `first` in both."""
    choice, swapped = {1.0: ("1", "2"), 0.0: ("2", "1"), 0.5: ("tie", "tie")}[score]
    if first:
        choice = swapped = "1"
    return Judgement.model_validate(
        {
            "row": made.rows[place].id,
            "first": A,
            "second": B,
            "choice": choice,
            "swapped": swapped,
            "rater": "judge:lab:j",
            "judge": "d",
            "time": "1",
            "drawn": len(made.rows) if drawn is None else drawn,
        }
    )
