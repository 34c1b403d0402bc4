"""How well turns of phrase tell a refusal, on answers that people have graded."""

import csv

import pytest

from tunesmith.data.replies import asks_back, escalates, refuses


@pytest.mark.parametrize(
    ("answers", "recall", "false"), [("gpt4", 0.93, 0.05), ("llama2new", 0.91, 0.05), ("mistralinstruct", 0.24, 0.03)]
)
def test_refusals_of_three_models(real_data, answers, recall, false):
    """The third lectures rather than refuses: its "refusals" have no such words."""
    with (real_data / "xstest" / f"xstest_v2_completions_{answers}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    refused = [refuses(row["completion"]) for row in rows if row["final_label"] == "2_full_refusal"]
    answered = [refuses(row["completion"]) for row in rows if row["final_label"] == "1_full_compliance"]
    assert sum(refused) / len(refused) >= recall
    assert sum(answered) / len(answered) <= false


@pytest.mark.parametrize(
    "text",
    ["Could you please share your order number?", "We need more information to help you.", "Which device do you use?"],
)
def test_asking_back(text):
    assert asks_back(text)
    assert not refuses(text)


@pytest.mark.parametrize(
    "text", ["I have escalated this.", "I'll pass your request on to our billing team.", "A colleague will call you."]
)
def test_handing_over(text):
    assert escalates(text)


@pytest.mark.parametrize(
    "text", ["Your card arrives on Monday.", "Done! Is there anything else?", '{"priority": "high"}', ""]
)
def test_answers_are_none_of_these(text):
    assert not any(tells(text) for tells in (refuses, escalates, asks_back))


def test_hostile_texts_take_no_time():
    for text in ("which " * 50_000, "we need some " * 50_000, "sorry " * 50_000, "a" * 500_000):
        for tells in (refuses, escalates, asks_back):
            tells(text)
