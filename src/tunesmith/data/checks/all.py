"""Every check, and the one pass that takes the rows through them.

A check is added by its line in a table below. Rows stream by: what the checks keep of them is a few numbers each, and
their texts lie on disk.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from tunesmith.core.example import Example
from tunesmith.data.checks.base import Check
from tunesmith.data.checks.contradictions import Contradictions
from tunesmith.data.checks.duplicates import Duplicates
from tunesmith.data.checks.fit import Fit
from tunesmith.data.checks.found import Found
from tunesmith.data.checks.kept import Kept
from tunesmith.data.checks.label_faults import LabelFaults
from tunesmith.data.checks.labels import LabelCounts, LabelVariants, UnknownLabels, UnseenLabels
from tunesmith.data.checks.leaks import Leaks
from tunesmith.data.checks.meaning import MeaningDuplicates
from tunesmith.data.checks.near import NearDuplicates
from tunesmith.data.checks.scope import Scope, TooLong
from tunesmith.data.checks.sensitive import LiveSecrets
from tunesmith.data.finding import Finding
from tunesmith.data.reading import EvalReading, Reading

Counted = Callable[[str], str]
Makers = tuple[Callable[[Scope], Check], ...]

OF_LABELS: Makers = (UnknownLabels, LabelVariants)  # where outputs are labels: they come first, in rows of any kind
STOPPING: Makers = (Contradictions, Fit, LiveSecrets)  # and the labels: all that can stop the work
OF_SOURCES: Makers = (*STOPPING, Duplicates, NearDuplicates, MeaningDuplicates, Leaks)
OF_SOURCE_LABELS: Makers = (LabelCounts, LabelFaults)
OF_EVAL: Makers = (*STOPPING, Duplicates, NearDuplicates)
OF_EVAL_LABELS: Makers = (UnseenLabels,)


def look_at_sources(
    outcomes: Iterable[Example | Finding],
    scope: Scope,
    found: Found,
    further: Sequence[Check] = (),
    *,
    only_stops: bool = False,
) -> None:
    """Take what reading the sources gives through every check of theirs, and the `further` ones; `only_stops`: through
    those alone that can stop the work, for verbs that ask for nothing else."""
    makers = STOPPING if only_stops else OF_SOURCES
    of_labels = () if only_stops else OF_SOURCE_LABELS
    look(outcomes, scope, (*OF_LABELS, *makers, *of_labels) if scope.labelled else makers, found, further)


def look_at_eval(
    outcomes: Iterable[Example | Finding], scope: Scope, found: Found, *, only_stops: bool = False
) -> None:
    makers = STOPPING if only_stops else OF_EVAL
    of_labels = () if only_stops else OF_EVAL_LABELS
    look(outcomes, scope, (*OF_LABELS, *of_labels, *makers) if scope.labelled else makers, found)


def look(
    outcomes: Iterable[Example | Finding], scope: Scope, makers: Makers, found: Found, further: Sequence[Check] = ()
) -> None:
    checks: list[Check] = [scope.kept, *(make(scope) for make in makers), *further]
    for outcome in outcomes:
        if isinstance(outcome, Finding):
            found.add((outcome,))
        else:
            for check in checks:
                found.add(check.see(outcome))
    for check in checks:
        found.add(check.close())


def check(
    readings: Sequence[Reading],
    labels: Sequence[str] | None,
    eval_set: Sequence[Example],
    too_long: TooLong,
    *,
    labelled: bool = True,
    counted: Counted | None = None,
    only_stops: bool = False,
) -> list[Finding]:
    """The findings of reading, and all others, by file and line, of rows that are in memory already.

    `labels`: those declared under [task], or None; without `labelled`, outputs are texts, of which what is `counted`
    decides, where one is right.
    """
    found = Found()
    scope = Scope(
        Kept(labelled=labelled, declared=labels, counted=counted, sketching=not only_stops), too_long, eval_set
    )
    outcomes: Iterable[Example | Finding] = chain.from_iterable((*each.findings, *each.examples) for each in readings)
    look_at_sources(outcomes, scope, found, only_stops=only_stops)
    return found.sorted([reading.name for reading in readings])


def check_eval(
    evals: EvalReading,
    known: Mapping[str, int],
    labels: Sequence[str] | None,
    too_long: TooLong,
    *,
    labelled: bool = True,
    counted: Counted | None = None,
    only_stops: bool = False,
) -> list[Finding]:
    """The findings of an eval set, by line; `known`: the labels of the sources, with their rows."""
    found = Found()
    kept = Kept(labelled=labelled, declared=labels, known=known, counted=counted, sketching=not only_stops)
    scope = Scope(kept, too_long, repeats="the eval set counts it twice")
    look_at_eval(chain(evals.findings, evals.placed), scope, found, only_stops=only_stops)
    return found.sorted([evals.name])


def labels_of(rows: Iterable[Example]) -> Counter[str]:
    """Label → rows: what `check_eval` wants to know of the sources."""
    return Counter(row.expected for row in rows)
