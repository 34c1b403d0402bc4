"""The tables. A change here is a new file in `migrations/versions`; a test holds both against each other.

`number` counts rows in the order they were recorded. Scorecards and verdicts are kept whole, as JSON beside the
columns they are looked up by; a new scorecard of the same candidate on the same rows stands beside the old one, and
the latest counts.
"""

import sqlalchemy as sa

from tunesmith.ledger.text import AnyJson, AnyText

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.Integer, primary_key=True)


def _run(*, nullable: bool = False) -> sa.Column[str]:
    return sa.Column("run", AnyText, sa.ForeignKey("runs.id"), nullable=nullable)


runs = sa.Table(
    "runs",
    metadata,
    _number(),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("id", AnyText, nullable=False, unique=True),
    sa.Column("verb", AnyText, nullable=False),
    sa.Column("started", AnyText, nullable=False),
    sa.Column("finished", AnyText),
    sa.Column("state", AnyText, nullable=False),
    sa.Column("inputs", AnyJson, nullable=False),
    sa.Column("result", AnyJson, nullable=False),
    sa.Column("error", AnyText),
    sa.Column("process", AnyJson, nullable=False),  # see process.py
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    _number(),
    sa.Column("digest", AnyText, nullable=False, unique=True),
    sa.Column("kind", AnyText, nullable=False),
    sa.Column("name", AnyText, nullable=False),
    _run(nullable=True),
    sa.Column("created", AnyText, nullable=False),
)

scorecards = sa.Table(
    "scorecards",
    metadata,
    _number(),
    _run(),
    sa.Column("created", AnyText, nullable=False),
    sa.Column("candidate_digest", AnyText, nullable=False),
    sa.Column("eval_set", AnyText, nullable=False),
    sa.Column("record", AnyJson, nullable=False),
    sa.Index("ix_scorecards_candidate_digest", "candidate_digest", "eval_set"),
)

predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("scorecard", sa.Integer, sa.ForeignKey("scorecards.number"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("example", AnyText, nullable=False),
    sa.Column("state", AnyText, nullable=False),
    sa.Column("output", AnyText),
    sa.Column("text", AnyText, nullable=False),
    sa.Column("confidence", sa.Double),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("latency", sa.Double),
    sa.Column("tokens_in", sa.BigInteger, nullable=False),
    sa.Column("tokens_out", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.Double, nullable=False),
    sa.Column("error", AnyText),
    sa.Column("passages", AnyJson, nullable=False, server_default="[]"),
    sa.Column("paid", sa.Double),
    sa.Column("by", AnyText),
    sa.Column("failed_calls", sa.Integer, nullable=False, server_default="0"),
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _number(),
    _run(),
    sa.Column("created", AnyText, nullable=False),
    sa.Column("record", AnyJson, nullable=False),
    sa.Column("receipt", AnyText, nullable=False),
)
