"""Answers of providers that were given before: one SQLite file, each answer by the digest of its whole request.

What was asked without chance (temperature 0) need not be asked and paid twice: an evaluation that was interrupted, a
file that is answered again. Kept are the answer, its tokens and the seconds it took; of the request only the digest,
and of the key nothing, which is no part of a request's body. The oldest go where there are more than MOST.
"""

import sqlite3
import threading
from pathlib import Path

from pydantic import ValidationError

from tunesmith.core.errors import UserError
from tunesmith.engines.base import ChatAnswer

MOST = 100_000  # answers
PATIENCE = 30.0  # seconds for another process that writes
TABLE = "CREATE TABLE IF NOT EXISTS answers (request TEXT PRIMARY KEY, answer TEXT NOT NULL) STRICT"
TRIM = "DELETE FROM answers WHERE rowid <= (SELECT max(rowid) FROM answers) - ?"


class KeptAnswers:
    """May be asked from several threads. `used` counts the answers that were found. Raises UserError for a file that
    is none of these."""

    def __init__(self, path: Path):
        self.used = 0
        self._path = path
        self._busy = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
            self._file.execute(TABLE)
            self._file.execute(TRIM, (MOST,))
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def find(self, request: str) -> ChatAnswer | None:
        with self._busy:
            try:
                found = self._file.execute("SELECT answer FROM answers WHERE request = ?", (request,)).fetchone()
            except sqlite3.Error as error:
                raise self._unusable(error) from None
        try:
            answer = ChatAnswer.model_validate_json(found[0]) if found else None
        except ValidationError:  # of another version of Tunesmith
            return None
        with self._busy:
            self.used += answer is not None
        return answer

    def add(self, request: str, answer: ChatAnswer) -> None:
        with self._busy:
            try:
                self._file.execute("REPLACE INTO answers VALUES (?, ?)", (request, answer.model_dump_json()))
            except sqlite3.Error as error:
                raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> UserError:
        return UserError(
            f"The kept answers of providers in {self._path} cannot be used ({error}). Delete that file: nothing is "
            "lost, what it held is asked again."
        )
