"""What stands in the way of training on these rows, and what a person should know about them.

Works on records: it opens no file. Every comparison goes through a dictionary, so a hundred thousand rows take
seconds. How long a row is for the model comes in as a callable.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Example
from tunesmith.core.units import count
from tunesmith.data.checks.base import about
from tunesmith.data.finding import Finding, place, shown
from tunesmith.data.leaks import is_cut_from, pair_leaks
from tunesmith.data.normal import currencies, normalise
from tunesmith.data.reading import EvalReading, Reading
from tunesmith.tasks.labels import label_of

SETTINGS = "tunesmith.toml"
FEW_ROWS = 10
NAMED = 10  # labels or places that one message lists
GUESSED = 50  # different unknown labels for which the nearest is sought
LONGEST_GUESS = 100  # characters of a label worth comparing

TooLong = Callable[[Example], int | None]


def check(
    readings: Sequence[Reading],
    labels: Sequence[str] | None,
    eval_set: Sequence[Example],
    too_long: TooLong,
    *,
    labelled: bool = True,
) -> list[Finding]:
    """The findings of reading, and all others, by file and line.

    `labels`: those declared under [task], or None; without `labelled`, outputs are free text. `too_long` gives the
    row's tokens where it is longer than the model takes, else None; the DataError that it raises for a row is that
    row's finding.
    """
    examples = [example for reading in readings for example in reading.examples]
    mislabelled = _mislabelled(examples, labels, ()) if labelled else []
    wrong = {finding.origin for finding in mislabelled}
    usable = [example for example in examples if example.origin not in wrong]
    findings = [finding for reading in readings for finding in reading.findings]
    findings += mislabelled
    findings += _repeats(usable, "`split` keeps one of them", labelled)
    findings += _leaks(examples, eval_set, labelled)
    findings += _long(examples, too_long)
    findings += _counts(usable, labels) if labelled else ()
    files = {reading.name: number for number, reading in enumerate(readings)}
    return sorted(findings, key=lambda finding: (files.get(finding.file, len(files)), finding.file, finding.line))


def check_eval(
    evals: EvalReading,
    examples: Sequence[Example],
    labels: Sequence[str] | None,
    too_long: TooLong,
    *,
    labelled: bool = True,
) -> list[Finding]:
    """The findings of an eval set, by line; `examples` are the rows of the sources.

    A label that no row of the sources has is worth a look: nothing can learn it. Where labels are declared, they say
    what is meant.
    """
    rows = evals.placed
    findings = list(evals.findings)
    mislabelled = _mislabelled(rows, labels, examples) if labelled else []
    wrong = {finding.origin for finding in mislabelled}
    usable = [row for row in rows if row.origin not in wrong]
    findings += mislabelled
    if labelled and labels is None and examples:
        findings += _unseen_labels(usable, examples)
    findings += _repeats(usable, "the eval set counts it twice", labelled)
    findings += _long(rows, too_long)
    return sorted(findings, key=lambda finding: finding.line)


def _mislabelled(examples: Sequence[Example], labels: Sequence[str] | None, known: Sequence[Example]) -> list[Finding]:
    return list(_label_variants(examples, known) if labels is None else _unknown_labels(examples, labels))


def _unknown_labels(examples: Iterable[Example], labels: Sequence[str]) -> Iterator[Finding]:
    known, names = set(labels), list(labels)
    hints: dict[str, str] = {}
    for example in examples:
        label = example.expected
        if label in known:
            continue
        if label not in hints and len(hints) < GUESSED:
            same = label_of(label, labels)
            near = nearest(label, names) if len(label) <= LONGEST_GUESS else ""
            hints[label] = f" (did you mean '{same}'? It must be written exactly so)" if same else near
        yield about(
            example,
            "stop",
            "unknown-label",
            f"The label '{shown(label)}' is none of the {len(names)} under [task] labels{hints.get(label, '')}.",
            field="output",
        )


def _label_variants(examples: Sequence[Example], known: Sequence[Example] = ()) -> Iterator[Finding]:
    """Without declared labels: those that differ from a more frequent one only in case or outer spaces.

    The writing of the rows `known` goes before that of `examples`.
    """
    uses = Counter(example.expected for example in (*known, *examples))
    first = Counter(example.expected for example in known)
    usual: dict[str, str] = {}
    for label in sorted(uses, key=lambda label: (-first[label], -uses[label], label)):
        usual.setdefault(label.strip().casefold(), label)
    for example in examples:
        label = usual[example.expected.strip().casefold()]
        if label != example.expected:
            yield about(
                example,
                "stop",
                "label-variant",
                f"The label '{shown(example.expected)}' differs from '{shown(label)}' ({count(uses[label], 'row')}) "
                "only in case or outer spaces; write it the same.",
                field="output",
            )


def _unseen_labels(rows: Sequence[Example], examples: Sequence[Example]) -> Iterator[Finding]:
    """Labels of the eval set that no row of the sources has, each once."""
    known = {example.expected for example in examples}
    uses = Counter(row.expected for row in rows)
    for row in rows:
        if row.expected not in known:
            known.add(row.expected)
            message = (
                f"No row of the sources has the label '{shown(row.expected)}' ({count(uses[row.expected], 'row')} of "
                "the eval set): it cannot be learned. Add rows to learn it from, or correct it."
            )
            yield about(row, "look", "unseen-label", message, field="output")


def _repeats(examples: Sequence[Example], consequence: str, labelled: bool) -> Iterator[Finding]:
    """Rows with the same input: the same output makes them duplicates. Different labels contradict each other,
    different texts are variety, which is only worth knowing."""
    alike: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        alike[normalise(example.text)].append(example)
    for rows in alike.values():
        if len(rows) == 1:
            continue
        contrary = _contrary(rows) if len({row.expected for row in rows}) > 1 else []
        for group in contrary:
            yield _contradiction(group) if labelled else _variety(group)
        disputed = {id(row) for group in contrary for row in group}
        first: dict[str, Example] = {}
        for row in rows:
            if id(row) in disputed:
                continue
            original = first.setdefault(row.expected, row)
            if original is not row:
                same = "label" if labelled else "answer"
                message = f"Repeats {original.origin} (same input, same {same}); {consequence}."
                yield about(row, "look", "duplicate", message, related=(original.origin,))


def _contrary(rows: Sequence[Example]) -> list[list[Example]]:
    groups: defaultdict[tuple[str, ...], list[Example]] = defaultdict(list)
    for row in rows:
        groups[currencies(row.text)].append(row)
    return [group for group in groups.values() if len({row.expected for row in group}) > 1]


def _contradiction(rows: Sequence[Example]) -> Finding:
    said: dict[str, str] = {}
    for row in rows:
        said.setdefault(row.expected, row.origin)
    words = ", ".join(f"{origin} says '{shown(label)}'" for label, origin in list(said.items())[:NAMED])
    return about(
        rows[0],
        "stop",
        "contradiction",
        f"The same input has different labels: {words} ({count(len(rows), 'row')} in all). Keep the right one.",
        field="output",
        related=tuple(row.origin for row in rows[1:]),
    )


def _variety(rows: Sequence[Example]) -> Finding:
    answers = count(len({row.expected for row in rows}), "different answer")
    return about(
        rows[0],
        "look",
        "several-answers",
        f"The same input has {answers}: see {_list([row.origin for row in rows[1:]])}. "
        "Good where several are right; `split` keeps them in one part.",
        field="output",
        related=tuple(row.origin for row in rows[1:]),
    )


def _leaks(examples: Sequence[Example], eval_set: Sequence[Example], labelled: bool) -> Iterator[Finding]:
    cut: Counter[str] = Counter()
    for row, twin, by in pair_leaks(examples, eval_set):
        if by == "text" and is_cut_from(row, twin):
            cut[place(row.origin)[0]] += 1
            continue
        what = (
            "Stands in the eval set as well"
            if by == "text"
            else f"Its group '{shown(row.group or '')}' is in the eval set"
        )
        what_else = "label" if labelled else "answer"
        differs = by == "text" and twin.expected != row.expected
        other = f", with another {what_else} ('{shown(twin.expected)}')" if differs else ""
        message = f"{what} ({twin.origin}){other}; `split` leaves it out of training."
        yield about(row, "look", "leak", message, related=(twin.origin,))
    for file, rows in sorted(cut.items()):
        yield Finding(
            severity="note",
            check="eval-rows",
            file=file,
            line=0,
            message=f"{count(rows, 'row')} of {file} form the eval set; `split` leaves them out of training.",
        )


def _long(examples: Iterable[Example], too_long: TooLong) -> Iterator[Finding]:
    for example in examples:
        try:
            tokens = too_long(example)
        except DataError as error:
            yield about(example, "stop", "not-rendered", str(error))
            continue
        if tokens is not None:
            message = (
                f"The row has {tokens:,} tokens with its prompt and answer, more than [model] max_tokens. Shorten it."
            )
            yield about(example, "stop", "too-long", message)


def _counts(examples: Sequence[Example], labels: Sequence[str] | None) -> Iterator[Finding]:
    uses = Counter(example.expected for example in examples)
    if unused := [label for label in labels or () if not uses[label]]:
        yield Finding(
            severity="note",
            check="unused-label",
            file=SETTINGS,
            line=0,
            field="task.labels",
            message=f"{count(len(unused), 'label')} under [task] labels without a row: {_list(unused)}.",
        )
    if few := sorted((label for label in uses if uses[label] < FEW_ROWS), key=lambda label: (uses[label], label)):
        first = next(example for example in examples if example.expected == few[0])
        words = [f"{label} ({uses[label]})" for label in few[:NAMED]] + few[NAMED:]
        message = f"{count(len(few), 'label')} with fewer than {FEW_ROWS} rows: {_list(words)}."
        yield about(first, "note", "few-rows", message, field="output", excerpt="")


def _list(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(shown(word) for word in words[:NAMED]) + more
