"""Fine-tuning at a provider: rows → upload → job → its events → the name of the model it made. Without torch."""
