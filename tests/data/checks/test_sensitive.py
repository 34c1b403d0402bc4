"""The check of personal data: what it says of a row, what it counts, and that no value ever stands in it."""

import json

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.kept import Kept
from tunesmith.data.checks.scope import Scope
from tunesmith.data.checks.sensitive import NAMED, LiveSecrets, SensitiveCheck, sensitive_check

for needed in ("presidio_analyzer", "detect_secrets", "phonenumbers"):
    pytest.importorskip(needed)


def row(text: str, expected: str, line: int = 1) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=expected, origin=f"data/a.jsonl:{line}")


@pytest.fixture
def check() -> SensitiveCheck:
    made, why = sensitive_check()
    assert made is not None
    assert why is None
    return made


def test_a_finding_names_kind_and_field_and_never_the_value(check):
    text = "I am jane.doe@example.org, card 4111 1111 1111 1111"
    findings = [*check.see(row(text, "Thanks, jane.doe@example.org")), *check.close()]
    email, card = findings[:2]
    assert (email.severity, email.check, email.field, email.line) == ("look", "personal-data", "input", 1)
    assert email.message.startswith("Holds 2 email addresses in the input and the output.")
    assert email.excerpt == "j…@…, 20 characters"
    assert card.message.startswith("Holds 1 card number in the input.")
    said = json.dumps([finding.model_dump() for finding in findings], ensure_ascii=False)
    assert "jane" not in said
    assert "1111" not in said


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "stop"),
        ("ghp_" + "aB3dE5fG7hI9" * 3, "stop"),
        ("password: tr0ub4dor&3", "look"),
    ],
)
def test_what_can_be_used_by_anyone_stops_the_work(check, text, severity):
    [finding] = [*LiveSecrets(Scope(Kept(labelled=False))).see(row("help", text)), *check.see(row("help", text))]
    assert (finding.severity, finding.check, finding.field) == (severity, "secret", "output")
    assert text not in json.dumps(finding.model_dump())


def test_findings_are_capped_and_counts_are_exact(check):
    rows = [row(f"mail user{n}@example.org or https://example.org/{n}", "x", n + 1) for n in range(NAMED + 20)]
    findings = [finding for each in rows for finding in check.see(each)]
    assert len(findings) == NAMED
    said = [finding.message for finding in check.close()]
    assert f"{NAMED + 20} rows with {NAMED + 20} email addresses in all; {NAMED} of the rows are listed." in said
    assert f"{NAMED + 20} rows with {NAMED + 20} web addresses in all." in said


def test_what_is_not_looked_for_is_said():
    check = SensitiveCheck(lambda text: [], "Names were not looked for.")
    assert not list(check.see(row("Ann", "x")))
    [note] = check.close()
    assert (note.severity, note.message) == ("note", "Names were not looked for.")


def test_names_are_found_where_a_language_model_is_installed(tmp_path, monkeypatch):
    """A real spaCy pipeline in a package of its own, which knows one name."""
    spacy = pytest.importorskip("spacy")
    read = spacy.blank("en")
    read.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}])
    (tmp_path / "xx_names").mkdir()
    read.to_disk(tmp_path / "xx_names" / "model")
    (tmp_path / "xx_names" / "__init__.py").write_text(
        "import spacy, pathlib\n"
        "def load(**options):\n    return spacy.load(pathlib.Path(__file__).parent / 'model', **options)\n"
    )
    facts = tmp_path / "xx_names-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: xx-names\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[spacy_models]\nxx_names = xx_names\n")
    monkeypatch.syspath_prepend(tmp_path)
    check, _ = sensitive_check()
    assert check is not None
    [finding] = check.see(row("I am Ada Lovelace", "x"))
    assert finding.message.startswith("Holds 1 name of a person")
    assert not any("language model" in note.message for note in check.close())
