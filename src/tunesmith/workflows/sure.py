"""How the confidence of a candidate is put right, kept as .tunesmith/confidence/<digest>.json for `ask` and `predict`.

`baseline` and `compare` write it when they have measured the validation rows. Light: what reads it needs no scipy until
there is something to put right.
"""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.core.files import write_json
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Scaling
from tunesmith.workflows.project import Project


def keep(project: Project, digest: str, found: Scaling | None) -> None:
    path = _path(project, digest)
    if found is None:
        path.unlink(missing_ok=True)
    else:
        write_json(path, found.model_dump(mode="json"))


def kept(project: Project, digest: str) -> Scaling | None:
    try:
        return Scaling.model_validate_json(_path(project, digest).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def put_right(project: Project, digest: str, predictions: Sequence[Prediction]) -> tuple[Prediction, ...]:
    """The answers of the candidate, as sure as such answers were right."""
    found = kept(project, digest)
    if found is None:
        return tuple(predictions)
    from tunesmith.evaluation.confidence import scaled  # loads the statistics

    return scaled(found, predictions)


def _path(project: Project, digest: str) -> Path:
    return project.state / "confidence" / f"{digest}.json"
