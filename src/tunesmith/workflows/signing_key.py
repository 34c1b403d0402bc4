"""The key that signs receipts: one for each user of a machine, made on first use, readable by that user alone.

It lies where the platform keeps an application's data, never in a project, which is shared. `$TUNESMITH_KEY` names
another file, for a team or a machine that forgets.
"""

import os
import stat
from pathlib import Path

import platformdirs
from filelock import FileLock

from tunesmith.core.errors import UserError
from tunesmith.core.files import write_text
from tunesmith.decisions.signature import SigningKey

VARIABLE = "TUNESMITH_KEY"


def path() -> Path:
    return Path(os.environ.get(VARIABLE) or Path(platformdirs.user_data_dir("tunesmith")) / "receipts.pem")


def signing_key(project: Path) -> SigningKey:
    """The key, made where there is none. Raises UserError where it lies in `project` or cannot be read or written."""
    file = path()
    if file.resolve().is_relative_to(project.resolve()):
        raise UserError(
            f"The key that signs receipts, {file}, lies in the project, where others would get it. Name a file outside "
            f"with the environment variable {VARIABLE}."
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", mode=0o600):
            if not file.exists():
                write_text(file, SigningKey.new().pem.decode(), mode=0o600)
    except OSError as error:
        raise UserError(
            f"The key that signs receipts cannot be made: {file}: {error.strerror or error}. Name a file that can be "
            f"written with the environment variable {VARIABLE}."
        ) from None
    return _read(file)


def own_public_key() -> str | None:
    """Of the key that signs here; None where nothing was signed yet."""
    return _read(path()).public if path().exists() else None


def _read(file: Path) -> SigningKey:
    try:
        if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise UserError(
                f"The key that signs receipts, {file}, can be read by others of this machine. Run `chmod 600 {file}`; "
                "if somebody may have copied it, delete it instead, and the next receipt is signed by a new one."
            )
        return SigningKey.of_pem(file.read_bytes())
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"The key that signs receipts, {file}, cannot be used: {error}. Expected an Ed25519 key in PEM without a "
            f"password. Name another file with {VARIABLE}, or move this one away, and a new key is made."
        ) from None
