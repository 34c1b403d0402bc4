"""One function per verb; the only place that wires rooms together."""
