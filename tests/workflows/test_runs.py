"""How a run ends is written down, also where little can be written any more."""

import errno
import json
from pathlib import Path

import pytest

from tunesmith.ledger.store import Ledger
from tunesmith.workflows import config, runs
from tunesmith.workflows.project import Project
from tunesmith.workflows.runs import RESERVE, open_ledger, read_runs, record


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / config.FILE).write_text('[task]\nfamily = "classification"\nprompt = "system.md"\n')
    return Project.open(tmp_path)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "somewhere")


def fail(project: Project, **more: str) -> None:
    with pytest.raises(OSError, match="No space left"), record(project, "baseline", {}, **more):
        full()


def test_an_error_is_recorded_with_its_message(project: Project) -> None:
    fail(project)
    [run] = read_runs(project)
    assert run.state == "failed"
    assert "No space left on device" in (run.error or "")
    assert not (project.runs / run.id / RESERVE).exists()


def test_a_ledger_that_cannot_be_written_does_not_hide_a_failure(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "begin", full)
    fail(project)
    assert [run.state for run in read_runs(project)] == ["failed"]


def test_a_run_whose_end_cannot_be_recorded_has_failed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "finish", full)
    with pytest.raises(OSError, match="No space left"), record(project, "baseline", {}):
        pass
    assert [run.state for run in read_runs(project)] == ["failed"]


def test_the_ledger_knows_where_run_json_cannot_be_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def filled() -> None:
        with monkeypatch.context() as patch, record(project, "baseline", {}):
            patch.setattr(runs, "write_json", full)
            full()

    with pytest.raises(OSError, match="No space left"):
        filled()
    with open_ledger(project) as ledger:
        assert [run.state for run in ledger.runs()] == ["failed"]
    assert [run.state for run in read_runs(project)] == ["running"]
    with record(project, "baseline", {}):
        pass
    settled = read_runs(project)[0]
    assert settled.state == "failed"
    assert "No space left on device" in (settled.error or "")


def test_room_is_kept_back_while_a_run_goes_on(project: Project) -> None:
    with record(project, "baseline", {}) as recording:
        assert (recording.folder / RESERVE).stat().st_size > 4096
    assert [path.name for path in recording.folder.iterdir()] == [runs.FILE]


def test_a_failed_run_is_carried_on(project: Project) -> None:
    fail(project)
    [run] = read_runs(project)
    with record(project, "baseline", {}, resume=run.id):
        assert json.loads((project.runs / run.id / runs.FILE).read_text())["state"] == "running"
    assert [(each.state, each.error) for each in read_runs(project)] == [("done", None)]
