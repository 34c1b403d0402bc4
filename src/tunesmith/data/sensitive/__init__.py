"""Personal data and secrets in a text: one file per kind of evidence, one finder that asks them all."""
