"""How tokens are produced: local transformers with one attention of our own, and embeddings."""
