"""A prediction says which passages it saw, what was paid for it, and who of several answered."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("predictions", sa.Column("passages", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("predictions", sa.Column("paid", sa.Double))
    op.add_column("predictions", sa.Column("by", sa.Text))
