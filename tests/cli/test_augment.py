"""Making rows as a user types it: without a model, and by a provider's, through the official SDK."""

import json
import random
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hosted_server import BASE

from tunesmith.data.canonical import read_canonical

CHAT = "POST /chat/completions"


def various(labels: tuple[str, ...], number: int) -> list[dict[str, str]]:
    """Messages of which no two are near to each other."""
    draw = random.Random(0)
    vocabulary = ["".join(draw.choices("abcdefghiklmnoprstuvw", k=draw.randint(4, 9))) for _ in range(400)]
    return [
        {"text": f"please {' '.join(draw.sample(vocabulary, 7))}", "category": labels[place % 3]}
        for place in range(number)
    ]


@pytest.fixture(scope="module")
def template(tmp_path_factory, tunesmith_in, sample) -> Path:
    folder = tmp_path_factory.mktemp("augment")
    drawn = various(sample.labels, 84)
    sample.write_csv(folder / "messages.csv", drawn[:60])
    sample.write_csv(folder / "test.csv", drawn[60:])
    columns = ("--input", "text", "--label", "category", "--eval", "test.csv")
    made = tunesmith_in(folder)("init", "tickets", "--from", "messages.csv", "--model", f"lab:{BASE}", *columns)
    assert made.code == 0, made.err
    for verb in ("split", "seal"):
        assert tunesmith_in(folder / "tickets")(verb).code == 0
    return folder / "tickets"


@pytest.fixture
def tickets(tmp_path, template) -> Path:
    shutil.copytree(template, tmp_path / "tickets")
    return tmp_path / "tickets"


@pytest.fixture
def hosted(tickets, provider) -> Path:
    with (tickets / "tunesmith.toml").open("a") as file:
        file.write(f'\n[providers.lab]\nbase_url = "{provider.address}"\napi_key_env = "LAB_KEY"\n')
    return tickets


def rows(project: Path) -> list[dict[str, Any]]:
    path = project / "data/made.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def words(row: dict[str, Any]) -> str:
    return str(row["messages"][0]["content"])


def test_made_rows_wait_for_review_and_count_only_when_accepted(tickets, tunesmith_in):
    typed = tunesmith_in(tickets)
    made = typed("augment", "typos", "--rows", 6, "--json")
    assert made.code == 0, made.err
    assert (made.json["made"], made.json["waiting"], made.json["by"]) == (6, 6, "tunesmith")
    assert made.json["next"] == "tunesmith review --made"
    train = {row.id: row for row in read_canonical(tickets / "data/split/train.jsonl", "train")}
    for row in rows(tickets):
        parent = train[row["made"]["source"]]
        assert (row["made"]["origin"], row["messages"][-1]["content"]) == (parent.origin, parent.expected)
        assert words(row) != parent.text

    before = typed("split", "--json").json
    assert (before["made"], before["train"]) == (0, len(train))
    queue = typed("review", "--list", "--made", "--json").json["queue"]
    assert {entry["why"] for entry in queue} == {"made"}
    assert "(typos) from data/messages.csv:" in queue[0]["note"]
    for entry, verdict in zip(queue, ("accept", "accept", "reject"), strict=False):
        assert typed("review", "--decide", entry["id"], verdict).code == 0
    after = typed("split", "--json").json
    assert (after["made"], after["train"]) == (2, len(train) + 2)
    taken = [row for row in read_canonical(tickets / "data/split/train.jsonl", "train") if row.made]
    assert {row.id for row in taken} == {entry["id"] for entry in queue[:2]}
    assert not [row for row in read_canonical(tickets / "data/split/validation.jsonl", "validation") if row.made]

    more = typed("augment", "typos", "--rows", 3, "--json").json
    assert (more["made"], more["waiting"]) == (3, 6)
    assert len({row["made"]["source"] for row in rows(tickets)}) == 9  # others than before
    assert typed("check", "--json").json["counts"]["rows"] == 60  # made rows are no source


