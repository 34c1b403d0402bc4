"""What a verb hands back: the record that `--json` prints, the next command, and what the exit code is."""

from tunesmith.core.record import Record

DONE, INPUT_WRONG, GATE_SAYS_NO = 0, 2, 3


class Outcome(Record):
    next: str = ""  # the command that moves the project on

    @property
    def exit_code(self) -> int:
        return DONE
