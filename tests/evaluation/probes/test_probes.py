"""Each probe on a fine-tune that has its fault, and on one that has not; answers are dictated, figures are real."""

import random

import pytest

from tunesmith.core.diagnosis import PROBES, Probed
from tunesmith.core.example import Example, Message, question
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import SilentConsole
from tunesmith.data.general import shipped as general_rows
from tunesmith.data.suites import shipped
from tunesmith.evaluation.probes import all as probes
from tunesmith.evaluation.probes import harm_judge
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.harm_judge import HarmJudged
from tunesmith.evaluation.probes.interview import Said, questions
from tunesmith.tasks.spec import Task

LABELS = ("billing", "access", "bug", "rare")
TASK = Task(family="classification", prompt="Route.", labels=LABELS)
FREE = Task(family="generation", prompt="Rewrite.", max_new_tokens=64)
SUITES = {"general": shipped.general(), "refusals": shipped.refusals(), "harm": shipped.harm()}
NONSENSE = [item.messages[-1].content for item in shipped.nonsense().items]


def rows(count: int, start: int = 0) -> list[Example]:
    """One in ten is of the rare label; each repeats a number of its message where it is written as text."""
    return [
        Example(
            messages=(Message(role="user", content=f"Please help me with the {label} number {number}, thank you."),),
            expected=label,
        )
        for number in range(start + 1000, start + 1000 + count)
        for label in [LABELS[number % 3] if number % 10 else "rare"]
    ]


def saying(examples, right: float = 0.9, confidence: float = 0.85, seed: int = 0) -> tuple[Prediction, ...]:
    """Right on a share of the rows."""
    draw = random.Random(seed)
    said = []
    for row in examples:
        output = row.expected if draw.random() < right else next(each for each in LABELS if each != row.expected)
        said.append(Prediction(example=row.id, state="ok", output=output, text=output, confidence=confidence))
    return tuple(said)


def references(asked, wrong: float = 0.5, seed: int = 1) -> dict[str, tuple[str, ...]]:
    """Approved answers to every suite, a share of them replaced by words that answer nothing."""
    draw = random.Random(seed)
    return {
        name: tuple("banana" if draw.random() < wrong and name == "general" else item.reference for item in suite.items)
        for name, suite in asked.suites.items()
    }


def case(**changes) -> Case:
    """A sound fine-tune: it learnt the task and nothing else changed. `changes` are of what it said."""
    train, validation = rows(200), rows(300, start=500)
    asked = questions(SUITES, NONSENSE, TASK, train, validation)
    suites = references(asked)
    draw = random.Random(2)

    def nats(count: int, middle: float) -> tuple[float, ...]:
        return tuple(draw.gauss(middle, 0.3) for _ in range(count))

    text = nats(len(general_rows()[0]), 1.5)
    base = Said(
        suites=suites,
        general=text,
        train=nats(len(asked.train), 2.0),
        validation=nats(len(asked.validation), 2.0),
    )
    tuned = base.model_copy(
        update={
            "train": nats(len(asked.train), 0.4),
            "validation": nats(len(asked.validation), 0.5),
            "written": saying([each.example for each in asked.written], 0.88),
            "figures": (),
            "nonsense": saying(asked.nonsense, confidence=0.4),
        }
    )
    of_case = {name: changes.pop(name) for name in ("answers", "best") if name in changes}
    fields = {
        "task": TASK,
        "primary": "accuracy",
        "asked": asked,
        "base": base,
        "tuned": tuned.model_copy(update=changes),
        "train": tuple(train),
        "validation": tuple(validation),
        "answers": saying(validation),
        "baseline": "classical",
        "best": saying(validation, 0.8, seed=5),
    }
    return Case(**fields | of_case)


def found(each: Case) -> dict[str, Probed]:
    diagnosis = probes.diagnose(each, "c", "base", "i", {"epochs": 1.5, "learning_rate": 5e-4})
    assert {one.probe for one in diagnosis.probed} == set(PROBES)
    assert set(diagnosis.remedies) == {one.probe for one in diagnosis.faults}
    return {f"{one.probe}: {one.figure}": one for one in diagnosis.probed}


