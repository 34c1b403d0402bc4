"""The data set's card: what is in it, how it is spread and what was found, in Markdown and as one HTML page."""
