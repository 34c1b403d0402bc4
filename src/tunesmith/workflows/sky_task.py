"""SkyPilot's task: the project as working directory, one GPU, `tunesmith train`, half an hour to bring the run back.

Field by field as https://docs.skypilot.co/en/latest/reference/yaml-spec.html has it.
"""

import json
import shlex

from tunesmith import __version__
from tunesmith.workflows.rental import Rental

FILE = "sky.yaml"
HERE = "~/tunesmith"  # where a checkout of Tunesmith lies on the rented machine
IDLE_MINUTES = 30


def text(rental: Rental) -> str:
    """YAML, in JSON's notation where a value needs quotes."""
    card = rental.card
    lines = [
        f"# Trains the project on a rented GPU: {card.why}.",
        "# A gated model on the hub: add `secrets: {HF_TOKEN: null}` and launch with `--secret HF_TOKEN`.",
        f"name: {rental.name}",
        f"workdir: {json.dumps(str(rental.project))}  # .skyignore says what of it stays here",
        "resources:",
        f"  # Cards of {card.memory} GiB; the cheapest that is to be had is taken.",
        f"  accelerators: {{{', '.join(f'{name}: 1' for name in card.sky)}}}",
        f"  memory: {_host_memory(card.needed)}+",
        "  disk_size: 200",
        f"  autostop: {{idle_minutes: {IDLE_MINUTES}, down: true}}  # time to bring the run back",
    ]
    if rental.checkout:
        lines.append("file_mounts:")
        lines += [f"  {HERE}/{path.name}: {json.dumps(str(path))}" for path in rental.sources]
    lines += ["setup: |", *(f"  {line}" for line in _setup(rental))]
    lines += ["run: |", "  . .venv/bin/activate", f"  {shlex.join(rental.train)}"]
    return "\n".join(lines) + "\n"


def commands(rental: Rental) -> list[str]:
    parts = [f"rsync -az --ignore-existing {rental.name}:sky_workdir/.tunesmith/{part}/ .tunesmith/{part}/"
             for part in ("artifacts", "runs")]  # fmt: skip
    return [f"sky launch -c {rental.name} {FILE}", *parts, f"sky down {rental.name}"]


def _setup(rental: Rental) -> list[str]:
    source = f"{HERE}[train]" if rental.checkout else f"tunesmith[train]=={__version__}"
    install = shlex.join(["pip", "install", *rental.requirements])
    target = source if rental.checkout else shlex.quote(source)
    return [
        "set -e",
        "python3 -m venv .venv && . .venv/bin/activate",
        install,
        f"pip install {target}",
    ]


def _host_memory(needed: int) -> int:
    """GiB of main memory: the model passes through it on its way to the card."""
    return max(16, needed >> 30)
