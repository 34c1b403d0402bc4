"""Documents cut into passages: nothing is lost, and every place is where the text stands."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data import passages
from tunesmith.data.passages import LONGEST, OVERLAP, read


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"

    def written(**files: str):
        for name, text in files.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return read(folder, "docs")

    return written


def test_a_short_document_is_one_passage_with_its_lines(docs):
    [found] = docs(refunds_md="\n# Refunds\n\nWithin 14 days.\n\n")
    assert (found.place, found.text) == ("docs/refunds.md:2-4", "# Refunds\n\nWithin 14 days.")


def test_the_lines_of_a_place_hold_the_text_of_the_passage(docs, tmp_path):
    lines = [f"Line {number} says {'word ' * (number % 17)}." for number in range(300)]
    found = docs(sub__long_txt="\n".join(lines))
    assert len(found) > 10
    for passage in found:
        file, _, span = passage.place.rpartition(":")
        first, last = (int(each) for each in span.split("-"))
        assert (tmp_path / file).read_text().split("\n")[first - 1 : last] == passage.text.split("\n")
        assert len(passage.text.split()) <= LONGEST


def test_passages_overlap_and_leave_nothing_out(docs):
    sentences = [f"Sentence number {number} stands here." for number in range(120)]
    found = docs(one_md=" ".join(sentences))
    assert {passage.place for passage in found} == {"docs/one.md:1"}
    assert all(any(sentence in passage.text for passage in found) for sentence in sentences)
    for one, next_one in pairwise(found):
        shared = set(one.text.split("\n")) & set(next_one.text.split("\n"))
        assert 0 < sum(len(each.split()) for each in shared) <= OVERLAP


@given(st.lists(st.integers(0, 90), max_size=60))
def test_every_word_stands_in_some_passage_whatever_the_lines(lengths):
    words = iter(range(10_000))
    text = "\n".join(" ".join(f"w{next(words)}" for _ in range(length)) for length in lengths)
    stretches = list(passages._stretches(list(passages._pieces(text, 1))))
    seen = {word for stretch in stretches for piece in stretch for word in piece.text.split()}
    assert seen == set(text.split())


def test_a_row_of_a_table_is_a_document_under_its_lines(docs):
    found = docs(faq_csv='topic,answer\nVAT,"Ask\nthe desk"\nRefunds,14 days\n')
    assert [(each.place, each.text) for each in found] == [
        ("docs/faq.csv:2-3", "topic: VAT\nanswer: Ask\nthe desk"),
        ("docs/faq.csv:4", "topic: Refunds\nanswer: 14 days"),
    ]


def test_what_cannot_be_read_is_named(docs, tmp_path):
    docs(good_md="text")
    (tmp_path / "docs" / "bad.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"docs/bad\.txt:1: Byte 4 of bad\.txt is not UTF-8"):
        read(tmp_path / "docs", "docs")


def test_a_folder_without_text_and_one_with_too_much_are_refused(tmp_path, docs, monkeypatch):
    (tmp_path / "docs").mkdir()
    with pytest.raises(DataError, match=r"docs holds no text\. Put documents there: \.md, \.txt or \.csv"):
        read(tmp_path / "docs", "docs")
    monkeypatch.setattr(passages, "MOST", 2)
    with pytest.raises(DataError, match="more than 2 passages of 120 words"):
        docs(a_md="one", b_md="two", c_md="three")
