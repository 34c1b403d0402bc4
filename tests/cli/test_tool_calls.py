"""A project whose answers call tools, from its rows to the verdict."""

import json

import pytest

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The {name} of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        },
    }
    for name in ("weather", "time")
]
CITIES = ("Bern", "Thun", "Chur", "Genf", "Basel", "Aarau", "Olten", "Visp", "Brig", "Sion")


def row(number: int) -> dict[str, object]:
    city, tool = CITIES[number % 10], ("weather", "time")[number // 10 % 2]
    if number % 4 == 3:
        return {"input": f"Who was born in {city} in {1800 + number}?", "output": []}
    call = {"name": tool, "arguments": {"city": city}}
    text = f"Case {number}: what is the {tool} in {city}?"
    more = {"accepted": [{tool: {"city": [city, city.upper() + " city"], "days": ["", 1]}}]} if number % 2 else {}
    return {"input": text, "output": call} | more


def write(path, rows):
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")


@pytest.fixture
def desk(tmp_path, tunesmith, tiny_folder):
    write(tmp_path / "rows.jsonl", map(row, range(96)))
    write(tmp_path / "test.jsonl", map(row, range(200, 224)))
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    done = tunesmith(
        *("init", "desk", "--family", "tool_calls", "--tools", "tools.json", "--model", tiny_folder),
        *("--from", "rows.jsonl", "--eval", "test.jsonl"),
    )
    assert done.code == 0, done.err
    return tmp_path / "desk"


def test_init_keeps_the_tools_and_drafts_the_prompt(desk, tunesmith):
    assert json.loads((desk / "tools.json").read_text()) == TOOLS
    assert 'tools = "tools.json"' in (desk / "tunesmith.toml").read_text()
    assert 'primary = "call_exact"' in (desk / "tunesmith.toml").read_text()
    assert "call none" in (desk / "prompts/system.md").read_text()
    done = tunesmith("check", cwd=desk)
    assert done.code == 0, done.err
    assert "Checked 96 rows" in done.out


@pytest.fixture
def sealed_desk(desk, tunesmith):
    """The same, split and sealed, with rules that are always right."""
    (desk / "rules.py").write_text(
        "import re\n"
        "def answer(message):\n"
        "    found = re.search(r'what is the (\\w+) in (\\w+)', message)\n"
        "    return {'name': found[1], 'arguments': {'city': found[2]}} if found else 'I cannot say.'\n"
    )
    for verb in ("split", "seal"):
        assert tunesmith(verb, cwd=desk).code == 0
    return desk


def test_rows_are_sealed_with_what_they_accept_and_measured(sealed_desk, tunesmith):
    desk = sealed_desk
    sealed = [json.loads(line) for line in (desk / "evals/eval.jsonl").read_text().splitlines()]
    assert sealed[0]["messages"][-1]["tool_calls"][0]["function"]["name"] == "weather"
    assert sealed[1]["accepted"][0]["weather"]["days"] == ["", 1]
    assert all(each["tools"] == TOOLS for each in sealed)
    done = tunesmith("baseline", "--json", "--set", "baselines.which=majority,rules", cwd=desk)
    assert done.code == 0, done.err
    found = {each["name"]: each["metrics"] for each in done.json["candidates"]}
    assert set(found) == {"majority", "rules"}
    assert found["majority"]["call_exact"]["value"] == 0.25
    assert found["majority"]["missing_rate"]["value"] == 1.0
    assert found["rules"]["call_exact"]["value"] == found["rules"]["right_arguments"]["value"] == 1.0
    asked = tunesmith("ask", "what is the time in Bern", "--with", "rules", "--json", cwd=desk)
    [answer] = asked.json["answers"]
    assert (answer["state"], json.loads(answer["answer"].splitlines()[1])["name"]) == ("ok", "time")
    write(desk.parent / "in.jsonl", [{"input": "what is the sound in Bern"}, row(4)])
    done = tunesmith("predict", desk.parent / "in.jsonl", "-o", desk.parent / "out.jsonl", "--with", "rules", cwd=desk)
    assert done.code == 0, done.err
    states = [json.loads(line) for line in (desk.parent / "out.jsonl").read_text().splitlines()]
    assert [each["state"] for each in states] == ["invalid", "ok"]
    assert states[0]["error"] == "calls sound, which is none of its tools"


@pytest.mark.slow
def test_models_are_prompted_and_trained_to_call(sealed_desk, tunesmith):
    short = ("--set", "model.max_new_tokens=40", "--set", "baselines.shots=1")
    done = tunesmith("baseline", "--json", *short, cwd=sealed_desk)
    assert done.code == 0, done.err
    assert {each["name"] for each in done.json["candidates"]} == {"majority", "rules", "prompt", "few-shot"}
    done = tunesmith("train", *short, "--set", "train.epochs=1", cwd=sealed_desk)
    assert done.code == 0, done.err
    done = tunesmith("compare", "--json", *short, cwd=sealed_desk)
    assert done.code == 3, done.err
    report = next(sealed_desk.rglob("report.html")).read_text()
    assert "Exact calls" in report
    assert '<h2 id="tools">Tools</h2>' in report


def test_the_same_question_with_other_tools_is_no_contradiction(desk, tunesmith):
    asked = {"input": "Who was born in Bern?", "output": []}
    other = {"type": "function", "function": {"name": "people", "parameters": {"type": "object", "properties": {}}}}
    called = asked | {"output": {"name": "people", "arguments": {}}, "tools": [other]}
    against = asked | {"output": {"name": "time", "arguments": {"city": "Bern"}}}
    write(desk / "data/more.jsonl", [asked, called])
    assert tunesmith("check", cwd=desk).code == 0
    write(desk / "data/more.jsonl", [asked, called, against])
    done = tunesmith("check", "--json", cwd=desk)
    stops = [each for each in done.json["findings"] if each["severity"] == "stop"]
    assert [(each["check"], each["line"]) for each in stops] == [("contradiction", 1)]


def test_what_needs_tools_says_so(desk, tunesmith, tmp_path):
    (desk / "tools.json").write_text("[]")
    done = tunesmith("check", cwd=desk)
    assert done.code == 2
    assert "tools.json lists no tools" in done.err
    (desk / "tools.json").write_text(json.dumps(TOOLS + TOOLS[:1]))
    assert "lists the tool 'weather' twice" in tunesmith("check", cwd=desk).err
    (desk / "tools.json").unlink()
    assert "The tools tools.json do not exist" in tunesmith("check", cwd=desk).err
    done = tunesmith("init", "x", "--tools", "tools.json", cwd=tmp_path)
    assert done.code == 2
    assert "--tools is of tool_calls" in done.err
