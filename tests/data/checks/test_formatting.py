from tunesmith.core.example import Example, Message
from tunesmith.data.checks.formatting import Formatting, is_fenced
from tunesmith.data.finding import Finding


def found(outputs: list[str], *, labelled: bool = False, inputs: str = "Hello") -> list[Finding]:
    check = Formatting(labelled=labelled)
    rows = (
        Example(messages=(Message(role="user", content=inputs),), expected=output, origin=f"data/a.jsonl:{line}")
        for line, output in enumerate(outputs, start=1)
    )
    findings = [finding for row in rows for finding in check.see(row)]
    return [*findings, *check.close()]


def checks(outputs: list[str], **options: bool) -> dict[str, int]:
    return {finding.check: finding.line for finding in found(outputs, **options)}


USUAL = "Thank you for your message. We look into it."


def test_outputs_that_agree_are_no_finding():
    assert found([USUAL] * 50) == []
    assert found([]) == []


def test_the_few_against_a_clear_majority_are_one_finding_with_their_share_and_places():
    (finding,) = found([*[USUAL] * 97, *["thank you for your message. We look into it."] * 3])
    assert (finding.check, finding.severity, finding.line, finding.field) == ("capital", "look", 98, "output")
    assert finding.related == ("data/a.jsonl:99", "data/a.jsonl:100")
    assert "97 of 100 outputs begin with a capital letter; 3 do not (3.0 %)" in finding.message
    assert finding.excerpt.startswith("thank you")


def test_what_half_of_the_texts_do_is_variety():
    assert found([USUAL, USUAL.lower()] * 30) == []
    assert found([USUAL, f"**Dear customer**, {USUAL}"] * 30) == []


def test_each_habit_is_seen():
    assert checks([USUAL] * 30 + ["Thank you for your message"]) == {"punctuation": 31}
    assert checks([USUAL] * 30 + [f"# Answer\n\n- {USUAL}"]) == {"markdown": 31}
    assert checks([USUAL] * 30 + [f" {USUAL}"]) == {"outer-spaces": 31}
    assert checks([USUAL] * 30 + [f"{USUAL}\n\n\n{USUAL}"]) == {"blank-lines": 31}
    assert checks([f"{USUAL}\n{USUAL}"] * 30 + [f"{USUAL}\r\n{USUAL}"]) == {"line-ends": 31}


def test_json_in_a_fence_and_words_behind_json_are_faults_however_many():
    plain, fenced = '{"a": 1}', '```json\n{"a": 1}\n```'
    assert checks([plain] * 12 + [fenced] * 8) == {"code-fence": 13}
    assert checks([plain] * 12 + [f"{plain}\nI hope this helps."] * 8) == {"trailing-text": 13}


def test_a_code_block_within_an_answer_is_no_fence():
    assert is_fenced("```json\n{}\n```")
    assert is_fenced("\n```\ncode\n```\n")
    assert not is_fenced("```json {} ```")
    assert not is_fenced("```\na\n```\nand\n```\nb\n```")
    assert not is_fenced("Use:\n```\na\n```")


def test_each_label_counts_once():
    labels = ["card_arrival", "lost_card", "top_up", "exchange_rate", "Refund_late", "late_payment?"]
    findings = {f.check: f for f in found(labels * 40, labelled=True)}
    assert set(findings) == {"capital", "punctuation"}
    assert findings["capital"].excerpt == "Refund_late"
    assert "5 of 6 labels begin with a small letter; 1 does not" in findings["capital"].message
    assert findings["punctuation"].excerpt == "late_payment?"


def test_control_characters_are_named_in_inputs_and_outputs():
    first, second = found([f"{USUAL}\x00\x07", USUAL], inputs="a\ufeffb")[:2]
    assert {first.field, second.field} == {"input", "output"}
    assert "U+0000, U+0007" in first.message + second.message
    assert "\x00" not in first.message + first.excerpt
    assert found([f"{USUAL}\n\t{USUAL}"] * 3) == []


def test_hostile_texts_take_no_time():
    for text in ("```\n" + "\n" * 200_000, "\n" * 200_000, "**a" * 50_000, "|" * 200_000, "[" * 200_000, "`" * 200_000):
        found([text])
