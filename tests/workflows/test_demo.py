"""The sample projects: they stand where `demo` looks for them, are sound, and travel in the wheel."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tunesmith.core.errors import UserError
from tunesmith.core.progress import SilentConsole
from tunesmith.workflows.check import check
from tunesmith.workflows.demo import SAMPLES, demo, known_sample, lay_out
from tunesmith.workflows.project import Project
from tunesmith.workflows.seal import seal
from tunesmith.workflows.split import split

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("family", SAMPLES)
def test_the_sample_is_sound_up_to_its_seal(family, tmp_path):
    console = SilentConsole()
    lay_out(tmp_path / "sample", console, family)
    project = Project.open(tmp_path / "sample")
    assert project.config.task.family == family
    assert check(project, console).counts.stop == 0
    divided = split(project, console)
    assert divided.left_out == {}
    assert divided.labels == (12 if family == "classification" else None)
    assert seal(project, console).rows == 300


def test_the_second_sample_brings_nothing_of_the_record(tmp_path):
    lay_out(tmp_path / "sample", SilentConsole(), "classification")
    found = {path.relative_to(tmp_path / "sample").as_posix() for path in (tmp_path / "sample").rglob("*.*")}
    assert "schema.json" not in found
    assert {"rules.py", "prompts/system.md", "data/messages.jsonl", "evals/eval.jsonl"} <= found


def test_a_demo_goes_on_in_its_own_family_only(tmp_path):
    lay_out(tmp_path / "sample", SilentConsole(), "classification")
    kept = (tmp_path / "sample" / "README.md").stat().st_mtime_ns
    lay_out(tmp_path / "sample", SilentConsole(), "classification")
    assert (tmp_path / "sample" / "README.md").stat().st_mtime_ns == kept
    with pytest.raises(UserError, match="--family classification; or name a new folder"):
        lay_out(tmp_path / "sample", SilentConsole())
    with pytest.raises(UserError, match="no sample of it; expected one of: extraction, classification"):
        known_sample("generation")


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="Name a new folder"):
        demo(tmp_path, SilentConsole())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_the_samples_travel_in_the_wheel(tmp_path):
    source = tmp_path / "source"  # a build leaves files behind, and would take up those of an earlier one
    ignore = shutil.ignore_patterns("*.egg-info", "__pycache__")
    for name in ("src", "examples"):
        shutil.copytree(ROOT / name, source / name, ignore=ignore)
    for path in (*ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "setup.py", ROOT / "MANIFEST.in"):
        shutil.copyfile(path, source / path.name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(build, check=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    own = ("tunesmith.toml", "prompts/system.md", "rules.py")
    for file in (*own, "schema.json", "data/messages.jsonl", "evals/eval.jsonl"):
        assert f"tunesmith/examples/support-triage/{file}" in names
    for file in own:
        assert f"tunesmith/examples/support-category/{file}" in names
