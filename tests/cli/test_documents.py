"""The documents tell the truth: commands and Python run, settings are read, links lead somewhere.

The journey of the README is typed as it stands there, on 240 made-up rows and with half an epoch of training; the
other pages' commands and Python then run in the project that it leaves.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tunesmith.workflows import config

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")])
WRITTEN = {  # pages with a project of their own, where answers are written → the file they begin with, and its rows
    ROOT / "docs" / "generation.md": (
        "pairs.jsonl",
        [{"rude": f"Hand me file {n} now", "kind": f"Please hand me file {n}"} for n in range(110)],
    ),
    ROOT / "docs" / "classification.md": (
        "messages.jsonl",
        [
            {
                "text": f"Parcel {n}: {'money back, ' if n % 2 else ''}{'late again' if n % 3 else 'thank you'}",
                "tags": [label for label, fits in (("refund", n % 2), ("delay", n % 3)) if fits],
            }
            for n in range(110)
        ],
    ),
    ROOT / "docs" / "tool_calls.md": (
        "requests.jsonl",
        [
            {"input": f"What is the weather in town {n}?", "output": {"name": "weather", "arguments": {"city": f"{n}"}}}
            if n % 4
            else {"input": f"Who was born in town {n}?", "output": []}
            for n in range(110)
        ],
    ),
    ROOT / "docs" / "extraction.md": (
        "orders.jsonl",
        [
            {
                "message": f"{n} {product} by {n % 27 + 1} May, for order {n}",
                "product": product,
                "quantity": n,
                "due": f"{n % 27 + 1} May" if n % 3 else None,
            }
            for n in range(1, 111)
            for product in (("bolts", "nuts", "washers")[n % 3],)
        ],
    ),
}
QUICK = {
    "TUNESMITH_BASELINES_SHOTS": "2",
    "TUNESMITH_TRAIN_EPOCHS": "0.5",
    "TUNESMITH_TRAIN_R": "2",
}
GATE = {"compare", "run"}  # verbs that may end with 3: hold or reject


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language; commands that are typed stand in blocks without one."""
    found: list[str] = []
    spoken: str | None = None  # the language of the block that is open
    for line in page.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("```"):
            spoken = line[3:].strip() if spoken is None else None
            if spoken == language:
                found.append("")
        elif spoken == language:
            found[-1] += line
    return found


def commands(page: Path) -> Iterator[tuple[dict[str, str], list[str]]]:
    """(environment, words) of every `tunesmith` and `cd` line in the page's blocks."""
    for line in "\n".join(blocks(page, "")).splitlines():
        words = shlex.split(line, comments=True) if re.match(r"(TUNESMITH_\w+=\S+ )*(tunesmith|cd) ", line) else []
        environment = {}
        while words and "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        if words:
            yield environment, words


def inline(page: Path) -> list[list[str]]:
    """Commands in the page's sentences that can be typed as they stand: no placeholders, no options left open."""
    found = re.findall(r"`(tunesmith [^`]+)`", page.read_text(encoding="utf-8"))
    return [shlex.split(text) for text in found if not re.search(r"[A-Z]{2}|\[|…", text)]


def type_in(folder: Path, words: list[str], **environment: str) -> None:
    program = [sys.executable, "-c", "from tunesmith.cli.app import main; main()"]
    done = subprocess.run(
        [*program, *words[1:]],
        cwd=folder,
        env=os.environ | QUICK | environment,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0 or (done.returncode == 3 and words[1] in GATE), f"{words}: {done.stderr}"
    assert "\nNext: " in done.stdout  # of a rental it is the renter's own command


@pytest.fixture(scope="module")
def walked(tmp_path_factory, sample) -> Path:
    """The project after the README's journey."""
    folder = tmp_path_factory.mktemp("documents")
    sample.write_csv(folder / "messages.csv", sample.rows(80))
    typed = []
    for environment, words in commands(ROOT / "README.md"):
        if words[0] == "cd":
            folder = folder / words[1]
        else:
            type_in(folder, words, **environment)
            typed.append(words[1])
    assert typed == ["init", "check", "split", "seal", "baseline", "train", "compare"]
    return folder


@pytest.mark.slow
def test_the_sentences_of_the_readme(walked, sample):
    typed = inline(ROOT / "README.md")
    assert ["tunesmith", "ask", "my card was eaten"] in typed
    for words in typed:
        if words[1] not in ("compare", "train"):  # typed in the journey
            type_in(walked, words)
    sample.write_csv(walked / "in.csv", [{"text": "My invoice is wrong"}])
    assert "`tunesmith predict in.csv -o out.csv --with NAME`" in (ROOT / "README.md").read_text(encoding="utf-8")
    type_in(walked, shlex.split("tunesmith predict in.csv -o out.csv --with classical"))
    assert (walked / "out.csv").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_the_commands_of_a_page_whose_answers_are_written(page, tmp_path, sample, tiny_folder):
    """On the tiny model: what the embedded one writes takes minutes."""
    name, rows = WRITTEN[page]
    sample.write_jsonl(tmp_path / name, rows)
    (tmp_path / "tools.json").write_text(next(iter(blocks(page, "json")), "[]"), encoding="utf-8")
    short = {
        "TUNESMITH_MODEL_MAX_NEW_TOKENS": "16" if page.name == "generation.md" else "64",
        "TUNESMITH_MODEL_BASE": str(tiny_folder),
        "TUNESMITH_DATA_EVAL": "0.2",
    }
    folder = tmp_path
    for environment, words in commands(page):
        if words[0] == "cd":
            folder = folder / words[1]
        else:
            type_in(folder, words, **short, **environment)
    assert folder.parent == tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name == "docs" and page not in WRITTEN and list(commands(page))],
    ids=lambda page: page.name,
)
def test_the_commands_of_a_page(page, walked, tmp_path):
    """In a copy of the project: what one page leaves is nothing to the next."""
    project = Path(shutil.copytree(walked, tmp_path / "tickets"))
    write_workbook(project / "tickets.xlsx", [("Where is my invoice?", "billing"), ("I cannot log in", "access")])
    for environment, words in commands(page):
        type_in(project, words, **environment)


def write_workbook(path: Path, rows: list[tuple[str, str]]) -> None:
    book = openpyxl.Workbook()
    for row in (("Question", "Category"), *rows):
        book.active.append(row)
    book.save(path)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page(page, walked, monkeypatch):
    monkeypatch.chdir(walked)
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), {"__name__": "page"})


@pytest.mark.slow
def test_the_report_made_by_hand_is_a_report(walked):
    assert "<h1" in (walked / "verdict.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.name)
def test_the_settings_of_a_page(page, tmp_path):
    for block in blocks(page, "toml"):
        given = tomllib.loads(block)
        text = block if "task" in given else f'[task]\nfamily = "classification"\n\n{block}'
        (tmp_path / config.FILE).write_text(text, encoding="utf-8")
        read = config.load(tmp_path / config.FILE, environment={})
        for section, keys in given.items():
            for key, value in keys.items():
                if section in config.NAMED:  # [providers.NAME]
                    assert getattr(read, section)[key].model_dump(exclude_unset=True) == value
                    continue
                got = getattr(read, section).model_dump(include={key}, exclude_unset=True)[key]
                assert got == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_a_page(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target
