"""Base models that Tunesmith can train, and which of them suits a task on a machine.

What is known of each stands in base_models.toml, every licence with its source. Memory and time are those that training
reckons with (`training/estimate.py`, `training/pace.py`): sums over the model's sizes, at the speed at which this
machine multiplies matrices. They tell 4 GB from 40 and a minute from an hour, no more.

What was measured in the project comes first, by its score. Of the others those come first that fit into memory, that
may be used commercially, whose context holds the longest row, and that learn the rows within a working day; among
these, where answers are labels the smallest, since a fine-tune of labels needs little, and where they are written the
largest.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import Literal

from tunesmith.core.record import Record
from tunesmith.data.checks.lengths import Epoch
from tunesmith.training import cards, estimate, pace
from tunesmith.training.estimate import Shape
from tunesmith.training.section import TrainSection

Commercial = Literal["yes", "yes, with terms", "no", "not known"]
FILE = Path(__file__).with_suffix(".toml")
DAY = 8 * 3600.0  # seconds of an epoch that a working day holds
AT_ONCE, LABELS = 1024, 256  # tokens of a step, and those that carry loss


class Licence(Record):
    """`name` is the SPDX identifier where it has one, `short` that of a table; `source` says so."""

    name: str
    short: str = ""
    commercial: Commercial
    terms: str = ""
    source: str = ""


class BaseModel(Record):
    """`experts` stand for each one that a token visits; `context` is the longest position of its config."""

    name: str
    aliases: tuple[str, ...] = ()
    family: str
    shape: Shape
    tied: bool
    experts: int = 1
    context: int
    licence: Licence

    @property
    def parameters(self) -> int:
        return estimate.parameters(self.shape, tied=self.tied, experts=self.experts)


class Machine(Record):
    """`memory` in bytes, None where it is not known (a GPU's); `products` operations a second, `width` bytes of a
    weight as it is loaded here."""

    memory: int | None
    products: float
    width: int
    gpu: bool = False


class Needs(Record):
    """Of the task: what an epoch holds, the tokens of the longest row, those that an answer reads and writes, and
    whether answers are labels. `hourly` is what an hour of the machine costs."""

    epoch: Epoch | None
    longest: int
    reads: int
    writes: int
    labelled: bool
    hourly: float | None = None


class Tried(Record):
    """What was measured of a model in the project: its best candidate, and the seconds of an answer. More is better:
    the `value` of an error or a cost is negative; None where it is not known."""

    candidate: str
    value: float | None
    seconds: float

    @property
    def rank(self) -> float:
        """What is not known stands behind what is, also behind costs."""
        return float("-inf") if self.value is None else self.value


class Ranked(Record):
    """`training` and `answering` are bytes. `fits`: whether training does, by which method. Seconds are estimates but
    where the model was tried here."""

    name: str
    parameters: int | None
    context: int | None
    licence: Licence
    training: int | None = None
    answering: int | None = None
    fits: Literal["lora", "qlora", "no", "not known"] = "not known"
    card: int | None = None  # GiB of the smallest rented card that trains it by LoRA
    epoch_seconds: float | None = None
    answer_seconds: float | None = None
    cost_of_1000: float | None = None
    tried: Tried | None = None


@cache
def known() -> tuple[BaseModel, ...]:
    document = tomllib.loads(FILE.read_text(encoding="utf-8"))
    licences = document["licences"]
    return tuple(
        BaseModel(**each | {"licence": Licence(name=name, source=source, **licences[name])})
        for each in document["models"]
        for name, source in [(each.pop("licence"), each.pop("source"))]
    )


def find(name: str) -> BaseModel | None:
    """By its name on the hub, or an alias; upper and lower case count alike."""
    folded = name.casefold()
    return next((each for each in known() if folded in (each.name.casefold(), *each.aliases)), None)


def rank(machine: Machine, needs: Needs, tried: Mapping[str, Tried], licences: Mapping[str, Licence]) -> list[Ranked]:
    """The known models and those that were `tried` here, the best choice first. `licences` are of tried ones that are
    not among the known."""
    reckoned = {each.name: _reckoned(each, machine, needs) for each in known()}
    _scale(reckoned, tried)
    same = {name: find(name) for name in tried}  # two names may be of one model
    found = {
        name: each for name, each in reckoned.items() if name not in {model.name for model in same.values() if model}
    }
    for name, facts in tried.items():
        bare = (
            reckoned[model.name]
            if (model := same[name])
            else Ranked(name=name, parameters=None, context=None, licence=licences[name])
        )
        cost = None if needs.hourly is None else 1000 * facts.seconds * needs.hourly / 3600
        found[name] = bare.model_copy(
            update={"name": name, "tried": facts, "answer_seconds": facts.seconds, "cost_of_1000": cost}
        )
    return sorted(found.values(), key=lambda each: _order(each, needs))


def _scale(found: dict[str, Ranked], tried: Mapping[str, Tried]) -> None:
    """Times of answers by those that were measured here, where some were, instead of by arithmetic alone."""
    pairs = [
        (facts.seconds, found[model.name].answer_seconds) for name, facts in tried.items() if (model := find(name))
    ]
    ratios = [seconds / reckoned for seconds, reckoned in pairs if reckoned]
    if not ratios:
        return
    times = median(ratios)
    for name, each in found.items():
        scaled = {
            key: None if value is None else value * times
            for key, value in (("answer_seconds", each.answer_seconds), ("cost_of_1000", each.cost_of_1000))
        }
        found[name] = each.model_copy(update=scaled)


def _reckoned(model: BaseModel, machine: Machine, needs: Needs) -> Ranked:
    numbers = model.parameters
    training = {method: _training(model, machine.width, needs, method) for method in ("lora", "qlora")}
    answer = _answer_seconds(model, machine, needs)
    rented = _training(model, cards.WIDTH, needs, "lora")
    epoch = None
    if needs.epoch is not None and not machine.gpu:
        epoch = pace.by_arithmetic(needs.epoch, model.shape, TrainSection(), machine.products)
    return Ranked(
        name=model.name,
        parameters=numbers,
        context=model.context,
        licence=model.licence,
        training=training["lora"],
        answering=estimate.LIBRARIES + numbers * machine.width,
        fits=_fits(training, machine.memory),
        card=next((card.memory for card in cards.CARDS if rented <= card.memory * cards.ROOM * 2**30), None),
        epoch_seconds=epoch,
        answer_seconds=answer,
        cost_of_1000=None if answer is None or needs.hourly is None else 1000 * answer * needs.hourly / 3600,
    )


def _training(model: BaseModel, width: int, needs: Needs, method: str) -> int:
    """Bytes at the peak of a step of so many tokens at once, as in docs/scale.md; `packed_tokens` brings them about."""
    recipe = TrainSection.model_validate({"method": method})
    tokens = max(needs.longest, AT_ONCE)
    labels = min(tokens, LABELS)
    return estimate.of_recipe(model.shape, recipe, numbers=model.parameters, width=width, tokens=tokens, labels=labels)


def _fits(training: Mapping[str, int], memory: int | None) -> Literal["lora", "qlora", "no", "not known"]:
    if memory is None:
        return "not known"
    if training["lora"] <= memory:
        return "lora"
    return "qlora" if training["qlora"] <= memory else "no"


def _answer_seconds(model: BaseModel, machine: Machine, needs: Needs) -> float | None:
    """Two operations for each weight that a token meets; a forward pass alone, at the share of the machine's speed that
    training reaches. None where a GPU answers, whose speed is not known."""
    if machine.gpu:
        return None
    shape = model.shape
    head = (needs.writes or 1) * shape.words * shape.hidden
    operations = 2.0 * ((needs.reads + needs.writes) * shape.products + head)
    return operations / (machine.products * pace.UTILISATION)


def _order(each: Ranked, needs: Needs) -> tuple[bool, float, int, bool, bool, bool, float]:
    size = float(each.parameters or 0)
    return (
        each.tried is None,
        -each.tried.rank if each.tried else 0.0,
        {"lora": 0, "not known": 0, "qlora": 1, "no": 2}[each.fits],
        each.licence.commercial == "no",
        each.context is not None and each.context < needs.longest,
        each.epoch_seconds is not None and each.epoch_seconds > DAY,
        size if needs.labelled else -size,
    )


def best_untried(ranked: Sequence[Ranked]) -> Ranked | None:
    """The first that fits here, may be used commercially and was not tried yet."""
    fitting = (each for each in ranked if each.tried is None and each.fits in ("lora", "not known"))
    return next((each for each in fitting if each.licence.commercial != "no"), None)
