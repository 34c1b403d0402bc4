from tunesmith.core.example import Example, Made, Message
from tunesmith.data.finding import Finding
from tunesmith.data.review import FEW, Doubt, accepted, agreement, apply, queue, second, standings
from tunesmith.data.reviews import Decision

NOW, BEFORE = "guideline of now", "guideline of before"


def row(text: str, label: str = "a", line: int = 2, made: Made | None = None) -> Example:
    message = Message(role="user", content=text)
    return Example(messages=(message,), expected=label, origin=f"data/a.csv:{line}", made=made)


def say(
    about: Example, verdict: str, who: str = "Ada", *, text: str | None = None, guideline: str = NOW, minute: int = 0
) -> Decision:
    return Decision(
        row=about.id,
        origin=about.origin,
        verdict=verdict,  # type: ignore[arg-type]
        text=text,
        becomes=about.answered(text).id if text is not None else None,
        reviewer=who,
        time=f"2026-03-01T10:{minute:02}:00+00:00",
        guideline=guideline,
    )


ROWS = [row(f"text {number}", line=number + 2) for number in range(30)]
ONE, TWO, THREE = ROWS[:3]


def order(rows, decisions=(), **more) -> list[Example]:
    return [item.example for item in queue(rows, decisions, guideline=NOW, reviewer="Ada", **more)]


# What decisions amount to


def test_rejected_rows_go_and_edited_ones_have_their_new_answer():
    found = standings([say(ONE, "reject"), say(TWO, "edit", text="b"), say(THREE, "accept")], NOW)
    applied = apply(ROWS, found)
    assert [(gone, by.reviewers) for gone, by in applied.rejected] == [(ONE, ("Ada",))]
    assert applied.rows == (TWO.answered("b"), *ROWS[2:])
    assert applied.edited == {TWO.id: TWO.answered("b").id}


def test_a_decision_is_about_what_a_row_says_wherever_it_stands():
    moved = ONE.model_copy(update={"origin": "data/other.csv:77", "group": "g"})
    assert apply([moved], standings([say(ONE, "reject")], NOW)).rows == ()


def test_a_row_that_was_edited_may_be_edited_again_and_back():
    other = ONE.answered("b")
    decisions = [say(ONE, "edit", text="b"), say(other, "edit", "Bob", text="c", minute=1)]
    found = standings(decisions, NOW)
    assert found[other.id].verdict is None  # Ada wrote it, Bob writes something else
    assert apply([ONE], found).rows == (other,)
    found = standings([*decisions, say(other, "edit", text="c", minute=2)], NOW)
    assert apply([ONE], found).rows == (ONE.answered("c"),)
    circle = standings([say(ONE, "edit", text="b"), say(other, "edit", text="a", minute=1)], NOW)
    assert len(apply([ONE], circle).rows) == 1


def test_the_newest_of_each_and_the_majority_of_several_counts_and_a_tie_changes_nothing():
    said = [say(ONE, "reject"), say(ONE, "accept", minute=1)]
    assert standings(said, NOW)[ONE.id].verdict == "accept"
    said.append(say(ONE, "reject", "Bob", minute=2))
    assert standings(said, NOW)[ONE.id].verdict is None
    assert apply([ONE], standings(said, NOW)).rows == (ONE,)
    said.append(say(ONE, "reject", "Eve", minute=3))
    assert standings(said, NOW)[ONE.id].verdict == "reject"


def test_made_rows_wait_until_they_are_accepted():
    made = [row(f"made {number}", made=Made(kind="typos", by="keyboard")) for number in range(4)]
    said = [say(made[0], "accept"), say(made[1], "edit", text="b"), say(made[2], "reject")]
    assert accepted(made, standings(said, NOW)).rows == (made[0], made[1].answered("b"))


# The queue


def test_suspected_rows_come_first_then_made_then_doubted_then_the_rest_by_seed():
    made = row("made", line=99, made=Made(kind="typos", by="keyboard", origin=ONE.origin))
    stop = Finding(severity="stop", check="c", file="data/a.csv", line=20, message="m", related=("data/a.csv:21",))
    look = Finding(severity="look", check="c", file="data/a.csv", line=10, message="m")
    note = Finding(severity="note", check="c", file="data/a.csv", line=11, message="m")
    doubts = {ROWS[5].id: Doubt(0.4, "unsure"), ROWS[6].id: Doubt(0.1, "wrong")}
    found = order([*ROWS, made], findings=[note, look, stop], doubts=doubts)
    assert {each.origin for each in found[:2]} == {"data/a.csv:20", "data/a.csv:21"}
    assert found[2:6] == [ROWS[8], made, ROWS[6], ROWS[5]]
    assert len(found) == 31
    assert order(ROWS, seed=1) != order(ROWS) == order(ROWS[::-1])


