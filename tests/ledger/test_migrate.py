"""A ledger is made, brought up to date, or refused in words."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tunesmith.core.errors import MissingExtraError, UserError
from tunesmith.core.run import Run
from tunesmith.core.verdict import Verdict
from tunesmith.ledger import migrate, tables
from tunesmith.ledger.connection import connect, sqlite_url
from tunesmith.ledger.store import Ledger

FIRST_REVISION = Path(__file__).parent / "revision-0001.sql"

VERDICT = Verdict(verdict="ship", candidate="a", baseline="b", primary="accuracy", reasons=("better",), comparisons=())

NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{last}"


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("note", sa.Text, nullable=False, server_default="none"))
        runs.alter_column("verb", nullable=True)
    {then}
"""


def migrations_with_another(folder: Path, then: str = "") -> Path:
    """The shipped migrations and one more, which changes a table that others refer to."""
    shutil.copytree(migrate.MIGRATIONS, folder)
    revision = NEXT_REVISION.format(last=migrate.known_revisions()[-1], then=then)
    (folder / "versions" / "r9000_next.py").write_text(revision, encoding="utf-8")
    return folder


def test_the_tables_are_those_of_the_migrations(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    Ledger.open(url).close()
    engine = connect(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": migrate.VERSION_TABLE}
        )
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_the_revisions_are_one_line_in_the_order_of_their_files() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(migrate.MIGRATIONS))
    walked = [revision.revision for revision in script.walk_revisions()]
    assert walked[::-1] == migrate.known_revisions()
    assert len(script.get_heads()) == 1


def test_a_ledger_of_the_first_revision_is_brought_up_to_date_with_its_data(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST_REVISION.read_text(encoding="utf-8"))
    connection.close()
    with Ledger.open(sqlite_url(path)) as ledger:
        assert [(run.id, run.state, run.result) for run in ledger.runs()] == [
            ("baseline-1", "done", {"candidates": 2}),
            ("train-1", "failed", {"loss": 0.75}),
        ]
        assert [artifact.digest for artifact in ledger.artifacts("prompt")] == ["d1"]
        card = ledger.scorecard("d1", "e1")
        assert card is not None
        assert card.metrics["primary"].value == 0.5
        assert [prediction.text for prediction in ledger.predictions("d1", "e1")] == ["refund", "no idea\x00"]
        (verdict,) = ledger.verdicts()
        assert (verdict.verdict.verdict, verdict.receipt) == ("hold", "{}")


def test_a_further_revision_keeps_what_there_is(url: str, tmp_path: Path) -> None:
    run = Run(id="r", verb="train", started="2026-03-01T12:00:00Z")
    with Ledger.open(url) as ledger:
        ledger.begin(run)
        ledger.save_verdict("r", VERDICT, "{}")
    engine = connect(url)
    further = migrations_with_another(tmp_path / "migrations")
    migrate.bring_up_to_date(engine, further)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT id, note FROM runs")).all() == [("r", "none")]
        assert connection.scalar(sa.text("SELECT count(*) FROM verdicts")) == 1
        if engine.dialect.name == "sqlite":
            assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def test_a_revision_that_fails_changes_nothing(url: str, tmp_path: Path) -> None:
    Ledger.open(url).close()
    engine = connect(url)
    broken = migrations_with_another(tmp_path / "migrations", then="raise RuntimeError('half-way')")
    with pytest.raises(RuntimeError, match="half-way"):
        migrate.bring_up_to_date(engine, broken)
    assert "note" not in {column["name"] for column in sa.inspect(engine).get_columns("runs")}
    engine.dispose()
    Ledger.open(url).close()


def test_a_ledger_of_a_newer_tunesmith_is_refused(url: str, tmp_path: Path) -> None:
    Ledger.open(url).close()
    engine = connect(url)
    migrate.bring_up_to_date(engine, migrations_with_another(tmp_path / "migrations"))
    engine.dispose()
    with pytest.raises(UserError, match=r"written by a newer Tunesmith: its tables have revision 9000.*pip install -U"):
        Ledger.open(url)


def test_tables_that_others_made_are_left_alone(url: str) -> None:
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE runs (distance integer)"))
    with pytest.raises(UserError, match="already has a table 'runs' that Tunesmith did not make"):
        Ledger.open(url)
    assert [column["name"] for column in sa.inspect(engine).get_columns("runs")] == ["distance"]
    engine.dispose()


def test_opening_a_current_ledger_does_not_load_alembic(url: str) -> None:
    Ledger.open(url).close()
    code = (
        "import sys\nfrom tunesmith.ledger.store import Ledger\n"
        "Ledger.open(sys.argv[1]).close()\nprint('alembic' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code, url]) == b"False\n"


@pytest.mark.parametrize(
    "content", [b"not a database, whatever its name says" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"ledger\.db is not a SQLite database, or it is damaged .*Move the file away"):
        Ledger.open(sqlite_url(path))
    assert path.read_bytes() == content


def test_damage_found_later_is_said_in_words_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(sqlite_url(path)) as ledger:
        for number in range(200):
            ledger.begin(Run(id=f"r{number}", verb="train", started="2026-03-01T12:00:00Z"))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(UserError, match="damaged"), Ledger.open(sqlite_url(path)) as ledger:
        ledger.runs()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ledger.db", "is not a database URL. Expected sqlite:///PATH or postgresql"),
        ("mysql://me:secret@host/db", r"cannot be kept at mysql://me:\*\*\*@host/db"),
        ("postgresql+nonsense://host/db", "cannot be kept at"),
        ("sqlite://", "cannot be kept at sqlite://"),
        ("me:secret@host", "'host' is not a database URL"),
    ],
)
def test_a_url_that_is_none_of_ours_is_refused_without_its_password(url: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        Ledger.open(url)
    assert "secret" not in str(caught.value)


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be opened"):
        Ledger.open(sqlite_url(tmp_path / "file" / "ledger.db"))
    with pytest.raises(UserError, match="cannot be opened"):
        Ledger.open(sqlite_url(tmp_path))


def test_a_server_that_does_not_answer_is_said_without_its_password(postgresql: object, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be used") as caught:
        Ledger.open(f"postgresql://me:secret@/db?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_said_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"tunesmith\[postgresql\]\""):
        Ledger.open("postgresql://host/db")


def test_an_encoding_that_cannot_hold_all_text_is_refused(postgresql) -> None:
    url = postgresql("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(UserError, match="encoded in LATIN1"):
        Ledger.open(url)


def test_a_path_with_signs_that_urls_use_is_one_path(tmp_path: Path) -> None:
    path = tmp_path / "50% off? #1 @ é" / "ledger.db"
    Ledger.open(sqlite_url(path)).close()
    assert path.exists()


def test_a_sqlite_ledger_keeps_a_log_ahead_and_enforces_its_references(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(sqlite_url(path)) as ledger:
        ledger.begin(Run(id="r", verb="compare", started="2026-03-01T12:00:00Z"))
        ledger.save_verdict("r", VERDICT, "{}")
    engine = connect(sqlite_url(path))
    with engine.begin() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
            connection.execute(sa.text("DELETE FROM runs"))
    engine.dispose()
