"""The drafted prompt: every label, messages of the data, near 700 tokens; and what counts as quoted in it."""

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.example import question
from tunesmith.workflows import prompt_draft


def rows(labels: int, each: int = 3, words: int = 8):
    return [
        question(f"message {label} {number} " + "word " * words).model_copy(update={"expected": f"label_{label:02d}"})
        for label in range(labels)
        for number in range(each)
    ]


def test_few_labels_get_a_slot_for_their_definition_and_two_messages():
    text = prompt_draft.draft(rows(4))
    for label in range(4):
        [line] = [line for line in text.splitlines() if line.startswith(f"- label_{label:02d}: …")]
        assert line.count('"') == 4
    assert text.endswith("Form: one label from the list, exactly as written.\n")
    assert "Boundaries:" in text


def test_77_labels_stay_near_700_tokens():
    examples = rows(77)
    text = prompt_draft.draft(examples)
    assert len(text) / prompt_draft.LETTERS_PER_TOKEN <= 1.1 * prompt_draft.TOKENS
    assert all(f"label_{label:02d}" in text for label in range(77))


def test_messages_of_the_eval_set_are_never_quoted():
    examples = rows(2, each=2)
    avoid = [question(examples[0].text.upper())]
    text = prompt_draft.draft(examples, avoid)
    assert not prompt_draft.quotes(text, examples[0].text)
    assert prompt_draft.quotes(text, examples[1].text)


def test_a_message_like_a_quoted_one_is_not_quoted():
    prompt = 'For example: "Why was I charged an extra fee when paying with card?"'
    assert prompt_draft.quotes(prompt, "Why was I charged an extra fee when\npaying with card?")
    assert not prompt_draft.quotes(prompt, "Why was I charged an extra fee when paying with my card?")
    assert not prompt_draft.quotes(prompt, "fee")
    assert prompt_draft.quotes('Say "fee" where …', "fee")


@given(st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=6, unique=True))
def test_whatever_the_draft_quotes_is_recognised(texts):
    examples = [
        question(text).model_copy(update={"expected": f"label {number % 2}"}) for number, text in enumerate(texts)
    ]
    prompt = prompt_draft.draft(examples)
    labels = {example.expected for example in examples if example.text.split()}
    quoted = {example.expected for example in examples if prompt_draft.quotes(prompt, example.text)}
    assert labels <= quoted
