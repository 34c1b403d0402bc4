"""Connecting: SQLite with WAL, foreign keys and patience, PostgreSQL by URL, and what they say, in words.

Transactions on SQLite are begun here, not by its driver: one that will write takes the lock at once, so that it
waits its turn instead of failing half-way, and one that only reads never waits.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from tunesmith.core.errors import MissingExtraError, TunesmithError, UserError

PATIENCE = 30  # seconds to wait for another process's transaction

_WORDS = (  # what SQLite says → what it means here
    ("not a database", "is not a SQLite database, or it is damaged"),
    ("malformed", "is damaged"),
    ("unable to open", "cannot be opened: the folder may be missing or closed to you"),
    ("readonly", "may only be read; Tunesmith has to write to it"),
    ("is locked", f"has been held by another process for more than {PATIENCE} s; wait for it to end, then try again"),
    ("disk is full", "could not be written: the disk is full"),
    ("disk i/o error", "could not be read or written: the disk reports an error"),
)
_DAMAGED = (
    " Move the file away and a new ledger is begun; what the runs left on disk (`run.json`, artifacts) is not in it "
    "and stays as it is."
)


def sqlite_url(path: Path) -> str:
    """The URL of a ledger in a file, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def connect(url: str) -> sa.Engine:
    """The engine for `url`; nothing is opened yet, but the folder of a SQLite file is made."""
    try:
        address = sa.make_url(url)
    except ArgumentError:
        raise UserError(f"{_excerpt(url)} is not a database URL. {_EXPECTED}") from None
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    name = address.render_as_string(hide_password=True)
    backend = address.get_backend_name()
    if backend == "sqlite" and address.database not in (None, "", ":memory:"):
        return _sqlite(address)
    if backend == "postgresql":
        return _postgresql(address, name)
    raise UserError(f"A ledger cannot be kept at {name}. {_EXPECTED}")


_EXPECTED = (
    "Expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE (a character of the password that is not a "
    "letter or digit is written %XX)."
)


def _excerpt(url: str) -> str:
    # Whatever stands before an @ may hold a password.
    return repr(url.rpartition("@")[2][:60])


def _sqlite(address: sa.URL) -> sa.Engine:
    path = Path(str(address.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The ledger {path} cannot be opened: {error}") from error
    engine = sa.create_engine(address, connect_args={"timeout": PATIENCE}, json_serializer=_json)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is said below
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def pragma(connection: sa.Connection, setting: str) -> None:
    """Set `setting` on a SQLite connection outside of any transaction."""
    connection.connection.cursor().execute(f"PRAGMA {setting}")


def _postgresql(address: sa.URL, name: str) -> sa.Engine:
    try:
        return sa.create_engine(
            address, connect_args={"connect_timeout": PATIENCE}, pool_pre_ping=True, json_serializer=_json
        )
    except NoSuchModuleError:
        raise UserError(f"A ledger cannot be kept at {name}. {_EXPECTED}") from None
    except ImportError as error:
        raise MissingExtraError(
            f'PostgreSQL needs a driver, and {error.name} is not installed: pip install "tunesmith[postgresql]".'
        ) from error


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@contextmanager
def in_words(engine: sa.Engine) -> Iterator[None]:
    """Turn what the database objects to into an error that a person can act on."""
    try:
        yield
    except IntegrityError as error:
        raise TunesmithError(f"The ledger {place(engine)} refused a row: {error.orig}") from error
    except DBAPIError as error:
        said = str(error.orig).strip()
        for phrase, meaning in _WORDS if engine.dialect.name == "sqlite" else ():
            if phrase in said.lower():
                kind = TunesmithError if "locked" in phrase or "disk" in phrase else UserError
                damaged = _DAMAGED if "damaged" in meaning else ""
                raise kind(f"The ledger {place(engine)} {meaning} ({said}).{damaged}") from error
        if isinstance(error, sa.exc.OperationalError):
            raise UserError(f"The ledger {place(engine)} cannot be used: {said}") from error
        raise TunesmithError(f"The ledger {place(engine)} failed: {said}") from error


def place(engine: sa.Engine) -> str:
    """Where the ledger is, without its password."""
    address = engine.url
    return str(address.database) if engine.dialect.name == "sqlite" else address.render_as_string(hide_password=True)
