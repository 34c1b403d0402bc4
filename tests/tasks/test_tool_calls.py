import json

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks import tool_calls
from tunesmith.tasks.calls import NO_CALL, Call, text_of
from tunesmith.tasks.measures import measure, point
from tunesmith.tasks.spec import Task

TASK = Task(family="tool_calls", prompt="Call tools.", max_new_tokens=60)


def tool(name: str, **properties: str) -> str:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    schema["required"] = list(properties)[:1]
    return json.dumps({"type": "function", "function": {"name": name, "parameters": schema}})


TOOLS = (tool("weather", city="string", days="integer"), tool("clock", city="string"))


def calling(*calls: tuple[str, dict[str, object]]) -> str:
    return text_of("", [Call(*call) for call in calls])


BERN = calling(("weather", {"city": "Bern"}))
NO_CITY = calling(("weather", {}))


def row(number: int, expected: str, **more: object) -> Example:
    asked = Message(role="user", content=f"Question {number}")
    return Example(messages=(asked,), expected=expected, tools=TOOLS, **more)


def said(example: Example, text: str | None) -> Prediction:
    if text is None:
        return Prediction(example=example.id, state="failed", error="no server")
    output, fault = tool_calls.parse(text, TASK, tools=example.tools)
    state = "invalid" if output is None else "ok"
    return Prediction(example=example.id, state=state, output=output, text=text, error=fault)


@pytest.mark.parametrize(
    ("text", "output", "fault"),
    [
        (BERN, BERN, None),
        (BERN.replace("\n", ""), BERN, None),
        (f"I look. {BERN}", f"I look.\n{BERN}", None),
        (" No tool fits.\n", "No tool fits.", None),
        ("", None, "empty"),
        (BERN[:-5], None, "a call that is not closed"),
        (calling(("wether", {"city": "Bern"})), None, "calls wether, which is none of its tools"),
        (NO_CITY, NO_CITY, "the arguments of weather break its schema: the object lacks 'city'"),
    ],
)
def test_what_an_answer_is(text, output, fault):
    assert tool_calls.parse(text, TASK, tools=TOOLS) == (output, fault)


def test_an_answer_that_a_limit_ended_is_none():
    assert tool_calls.parse(BERN, TASK, cut=True, tools=TOOLS) == (None, "ended by the limit of 60 tokens")


def test_every_figure_counts_what_it_says():
    wanted = [(number, BERN) for number in range(60)] + [(number, NO_CALL) for number in range(60, 80)]
    rows = [row(*each) for each in wanted]
    answers: list[str | None] = [BERN] * 20
    answers += [calling(("weather", {"city": "Thun"}))] * 10  # the tool is right, its arguments are not
    answers += [calling(("weather", {"city": "Bern", "days": "two"}))] * 6  # nor do these hold to the schema
    answers += [calling(("clock", {"city": "Bern"}))] * 8
    answers += ["It rains."] * 6
    answers += [BERN + "\n" + BERN] * 4
    answers += [None] * 6
    answers += ["Sorry."] * 15 + [BERN] * 5
    found = measure(TASK, rows, [said(*pair) for pair in zip(rows, answers, strict=True)])
    figures = {name: (each.value, each.n) for name, each in found.metrics.items()}
    assert figures == {
        "call_exact": (pytest.approx(35 / 80), 80),
        "right_tool": (pytest.approx((20 + 10 + 6 + 15) / 80), 80),
        "right_arguments": (pytest.approx(20 / 36), 36),
        "valid_arguments": (pytest.approx(47 / 53), 53),
        "missing_rate": (pytest.approx(12 / 60), 60),
        "unnecessary_rate": (pytest.approx(5 / 20), 20),
        "invalid_rate": (pytest.approx(6 / 80), 80),
    }
    assert all(each.low < each.value < each.high for each in found.metrics.values())
    weather = found.labels["weather"]
    assert (weather.support, weather.recall.value, weather.precision.value) == (60, 40 / 60, 40 / 45)
    assert set(found.labels) == {"weather"}
    assert point(TASK, rows, [said(*pair) for pair in zip(rows, answers, strict=True)], "right_tool") == 51 / 80


def test_accepted_alternatives_count_and_are_part_of_the_row():
    accepted = json.dumps([{"weather": {"city": ["Bern", "Berne"], "days": ["", 1]}}])
    alone, free = row(1, BERN), row(1, BERN, accepted=accepted)
    assert alone.id != free.id
    other = calling(("weather", {"city": "Berne", "days": 1}))
    for example, right in ((alone, False), (free, True)):
        assert (tool_calls.fault_of(example, [Call("weather", {"city": "Berne", "days": 1})]) is None) == right
        assert point(TASK, [example], [said(example, other)], "call_exact") == float(right)
    assert free.answered(other).accepted == ""
    assert free.answered(BERN).id == free.id


def test_slices_and_groups():
    rows = [row(n, BERN, slice="a" if n % 2 else "b", group=str(n // 2)) for n in range(120)]
    predictions = [said(each, BERN if n % 3 else "No.") for n, each in enumerate(rows)]
    found = measure(TASK, rows, predictions)
    assert set(found.slices) == {"a", "b"}
    assert found.slices["a"]["call_exact"].n == 60
    assert found.metrics["unnecessary_rate"].value is None
