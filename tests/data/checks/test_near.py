"""Near duplicates, near contradictions, leaks that are not word for word, and repeats by meaning."""

from tunesmith.core.example import Example, Made, Message
from tunesmith.data.checks.all import check, look_at_sources
from tunesmith.data.checks.found import Found
from tunesmith.data.checks.kept import Kept
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding
from tunesmith.data.reading import Reading

ASKED = "Could you please tell me how I can track the card that you sent me"


def example(text: str, label: str = "a", line: int = 1, file: str = "data/a.csv", **more) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=label, origin=f"{file}:{line}", **more)


def rows(*texts: tuple[str, str]) -> list[Example]:
    return [example(text, label, line) for line, (text, label) in enumerate(texts, start=2)]


def found(examples: list[Example], eval_set=(), *, labelled=True, labels=None) -> list[Finding]:
    reading = Reading(examples=tuple(examples), findings=(), name="data/a.csv")
    findings = check([reading], labels, eval_set, lambda row: None, labelled=labelled)
    return [finding for finding in findings if finding.check != "few-rows"]


def test_a_cluster_is_one_finding_about_its_first_row():
    (finding,) = found(rows((ASKED, "a"), ("else", "a"), (ASKED + " now", "a"), ("So " + ASKED, "a")))
    assert (finding.severity, finding.check, finding.line) == ("look", "near-duplicate", 2)
    assert finding.related == ("data/a.csv:4", "data/a.csv:5")
    assert "2 other rows" in finding.message


def test_exact_repeats_of_a_near_row_are_duplicates_alone():
    findings = found(rows((ASKED, "a"), (ASKED + " now", "a"), (ASKED.upper(), "a")))
    assert [(each.check, each.line, each.related) for each in findings] == [
        ("near-duplicate", 2, ("data/a.csv:3",)),
        ("duplicate", 4, ("data/a.csv:2",)),
    ]


def test_nearly_the_same_input_with_different_labels_is_looked_at():
    (finding,) = found(rows((ASKED, "a"), (ASKED + " now", "b")))
    assert (finding.severity, finding.check, finding.field) == ("look", "near-contradiction", "output")
    assert "data/a.csv:2 says 'a', data/a.csv:3 says 'b'" in finding.message


def test_different_answers_in_free_text_are_variety():
    (finding,) = found(rows((ASKED, "One answer."), (ASKED + " now", "Another.")), labelled=False)
    assert finding.check == "near-duplicate"


def test_a_mislabelled_row_is_near_nothing():
    assert [each.check for each in found(rows((ASKED, "a"), (ASKED + " now", "zz")), labels=["a"])] == ["unknown-label"]


def test_of_a_cluster_of_many_some_are_named_and_all_counted():
    (finding,) = found(
        rows(*((f"{ASKED} {'abcdefghijklmnop'[n % 16]}{'abcdefghijklmnop'[n // 16]}", "a") for n in range(99)))
    )
    assert "98 other rows" in finding.message
    assert len(finding.related) == 50


def leaks(examples: list[Example], eval_set) -> dict[int, tuple[str, str]]:
    return {each.line: (each.check, each.related[0]) for each in found(examples, eval_set) if "leak" in each.check}


def test_leaks_are_named_pair_by_pair_each_row_once():
    held = [example(ASKED, line=7, file="e"), example("Short one", line=8, file="e", group="g")]
    near, word = ASKED + " now", ASKED.replace("track", "photograph")
    train = rows((ASKED + "!", "a"), (near, "a"), (near.upper(), "b"), (word, "a"), ("Short two", "a"))
    train += [
        example("else", line=9, group="g"),
        example("made up", line=10, made=_made(held[0])),
        example("x", line=11),
    ]
    assert leaks(train, held) == {
        2: ("leak", "e:7"),
        3: ("near-leak", "e:7"),
        4: ("near-leak", "e:7"),
        5: ("one-word-leak", "e:7"),
        9: ("leak", "e:8"),
        10: ("leak", "e:7"),
    }


def _made(source: Example) -> Made:
    return Made(kind="paraphrase", by="openai:m", source=source.id, origin=source.origin)


def test_by_meaning_only_what_is_not_known_otherwise_is_said():
    held = [example("Wo ist meine Karte?", line=7, file="e")]
    train = rows((ASKED, "a"), (ASKED + " now", "a"), ("Track it", "b"), ("Where is my card?", "a"), ("else", "a"))
    vectors = {ASKED: (1, 0, 0), ASKED + " now": (1, 0, 0), "Track it": (1, 0, 0), "else": (0, 0, 1)}
    collected = Found()
    scope = Scope(Kept(labelled=True), eval_set=held, embed=lambda texts: [vectors.get(t, (0, 1, 0)) for t in texts])
    look_at_sources(train, scope, collected)
    findings = {each.check: each for each in collected.sorted([]) if each.check.startswith("meaning")}
    assert findings.keys() == {"meaning-contradiction", "meaning-leak"}
    contradiction = findings["meaning-contradiction"]
    assert contradiction.related == ("data/a.csv:3", "data/a.csv:4")
    assert "with different labels: data/a.csv:2 says 'a', data/a.csv:4 says 'b'" in contradiction.message
    assert (findings["meaning-leak"].line, findings["meaning-leak"].related) == (5, ("e:7",))


def test_findings_beyond_the_limit_are_counted_and_their_rows_known_to_stop():
    collected = Found(limit=3)
    many = [example(f"text {line}", "zz" if line > 4 else "a", line) for line in range(2, 12)]
    look_at_sources(many, Scope(Kept(labelled=True, declared=["a"])), collected)
    findings = collected.sorted(["data/a.csv"])
    assert [each.line for each in findings if each.check == "unknown-label"] == [5, 6, 7]
    assert collected.unlisted == {"unknown-label": 4}
    assert collected.severities["stop"] == 7
    assert collected.stopped["data/a.csv"] == set(range(5, 12))


def test_an_origin_that_is_no_line_of_a_file_is_taken_as_it_is():
    (finding,) = found([example("one", "a", 10**30), example("one!", "b", 10**30)])
    assert (finding.check, finding.file, finding.line) == ("contradiction", f"data/a.csv:{10**30}", 0)
