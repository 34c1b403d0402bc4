"""A model's licence: from the table, else as its own files name it, else not known."""

from pathlib import Path

import pytest

from tunesmith.core.progress import SilentConsole
from tunesmith.workflows.init import Plan, init
from tunesmith.workflows.licences import licence_of
from tunesmith.workflows.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    init(Plan(folder=tmp_path / "p"), SilentConsole())
    return Project.open(tmp_path / "p")


def test_of_the_table_by_name_and_alias(project: Project) -> None:
    assert licence_of(project, "smollm2-135m-instruct").name == "Apache-2.0"
    found = licence_of(project, "meta-llama/Llama-3.2-1B-Instruct")
    assert (found.commercial, found.name) == ("yes, with terms", "Llama 3.2 Community License")
    assert licence_of(project, "Qwen/Qwen2.5-3B-Instruct").commercial == "no"


@pytest.mark.parametrize(
    ("card", "name", "commercial"),
    [
        ("---\nlicense: apache-2.0\n---\n# M\n", "Apache-2.0", "yes"),
        ('---\ntags:\n- x\nlicense: "mit"\n---\n', "MIT", "yes"),
        ("---\nlicense: other\nlicense_name: house-1\n---\n", "house-1", "not known"),
        ("---\nlicense: cc-by-nc-4.0\n---\n", "cc-by-nc-4.0", "not known"),
        ("# No front matter\nlicense: mit\n", "not known", "not known"),
        ("---\nlicense: other\n---\nlicense: mit\n", "not known", "not known"),
    ],
)
def test_of_a_folder_by_the_front_matter_of_its_card(project, tmp_path, card, name, commercial) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text(card)
    found = licence_of(project, str(folder))
    assert (found.name, found.commercial) == (name, commercial)


def test_of_a_gguf_by_its_metadata(project, tmp_path) -> None:
    gguf = pytest.importorskip("gguf")
    path = tmp_path / "m.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_license("apache-2.0")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert licence_of(project, str(path)).name == "Apache-2.0"
    path.write_bytes(b"GGUF")
    assert licence_of(project, str(path)).name == "not known"


def test_of_what_nobody_knows_nothing_is_claimed(project: Project) -> None:
    assert licence_of(project, "org/never-heard-of").commercial == "not known"
    hosted = licence_of(project, "openai:gpt-4.1-mini")
    assert (hosted.name, hosted.terms) == ("not known", "the provider's terms")
    assert licence_of(project, "no such thing").name == "not known"
