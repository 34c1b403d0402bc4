"""A prediction says how many calls of simulated tools failed before it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("predictions", sa.Column("failed_calls", sa.Integer, nullable=False, server_default="0"))
