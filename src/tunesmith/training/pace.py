"""What an epoch takes before a model is loaded: the tokens that are computed, and the time. Without torch.

The time goes by the steps of an earlier run, or by arithmetic: the operations of the layers' products, over the speed
at which this machine's processor multiplies matrices, of which training reaches a share.
"""

import math
import platform
from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.data.checks.lengths import Epoch
from tunesmith.training.estimate import Shape, arithmetic
from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS, read_job
from tunesmith.training.section import TrainSection

UTILISATION = 0.27  # of the speed of a matrix product; 24 to 29 % were measured (docs/performance.md)
AGAIN = 4 / 3  # where activations are computed a second time
LIKE = ("method", "objective", "sharing", "gradient_checkpointing")  # what a token's time depends on
FEWEST = 3  # steps of a run, behind the first, that tell how fast it was


def computed(epoch: Epoch, recipe: TrainSection) -> int:
    """Tokens of an epoch whose packed rows each compute once what all rows begin with.

    Rows that share more than that compute fewer.
    """
    if recipe.sharing == "off":
        return epoch.tokens
    own = epoch.tokens / epoch.rows - epoch.shared
    fitting = int((recipe.packed_tokens - epoch.shared) / max(1.0, own))
    packed = math.ceil(epoch.rows / max(1, min(recipe.batch_size, fitting)))
    return round(epoch.rows * own + packed * epoch.shared)


def of_run(folder: Path, model: str, recipe: TrainSection) -> float | None:
    """Computed tokens a second in the run in `folder`, with its looks at the validation rows.

    None where it trained another `model`, in another way, elsewhere or in several processes, or hardly at all.
    """
    try:
        job = read_job(folder)
    except DataError:
        return None
    if job.model != model or any(getattr(job.recipe, key) != getattr(recipe, key) for key in LIKE):
        return None
    events = read_events(folder / EVENTS)
    starts = [event for event in events if event.get("event") == "start"]
    if any((event.get("machine"), event.get("processes")) != (platform.node(), 1) for event in starts):
        return None
    first, *steps = [event for event in events if event.get("event") == "step"] or [{}]
    if len(steps) < FEWEST:
        return None
    ended = max(event["seconds"] for event in events if event.get("event") in ("step", "done"))
    seconds = ended - first["seconds"]  # the first step also fetches memory
    return float(sum(step["tokens"] for step in steps) / seconds) if seconds > 0 else None


def by_arithmetic(epoch: Epoch, shape: Shape, recipe: TrainSection, products: float) -> float:
    """Seconds of an epoch on a machine whose matrix products reach `products` operations a second."""
    operations = arithmetic(shape, computed(epoch, recipe), epoch.labels, full=recipe.method == "full")
    return operations * (AGAIN if recipe.gradient_checkpointing else 1.0) / (products * UTILISATION)
