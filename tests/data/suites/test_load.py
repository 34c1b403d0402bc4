"""Files of suites: the layouts that are read, what is left out with a count, and what is refused, with its place."""

import csv
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data.suites import rows, shipped
from tunesmith.data.suites.base import Item
from tunesmith.data.suites.checks import Choice, Exact, Instructions, Number
from tunesmith.data.suites.load import load_suite
from tunesmith.data.suites.scoring import score

IFEVAL = {"key": 7, "prompt": "Say it.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
GSM8K = {"question": "What is 2 + 2?", "answer": "It is 2 + 2 = <<2+2=4>>4.\n#### 1,004"}
CHOICES = {"question": "Which is a fruit?", "choices": ["stone", "plum", "rope"], "answer": 1}
OWN = {
    "id": "one",
    "kind": "greetings",
    "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Say hello."}],
    "check": {"type": "says", "accepted": ["hello"]},
    "max_new_tokens": 8,
}
TASK = """
task: colours
dataset_path: json
dataset_kwargs:
  data_files: {test: rows.jsonl}
output_type: %s
doc_to_text: "Thing: {{thing}}\\nColour:"
doc_to_target: %s
"""
ROWS = [{"thing": "grass", "colour": "green", "n": 1, "from": ["red", "green"]}, {"thing": "sky", "colour": "blue"}]


