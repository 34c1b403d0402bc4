"""Tunesmith: from "should we fine-tune at all?" to a fine-tuned model in production, every step proved."""

__version__ = "0.1.0"
