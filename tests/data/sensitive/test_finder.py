"""What is found in a text: every kind, nothing beside it, on hostile texts in bounded time, and on real ones."""

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.sensitive.finder import find
from tunesmith.data.sensitive.hit import RANK, Sensitive, masked, settled

pytest.importorskip("presidio_analyzer")
pytest.importorskip("detect_secrets")
pytest.importorskip("phonenumbers")

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7Zk+abc\nq9w8e7r6==\n-----END RSA PRIVATE KEY-----"


def hits(text: str) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for kind, start, end in find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("write to ann.o'neil+x@mail.example.co.uk, please", "email", "ann.o'neil+x@mail.example.co.uk"),
        ("почта иван@пример.рф.", "email", "иван@пример.рф"),
        ("paid with 4111 1111 1111 1111 12/27", "card", "4111 1111 1111 1111"),
        ("amex 3782-822463-10005.", "card", "3782-822463-10005"),
        ("to DE89 3704 0044 0532 0130 00 by Monday", "iban", "DE89 3704 0044 0532 0130 00"),
        ("my iban is gb29nwbk60161331926819", "iban", "gb29nwbk60161331926819"),
        ("from 203.0.113.7:8080", "ip", "203.0.113.7"),
        ("host 2001:db8::8a2e:370:7334 is up", "ip", "2001:db8::8a2e:370:7334"),
        ("(see https://example.org/a?b=c).", "url", "https://example.org/a?b=c"),
        ("go to www.example.fr/aide!", "url", "www.example.fr/aide"),
        ("+49 (0)30 901820 is ours", "phone", "+49 (0)30 901820"),
        ("call me at 555-0142 x12", "phone", "555-0142 x12"),
        ("Tel.: 01 42 68 53 00", "phone", "01 42 68 53 00"),
        ("電話 03-1234-5678", "phone", "03-1234-5678"),
        ("I live at 12 Old Mill Road, Apt. 4", "address", "12 Old Mill Road, Apt. 4"),
        ("wohnt in der Lindenstraße 5a", "address", "Lindenstraße 5a"),
        ("Calle de Alcalá 45", "address", "Calle de Alcalá 45"),
        ("SSN 536-90-4399", "national-id", "536-90-4399"),
        ("my NHS number is 943 476 5919", "national-id", "943 476 5919"),
        ("DNI 12345678Z", "national-id", "12345678Z"),
        ("codice fiscale RSSMRA85T10A562S", "national-id", "RSSMRA85T10A562S"),
        ("CPF 529.982.247-25", "national-id", "529.982.247-25"),
        ("NIR 1 84 12 76 451 089 46", "national-id", "1 84 12 76 451 089 46"),
        ("身份证 11010519491231002X", "national-id", "11010519491231002X"),
        ("AHV 756.9217.0769.85", "national-id", "756.9217.0769.85"),
        ("BSN 111222333", "national-id", "111222333"),
        ("the PAN is ABCPE1234F", "national-id", "ABCPE1234F"),
        ("PESEL 44051401359", "national-id", "44051401359"),
        ("it is " + KEY + " there", "private-key", KEY),
        ("use ghp_" + "aB3dE5fG7hI9" * 3, "token", "ghp_" + "aB3dE5fG7hI9" * 3),
        ("aws AKIAIOSFODNN7ABCDEFG", "token", "AKIAIOSFODNN7ABCDEFG"),
        ("sk-proj-" + "a1B2c3D4" * 6, "token", "sk-proj-" + "a1B2c3D4" * 6),
        ("the password is tr0ub4dor&3!", "password", "tr0ub4dor&3"),
        ("postgres://bob:s3cr3tpw@db/x", "password", "s3cr3tpw"),
        (
            "token: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "random-string",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        ),
    ],
)
def test_every_kind_is_found_with_its_whole_value(text, kind, value):
    assert (kind, value) in hits(text) or (kind, value) in [(k, v.rstrip()) for k, v in hits(text)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We met on 12/05/2020 and on 2021-03-04, from 2010-2014.",
        "The order 4929881234567890123 came to 1,234,567.89 in 10.5 days",
        "card 4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "version 1.2.3.4 of the app at 127.0.0.1, std::move and 12:30:45",
        "read the readme.md, e.g. section 2.1",
        "Order 123456789 and invoice 987654321",
        "the secret is patience; my password does not work",
        "the key AKIAIOSFODNN7EXAMPLE of the manual",
        "an @mention and a half-open a@b",
        f"commit {DIGEST} fixed it",
    ],
)
def test_what_only_looks_alike_is_left_alone(text):
    assert hits(text) == []


