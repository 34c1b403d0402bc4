"""The command line as a user has it: a process of its own, in a folder of its own."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Commands, Done
from stand_in import LIGHT

LABELS = ("billing", "access", "bug")
WORDS = {
    "billing": ("invoice", "charge", "refund", "receipt"),
    "access": ("password", "login", "lockout", "code"),
    "bug": ("crash", "error", "freeze", "glitch"),
}


Tunesmith = Callable[..., Done]


class Sample:
    """Made-up rows, and files of them."""

    labels = LABELS

    @staticmethod
    def rows(each: int = 80, start: int = 0) -> list[dict[str, str]]:
        """`each` rows of every label, all different."""
        return [
            {"text": f"The {WORDS[label][number % 4]} number {number} is wrong, please help", "category": label}
            for number in range(start, start + each)
            for label in LABELS
        ]

    @staticmethod
    def write_csv(path: Path, content: list[dict[str, str]]) -> Path:
        lines = [",".join(content[0]), *(",".join(f'"{cell}"' for cell in row.values()) for row in content)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    @staticmethod
    def write_jsonl(path: Path, content: list[dict[str, Any]]) -> Path:
        path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def sample() -> type[Sample]:
    return Sample


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    loaded = Commands()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def tunesmith_in(commands: Commands) -> Callable[[Path], Tunesmith]:
    """Run `tunesmith` with arguments in a folder."""

    def at(folder: Path) -> Tunesmith:
        def run(*arguments: object, cwd: Path | None = None, **environment: str) -> Done:
            done = commands.run([*map(str, arguments)], cwd or folder, environment)
            assert "Traceback" not in done.err, done.err
            return done

        return run

    return at


@pytest.fixture
def tunesmith(tmp_path: Path, tunesmith_in: Callable[[Path], Tunesmith]) -> Tunesmith:
    """Run `tunesmith` with arguments in `tmp_path`, or in `cwd`."""
    return tunesmith_in(tmp_path)


@pytest.fixture
def without(tmp_path: Path) -> Callable[[str], str]:
    """A PYTHONPATH under which a package looks as if it were not installed."""

    def path(package: str) -> str:
        hidden = tmp_path / "hidden"
        hidden.mkdir()
        (hidden / "sitecustomize.py").write_text(
            "import importlib.util as util\n"
            "found = util.find_spec\n"
            f"util.find_spec = lambda name, package=None: None if name == {package!r} else found(name, package)\n"
        )
        return os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH", "")])

    return path


@pytest.fixture
def project(tmp_path: Path, tunesmith: Tunesmith) -> Path:
    """A project of 240 rows in three labels, not yet split."""
    Sample.write_csv(tmp_path / "messages.csv", Sample.rows())
    done = tunesmith("init", "tickets", "--from", "messages.csv", "--input", "text", "--label", "category")
    assert done.code == 0, done.err
    return tmp_path / "tickets"


@pytest.fixture
def measured(project: Path, tunesmith: Tunesmith) -> Path:
    """The project with the cheapest of baselines."""
    for verb in ("split", "seal", "baseline"):
        done = tunesmith(verb, cwd=project, **LIGHT)
        assert done.code == 0, done.err
    return project


@pytest.fixture(scope="module")
def sealed(
    tmp_path_factory: pytest.TempPathFactory, tunesmith_in: Callable[[Path], Tunesmith], tiny_folder: Path
) -> Path:
    """A project of 36 rows and 24 sealed ones for the tiny model, ready to be trained; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("sealed")
    Sample.write_csv(folder / "messages.csv", Sample.rows(12))
    Sample.write_csv(folder / "test.csv", Sample.rows(8, start=500))
    run = tunesmith_in(folder)
    columns = ("--input", "text", "--label", "category")
    made = run("init", "p", "--from", "messages.csv", "--eval", "test.csv", "--model", tiny_folder, *columns)
    assert made.code == 0, made.err
    prompt = "Sort the message into billing, access or bug. Answer with one of these three words only."
    (folder / "p" / "prompts" / "system.md").write_text(prompt)
    for verb in ("split", "seal"):
        assert run(verb, "-C", "p").code == 0
    return folder / "p"
