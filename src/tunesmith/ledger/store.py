"""The ledger: what was done, by which run, and what came of it.

Every method is one transaction: it stands as a whole after a crash, or not at all. Records come back as they were
given, whatever characters they hold.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from tunesmith.core.errors import TunesmithError
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.core.run import Artifact, Run, RunState
from tunesmith.core.scorecard import Scorecard
from tunesmith.core.verdict import Verdict
from tunesmith.ledger import tables
from tunesmith.ledger.connection import connect, in_words
from tunesmith.ledger.migrate import bring_up_to_date
from tunesmith.ledger.process import is_gone, this_process

AnyRecord = TypeVar("AnyRecord", bound=Record)


class RecordedVerdict(Record):
    run: str
    created: str  # ISO 8601, UTC
    verdict: Verdict
    receipt: str


class Ledger:
    """Open it with `Ledger.open(url)`, as a context manager or with `close()`. Threads may share one."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> "Ledger":
        """The ledger at `url` (`sqlite:///PATH` or `postgresql://…`), made or migrated where that is due."""
        engine = connect(url)
        try:
            with in_words(engine):
                bring_up_to_date(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Runs

    def begin(self, run: Run) -> None:
        """Record that `run` has begun, in this process."""
        with self._write() as connection:
            if _find_run(connection, run.id) is not None:
                raise TunesmithError(f"Run {run.id!r} is in the ledger already; a new run takes a new id.")
            connection.execute(sa.insert(tables.runs).values(**run.model_dump(), process=this_process()))

    def resume(self, run_id: str) -> Run:
        """Record that this process carries on a run that failed or was interrupted; returns it, running."""
        with self._write() as connection:
            run = _to_run(_the_run(connection, run_id))
            if run.state in ("running", "done"):
                raise TunesmithError(f"Run {run_id!r} cannot be resumed: it is {run.state}.")
            values: dict[str, Any] = {"state": "running", "finished": None, "error": None}
            change = sa.update(tables.runs).where(tables.runs.c.id == run_id)
            connection.execute(change.values(**values, process=this_process()))
            return run.model_copy(update=values)

    def finish(
        self, run_id: str, state: RunState, result: Mapping[str, Any] | None = None, error: str | None = None
    ) -> None:
        """Record how a running run ended."""
        assert state != "running"
        with self._write() as connection:
            found = _the_run(connection, run_id)
            if found.state != "running":
                raise TunesmithError(f"Run {run_id!r} has already ended: it is {found.state}.")
            change = sa.update(tables.runs).where(tables.runs.c.id == run_id)
            connection.execute(change.values(state=state, finished=_now(), result=dict(result or {}), error=error))

    def run(self, run_id: str) -> Run | None:
        with self._read() as connection:
            found = _find_run(connection, run_id)
            return None if found is None else _to_run(found)

    def runs(self, verb: str | None = None) -> list[Run]:
        """All runs, or those of one verb, oldest first; one whose process died is `interrupted`."""
        query = sa.select(tables.runs).order_by(tables.runs.c.number)
        if verb is not None:
            query = query.where(tables.runs.c.verb == verb)
        with self._read() as connection:
            return [_to_run(row) for row in connection.execute(query)]

    # Artifacts

    def add_artifact(self, artifact: Artifact) -> None:
        """Record a candidate on disk; one whose digest is known already is the same one, and stays as it is."""
        with self._write() as connection:
            if artifact.run is not None:
                _the_run(connection, artifact.run)
            known = sa.select(tables.artifacts.c.number).where(tables.artifacts.c.digest == artifact.digest)
            if connection.scalar(known) is None:
                connection.execute(sa.insert(tables.artifacts).values(**artifact.model_dump()))

    def artifacts(self, kind: str | None = None) -> list[Artifact]:
        """All artifacts, or those of one kind, oldest first."""
        query = sa.select(tables.artifacts).order_by(tables.artifacts.c.number)
        if kind is not None:
            query = query.where(tables.artifacts.c.kind == kind)
        with self._read() as connection:
            return [_to_record(Artifact, row) for row in connection.execute(query)]

    # Scorecards and their predictions

    def save_scorecard(self, run_id: str, card: Scorecard, predictions: Iterable[Prediction]) -> None:
        """Record what a candidate answered and the scorecard of it; from now on this one counts."""
        rows = [prediction.model_dump() for prediction in predictions]
        for row in rows:
            _refuse_nan(row)
        with self._write() as connection:
            _the_run(connection, run_id)
            number = connection.scalar(
                sa.insert(tables.scorecards)
                .values(
                    run=run_id,
                    created=_now(),
                    candidate_digest=card.candidate_digest,
                    eval_set=card.eval_set,
                    record=card.model_dump(),
                )
                .returning(tables.scorecards.c.number)
            )
            if rows:
                values = [{**row, "scorecard": number, "position": place} for place, row in enumerate(rows)]
                connection.execute(sa.insert(tables.predictions), values)

    def scorecard(self, candidate_digest: str, eval_set_digest: str) -> Scorecard | None:
        """The latest scorecard of that candidate on those rows."""
        query = sa.select(tables.scorecards.c.record).where(
            tables.scorecards.c.number == _latest(candidate_digest, eval_set_digest)
        )
        with self._read() as connection:
            found = connection.execute(query).one_or_none()
            return None if found is None else Scorecard.model_validate(found.record)

    def predictions(self, candidate_digest: str, eval_set_digest: str) -> list[Prediction]:
        """The predictions behind `scorecard` of the same digests, in the order they were given."""
        table = tables.predictions
        latest = _latest(candidate_digest, eval_set_digest)
        query = sa.select(table).where(table.c.scorecard == latest).order_by(table.c.position)
        with self._read() as connection:
            return [_to_record(Prediction, row) for row in connection.execute(query)]

    # Verdicts

    def save_verdict(self, run_id: str, verdict: Verdict, receipt: str) -> None:
        with self._write() as connection:
            _the_run(connection, run_id)
            values = {"run": run_id, "created": _now(), "record": verdict.model_dump(), "receipt": receipt}
            connection.execute(sa.insert(tables.verdicts).values(**values))

    def verdicts(self) -> list[RecordedVerdict]:
        """All verdicts, oldest first."""
        query = sa.select(tables.verdicts).order_by(tables.verdicts.c.number)
        with self._read() as connection:
            return [
                RecordedVerdict(
                    run=row.run,
                    created=row.created,
                    verdict=Verdict.model_validate(row.record),
                    receipt=row.receipt,
                )
                for row in connection.execute(query)
            ]

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with in_words(self._engine), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with in_words(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            yield connection


def _find_run(connection: sa.Connection, run_id: str) -> "sa.Row[Any] | None":
    return connection.execute(sa.select(tables.runs).where(tables.runs.c.id == run_id)).one_or_none()


def _the_run(connection: sa.Connection, run_id: str) -> "sa.Row[Any]":
    found = _find_run(connection, run_id)
    if found is None:
        raise TunesmithError(f"Run {run_id!r} is not in the ledger; it has to begin before anything is recorded of it.")
    return found


def _to_run(row: "sa.Row[Any]") -> Run:
    run = _to_record(Run, row)
    dead = run.state == "running" and is_gone(row.process)
    return run.model_copy(update={"state": "interrupted"}) if dead else run


def _to_record(kind: type[AnyRecord], row: "sa.Row[Any]") -> AnyRecord:
    return kind.model_validate({name: getattr(row, name) for name in kind.model_fields})


def _latest(candidate_digest: str, eval_set_digest: str) -> "sa.ScalarSelect[Any]":
    table = tables.scorecards
    return (
        sa.select(sa.func.max(table.c.number))
        .where(table.c.candidate_digest == candidate_digest, table.c.eval_set == eval_set_digest)
        .scalar_subquery()
    )


def _refuse_nan(row: dict[str, Any]) -> None:
    """SQLite would read NaN back as "no value"."""
    for name, value in row.items():
        if isinstance(value, float) and math.isnan(value):
            raise TunesmithError(
                f"The prediction for example {row['example']} has {name} = NaN; a figure that is not known is None."
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