def test_a_provider_paraphrases_by_a_prompt_that_can_be_edited(hosted, provider, tunesmith_in):
    typed = tunesmith_in(hosted)
    held = [row.text for row in read_canonical(hosted / "evals/eval.jsonl", "eval")]
    others = (f"Say it new, in words that are not theirs {number}" for number in range(99))
    answers = iter(["", held[0].upper(), held[1].replace("please", "plese"), *others])
    provider.says = lambda turns: next(answers)
    shown = typed("augment", "paraphrase", "--show-prompt", "--json")
    assert list(shown.json["files"]) == ["prompts/augment/paraphrase.md"]
    prompt = hosted / "prompts/augment/paraphrase.md"
    prompt.write_text(prompt.read_text().replace("You rewrite", "You kindly rewrite"))

    done = typed("augment", "paraphrase", "--rows", 8, "--json")
    assert done.code == 0, done.err
    assert (done.json["asked"], done.json["made"], done.json["by"]) == (8, 5, f"lab:{BASE}")
    assert done.json["refused"] == {"near to a row that judges": 2, "no answer": 1}
    assert (done.json["tokens_in"], done.json["tokens_out"]) == (320, 16)
    system, user = provider.bodies[CHAT][0]["messages"]
    assert system["content"].startswith("You kindly rewrite messages")
    parents = {row.text: row for row in read_canonical(hosted / "data/split/train.jsonl", "train")}
    assert user["content"] in parents
    first = rows(hosted)[0]
    assert re.fullmatch("[0-9a-f]{64}", first["made"]["prompt"])
    assert (first["made"]["kind"], first["made"]["by"]) == ("paraphrase", f"lab:{BASE}")
    assert {row["made"]["prompt"] for row in rows(hosted)} == {first["made"]["prompt"]}
    prompt.write_text("no parts")
    broken = typed("augment", "paraphrase", "--rows", 1)
    assert broken.code == 2
    assert "prompts/augment/paraphrase.md: expected two parts" in broken.err


def test_a_model_that_answers_a_message_or_repeats_it_has_not_reworded_it(hosted, provider, tunesmith_in):
    answers = iter(["I am sorry. " * 20, "Hm.", None, "", "Quite another way to say the same thing to us"])
    provider.says = lambda turns: f"{turns[-1]['content']}!s" if (said := next(answers)) is None else said
    done = tunesmith_in(hosted)("augment", "paraphrase", "--rows", 5, "--json")
    assert done.code == 0, done.err
    assert done.json["refused"] == {
        "far longer or shorter than its row": 2,
        "hardly other than its row": 1,
        "no answer": 1,
    }
    assert done.json["made"] == 1


def test_answers_that_are_pairs_are_held_to_the_labels(hosted, provider, tunesmith_in):
    said = [
        '{"input": "My code looks like an invoice", "output": "access"}',
        '```json\n{"input": "A glitch in the charge", "output": "bug"}\n```',
        '{"input": "Nonsense", "output": "no such label"}',
        "I will not do that.",
    ]
    answers = iter(said)
    provider.says = lambda turns: next(answers)
    done = tunesmith_in(hosted)("augment", "hard-negatives", "--rows", 4, "--json")
    assert done.code == 0, done.err
    assert (done.json["made"], done.json["refused"]) == (2, {"an unknown label": 1, "no JSON object": 1})
    assert {(words(row), row["messages"][-1]["content"]) for row in rows(hosted)} == {
        ("My code looks like an invoice", "access"),
        ("A glitch in the charge", "bug"),
    }


def test_synthetic_rows_come_from_the_guideline_label_by_label(hosted, provider, tunesmith_in):
    (hosted / "guide.md").write_text("Lockouts are access.")

    def says(turns: list[dict[str, Any]]) -> str:
        label = re.search(r"right answer is: (\w+)", turns[1]["content"])[1]
        return json.dumps({"input": f"New {label} {len(provider.bodies[CHAT])}", "output": label})

    provider.says = says
    run = tunesmith_in(hosted)
    for _ in range(2):
        done = run("augment", "synthetic", "--rows", 3, "--json", "--set", "data.guideline=guide.md")
        assert (done.code, done.json["made"]) == (0, 3)
    assert Counter(row["messages"][-1]["content"] for row in rows(hosted)) == {"access": 2, "billing": 2, "bug": 2}
    assert "Lockouts are access." in provider.bodies[CHAT][0]["messages"][0]["content"]
    assert {row["made"]["source"] for row in rows(hosted)} == {""}


