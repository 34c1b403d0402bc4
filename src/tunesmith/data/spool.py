"""Texts by number, on disk where they are many: what is looked up rarely need not stay in memory."""

import tempfile
from array import array

IN_MEMORY = 32 << 20  # bytes before a file is made


class Spool:
    """Append in order, then look up. The file has no name and goes with the process."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (it lives as long as its texts)
        self._ends = array("Q", [0])
        self._writing = True

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        if not self._writing:
            self._file.seek(self._ends[-1])
            self._writing = True
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        self._writing = False
        return self._file.read(end - start).decode("utf-8", "surrogatepass")