def finding(line: int, check: str = "c", severity: str = "look", **more) -> Finding:
    return Finding(severity=severity, check=check, file="data/a.csv", line=line, message="m", **more)


def test_the_surest_fault_comes_first_and_rows_that_only_repeat_others_after_those_in_doubt():
    faults = [
        finding(4, "label-fault", likely="b", sure=0.7),
        finding(5, "label-fault", likely="b", sure=0.9),
        finding(6, "near-duplicate", related=("data/a.csv:20",)),
        finding(5, "meaning-duplicate", related=("data/a.csv:30",)),
        finding(7, "near-contradiction", related=("data/a.csv:25",)),
        finding(8, "contradiction", "stop", related=("data/a.csv:9",)),
    ]
    items = queue(ROWS, (), guideline=NOW, reviewer="Ada", findings=faults, doubts={ROWS[11].id: Doubt(0.3, "unsure")})
    lines = [int(item.example.origin.partition(":")[2]) for item in items]
    assert [set(lines[:2]), lines[2:4], set(lines[4:6])] == [{8, 9}, [5, 4], {7, 25}]
    assert [lines[6], lines[7], set(lines[8:10])] == [13, 30, {6, 20}]
    assert [item.why for item in items[6:11]] == ["doubt", "alike", "alike", "alike", "random"]
    assert [each.check for each in items[2].findings] == ["label-fault", "meaning-duplicate"]


def test_a_fault_that_is_doubted_as_well_says_both():
    doubted = {ROWS[2].id: Doubt(0.3, "unsure")}
    (first, *_) = queue(ROWS, (), guideline=NOW, reviewer="Ada", findings=[finding(4)], doubts=doubted)
    assert (first.why, first.note, len(first.findings)) == ("finding", "unsure", 1)


def test_what_was_decided_is_not_asked_again_unless_reviewers_disagree():
    said = [say(ONE, "accept", "Bob"), say(TWO, "reject", "Bob"), say(TWO, "accept", "Eve")]
    found = order(ROWS, said)
    assert ONE not in found
    assert found[0] == TWO


def test_what_was_skipped_comes_last_and_for_others_in_its_turn():
    first = order(ROWS)[0]
    assert order(ROWS, [say(first, "skip")])[-1] == first
    assert order(ROWS, [say(first, "skip", "Bob")])[0] == first


def test_another_guideline_puts_rows_back_but_leaves_decisions_in_force():
    said = [say(ONE, "reject", guideline=BEFORE)]
    assert ONE in order(ROWS, said)
    assert apply([ONE], standings(said, NOW)).rows == ()
    said.append(say(ONE, "accept", "Bob", minute=1))
    assert standings(said, NOW)[ONE.id] == ("accept", None, ("Bob",), True)
    assert ONE not in order(ROWS, said)


def test_equal_rows_are_asked_once():
    assert order([ONE, ONE.model_copy(update={"origin": "data/b.csv:3"})]) == [ONE]


# Two reviewers


def test_the_second_sees_what_others_decided_and_not_what_they_said():
    said = [say(ONE, "reject", "Bob"), say(TWO, "accept"), say(THREE, "skip", "Bob")]
    (item,) = second(ROWS, said, guideline=NOW, reviewer="Ada")
    assert item.example == ONE
    assert "Bob" not in item.model_dump_json()
    assert "reject" not in item.model_dump_json()


def test_agreement_of_two_has_both_figures_and_of_three_alpha_alone():
    rows = ROWS[:FEW]
    said = [say(each, "accept") for each in rows]
    said += [say(each, "reject" if number < 5 else "accept", "Bob") for number, each in enumerate(rows)]
    found = agreement(said, NOW)
    assert (found.rows, found.reviewers) == (FEW, ("Ada", "Bob"))
    assert found.kappa == 0
    assert found.alpha < 0  # worse than chance: 35 of 40 say accept
    three = agreement([*said, say(ONE, "accept", "Eve")], NOW)
    assert three.kappa is None
    assert three.alpha > found.alpha
    assert agreement(said, BEFORE) is None
    assert agreement(said[: 2 * FEW - 1], NOW).alpha is None  # one row fewer than gives a figure
