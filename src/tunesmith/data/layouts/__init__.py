"""How rows are written elsewhere, and the one canonical form that they take here."""
