"""Which model: names, cache, tokenizer, and the renderer that turns messages into tokens. Without torch."""
