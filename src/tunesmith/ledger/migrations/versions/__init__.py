"""One file per revision, `rNNNN_name.py`, in one line without branches."""
