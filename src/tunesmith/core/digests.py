"""Content addresses: SHA-256 over an explicit, versioned list of fields, or over the bytes of files.

A digest never covers "whatever a model happens to dump": the caller names each field, so that adding a field
to a record does not silently change the identity of everything recorded before.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def digest(kind: str, version: int, /, **fields: Any) -> str:
    """SHA-256 (hex) of `kind`, `version` and the named fields, each a JSON value, in canonical form."""
    return sha256_text(canonical({"kind": kind, "version": version, "fields": fields}))


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, no NaN: equal values give equal text on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_text(text: str) -> str:
    # Lone surrogates occur in hostile input; they must have a digest, too.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_file(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def sha256_folder(folder: Path) -> dict[str, str]:
    """Relative POSIX path → SHA-256 of every file below `folder`, sorted by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
