import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.normal import normalise
from tunesmith.data.perturbing import KINDS, NEAR, perturb

TEXT = "I cannot log in to my account, why is that? Please do not close order A1234."


@pytest.mark.parametrize("kind", KINDS)
def test_row_and_seed_alone_decide(kind):
    made = {perturb(kind, TEXT, f"seed {number}") for number in range(20)}
    assert made == {perturb(kind, TEXT, f"seed {number}") for number in range(20)}
    assert TEXT not in made
    assert len(made) > (kind != "contractions")


@given(text=st.text(), kind=st.sampled_from(sorted(KINDS)), seed=st.text())
def test_any_text_is_changed_or_left(text, kind, seed):
    changed = perturb(kind, text, seed)
    assert changed is None or (changed != text and changed.strip())


@pytest.mark.parametrize("kind", ["punctuation", "spacing"])
@pytest.mark.parametrize("seed", range(10))
def test_what_is_only_set_otherwise_says_the_same(kind, seed):
    assert normalise(perturb(kind, TEXT, str(seed))) == normalise(TEXT)


@pytest.mark.parametrize("seed", range(20))
def test_typos_leave_numbers_links_and_addresses_as_they_are(seed):
    kept = ("A1234", "https://example.com/path", "ada@example.com")
    changed = perturb("typos", f"Please mend {' '.join(kept)} because something happened there yesterday", str(seed))
    assert all(each in changed for each in kept)
    assert abs(len(changed) - len(TEXT)) < 60


def test_the_keys_beside_a_key():
    assert set(NEAR["s"]) == set("adweqzxc")
    assert set(NEAR["q"]) == set("was")
    assert set(NEAR["p"]) == set("ol")
    assert all(letter in NEAR[other] for letter, near in NEAR.items() for other in near)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("I am sure it is mine", "I'm sure it's mine"),
        ("Cannot pay", "Can't pay"),
        ("I can't pay and won't", "I cannot pay and will not"),
        ("I can’t pay", "I cannot pay"),
        ("My card", None),
        ("I'd like one", None),
        ("miami is not misty", "miami isn't misty"),
    ],
)
def test_contractions(text, changed):
    assert perturb("contractions", text, "0") == changed