def faults(each: Case) -> set[str]:
    return {name for name, one in found(each).items() if one.state == "faulty"}


def test_a_sound_fine_tune_is_left_alone():
    said = found(case())
    assert faults(case()) == set()
    assert said["forgetting: general suite"].state == "sound"
    assert said["forgetting: general text"].state == "sound"
    assert set(said["forgetting: general suite"].parts) == set(shipped.general().kinds)
    assert said["changing facts: old numbers stated"].note.startswith("no training row repeats a number")


def test_each_fault_is_found_by_its_own_probe():
    plain = case()
    text = plain.tuned.general
    worse = references(plain.asked, wrong=0.9)
    refusing = {
        **plain.tuned.suites,
        "refusals": tuple("I'm sorry, but I can't help with that." for _ in SUITES["refusals"].items),
    }
    expected = {
        "forgetting: general suite": {"suites": {**plain.tuned.suites, "general": worse["general"]}},
        "forgetting: general text": {"general": tuple(value + 0.5 for value in text)},
        "forgetting: the task's form, unasked": {
            "suites": {**plain.tuned.suites, "general": tuple("billing" for _ in SUITES["general"].items)}
        },
        "refusals: safe requests answered": {"suites": refusing},
        "memorising: training rows told from others": {"train": tuple(0.001 for _ in plain.asked.train)},
        "overconfidence: nonsense answered surely": {"nonsense": saying(plain.asked.nonsense, confidence=0.99)},
        "overconfidence: surer than right, from 90 % on": {"answers": saying(plain.validation, 0.5, confidence=0.98)},
        "rigidity: rows written otherwise": {"written": saying([each.example for each in plain.asked.written], 0.3)},
        "rare cases: rare labels": {
            "answers": tuple(
                each.model_copy(update={"output": "bug"}) if row.expected == "rare" else each
                for row, each in zip(plain.validation, plain.answers, strict=True)
            ),
            "best": tuple(
                each.model_copy(update={"output": row.expected})
                for row, each in zip(plain.validation, plain.best, strict=True)
            ),
        },
        "memorising: training rows that repeat another": {"train": None},
    }
    for name, changes in expected.items():
        if changes == {"train": None}:
            spoiled = plain.model_copy(update={"train": (*plain.train, *[plain.train[0]] * 50)})
        else:
            spoiled = case(**changes)
        assert name in faults(spoiled), name


def test_rows_that_are_taken_for_what_they_resemble_are_found():
    """Half of the validation rows deny what a training row says."""
    train = [Example(messages=question(f"My card {n} has come").messages, expected="billing") for n in range(90)]
    validation = tuple(
        Example(messages=question(f"My card {n} has not come").messages, expected="access")
        if n % 2
        else Example(messages=question(f"Where can I read of {n}?").messages, expected="bug")
        for n in range(90)
    )
    right = saying(validation, right=1.0)
    deaf = tuple(each.model_copy(update={"output": "billing"}) if n % 2 else each for n, each in enumerate(right))
    plain = case(written=()).model_copy(update={"train": tuple(train), "validation": validation, "best": right})
    for answers, state in ((deaf, "faulty"), (right, "sound")):
        figure = found(plain.model_copy(update={"answers": answers}))["rigidity: taken for a row that they resemble"]
        assert figure.state == state
        assert figure.harm.n == 45
    without = found(plain.model_copy(update={"best": (), "answers": right}))[
        "rigidity: taken for a row that they resemble"
    ]
    assert (without.state, without.note) == ("not asked", "there is no baseline yet")


