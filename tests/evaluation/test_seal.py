import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.core.errors import SealError
from tunesmith.core.example import Example, Message
from tunesmith.data.canonical import write_canonical
from tunesmith.evaluation.seal import Look, Seal, attempt, read_seal, record_look, rows_digest, seal, verify


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def rows(n: int, labels: tuple[str, ...] = ("refund", "billing")) -> tuple[Example, ...]:
    return tuple(
        Example(
            messages=(Message(role="user", content=f"message {place}"),),
            expected=labels[place % len(labels)],
            slice="long" if place % 4 == 0 else None,
        )
        for place in range(n)
    )


class Project:
    def __init__(self, folder: Path, examples: tuple[Example, ...]):
        self.eval_file, self.lock = folder / "evals" / "eval.jsonl", folder / "evals" / "eval.lock"
        self.write(examples)

    def write(self, examples: tuple[Example, ...]) -> None:
        self.examples = examples
        write_canonical(self.eval_file, examples)

    def seal(self, *, reseal: bool = False) -> Seal:
        return seal(self.eval_file, self.lock, self.examples, reseal=reseal)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, rows(40))


def test_a_seal_says_what_was_sealed(project: Project) -> None:
    made = project.seal()
    assert (made.version, made.rows) == (1, 40)
    assert made.labels == {"billing": 20, "refund": 20}
    assert made.slices == {"long": 10}
    assert made.sha256 == rows_digest(project.examples)
    standing, examples = verify(project.eval_file, project.lock)
    assert standing == made
    assert [each.id for each in examples] == [each.id for each in project.examples]
    assert examples[6].origin == "evals/eval.jsonl:7"
    assert json.loads(project.lock.read_text())["schema_version"] == 1


def test_sealing_again_changes_nothing(project: Project) -> None:
    made = project.seal()
    assert project.seal() == made
    assert project.seal(reseal=True) == made


def test_the_layout_of_the_file_does_not_matter(project: Project) -> None:
    made = project.seal()
    loose = "".join(
        json.dumps(json.loads(line), indent=None, separators=(" , ", " : ")) + "\r\n\n"
        for line in project.eval_file.read_text().splitlines()
    )
    project.eval_file.write_text(loose, newline="")
    assert verify(project.eval_file, project.lock)[0] == made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:-1], "rows: 40 → 39, label 'billing': 20 → 19"),
        (lambda rows: (Example(messages=rows[0].messages, expected="billing"), *rows[1:]), "label 'refund': 20 → 19"),
        (lambda rows: (rows[0].model_copy(update={"slice": "short"}), *rows[1:]), "slice 'long': 10 → 9"),
        (lambda rows: (rows[1], rows[0], *rows[2:]), "rows read otherwise"),
        (lambda rows: (rows[0].model_copy(update={"group": "g"}), *rows[1:]), "rows read otherwise"),
        (lambda rows: (rows[0].model_copy(update={"weight": 2.0}), *rows[1:]), "rows read otherwise"),
    ],
)
def test_a_changed_row_breaks_the_seal(project: Project, change: object, said: str) -> None:
    project.seal()
    project.write(change(project.examples))  # type: ignore[operator]
    for break_it in (lambda: verify(project.eval_file, project.lock), project.seal):
        with pytest.raises(SealError) as caught:
            break_it()
        message = str(caught.value)
        assert said in message
        assert "git diff evals/eval.jsonl" in message
        assert "tunesmith seal --reseal" in message
        assert "version 2" in message
    assert read_seal(project.lock).version == 1


def test_resealing_makes_a_version_and_keeps_the_looks(project: Project) -> None:
    project.seal()
    record_look(project.lock, Look(date="2026-01-01", verb="baseline", candidates=("prompt",)))
    project.write(rows(50))
    made = project.seal(reseal=True)
    assert (made.version, made.rows) == (2, 50)
    assert [look.version for look in made.looks] == [1]
    assert verify(project.eval_file, project.lock)[0] == made


