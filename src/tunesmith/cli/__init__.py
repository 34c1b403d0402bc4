"""The commands: thin, they call workflows and hold no logic."""