def test_back_translation_asks_twice(hosted, provider, tunesmith_in):
    def says(turns: list[dict[str, Any]]) -> str:
        asked = turns[1]["content"]
        back = "back into" in turns[0]["content"]
        there = " ".join(["dort", *reversed(asked.split())])
        return f"wieder {asked.partition('Translate: ')[2]}" if back else there

    provider.says = says
    done = tunesmith_in(hosted)("augment", "back-translation", "--rows", 4, "--json")
    assert done.code == 0, done.err
    assert done.json["made"] == 4
    assert provider.requests[CHAT] == 8
    assert all("dort" in words(row) for row in rows(hosted))


def test_a_teacher_answers_real_messages(hosted, provider, tunesmith_in, sample):
    (hosted / "real.csv").write_text('text\n"Where is my receipt"\n"what now"\n"where is my receipt?"\n')
    provider.says = lambda turns: "billing" if "receipt" in turns[-1]["content"] else "Dunno"
    done = tunesmith_in(hosted)("augment", "--teacher", f"lab:{BASE}", "--inputs", "real.csv", "--json")
    assert done.code == 0, done.err
    assert (done.json["made"], done.json["kind"]) == (1, "teacher")
    assert done.json["refused"] == {"no label": 1, "a repeat": 1}
    (row,) = rows(hosted)
    assert (words(row), row["messages"][-1]["content"]) == ("Where is my receipt", "billing")
    assert row["made"]["origin"] == "real.csv:2"


def test_what_was_made_stays_where_the_provider_fails(hosted, provider, tunesmith_in):
    numbers = iter(range(99))
    provider.says = lambda turns: f"Say it new {next(numbers)}"
    assert tunesmith_in(hosted)("augment", "style", "--rows", 2).code == 0
    provider.refuse[CHAT] = (401, {"message": "no"})
    done = tunesmith_in(hosted)("augment", "style", "--rows", 2)
    assert done.code == 1
    assert "does not accept the key" in done.err
    assert len(rows(hosted)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a kind of rows to make, or a --teacher"),
        (("typo",), "(did you mean 'typos'?)"),
        (("typos", "--by", "x"), "typos needs no model"),
        (("typos", "--show-prompt"), "There is no prompt of 'typos'"),
        (("--teacher", "x"), "--teacher and --inputs go together"),
        (("paraphrase", "--by", "nobody"), "--by nobody: there is no such candidate"),
        (("--teacher", "nobody", "--inputs", "data/messages.csv"), "--teacher nobody: there is no such candidate"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, said, tickets, tunesmith_in):
    done = tunesmith_in(tickets)("augment", *arguments, "--set", "data.input=text")
    assert done.code == 2
    assert said in done.err
    assert rows(tickets) == []


def test_rows_are_made_of_a_current_split_alone(tickets, tunesmith_in):
    with (tickets / "data/messages.csv").open("a") as file:
        file.write('"one more","bug"\n')
    done = tunesmith_in(tickets)("augment", "typos")
    assert done.code == 2
    assert "Run `tunesmith split`, then augment." in done.err


@pytest.mark.slow
def test_the_small_local_model_writes_to_its_end_and_every_try_is_accounted_for(tickets, tunesmith_in):
    small = ("--by", "smollm2-135m-instruct", "--rows", 2, "--json")
    kept = 0
    for kind in ("paraphrase", "synthetic"):
        done = tunesmith_in(tickets)("augment", kind, *small)
        assert done.code == 0, done.err
        assert (done.json["asked"], done.json["by"]) == (2, "smollm2-135m-instruct")
        assert done.json["made"] + sum(done.json["refused"].values()) == 2
        assert done.json["tokens_out"] > 0
        kept += done.json["made"]
    assert len(rows(tickets)) == kept
    assert {row["made"]["by"] for row in rows(tickets)} <= {"smollm2-135m-instruct"}
