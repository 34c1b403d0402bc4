"""Memory of a run before anything is loaded, from the model's config and the layout of its largest packed row.

What stays: the libraries, the model's weights, and for every trained weight a float32 master, gradient, two moments
and the best copy so far. What comes and goes: the activations that a packed row keeps for its backward pass, and the
logits of its labelled positions; or, where those are few, the logits of a look. The constants were measured
(docs/performance.md).
"""

import json
import math
from pathlib import Path

from tunesmith.core.record import Record
from tunesmith.training.section import TrainSection

LIBRARIES = 600 << 20  # bytes of Python, torch and transformers themselves, with what they lay by while they work
FLOAT32 = 4  # bytes
NF4 = 0.52  # bytes of a quantised weight, with its block's share of the doubly quantised scales
TRAINED = 5 * FLOAT32  # bytes for each trained weight beside the model's own
HIDDEN, INTERMEDIATE = 8, 6  # values of either width that a layer keeps for each token
LOOKED_AT = 512  # labels whose logits a look at validation rows or general text computes at once, at most


class Shape(Record):
    """The sizes of a decoder model that decide about memory and arithmetic."""

    layers: int
    hidden: int
    intermediate: int  # of all experts that one token visits
    heads: int
    key_heads: int
    head: int
    words: int

    @property
    def products(self) -> int:
        """Weights of the layers' matrix products that one token meets."""
        attention = self.hidden * self.head * (2 * self.heads + 2 * self.key_heads)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)


def read_shape(folder: Path) -> Shape:
    """From the config.json of a model in the layout of transformers."""
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    facts = facts | facts.get("text_config", {})
    heads, experts = facts["num_attention_heads"], facts.get("num_experts_per_tok") or 1
    return Shape(
        layers=facts["num_hidden_layers"],
        hidden=facts["hidden_size"],
        intermediate=facts["intermediate_size"] * experts,
        heads=heads,
        key_heads=facts.get("num_key_value_heads") or heads,
        head=facts.get("head_dim") or facts["hidden_size"] // heads,
        words=facts["vocab_size"],
    )


def memory(
    shape: Shape, *, weights: int, trained: int, width: int, tokens: int, labels: int, checkpointing: bool = False
) -> int:
    """Bytes at the peak of a run.

    `weights` are the bytes of the loaded model, `trained` how many weights change, `width` the bytes of one
    activation, `tokens` and `labels` those of the largest packed row.
    """
    layer = tokens * width * (HIDDEN * shape.hidden + INTERMEDIATE * shape.intermediate)
    kept = shape.layers * tokens * width * shape.hidden + layer if checkpointing else shape.layers * layer
    logits = labels * shape.words * (2 * width + 4)
    look = LOOKED_AT * shape.words * (width + 4)
    return LIBRARIES + weights + trained * TRAINED + max(kept + logits, look)


def of_recipe(shape: Shape, recipe: TrainSection, *, numbers: int, width: int, tokens: int, labels: int) -> int:
    """Bytes at the peak of a run by `recipe`, of a model that holds `numbers` and is loaded in `width` bytes each."""
    if recipe.method == "full":
        width = FLOAT32
    return memory(
        shape,
        weights=frozen(shape, recipe, numbers, width),
        trained=trained(shape, recipe, numbers),
        width=width,
        tokens=tokens + recipe.virtual_tokens,
        labels=labels,
        checkpointing=recipe.gradient_checkpointing,
    )


def arithmetic(shape: Shape, tokens: int, labels: int, *, full: bool = False) -> float:
    """Floating-point operations of forward and backward; adapters need no gradient of the weights themselves."""
    times = 6 if full else 4
    return float(times * (tokens * shape.products + labels * shape.words * shape.hidden))


def weights(folder: Path) -> int:
    """How many numbers the safetensors files of a model hold, from their headers alone."""
    return sum(_numbers(path) for path in folder.glob("*.safetensors"))


def _numbers(path: Path) -> int:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def parameters(shape: Shape, *, tied: bool, experts: int = 1) -> int:
    """How many numbers a model holds, where its files are not at hand; `experts` stand for each one that is visited."""
    others = 3 * shape.layers * shape.hidden * shape.intermediate * (experts - 1)
    return shape.products + others + shape.words * shape.hidden * (1 if tied else 2)


def stated(folder: Path) -> int:
    """The model's numbers by its config.json alone."""
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    facts = facts | facts.get("text_config", {})
    all_experts = facts.get("num_local_experts") or facts.get("num_experts") or 1
    visited = facts.get("num_experts_per_tok") or 1
    experts = max(1, all_experts // visited)
    return parameters(read_shape(folder), tied=bool(facts.get("tie_word_embeddings")), experts=experts)


def adapter(shape: Shape, r: int) -> int:
    """Weights of LoRA of rank `r` on all linear layers; fewer layers need less."""
    queries, keys = shape.heads * shape.head, shape.key_heads * shape.head
    attention = 2 * (shape.hidden + queries) + 2 * (shape.hidden + keys)
    return shape.layers * r * (attention + 3 * (shape.hidden + shape.intermediate))


def prefix(shape: Shape, tokens: int, projected: bool, width: int | None) -> int:
    """Weights of prefix tuning: keys and values of every layer, or the network of two layers that makes them."""
    keys = shape.key_heads * shape.head
    if not projected:
        return tokens * shape.layers * 2 * keys
    inner = width or keys
    return tokens * keys + (keys + 1) * inner + (inner + 1) * shape.layers * 2 * keys


def frozen(shape: Shape, recipe: TrainSection, numbers: int, width: int) -> int:
    """Bytes of the weights that stay as they are, of a model that holds `numbers`."""
    if recipe.method == "full":
        return 0
    quantised = min(shape.products, numbers) if recipe.method == "qlora" else 0
    return round(quantised * NF4) + (numbers - quantised) * width


def trained(shape: Shape, recipe: TrainSection, numbers: int) -> int:
    """How many weights change."""
    if recipe.method == "full":
        return numbers
    if recipe.method == "prompt-tuning":
        return recipe.num_virtual_tokens * shape.hidden
    if recipe.method == "prefix-tuning":
        return prefix(shape, recipe.num_virtual_tokens, recipe.prefix_projection, recipe.encoder_hidden_size)
    return adapter(shape, recipe.r)