@pytest.mark.parametrize("valid", ["111222333", "529.982.247-25", "11010519491231002X"])
def test_a_wrong_check_digit_is_no_identity_number(valid):
    last = "1" if valid[-1] != "1" else "2"
    for word in ("BSN", "CPF", "身份证"):
        assert "national-id" not in [kind for kind, _ in hits(f"{word} {valid[:-1]}{last}")]


def test_overlapping_hits_become_one_and_a_secret_keeps_its_kind():
    joined = settled([Sensitive("url", 0, 30), Sensitive("password", 12, 20), Sensitive("email", 25, 40)])
    assert joined == [Sensitive("password", 0, 40)]
    assert settled([Sensitive("card", 5, 9), Sensitive("email", 0, 5)]) == [
        Sensitive("email", 0, 5),
        Sensitive("card", 5, 9),
    ]


spans = st.builds(
    lambda kind, start, length: Sensitive(kind, start, start + length),
    st.sampled_from(sorted(RANK)),
    st.integers(0, 60),
    st.integers(1, 20),
)


@given(st.lists(spans, max_size=12), st.randoms())
def test_settling_covers_everything_once_whatever_the_order(found, random):
    kept = settled(found)
    covered = {place for hit in found for place in range(hit.start, hit.end)}
    assert covered == {place for hit in kept for place in range(hit.start, hit.end)}
    assert all(left.end <= right.start for left, right in pairwise(kept))
    random.shuffle(found)
    assert settled(found) == kept


texts = st.one_of(
    st.text(max_size=300),
    st.text("0123456789 +-.@:/aA#", max_size=200),
    st.builds(
        "{} {}".format,
        st.sampled_from(
            ["SSN", "NHS", "Aadhaar", "PESEL", "personnummer", "TFN", "kimlik", "thai id", "id number", "nric"]
        ),
        st.from_regex(r"\d{2,6}[-. ]?\d{2,5}[-. ]?\d{2,5}", fullmatch=True),
    ),
)


@given(texts)
@settings(max_examples=150, deadline=None)
def test_any_text_gives_hits_within_it_in_order(text):
    found = find(text)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in found)
    assert found == sorted(found, key=lambda hit: hit.start)


HOSTILE = [
    *("a@", "1 ", "1-", "a.a", "a'", "(1)", "eyJ", "sk-T3BlbkFJ", "password=", "://a", "xoxb-1-", "123456789:"),
    *("-----BEGIN PRIVATE KEY-----", "BEGIN A ", "Rue ", "1 a a a a 1 ", "ssn 123456789 ", "key aB3/", "GB56 HXDO "),
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_megabyte_is_looked_through(piece):
    """An expression in quadratic time would need hours, not seconds; the child is ended long before."""
    code = (
        "import sys; from tunesmith.data.sensitive.finder import find;"
        "piece = sys.argv[1]; find('ssn 123456 key ' + piece * ((1 << 20) // len(piece)))"
    )
    subprocess.run([sys.executable, "-c", code, piece], check=True, timeout=180)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("email", "jane.doe@example.org", "j…@…, 20 characters"),
        ("card", "4111111111111111", "4…, 16 characters"),
        ("token", "ghp_" + "a" * 36, "…, 40 characters"),
        ("phone", "5551234", "…, 7 characters"),
    ],
)
def test_a_value_is_shown_masked(kind, value, shown):
    assert masked(kind, value) == shown


def test_looking_loads_no_language_model_and_no_torch():
    code = (
        "import sys; from tunesmith.data.sensitive.finder import open_finder; found = open_finder();"
        "assert 'presidio_analyzer' not in sys.modules;"
        "assert found.find('my ssn is 536-90-4399')[0].kind == 'national-id';"
        "print(*[name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


GOLD = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "DOMAIN_NAME": "url",
}


def test_what_has_a_form_is_found_in_the_synthetic_set(real_data):
    there, found = Counter(), Counter()
    for row in json.loads((real_data / "presidio_research" / "synth_dataset_v2.json").read_text(encoding="utf-8")):
        said = find(row["full_text"])
        for span in row["spans"]:
            if kind := GOLD.get(span["entity_type"]):
                there[kind] += 1
                found[kind] += any(
                    hit.kind == kind and hit.start <= span["start_position"] and hit.end >= span["end_position"]
                    for hit in said
                )
    assert there == {"card": 136, "phone": 92, "email": 49, "url": 37, "iban": 21, "ip": 14}
    assert all(found[kind] / there[kind] >= 0.95 for kind in there), found


def test_the_messages_of_a_bank_hold_almost_nothing(real_data):
    """A precision test on real messages without personal data."""
    lines = (real_data / "banking77" / "test.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert sum(len(find(line)) for line in lines) <= 3


def test_naughty_strings_are_looked_through(real_data):
    for text in json.loads((real_data / "naughty_strings" / "blns.json").read_text(encoding="utf-8")):
        for hit in find(text):
            assert text[hit.start : hit.end]
