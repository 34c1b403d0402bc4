"""What making the fine-tune took: the hours of its training, and those of the reviewers of the project's rows."""

from tunesmith.core.run import Run
from tunesmith.core.verdict import Once
from tunesmith.data.reviews import read_log
from tunesmith.models.names import parse
from tunesmith.workflows.project import Project


def cost_once(project: Project, train: Run) -> Once:
    """Training at a provider is paid by the token, here by the hour. Decisions that were not timed, such as those typed
    with --decide, took no time."""
    prices, seconds = project.config.prices, float(train.result["seconds"])
    base = parse(project.config.model.base, project.folder)
    if base.kind == "hosted":
        tokens = train.result.get("trained_tokens")
        rate = prices.per_million_tokens_trained
        training = None if rate is None or tokens is None else tokens / 1e6 * rate
    else:
        tokens = None
        training = None if prices.per_hour is None else seconds / 3600 * prices.per_hour
    reviewed = sum(each.seconds or 0.0 for each in read_log(project.reviews).decisions)
    return Once(
        training_seconds=seconds,
        training=training,
        provider=base.provider,
        trained_tokens=tokens,
        review_seconds=reviewed,
        review=None if prices.per_review_hour is None else reviewed / 3600 * prices.per_review_hour,
    )
