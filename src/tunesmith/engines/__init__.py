"""How tokens are produced: local transformers with one attention of our own, and embeddings."""

import os

# Before torch is loaded: its threads sleep while they wait for each other. Spinning gains nothing measurable on a quiet
# machine and makes a step many times slower as soon as another process wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