@pytest.mark.parametrize("n", [0, 3, 19])
def test_a_small_eval_set_cannot_be_sealed(tmp_path: Path, n: int) -> None:
    project = Project(tmp_path, rows(n))
    with pytest.raises(SealError, match=rf"has {n} rows?; an eval set needs at least 20"):
        project.seal()
    assert not project.lock.exists()


def test_an_eval_set_of_one_label_cannot_be_sealed(tmp_path: Path) -> None:
    with pytest.raises(SealError, match=r"All 40 rows .* expect 'refund'"):
        Project(tmp_path, rows(40, labels=("refund",))).seal()


def test_other_rows_than_the_files_are_not_sealed(project: Project) -> None:
    with pytest.raises(SealError, match="changed while it was being sealed"):
        seal(project.eval_file, project.lock, rows(41))
    assert not project.lock.exists()


def test_without_a_seal_or_a_file_the_next_step_is_named(project: Project) -> None:
    for use in (lambda: verify(project.eval_file, project.lock), lambda: _look(project.lock, 0)):
        with pytest.raises(SealError, match=r"not sealed: there is no evals/eval\.lock\. Run `tunesmith seal`"):
            use()
    project.seal()
    project.eval_file.unlink()
    with pytest.raises(SealError, match=r"missing.*git checkout -- evals/eval.jsonl"):
        verify(project.eval_file, project.lock)


def test_a_broken_line_of_the_eval_set_is_a_broken_seal(project: Project) -> None:
    project.seal()
    with project.eval_file.open("a") as file:
        file.write("{oops\n")
    with pytest.raises(SealError, match=r"evals/eval.jsonl:41"):
        verify(project.eval_file, project.lock)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\xfe", b'{"schema_version": 2}'])
def test_a_broken_lock_is_said_in_words(project: Project, content: bytes) -> None:
    project.lock.write_bytes(content)
    for use in (lambda: verify(project.eval_file, project.lock), lambda: project.seal(reseal=True)):
        with pytest.raises(SealError, match=r"eval.lock cannot be read as a seal.*git checkout"):
            use()
    assert project.lock.read_bytes() == content


def _look(lock: Path, worker: int) -> None:
    for number in range(10):
        record_look(lock, Look(date="2026-01-01", verb="baseline", candidates=(f"{worker}-{number}",)))


def test_looks_of_many_processes_are_all_kept(project: Project) -> None:
    project.seal()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_look, args=(project.lock, worker)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    looks = read_seal(project.lock).looks
    assert sorted(look.candidates[0] for look in looks) == sorted(f"{w}-{n}" for w in range(4) for n in range(10))
    assert sorted(path.name for path in project.lock.parent.iterdir()) == ["eval.jsonl", "eval.lock"]


def test_attempts_count_fine_tunes_and_versions_once(project: Project) -> None:
    made = project.seal()
    assert attempt(made, "a") == 1

    def judge(digest: str) -> Seal:
        return record_look(project.lock, Look(date="d", verb="compare", candidates=("x", "y"), judged=digest))

    assert attempt(judge("a"), "a") == 1
    assert attempt(judge("a"), "a") == 1
    made = record_look(project.lock, Look(date="d", verb="baseline", candidates=("prompt",)))
    assert attempt(made, "b") == 2
    assert attempt(judge("b"), "b") == 2
    assert attempt(read_seal(project.lock), "a") == 1
    project.write(rows(60))
    made = project.seal(reseal=True)
    assert attempt(made, "a") == 3  # the same fine-tune on more rows is another chance to be lucky


def test_the_seal_the_sections_and_the_outlook_are_light() -> None:
    program = (
        "import sys, tunesmith.evaluation.seal, tunesmith.evaluation.prices\n"
        "import tunesmith.decisions.section, tunesmith.decisions.power, tunesmith.tasks.primary\n"
        "print([name for name in ('numpy', 'scipy', 'sklearn', 'torch', 'sqlalchemy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
