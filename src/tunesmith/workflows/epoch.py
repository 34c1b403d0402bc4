"""How long the rows are for the project's model, and what an epoch of them takes and costs, as `check` says it.

Nothing is loaded or fetched for it: without the tokenizer on this machine there are no tokens to count.
"""

from pathlib import Path

from tunesmith.core.units import count, money, roughly
from tunesmith.data.checks.base import Check
from tunesmith.data.checks.billed import BYTES, Billed
from tunesmith.data.checks.lengths import Epoch, Lengths
from tunesmith.models import names
from tunesmith.training import defaults, pace, processor
from tunesmith.training.estimate import read_shape
from tunesmith.workflows import runs
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import cached_model, renderer_of

PLAN = "`tunesmith train --plan`"
PRICE = "[prices] per_million_tokens_trained"


def length_checks(project: Project) -> list[Check]:
    """None where the model's tokenizer is not at hand."""
    settings = project.config
    if names.is_hosted(settings.model.base):
        return [Billed(project.train_prompt, lambda rows, tokens: _billed(project, rows, tokens))]
    folder = cached_model(project)
    if folder is None:
        return []
    render = renderer_of(folder, project.train_prompt, project.config.task.family)
    return [Lengths(render, limit=settings.model.max_tokens, takes=lambda epoch: _takes(project, folder, epoch))]


def _billed(project: Project, rows: int, tokens: int) -> str:
    """At a provider."""
    provider, prices = names.parse(project.config.model.base).provider, project.config.prices
    said = (
        f"An epoch of all {count(rows, 'row')} is {_figure(tokens, exact=False)} tokens, {BYTES} bytes each; "
        f"{provider} counts its own."
    )
    price = prices.per_million_tokens_trained
    if price is None:
        return f"{said} What it takes for training them is not known here: state it under {PRICE}."
    return f"{said} They cost about {money(tokens / 1e6 * price, prices.currency)} at {PRICE}."


def _takes(project: Project, folder: Path, epoch: Epoch) -> str:
    """On this machine, of the model in `folder`."""
    recipe = project.config.train
    if recipe.objective == "dpo":
        return f"Training learns from the pairs of [train] preferences, not from these rows; {PLAN} says what it takes."
    said = f"An epoch of all {count(epoch.rows, 'row')} is {_figure(epoch.tokens, epoch.exact)} tokens"
    try:
        shape = read_shape(folder)
    except (OSError, ValueError, KeyError, TypeError):  # a config of another layout
        return f"{said}; {PLAN} measures what it takes."
    recipe, _ = defaults.choose(recipe, defaults.Facts(shape.hidden, epoch.rows, project.family.LABELLED))
    computed = pace.computed(epoch, recipe)
    if computed < epoch.tokens:
        said += f", of which {_figure(computed, exact=False)} are computed: what rows begin with counts once a step"
    if earlier := _earlier(project):
        run, rate = earlier
        return (
            f"{said}. It takes {_time(project, computed / rate)} at the {rate:,.0f} tokens a second of run {run}, its "
            "looks at the validation rows among them."
        )
    if processor.has_gpu():
        return f"{said}. How long that takes on this machine's GPU is measured by {PLAN}."
    products = processor.products()
    seconds = pace.by_arithmetic(epoch, shape, recipe, products)
    return (
        f"{said}. It takes {_time(project, seconds)}, within a factor of two or three, by the {products / 1e9:,.0f} "
        f"GFLOP/s that matrix products reach on this machine now; {PLAN} measures it."
    )


def _earlier(project: Project) -> tuple[str, float] | None:
    """The newest run that trained the same base here in the same way, and its tokens a second."""
    settings = project.config
    for run in reversed(runs.read_runs(project, "train")):
        if rate := pace.of_run(project.runs / run.id, settings.model.base, settings.train):
            return run.id, rate
    return None


def _time(project: Project, seconds: float) -> str:
    prices = project.config.prices
    cost = f" ({money(seconds / 3600 * prices.per_hour, prices.currency)})" if prices.per_hour else ""
    return f"about {roughly(seconds)}{cost}"


def _figure(number: int, exact: bool) -> str:
    return f"{number:,}" if exact else f"about {float(f'{number:.3g}'):,.0f}"