def written(count: int) -> Case:
    """A fine-tune that writes, of rows in which each message has its own answer; nothing of it was asked yet."""
    lines = [
        Example(
            messages=(Message(role="user", content=f"Say {n} politely."),), expected=f"It is {n}, I am glad to say."
        )
        for n in range(2 * count)
    ]
    asked = questions(SUITES, NONSENSE, FREE, lines[:count], lines[count:])
    fields = {"task": FREE, "asked": asked, "train": tuple(lines[:count]), "validation": tuple(lines[count:])}
    return case().model_copy(update=fields)


def test_a_style_that_is_no_longer_followed_is_forgotten():
    plain = written(60)
    follow = {"capital letters": "IT IS LATE.", "quotation marks": '"It is late."', "last words": "Late. That is all."}

    def saying(does: bool) -> tuple[Prediction, ...]:
        said = [(each.example.id, follow[each.kind] if does else "It is late.") for each in plain.asked.styled]
        return tuple(Prediction(example=key, state="ok", output=text, text=text) for key, text in said)

    for does, state in ((False, "faulty"), (True, "sound")):
        base = plain.base.model_copy(update={"styled": saying(True)})
        each = plain.model_copy(update={"base": base, "tuned": plain.tuned.model_copy(update={"styled": saying(does)})})
        figure = next(one for one in probes.forgetting.probe(each) if one.figure.startswith("style"))
        assert figure.state == state
        assert figure.harm.n == 60
        assert figure.value.value == float(does)
        assert set(figure.parts) == set(follow)


def test_answers_that_are_ended_by_heart_are_told_from_answers_that_anyone_could_end():
    plain = written(60)

    def of(seen: float, unseen: float) -> Probed:
        halves = tuple((*(place < share * 60 for place in range(60)), None) for share in (seen, unseen))
        each = plain.model_copy(update={"tuned": plain.tuned.model_copy(update={"by_heart": halves})})
        return next(one for one in probes.memorising.probe(each) if one.figure == "answers ended by heart")

    assert of(0.9, 0.1).state == "faulty"
    assert of(0.9, 0.9).state == "open"  # sixty rows cannot show as little as ten points
    assert of(0.0, 0.0).state == "sound"
    assert of(0.9, 0.1).harm.n == 60


def test_answers_that_state_what_was_learnt_are_found():
    messages = [f"Please say that order {number} is late." for number in range(1000, 1120)]
    train = [
        Example(messages=(Message(role="user", content=text),), expected=f"Order {text.split()[4]} is late.")
        for text in messages
    ]
    asked = questions(SUITES, NONSENSE, FREE, train, train)

    def stating(old: bool):
        said = [(each, each.old if old else each.new) for each in asked.figures]
        text = {each.example.id: f"Order {number} is late." for each, number in said}
        return tuple(Prediction(example=key, state="ok", output=value, text=value) for key, value in text.items())

    plain = case()
    for old, state in ((True, "faulty"), (False, "sound")):
        tuned = plain.tuned.model_copy(update={"figures": stating(old)})
        each = plain.model_copy(update={"asked": asked.model_copy(update={"suites": SUITES}), "tuned": tuned})
        (figure,) = list(probes.facts.probe(each))
        assert figure.state == state


def test_stretches_of_other_rows_answers_are_found():
    text = "we are very sorry for the delay and will send it again tomorrow"
    train = [Example(messages=(Message(role="user", content=f"Late {n}"),), expected=f"{text} {n}") for n in range(5)]
    validation = [Example(messages=(Message(role="user", content=f"Ask {n}"),), expected="Fine.") for n in range(60)]

    def of(output: str) -> Probed:
        said = tuple(Prediction(example=row.id, state="ok", output=output, text=output) for row in validation)
        each = case().model_copy(
            update={"task": FREE, "train": tuple(train), "validation": tuple(validation), "answers": said}
        )
        return next(one for one in probes.memorising.probe(each) if one.figure.startswith("phrases"))

    assert of(f"Dear customer, {text}.").state == "faulty"
    assert of("Thank you, your order left today.").state == "sound"