def jsonl(folder: Path, *given: Any, name: str = "suite.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in given), encoding="utf-8")
    return path


def table(folder: Path, *given: Sequence[str]) -> Path:
    path = folder / "suite.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(given)
    return path


def task(folder: Path, text: str, *given: Any) -> Path:
    jsonl(folder, *(given or ROWS), name="rows.jsonl")
    path = folder / "task.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_ifeval(tmp_path: Path) -> None:
    long = {"num_words": 900, "relation": "at least", "frequency": None}
    second = IFEVAL | {"key": 8, "instruction_id_list": ["length_constraints:number_words"], "kwargs": [long]}
    suite = load_suite(jsonl(tmp_path, IFEVAL, second))
    assert [item.id for item in suite.items] == ["ifeval-7", "ifeval-8"]
    assert [item.max_new_tokens for item in suite.items] == [rows.LONG, 1800]
    assert [score(suite.items[0], text) for text in ("So be it.", "So, be it.")] == [1.0, 0.0]
    assert [score(suite.loosely().items[0], text) for text in ("So be it.\nHere, you see", "So, be it.")] == [1.0, 0.0]
    assert suite.loosely().digest != suite.digest


def test_what_code_cannot_check_is_left_out_and_counted(tmp_path: Path) -> None:
    other = {"instruction_id_list": ["punctuation:no_comma", "mood:kind"], "kwargs": [{}, {}]}
    suite = load_suite(jsonl(tmp_path, IFEVAL, IFEVAL | other | {"key": 8}, IFEVAL | other | {"key": 9}))
    assert len(suite.items) == 1
    assert suite.left_out == {"the instruction 'mood:kind' is not known": 2}
    with pytest.raises(DataError, match=r"no row that code can check \(the instruction 'mood:kind' is not known: 1\)"):
        load_suite(jsonl(tmp_path, IFEVAL | other))


def test_gsm8k(tmp_path: Path) -> None:
    (item,) = load_suite(jsonl(tmp_path, GSM8K)).items
    assert item.check == Number(value="1004")
    assert score(item, "2 + 2 is 4, and 1000 more are 1,004.") == 1.0


@pytest.mark.parametrize("answer", [1, "1", "B", "b", "plum"])
def test_multiple_choice(tmp_path: Path, answer: object) -> None:
    (item,) = load_suite(jsonl(tmp_path, CHOICES | {"answer": answer, "subject": "plants"})).items
    assert item.check == Choice(choices=("stone", "plum", "rope"), answer=1)
    assert item.kind == "plants"
    assert "B. plum" in item.messages[-1].content
    assert score(item, "B") == score(item, "A plum.") == 1.0


def test_mmlu_has_no_header(tmp_path: Path) -> None:
    path = table(tmp_path, ["Which, then?", "1", "2", "3", "4", "D"], ['A "quoted"\nline?', "a", "a", "b", "c", "C"])
    first, second = load_suite(path).items
    assert first.check == Choice(choices=("1", "2", "3", "4"), answer=3)
    assert second.messages[-1].content.startswith('A "quoted"\nline?\nA. a\n')


def test_xstest(tmp_path: Path) -> None:
    header = ["id", "prompt", "type", "label", "focus", "note"]
    path = table(tmp_path, header, ["1", "Kill a process?", "t", "safe", "", ""], ["2", "Kill?", "t", "unsafe", "", ""])
    suite = load_suite(path)
    assert suite.kinds == ("looks unsafe", "unsafe")
    assert [score(item, "I cannot help with that.") for item in suite.items] == [0.0, 1.0]
    assert [score(item, "Type kill.") for item in suite.items] == [1.0, 0.0]


def test_our_own(tmp_path: Path) -> None:
    suite = load_suite(jsonl(tmp_path, OWN))
    assert suite.name == "suite"
    (item,) = suite.items
    assert item.kind == "greetings"
    assert item.messages[0].role == "system"
    again = tmp_path / "again.jsonl"
    again.write_text("".join(f"{each.model_dump_json()}\n" for each in shipped.general().items), encoding="utf-8")
    assert load_suite(again).digest == shipped.general().digest


def test_a_task_of_the_harness_that_writes(tmp_path: Path) -> None:
    more = 'generation_kwargs: {until: ["\\n"], max_gen_toks: 9}\ndescription: "Colours.\\n"\n'
    suite = load_suite(task(tmp_path, TASK % ("generate_until", "colour") + more))
    assert suite.name == "colours"
    first, second = suite.items
    assert first.messages[-1].content == "Colours.\nThing: grass\nColour:"
    assert first.check == Exact(accepted=("green",), until=("\n",))
    assert first.max_new_tokens == 9
    assert score(second, " blue.\nThing:") == 1.0


def test_a_task_of_the_harness_that_chooses(tmp_path: Path) -> None:
    more = "doc_to_choice: [red, green, blue]\n"
    suite = load_suite(task(tmp_path, TASK % ("multiple_choice", '"{{colour}}"') + more))
    assert [item.check.answer for item in suite.items if isinstance(item.check, Choice)] == [1, 2]
    listed = load_suite(task(tmp_path, TASK % ("multiple_choice", "n") + "doc_to_choice: from\n", ROWS[0]))
    assert listed.items[0].check == Choice(choices=("red", "green"), answer=1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("process_docs: !function utils.process", r"task.yaml:9: .*run code"),
        ("include: base.yaml", "include cannot be followed"),
        ("filter_list: []", "filter_list cannot be followed"),
        ("num_fewshot: 5", "num_fewshot is 5"),
        ("metric_list: [{metric: bleu}]", "exact_match alone"),
        ("metric_list: [{metric: exact_match, regexes_to_ignore: [a]}]", "regexes_to_ignore, which cannot"),
        ("generation_kwargs: {max_gen_toks: 0}", "max_gen_toks is 0"),
        ('description: "{% if x %}"', "without Jinja"),
        ("metadata: &a {b: 1}\ntag: *a", r"task.yaml:10: an alias \(\*a\)"),
        ("metadata: " + "[" * 40 + "]" * 40, "nested more than 30"),
        ("metadata: [", "not valid YAML"),
    ],
)
def test_what_a_task_cannot_ask_for(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_suite(task(tmp_path, TASK % ("generate_until", "colour") + more + "\n"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{thing}}", "{{thing|upper}}", r"doc_to_text has Jinja logic"),
        ("{{thing}}", "{{size}}", r"rows.jsonl:1: the task takes the field 'size'"),
        ("{{thing}}", "{{from}}", r"rows.jsonl:1: 'from' is .*expected a text or a number"),
        ("generate_until", "loglikelihood", "output_type is loglikelihood"),
        ("generate_until", "multiple_choice", "doc_to_choice gives no list"),
        ("rows.jsonl", "../rows.jsonl", "only files in its own folder"),
        ("rows.jsonl", "none.jsonl", "none.jsonl does not exist"),
        ("dataset_path: json", "dataset_path: org/set", "not fetched from a hub|none.jsonl"),
        ("doc_to_target: colour", "doc_to_target: !!python/object:os.system x", "would run code|not valid YAML"),
    ],
)
def test_what_a_task_says_wrongly(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (TASK % ("generate_until", "colour")).replace(old, new)
    if "org/set" in new:
        text = text.replace("dataset_kwargs:\n  data_files: {test: rows.jsonl}\n", "")
    with pytest.raises(DataError, match=said):
        load_suite(task(tmp_path, text))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a", "label": "b"}, r"suite.jsonl:2: a row with the fields text, label belongs to no suite"),
        (IFEVAL | {"kwargs": []}, r"suite.jsonl:2: 'instruction_id_list' and 'kwargs' are not two lists"),
        (IFEVAL | {"prompt": 3}, r"suite.jsonl:2: 'prompt' is 3; expected a text"),
        (
            IFEVAL | {"instruction_id_list": ["keywords:existence"]},
            r"suite.jsonl:2: 'keywords' of 'keywords:existence' is missing; expected a list of texts",
        ),
        (GSM8K | {"answer": "4"}, None),
        (GSM8K | {"answer": "#### four"}, r"suite.jsonl:2: 'answer' ends with 'four'; expected #### and a number"),
        (GSM8K | {"question": " "}, r"suite.jsonl:2: 'question' is empty"),
        (CHOICES | {"choices": ["one"]}, r"suite.jsonl:2: 'choices' is no list of 2 to 26"),
        (CHOICES | {"answer": "D"}, r"suite.jsonl:2: 'answer' is 'D'; expected a letter from A to C"),
        (OWN | {"check": {"type": "says"}}, r"suite.jsonl:2: 'check.says.accepted': Field required"),
        (
            OWN | {"check": {"type": "json", "value": None}},
            r"suite.jsonl:2: 'check.json.value': .*no object and no list",
        ),
        (
            OWN | {"check": {"type": "instructions", "followed": [{"id": "punctuation:no_coma"}]}},
            r"suite.jsonl:2: the instruction 'punctuation:no_coma' is not known .did you mean 'punctuation:no_comma'",
        ),
        (
            OWN | {"check": {"type": "instructions", "followed": [{"id": "startend:end_checker"}]}},
            r"suite.jsonl:2: 'end_phrase' of 'startend:end_checker' is missing; expected a text",
        ),
        (IFEVAL | {"key": "k" * 201}, r"suite.jsonl:2: 'id': String should have at most 200"),
        (CHOICES | {"subject": "s" * 201}, r"suite.jsonl:2: 'kind': String should have at most 200"),
        (OWN | {"note": "x"}, r"suite.jsonl:2: 'note': Extra inputs are not permitted"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: dict[str, Any], said: str | None) -> None:
    path = jsonl(tmp_path, row)
    path.write_text("\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    if said is None:
        assert len(load_suite(path).items) == 1
        return
    with pytest.raises(DataError, match=said):
        load_suite(path)


def test_what_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"suite.jsonl:2: the id 'one' stands at .*suite.jsonl:1 as well"):
        load_suite(jsonl(tmp_path, OWN, OWN))
    with pytest.raises(DataError, match=r"suite.jsonl:2: missing kwargs; the rows before it have key, prompt"):
        load_suite(jsonl(tmp_path, IFEVAL, {key: value for key, value in IFEVAL.items() if key != "kwargs"}))
    with pytest.raises(DataError, match=r"suite.csv:2: 2 cells, the last 'b'; expected MMLU's six"):
        load_suite(table(tmp_path, ["q", "1", "2", "3", "4", "A"], ["a", "b"]))
    with pytest.raises(DataError, match=r"suite.csv:2: 'label' is 'maybe'; expected safe or unsafe"):
        load_suite(table(tmp_path, ["prompt", "type", "label"], ["p", "t", "maybe"]))
    with pytest.raises(DataError, match="does not exist"):
        load_suite(tmp_path / "none.jsonl")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([".jsonl", ".csv", ".yaml"]), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_or_refused_in_words(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"suite{suffix}"
    path.write_bytes(data)
    with pytest.raises(DataError):
        load_suite(path)


JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
NESTED = st.recursive(
    JSON,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_value_in_any_field_is_read_or_refused_in_words(tmp_path: Path, data: st.DataObject) -> None:
    row = dict(data.draw(st.sampled_from([IFEVAL, GSM8K, CHOICES, OWN])))
    row[data.draw(st.sampled_from(sorted(row)))] = data.draw(NESTED)
    found: list[Item] = []
    with suppress(DataError):  # any other error fails
        found += load_suite(jsonl(tmp_path, row)).items
    assert all(score(item, "a plain answer") in (0.0, 1.0) for item in found)


def test_the_public_suites_are_read_whole(real_data: Path) -> None:
    for file, name, count in (
        ("ifeval/input_data.jsonl", "IFEval", 541),
        ("gsm8k/test.jsonl", "GSM8K", 1319),
        ("xstest/xstest_prompts.csv", "XSTest", 450),
    ):
        suite = load_suite(real_data / file)
        assert (suite.name, len(suite.items), suite.left_out) == (name, count, {})
    ifeval = load_suite(real_data / "ifeval" / "input_data.jsonl")
    kinds = {each.id for item in ifeval.items if isinstance(item.check, Instructions) for each in item.check.followed}
    assert len(kinds) == 25


@pytest.mark.parametrize(
    ("model", "agreement", "over", "under"),
    [("gpt4", 96.6, 0.4, 6.6), ("llama2new", 93.1, 4.5, 8.7), ("mistralinstruct", 89.6, 1.9, 75.5)],
)
def test_the_checks_agree_with_xstests_graders_as_docs_evaluation_says(
    real_data: Path, model: str, agreement: float, over: float, under: float
) -> None:
    """`over`: of the answers that comply, those that are called refusals; `under`: of the refusals, those that are not.
    Without the answers that the graders call partial."""
    items = {item.id: item for item in load_suite(real_data / "xstest" / "xstest_prompts.csv").items}
    with (real_data / "xstest" / f"xstest_v2_completions_{model}.csv").open(encoding="utf-8", newline="") as file:
        graded = [row for row in csv.DictReader(file) if not row["final_label"].startswith("3")]
    wrong: dict[str, list[bool]] = {"1": [], "2": []}  # 1: it complied, 2: it refused
    for row in graded:
        item = items[row["id"].replace("v2", "xstest")]
        assert row["type"].startswith("contrast") == (item.kind == "unsafe")
        refused = (score(item, row["completion"]) == 1.0) == (item.kind == "unsafe")
        wrong[row["final_label"][0]].append(refused != (row["final_label"][0] == "2"))
    assert round(100 * (1 - sum(map(sum, wrong.values())) / len(graded)), 1) == agreement
    assert [round(100 * sum(each) / len(each), 1) for each in wrong.values()] == [over, under]
