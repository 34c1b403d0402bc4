"""Files that nobody here wrote: every row is read, and written back as it was."""

import json
from statistics import mean, median

import pytest

from tunesmith.data.containers.opening import sources
from tunesmith.data.layouts.base import Columns, exported, kind
from tunesmith.data.layouts.taking import choose, take


def taken(path, columns=Columns()):  # noqa: B008  (a named tuple does not change)
    """The layout that was found out, and all that its rows became."""
    found = sources(path, path.name)
    chosen = choose(found, None, columns)
    return chosen.layout, [each for source in found for each in take(source, chosen.layout, chosen.columns)]


@pytest.mark.parametrize(
    ("name", "layout", "rows", "what"),
    [
        ("llamafactory_demo/alpaca_en_demo.json", "alpaca", 999, "chat"),
        ("llamafactory_demo/glaive_toolcall_en_demo.json", "sharegpt", 300, "chat"),
        ("llamafactory_demo/dpo_en_demo.json", "dpo-sharegpt", 300, "pair"),
        ("llamafactory_demo/kto_en_demo.json", "kto-chat", 300, "judgement"),
        ("llamafactory_demo/v1_sft_demo.jsonl", "llamafactory-v1", 500, "chat"),
        ("openai_cookbook/toy_chat_fine_tuning.jsonl", "openai", 5, "chat"),
        ("openai_cookbook/drone_training.jsonl", "openai", 103, "chat"),
        ("bfcl_v4/BFCL_v4_simple_python.json", "bfcl", 400, "chat"),
        ("bfcl_v4/BFCL_v4_multiple.json", "bfcl", 200, "chat"),
        ("bfcl_v4/BFCL_v4_live_simple.json", "bfcl", 258, "chat"),
        ("bfcl_v4/BFCL_v4_irrelevance.json", "bfcl", 240, "chat"),
        ("banking77/train.csv", "table", 10_003, "chat"),
        ("gsm8k/test.jsonl", "table", 1_319, "chat"),
        ("ifeval/input_data.jsonl", "prompt", 541, "request"),
    ],
)
def test_every_row_is_read_and_written_back(real_data, name, layout, rows, what):
    found, all_taken = taken(real_data / name)
    assert found.name == layout
    assert [each.finding for each in all_taken if each.finding] == []
    assert len(all_taken) == rows
    assert {kind(each.row) for each in all_taken} == {what}
    for each in all_taken:
        again = exported({key: each.row[key] for key in each.row if key != "origin"}, found)[0]
        assert same(again) == same(each.given)


def same(row):
    """A row in which texts that hold JSON are what they say, and what says nothing (no tools) is left out."""
    made = {key: said(value) for key, value in row.items()}
    return {key: value for key, value in made.items() if value not in ("", [])}


def said(value):
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, list):
        return [said(each) for each in value]
    return {key: said(each) for key, each in value.items()} if isinstance(value, dict) else value


def test_what_is_accepted_by_bfcl_is_what_is_called(real_data):
    _, rows = taken(real_data / "bfcl_v4" / "BFCL_v4_multiple.json")
    [call] = rows[0].row["messages"][-1]["tool_calls"]
    assert call["function"]["name"] == "triangle_properties.get"
    assert json.loads(call["function"]["arguments"]) == {"side1": 5, "side2": 4, "side3": 3}
    assert rows[0].row["other"]["ground_truth"][0]["triangle_properties.get"]["get_area"] == ["", True]
    tool = rows[0].row["tools"][1]["function"]
    assert tool["parameters"]["type"] == "object"
    assert tool["parameters"]["properties"]["radius"]["type"] == "number"
    assert rows[7].row["origin"] == "BFCL_v4_multiple.json:8"


def test_the_counts_of_openais_notebook(real_data):
    """What its cells print of the toy file; its figures in tokens need tiktoken's cl100k, which is not at hand."""
    notebook = json.loads((real_data / "openai_cookbook" / "Chat_finetuning_data_prep.ipynb").read_text())
    printed = "\n".join(
        "".join(output.get("text", "")) for each in notebook["cells"] for output in each.get("outputs", ())
    )
    _, rows = taken(real_data / "openai_cookbook" / "toy_chat_fine_tuning.jsonl")
    turns = [each.row["messages"] for each in rows]
    lengths = [len(each) for each in turns]
    without = {role: sum(all(turn["role"] != role for turn in each) for each in turns) for role in ("system", "user")}
    assert f"Num examples: {len(rows)}\n" in printed
    assert ("No errors found" in printed) == all(each.finding is None for each in rows)
    assert f"missing system message: {without['system']}\n" in printed
    assert f"missing user message: {without['user']}\n" in printed
    distribution = printed.partition("num_messages_per_example:")[2]
    assert distribution.startswith(f"\nmin / max: {min(lengths)}, {max(lengths)}\n")
    assert f"mean / median: {mean(lengths)}, {float(median(lengths))}\n" in distribution


def test_naughty_strings_pass_every_layout_unaltered(real_data):
    from tunesmith.data.layouts.base import imported, line
    from tunesmith.data.layouts.detect import FIXED, named

    naughty = json.loads((real_data / "naughty_strings" / "blns.json").read_text())
    for layout in (*FIXED, named("table", Columns())):
        for number, text in enumerate(naughty):
            answer = {"role": "assistant", "content": naughty[number - 1]}
            row = {"messages": [{"role": "user", "content": text}, answer]}
            if layout.only == "pair":
                row = {"input": {"messages": row["messages"][:1]}, "preferred_output": [answer]}
                row["non_preferred_output"] = [{"role": "assistant", "content": naughty[number - 2]}]
            elif layout.only == "judgement":
                row["label"] = True
            elif layout.only == "request" or layout.name == "bfcl":
                row["messages"].pop()
            if layout.name == "bfcl":
                row["tools"] = []
            if "slice" in layout.carries and text:
                row |= {"slice": text, "group": text}
            back = imported(json.loads(json.dumps(exported(row, layout)[0])), layout, Columns(), "a:1")
            assert back | {"origin": "a:1"} == row | {"origin": "a:1"}, (layout.name, text)
            assert json.loads(line(back))["origin"] == "a:1"
