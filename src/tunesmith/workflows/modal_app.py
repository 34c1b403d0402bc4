"""Modal's app: an image with this version, the project's files in it, a volume for what the run writes.

The volume keeps checkpoints, so a machine that is taken away costs minutes: the retry goes on from the last one.
"""

import json

from tunesmith import __version__
from tunesmith.workflows.rental import Rental

FILE = "modal_app.py"
PROGRAM = '''
@app.function(
    image=image,
    gpu={gpus},  # {why}
    volumes={{"/project/.tunesmith": state}},
    timeout=24 * 60 * 60,
    retries=modal.Retries(max_retries=3, initial_delay=0.0),
    single_use_containers=True,
    # A gated model on the hub: secrets=[modal.Secret.from_name("huggingface")],
)
def train() -> bytes:
    """Train, and hand back the finished runs with their artifacts."""
    try:
        subprocess.run(TRAIN, cwd="/project", check=True)
    finally:
        state.commit()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for part in PARTS:
            archive.add(Path("/project/.tunesmith") / part, arcname=part)
    return packed.getvalue()


@app.local_entrypoint()
def main() -> None:
    """Bring back what is not here yet; nothing that is here is replaced."""
    target = PROJECT / ".tunesmith"
    with tarfile.open(fileobj=io.BytesIO(train.remote())) as archive:
        for member in archive.getmembers():
            if not (target / member.name).exists():
                archive.extract(member, target, filter="data")
    print("Next: tunesmith compare")
'''


def text(rental: Rental) -> str:
    lines = [
        f'"""Trains the project on a GPU of Modal\'s with Tunesmith {__version__}: `modal run {FILE}`."""',
        "",
        "import io",
        "import subprocess",
        "import tarfile",
        "from pathlib import Path",
        "",
        "import modal",
        "",
        "PROJECT = Path(__file__).parent",
        f"TRAIN = {json.dumps(rental.train)}",
        'PARTS = ("artifacts", "runs")',
        f"KEPT_HERE = {json.dumps([_pattern(name) for name in rental.kept_here])}",
        "",
        f"app = modal.App({json.dumps(rental.name)})",
        f"state = modal.Volume.from_name({json.dumps(rental.name)}, create_if_missing=True)",
        *_image(rental),
    ]
    gpus = json.dumps(list(rental.card.modal))
    return "\n".join(lines) + "\n" + PROGRAM.format(gpus=gpus, why=rental.card.why)


def commands(rental: Rental) -> list[str]:
    return [f"modal run {FILE}"]


def _image(rental: Rental) -> list[str]:
    install = f".pip_install({', '.join(json.dumps(each) for each in rental.requirements)})"
    lines = ["image = (", '    modal.Image.debian_slim(python_version="3.12")', f"    {install}"]
    if rental.checkout:
        for path in rental.sources:
            kind = "dir" if path.is_dir() else "file"
            lines.append(f'    .add_local_{kind}({json.dumps(str(path))}, "/tunesmith/{path.name}", copy=True)')
        lines.append("    .run_commands(\"pip install '/tunesmith[train]'\")")
    else:
        lines.append(f'    .pip_install("tunesmith[train]=={__version__}")')
    lines += ['    .add_local_dir(PROJECT, "/project", ignore=KEPT_HERE)', ")", ""]
    return lines


def _pattern(name: str) -> str:
    """As a Dockerfile's ignore list has it: at any depth."""
    return f"**/{name.rstrip('/')}" if not name.startswith("**") else name
