"""Models that a provider answers with: who the provider is, its client, and chat."""
