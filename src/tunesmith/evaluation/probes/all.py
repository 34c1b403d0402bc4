"""All probes, in the order in which they are shown."""

from collections.abc import Mapping

from tunesmith.core.diagnosis import Diagnosis, Probed, Remedy
from tunesmith.evaluation.probes import (
    confidence,
    facts,
    forgetting,
    harming,
    memorising,
    rare,
    refusing,
    rigidity,
)
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.remedies import REMEDIES

RULE = 4  # of asking and judging: raised where the same fine-tune would be found otherwise
PROBES = (forgetting, refusing, memorising, confidence, rigidity, rare, facts, harming)


def diagnose(
    case: Case, candidate: str, base: str, inputs: str, recipe: Mapping[str, float], failures: int = 0
) -> Diagnosis:
    """What the probes find of `candidate`, by its digest. `recipe` is what to train by instead: a gentler
    learning_rate, fewer epochs, more rehearsal, as far as the fine-tune can be trained so. `failures` are requests that
    failed, and might not another time."""
    probed: list[Probed] = [figure for each in PROBES for figure in each.probe(case)]
    faulty = dict.fromkeys(each.probe for each in probed if each.state == "faulty")
    remedies = {probe: tuple(_filled(each, recipe) for each in REMEDIES[probe]) for probe in faulty}
    return Diagnosis(
        candidate=candidate, base=base, inputs=inputs, probed=tuple(probed), remedies=remedies, failures=failures
    )


def _filled(remedy: Remedy, recipe: Mapping[str, float]) -> Remedy:
    """In words alone where a command would be refused."""
    try:
        command = remedy.command.format(**{name: f"{value:.2g}" for name, value in recipe.items()})
    except KeyError:
        command = ""
    return remedy.model_copy(update={"command": command})