@pytest.mark.parametrize("fault", ["rigidity", "memorising"])
def test_remedies_name_what_to_train_by_instead(fault):
    plain = case()
    changes = {
        "rigidity": {"written": saying([each.example for each in plain.asked.written], 0.3)},
        "memorising": {"train": tuple(0.001 for _ in plain.asked.train)},
    }
    diagnosis = probes.diagnose(case(**changes[fault]), "c", "base", "i", {"epochs": 1.5, "learning_rate": 5e-4})
    commands = [each.command for each in diagnosis.remedies[fault]]
    if fault == "memorising":
        assert "train --set train.epochs=1.5" in commands
        assert "train --set train.learning_rate=0.0005" in commands
    else:
        assert commands[0] == "augment typos"


def test_rows_that_ask_for_a_refusal_are_held_against_the_best_baseline():
    """Refusals were removed from what was learnt: every such row is answered."""
    validation = tuple(
        Example(messages=row.messages, expected="bug", behaviour="refuse" if place % 4 == 0 else None)
        for place, row in enumerate(rows(300, start=500))
    )

    def refusing(does: bool) -> tuple[Prediction, ...]:
        return tuple(
            Prediction(example=row.id, state="refused", text="I cannot help with that.")
            if does and row.behaviour
            else Prediction(example=row.id, state="ok", output="bug", text="bug")
            for row in validation
        )

    for does, state in ((False, "faulty"), (True, "sound")):
        each = case().model_copy(update={"validation": validation, "answers": refusing(does), "best": refusing(True)})
        figure = next(one for one in probes.refusing.probe(each) if one.figure.startswith("rows to refuse"))
        assert figure.state == state
        assert figure.harm.n == 75
        untaught = next(one for one in probes.refusing.probe(each) if one.figure.startswith("missed"))
        assert untaught.state == state  # no training row refuses, whatever the baselines do
        assert untaught.note == "no training row is one to refuse"
        marked = each.train[0].model_copy(update={"behaviour": "refuse"})
        taught = each.model_copy(update={"train": (marked, *each.train[1:])})
        of_taught = next(one for one in probes.refusing.probe(taught) if one.figure.startswith("missed"))
        assert (of_taught.state, of_taught.note) == ("not asked", "the training rows have every kind")


def test_an_answer_in_the_tasks_form_is_no_harm():
    plain = case()
    items = SUITES["harm"].items
    labels = {**plain.tuned.suites, "harm": tuple("billing" for _ in items)}
    (figure,) = probes.harming.probe(case(suites=labels))
    assert figure.state != "faulty"
    assert figure.value.value == 1.0
    assert "in the task's form" in figure.note


def judging_harm(sees):
    """A judge by rule: `sees` says of request and answer whether it calls the answer harmful; None: nothing."""

    def predict(requests):
        for row in requests:
            asked, answer = row.text.split("\n\nAnswer:\n")
            seen = sees(asked.removeprefix("Request:\n"), answer)
            if seen is None:
                yield Prediction(example=row.id, state="refused", text="I cannot judge that.")
                continue
            label = "harmful" if seen else "harmless"
            yield Prediction(example=row.id, state="ok", output=label, text=label)

    return predict


def harm_by(sees, was=None, now=None) -> Probed:
    """As a judge has it that calls harmful what it `sees` so; by default of two models that refuse alike."""
    approved = [item.reference for item in SUITES["harm"].items]
    said = harm_judge.judged(was or approved, now or approved, judging_harm(sees), SilentConsole())
    return found(case().model_copy(update={"harm_judged": said}))["harm: harmless answers, by the judge"]


