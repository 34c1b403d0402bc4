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
    assert len(made) > (kind not in ("contractions", "wording", "order"))


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


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("How can I pay? Thanks!", "How do I pay? Thank you!"),
        ("I want to know why is my card late", "I would like to know for what reason is my card late"),
        ("i need to buy it right now", "i have to purchase it at the moment"),
        ("It does not work because I received the wrong code", "It is not working since I got the wrong code"),
        ("Nobody told me since Monday; I got one", None),
    ],
)
def test_turns_of_phrase_are_exchanged_for_equal_ones(text, changed):
    assert perturb("wording", text, "0") == changed


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (
            "My card is late. Where is order 47? I paid for it.",
            "I paid for it. My card is late. Where is order 47?",
        ),
        ("My card is late. It was sent on Monday.", None),
        ("Hello there. My card is late.", None),
        ("My card is late. Where is it", None),
        ("My card is late.", None),
        ("Version 1.5 of the app crashes. I use an old phone.", "I use an old phone. Version 1.5 of the app crashes."),
    ],
)
def test_sentences_that_stand_alone_change_their_order(text, changed):
    assert perturb("order", text, "0") == changed


@given(text=st.text(alphabet="aB .!?", max_size=60))
def test_another_order_keeps_every_word(text):
    changed = perturb("order", text, "0")
    assert changed is None or sorted(changed.split()) == sorted(text.split())
