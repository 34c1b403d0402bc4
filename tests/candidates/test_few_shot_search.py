"""The search for shots: what it tries, what it never looks at, and that what it keeps is the best it found."""

import json

import pytest

from tunesmith.candidates import few_shot_search
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.base import read_card
from tunesmith.candidates.few_shot import draw
from tunesmith.candidates.few_shot_search import Search, hold_out
from tunesmith.candidates.load import load
from tunesmith.candidates.rows import ordered
from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Example, question

WORDS = {"weather": ("rain", "snow", "storm"), "food": ("soup", "bread", "pasta"), "travel": ("train", "hotel", "bus")}
OTHER = "Weather, food or travel? The word food stands for soup, bread and pasta; say one word."


@pytest.fixture
def rows() -> list[Example]:
    return [
        question(f"The {word} of day {number}").answered(label)
        for label, words in WORDS.items()
        for word in words
        for number in range(8)
    ]


@pytest.fixture
def search(tmp_path, task, rows, model, engines):
    def search(wordings=(), shots=3, train=rows, seed=0, progress=lambda done, total: None):
        how = Search(shots, seed, wordings, "accuracy")
        asked = Asked(model, 2048, engines)
        return tmp_path / few_shot_search.make(tmp_path, task, train, asked, how, progress)

    return search


def test_what_is_kept_is_the_best_of_the_last_round(search, rows, task, tmp_path, engines):
    folder = search([OTHER])
    card = read_card(folder)
    trials = card.config["trials"]
    assert len(trials) == 12
    assert len({each["wording"] for each in trials}) == 2
    assert sorted(each["rows"] for each in trials) == [12] * 6 + [18] * 6  # a quarter of 72 rows is held out
    best = max((each for each in trials if each["rows"] == 18), key=lambda each: each["score"])
    assert sha256_text(card.task.prompt)[:12] == best["wording"]
    kept = [json.loads(line)["messages"][0]["content"] for line in (folder / "shots.jsonl").read_text().splitlines()]
    assert kept == [row.text for row in draw(hold_out(ordered(rows, task), 0)[0], task, 3, best["seed"])]
    loaded = load(tmp_path, folder.name, engines)
    assert [each.state for each in loaded.predict([question("The soup of today")])] == ["ok"]


def test_held_out_rows_are_never_shown_and_groups_stay_together(rows, search):
    pool, held = hold_out(rows, 0)
    assert len(held) == 18
    assert not {row.id for row in pool} & {row.id for row in held}
    shown = (search() / "shots.jsonl").read_text()
    assert not any(row.text in shown for row in held)
    assert any(row.text in shown for row in pool)
    grouped = [row.model_copy(update={"group": f"g{place // 5}"}) for place, row in enumerate(rows)]
    pool, held = hold_out(grouped, 0)
    assert not {row.group for row in pool} & {row.group for row in held}


def test_a_wording_that_helps_is_kept_with_its_shots(search, task):
    """The stand-in answers with the label whose word the prompt says most often."""
    useless = "food " * 40
    assert read_card(search([useless])).task.prompt == task.prompt


def test_equal_searches_are_one_candidate_and_the_order_of_rows_does_not_matter(search, rows):
    assert search() == search(train=rows[::-1])
    assert search(seed=7) != search()


def test_its_progress_ends_with_all_that_was_planned(search):
    seen = []
    search(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_too_few_rows_are_refused(search, rows):
    with pytest.raises(ConfigError, match='few_shot = "searched" holds a quarter of the 40 training rows out'):
        search(train=rows[:40])
