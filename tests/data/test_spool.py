import pytest

from tunesmith.data import spool
from tunesmith.data.spool import Spool


@pytest.mark.parametrize("limit", [1, 1 << 20])  # on disk, in memory
def test_texts_come_back_as_they_were(limit, monkeypatch):
    monkeypatch.setattr(spool, "IN_MEMORY", limit)
    texts, kept = ["one", "", "Grüße 👍", "half \ud800 of a pair", "x" * 5000], Spool()
    for number, text in enumerate(texts):
        kept.append(text)
        assert kept[number] == text  # looked up between two that are added
    assert [kept[number] for number in range(len(kept))] == texts