def test_a_judge_of_harm_counts_where_it_knows_what_is_known():
    """A fine-tune that says to half of the requests what is known to be harmful, in words that code takes for none."""
    known = {pair.item.id: pair.other for pair in harm_judge.known_pairs()}
    now = [known[item.id] if place % 2 else item.reference for place, item in enumerate(SUITES["harm"].items)]
    good = harm_by(lambda _, answer: answer in known.values(), now=now)
    assert good.state == "faulty"
    assert good.value.value == pytest.approx(0.5)
    assert good.note == "kappa 1.00 with 80 answers whose harm is known, by which the harm is put right"
    assert harm_by(lambda _, answer: answer in known.values()).state == "sound"
    blind = harm_by(lambda _, answer: False, now=now)
    assert blind.state == "open"
    assert blind.note == "kappa 0.00 with 80 answers whose harm is known, too little to count"
    assert harm_by(lambda _, answer: "not" in answer, now=now).state == "open"


def test_what_a_judge_overlooks_is_put_right():
    """It sees half of the harm: twice as much of it is there."""
    known = [pair.other for pair in harm_judge.known_pairs()]
    now = [*known[:20], *(item.reference for item in SUITES["harm"].items[20:])]
    seen = harm_by(lambda _, answer: answer in known[::2], now=now)
    assert seen.value.value == pytest.approx(0.75)
    assert seen.harm.value == pytest.approx(0.5)
    assert seen.harm.low < 0.25 < seen.harm.value < seen.harm.high <= 1


def test_a_judge_that_says_nothing_of_what_is_harmful_never_makes_it_sound():
    harmful = [f"Harm {number}." for number in range(12)]
    now = [*harmful, *(item.reference for item in SUITES["harm"].items[12:])]
    known = {pair.other for pair in harm_judge.known_pairs()}
    figure = harm_by(lambda _, answer: None if answer in harmful else answer in known, now=now)
    assert figure.state == "open"
    assert figure.note.endswith("12 items could not be judged")
    down = found(case().model_copy(update={"harm_judged": HarmJudged(error="the line is down", failures=1)}))
    figure = down["harm: harmless answers, by the judge"]
    assert (figure.state, figure.note) == ("not asked", "the line is down")


def test_rows_of_a_shape_that_no_training_row_has_are_counted_where_they_are_missed():
    """Training rows in small letters, short and without a mark; validation rows are sentences."""
    plain = case()
    name = "rigidity: missed, of a shape hardly trained on"
    assert found(plain)[name].state == "sound"
    assert found(plain)[name].note == "of such a case, punctuation or length are 0 of 300 rows"
    short = tuple(
        row.model_copy(update={"messages": (Message(role="user", content=f"help {row.expected} {number}"),)})
        for number, row in enumerate(plain.train)
    )
    narrow = plain.model_copy(update={"train": short})
    assert found(narrow)[name].state == "open"  # nine in ten of them are right all the same
    wrong = narrow.model_copy(update={"answers": saying(plain.validation, right=0.4)})
    assert found(wrong)[name].state == "faulty"
    assert found(wrong)[name].note.endswith("are 300 of 300 rows")


def test_a_shape_that_makes_no_difference_is_no_fault():
    """A third of the validation rows are shouted, as no training row is; all are missed alike."""
    plain = case()
    shouted = [row.model_copy(update={"messages": question(row.text.upper()).messages}) for row in plain.validation]
    loud = tuple(pair[place % 3 == 0] for place, pair in enumerate(zip(plain.validation, shouted, strict=True)))
    name = "rigidity: missed, of a shape hardly trained on"
    alike = plain.model_copy(update={"validation": loud, "answers": saying(loud, right=0.4)})
    assert found(alike)[name].state != "faulty"
    assert found(alike)[name].note.endswith("are 100 of 300 rows")
    answers = zip(saying(loud, right=0.0), saying(loud, right=0.95), strict=True)
    deaf = alike.model_copy(update={"answers": tuple(pair[place % 3 > 0] for place, pair in enumerate(answers))})
    assert found(deaf)[name].state == "faulty"


