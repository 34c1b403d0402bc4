"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("finished", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("process", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_runs"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
    )
    op.create_table(
        "artifacts",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("run", sa.Text),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_artifacts"),
        sa.UniqueConstraint("digest", name="uq_artifacts_digest"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_artifacts_run"),
    )
    op.create_table(
        "scorecards",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("candidate_digest", sa.Text, nullable=False),
        sa.Column("eval_set", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_scorecards"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_scorecards_run"),
    )
    op.create_index("ix_scorecards_candidate_digest", "scorecards", ["candidate_digest", "eval_set"])
    op.create_table(
        "predictions",
        sa.Column("scorecard", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("example", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("output", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("latency", sa.Double),
        sa.Column("tokens_in", sa.BigInteger, nullable=False),
        sa.Column("tokens_out", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("scorecard", "position", name="pk_predictions"),
        sa.ForeignKeyConstraint(["scorecard"], ["scorecards.number"], name="fk_predictions_scorecard"),
    )
    op.create_table(
        "verdicts",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_verdicts"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_verdicts_run"),
    )
