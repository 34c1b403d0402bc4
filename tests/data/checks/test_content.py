"""Whatever the rows hold, every check ends, and what it says can be printed."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.content import content_checks
from tunesmith.data.finding import Finding


def found(rows: list[Example], *, labelled: bool) -> list[Finding]:
    checks = content_checks(labelled=labelled)
    findings = [finding for row in rows for check in checks for finding in check.see(row)]
    return findings + [finding for check in checks for finding in check.close()]


def row(text: str, output: str, line: int) -> Example:
    turns = (Message(role="user", content=text),)
    return Example(messages=turns, expected=output, slice=output or None, group=text or None, origin=f"a.jsonl:{line}")


def check_printable(findings: list[Finding]) -> None:
    for finding in findings:
        assert (finding.message + finding.excerpt).isprintable(), finding
        assert finding.file == "a.jsonl"
        json.dumps(finding.model_dump()).encode()


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=12), st.booleans())
def test_any_texts_give_findings_never_an_exception(texts, labelled):
    rows = [row(text, output, line) for line, (text, output) in enumerate(texts * 5, start=1)]
    check_printable(found(rows, labelled=labelled))


def test_naughty_strings_as_inputs_outputs_labels_and_slices(real_data):
    naughty = json.loads((real_data / "naughty_strings" / "blns.json").read_text(encoding="utf-8"))
    for labelled in (True, False):
        rows = [row(text, naughty[-at], at) for at, text in enumerate(naughty, start=1)]
        check_printable(found(rows, labelled=labelled))