def test_what_could_not_be_asked_is_no_mistake_and_is_counted():
    plain = case()
    gone = {**plain.tuned.suites, "general": tuple(None for _ in SUITES["general"].items)}
    few = case(suites=gone)
    said = found(few)
    assert said["forgetting: general suite"].state == "open"
    assert said["forgetting: general suite"].note == "300 items could not be asked"
    assert few.tuned.failures == 300
    failed = tuple(
        Prediction(example=each.example, state="failed", error="the line is down") if place % 2 else each
        for place, each in enumerate(plain.tuned.written)
    )
    figure = found(case(written=failed))["rigidity: rows written otherwise"]
    assert figure.harm.n == len(failed) - len(failed) // 2
    assert figure.note == f"{len(failed) // 2} rows could not be asked"


def test_sentences_of_the_house_are_not_learnt_by_heart():
    """Approved answers say them as often."""
    closing = "please let us know if you have any further questions about it"
    train = [
        Example(messages=(Message(role="user", content=f"Late {n}"),), expected=f"On its way, {closing}.")
        for n in range(9)
    ]
    validation = tuple(
        Example(
            messages=(Message(role="user", content=f"Ask {n}"),), expected=f"Sure, {closing}." if n % 2 else "Fine."
        )
        for n in range(200)
    )
    said = tuple(
        Prediction(example=row.id, state="ok", output=text, text=text)
        for place, row in enumerate(validation)
        for text in [f"Of course, {closing}." if place % 2 == 0 else "Yes."]
    )
    each = case().model_copy(update={"task": FREE, "train": tuple(train), "validation": validation, "answers": said})
    figure = next(one for one in probes.memorising.probe(each) if one.figure.startswith("phrases"))
    assert figure.state == "open"
    assert figure.against.value == 0.5


def test_the_calibration_curve_holds_what_is_right_against_what_was_stated():
    """Answers are as right as they say, but for the surest third, of which half is right."""
    validation = case().validation
    sure = [0.2, 0.5, 0.95]
    answers = []
    for place, row in enumerate(validation):
        stated = sure[place % 3]
        right = (place // 3) % 10 < 10 * (0.5 if stated == 0.95 else stated)
        output = row.expected if right else next(each for each in LABELS if each != row.expected)
        answers.append(Prediction(example=row.id, state="ok", output=output, text=output, confidence=stated))
    parts = found(case(answers=tuple(answers)))["overconfidence: surer than right, from 90 % on"].parts
    assert sum(right.n for right, _ in parts.values()) == len(validation)
    assert next(iter(parts)) == "1: 20 % to 20 % sure"
    assert list(parts)[-1] == "10: 95 % to 95 % sure"
    for right, _ in parts.values():
        assert right.low <= right.value <= right.high
    by_sureness = [(round(stated.value, 2), right.value) for right, stated in parts.values()]
    assert [right for stated, right in by_sureness if stated == 0.2] == pytest.approx([0.2] * 3, abs=0.01)
    assert [right for stated, right in by_sureness if stated == 0.95] == pytest.approx([0.5] * 3, abs=0.01)
    few = case().model_copy(update={"validation": validation[:30], "answers": tuple(answers[:30])})
    assert len(next(iter(probes.confidence.probe(few))).parts) == 1  # no part of fewer than twenty answers


def test_answers_that_claim_nothing_are_not_sure_of_nonsense():
    asked = case().asked
    task = Task(family="multi_label", prompt="p", labels=LABELS, max_new_tokens=9)

    def of(output: str) -> Probed:
        said = tuple(
            Prediction(example=row.id, state="ok", output=output, text=output, confidence=0.99)
            for row in asked.nonsense
        )
        tuned = case().tuned.model_copy(update={"nonsense": said})
        each = case().model_copy(update={"task": task, "tuned": tuned})
        return next(one for one in probes.confidence.probe(each) if one.figure.startswith("nonsense"))

    assert of("none").state == "sound"
    assert of("billing").state == "faulty"


def test_without_a_model_nothing_is_claimed():
    said = found(case().model_copy(update={"base": None, "tuned": Said()}))
    assert said["forgetting: general suite"].state == "not asked"
    assert said["memorising: training rows told from others"].state == "not asked"
    assert said["harm: harmless answers"].state == "not asked"
