"""How tokens are produced: local transformers with one attention of our own, and embeddings."""

import os

# Before torch is loaded: a thread that waits for the others spins for about ten microseconds and then sleeps. Sleeping
# at once makes a training step half as long again on a quiet machine; spinning on makes it nearly twice as long as soon
# as another process wants a core. The user's own settings win.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "4000")
