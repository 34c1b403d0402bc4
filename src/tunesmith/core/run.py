"""One execution, with the digest of everything that went in."""

from typing import Any, Literal

from tunesmith.core.record import Record

RunState = Literal["running", "done", "failed", "interrupted"]


class Run(Record):
    schema_version: Literal[1] = 1
    id: str
    verb: str  # "train", "baseline", "compare"
    started: str  # ISO 8601, UTC
    finished: str | None = None
    state: RunState = "running"
    inputs: dict[str, str] = {}  # name → digest: recipe, data, seal, model, code
    result: dict[str, Any] = {}
    error: str | None = None


class Artifact(Record):
    """A candidate on disk, in `artifacts/<digest>/`."""

    digest: str
    kind: str
    name: str
    run: str | None = None
    created: str
