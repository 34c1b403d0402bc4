"""What making the fine-tune took: the hours of its training, and those of the reviewers of the project's rows."""

from tunesmith.core.run import Run
from tunesmith.core.verdict import Once
from tunesmith.data.reviews import read_log
from tunesmith.models.names import is_hosted
from tunesmith.workflows.project import Project


def cost_once(project: Project, train: Run) -> Once:
    """Decisions that were not timed, such as those typed with --decide, took no time. Training at a provider is paid by
    the token, which its run does not count, and so has no price here."""
    prices, seconds = project.config.prices, float(train.result["seconds"])
    hourly = None if is_hosted(project.config.model.base) else prices.per_hour
    reviewed = sum(each.seconds or 0.0 for each in read_log(project.reviews).decisions)
    return Once(
        training_seconds=seconds,
        training=None if hourly is None else seconds / 3600 * hourly,
        review_seconds=reviewed,
        review=None if prices.per_review_hour is None else reviewed / 3600 * prices.per_review_hour,
    )
