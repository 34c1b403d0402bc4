"""Bringing a ledger up to the tables of this Tunesmith, by the revisions in `migrations/versions`.

The revision stands in a table of its own. One SELECT shows that a ledger is current, so Alembic is loaded only when
there is something to do. Then one transaction, alone in the ledger, takes all outstanding steps or none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from tunesmith.core.errors import TunesmithError, UserError
from tunesmith.ledger.connection import PATIENCE, place, pragma

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "tunesmith_ledger"
_ADVISORY_LOCK = 0x74756E65  # "tune": one number that every Tunesmith asks PostgreSQL to lock


def known_revisions(migrations: Path = MIGRATIONS) -> list[str]:
    """The revisions this Tunesmith knows, oldest first: their files are named rNNNN_*.py."""
    return sorted(path.name[1:5] for path in migrations.glob("versions/r*.py"))


def bring_up_to_date(engine: sa.Engine, migrations: Path = MIGRATIONS) -> None:
    with engine.connect() as connection:
        if _is_current(connection, migrations):
            return
    with _alone(engine) as connection:
        if not _is_current(connection, migrations):  # another process may have been first
            _upgrade(connection, migrations)


def _is_current(connection: sa.Connection, migrations: Path) -> bool:
    revision = _revision(connection)
    known = known_revisions(migrations)
    if revision is not None and revision not in known:
        raise UserError(
            f"The ledger {place(connection.engine)} was written by a newer Tunesmith: its tables have revision "
            f"{revision}, this one knows up to {known[-1]}. Upgrade: pip install -U tunesmith."
        )
    return revision == known[-1]


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return revision


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction beside which no other migration runs."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            encoding = connection.scalar(sa.text("SHOW server_encoding"))
            if encoding != "UTF8":
                raise UserError(
                    f"The database {place(engine)} is encoded in {encoding}, which cannot hold all text. "
                    "Make one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
                )
            yield connection
        return
    try:
        # Neither the switch to WAL nor that of the foreign keys works inside a transaction, hence the lock around it.
        with FileLock(f"{engine.url.database}.lock", timeout=PATIENCE), engine.connect() as connection:
            pragma(connection, "journal_mode = WAL")
            pragma(connection, "foreign_keys = OFF")  # a table is changed by copying it and dropping the old one
            try:
                with connection.execution_options(writes=True).begin():
                    yield connection
                    assert not connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            finally:
                pragma(connection, "foreign_keys = ON")
    except Timeout as error:
        raise TunesmithError(
            f"Another process has been preparing the ledger {place(engine)} for more than {PATIENCE} s. "
            "Wait for it to end, then try again."
        ) from error
    except PermissionError as error:
        raise UserError(f"The ledger {place(engine)} cannot be prepared: {error}") from error


def _upgrade(connection: sa.Connection, migrations: Path) -> None:
    from alembic import command
    from alembic.config import Config

    from tunesmith.ledger.tables import metadata

    if _revision(connection) is None:
        foreign = sorted(set(metadata.tables) & set(sa.inspect(connection).get_table_names()))
        if foreign:
            raise UserError(
                f"The database {place(connection.engine)} already has a table {foreign[0]!r} that Tunesmith did not "
                "make. Give the ledger a database of its own."
            )
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    command.upgrade(config, "head")
