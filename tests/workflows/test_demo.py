"""The sample project: it stands where `demo` looks for it, is sound, and travels in the wheel."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tunesmith.core.errors import UserError
from tunesmith.core.progress import SilentConsole
from tunesmith.workflows.check import check
from tunesmith.workflows.demo import demo, sample_folder
from tunesmith.workflows.project import Project
from tunesmith.workflows.seal import seal
from tunesmith.workflows.split import split

ROOT = Path(__file__).parents[2]


def test_the_sample_is_sound_up_to_its_seal(tmp_path):
    shutil.copytree(sample_folder(), tmp_path / "sample")
    project = Project.open(tmp_path / "sample")
    console = SilentConsole()
    assert check(project, console).counts.stop == 0
    divided = split(project, console)
    assert divided.left_out == {}
    assert divided.labels == 12
    sealed = seal(project, console)
    assert sealed.rows == 300
    assert len(sealed.labels) == 12


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="Name a new folder"):
        demo(tmp_path, SilentConsole())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_the_sample_travels_in_the_wheel(tmp_path):
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
    sample = ROOT / "examples" / "support-triage"
    for file in ("tunesmith.toml", "prompts/system.md", "data/messages.jsonl", "evals/eval.jsonl", "rules.py"):
        assert (sample / file).is_file()
        assert f"tunesmith/examples/support-triage/{file}" in names
