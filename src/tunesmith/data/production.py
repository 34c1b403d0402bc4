"""`check --against`: do the rows look like what production sends?

Length, language, habits of writing and wording of the inputs are compared by two-sample tests, corrected together for
their number, and topics where sentence vectors are at hand. A difference that chance explains is no finding; one that
it does not explain is worth a look, or good to know where it is small. System prompts and tools are compared as they
stand.
"""

# Axes: N rows of both samples.

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.units import count, share
from tunesmith.data.checks.languages import language_of
from tunesmith.data.finding import Finding, Severity, place
from tunesmith.data.normal import normalise
from tunesmith.data.requests import Request
from tunesmith.data.sensitive.quoting import quoted
from tunesmith.tasks.base import Embed

DRAWN = 1_000  # of each side
FEWEST = 30
LEVEL = 0.01
SHOWN = 5  # of each side's most unlike
LEAST_AUC = 0.6  # of a classifier, to be worth a look
LEAST_APART = 0.15  # between shares, or distributions of lengths
READ = 2_000  # characters of a text

HABITS: dict[str, Callable[[str], bool]] = {
    "begin with a capital letter": lambda text: text.strip()[:1].isupper(),
    "are written in capitals": str.isupper,
    "end with a full stop, a question or an exclamation mark": lambda text: text.rstrip()[-1:] in (".", "?", "!"),
    "go over several lines": lambda text: "\n" in text.strip(),
    "hold an address of the web": lambda text: "http://" in text or "https://" in text,
    "begin with a greeting": lambda text: text.strip().casefold().startswith(("hi ", "hi,", "hello", "dear ", "hey")),
}


class Difference(NamedTuple):
    """`large`: whether the difference would matter, if it is one."""

    check: str
    p: float
    large: bool
    message: str
    origin: str
    related: tuple[str, ...] = ()


class Sides(NamedTuple):
    """The texts of both sides, the rows first, and which are requests."""

    texts: list[str]
    origins: list[str]
    second_N: Any

    def of(self, second: bool) -> list[str]:
        return [text for text, is_second in zip(self.texts, self.second_N, strict=True) if bool(is_second) == second]


def compare(
    rows: Sequence[Example], requests: Sequence[Request], *, prompt: str | None, embed: Embed | None = None
) -> list[Finding]:
    """How the requests differ from the rows. `prompt` is the task's; `embed` gives unit vectors of texts.

    Raises MissingExtraError without scikit-learn and scipy.
    """
    findings = [*_systems(requests, prompt), *_tools(rows, requests)]
    if min(len(rows), len(requests)) < FEWEST:
        message = (
            f"Too few to compare: {count(len(rows), 'row')} and {count(len(requests), 'request')}; a test needs "
            f"{FEWEST} of each."
        )
        return [*findings, _finding("note", "like-production", requests[0].origin, message)]
    try:
        from tunesmith.data.two_samples import holm
    except ImportError:
        raise MissingExtraError(
            "Rows are compared with requests by scikit-learn and scipy. Install them with "
            "`pip install 'tunesmith[data]'`, or check without --against."
        ) from None
    sides = _sides(rows, requests)
    differences = list(_differences(sides, embed))
    for each, p in zip(differences, holm([each.p for each in differences]), strict=True):
        if p <= LEVEL:
            severity: Severity = "look" if each.large else "note"
            chance = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
            message = f"{each.message} ({chance}, of {len(differences)} comparisons)."
            findings.append(_finding(severity, each.check, each.origin, message, each.related))
    return findings


def _sides(rows: Sequence[Example], requests: Sequence[Request]) -> Sides:
    import numpy as np

    chance = random.Random(0)  # noqa: S311  (a sample, no secret)
    asked = [(_said(row)[:READ], row.origin) for row in chance.sample(rows, min(DRAWN, len(rows)))]
    sent = [(each.text[:READ], each.origin) for each in chance.sample(requests, min(DRAWN, len(requests)))]
    second_N = np.arange(len(asked) + len(sent)) >= len(asked)
    return Sides([text for text, _ in (*asked, *sent)], [origin for _, origin in (*asked, *sent)], second_N)


def _said(row: Example) -> str:
    return next((each.content for each in reversed(row.messages) if each.role == "user"), row.text)


def _differences(sides: Sides, embed: Embed | None) -> Iterator[Difference]:
    yield _lengths(sides)
    yield from _languages(sides)
    yield from _habits(sides)
    yield _wording(sides)
    if embed:
        yield _told("topics", "are about other things", embed(sides.texts), sides)


def _lengths(sides: Sides) -> Difference:
    from scipy.stats import ks_2samp

    ours, theirs = ([len(text) for text in sides.of(second)] for second in (False, True))
    found = ks_2samp(ours, theirs)
    message = (
        f"Requests have another length: half of them at most {median(theirs):,.0f} characters, half of the rows' "
        f"inputs at most {median(ours):,.0f}"
    )
    first = sides.origins[len(ours)]
    return Difference("production-length", float(found.pvalue), found.statistic >= LEAST_APART, message, first)


def _languages(sides: Sides) -> Iterator[Difference]:
    import numpy as np

    from tunesmith.data.two_samples import shares_test

    try:
        judged = [language_of(text) for text in sides.texts]
    except MissingExtraError:  # the check of languages says so
        return
    known_N = np.array([language is not None for language in judged])
    names = sorted({language for language in judged if language})
    sizes = [int((known_N & (sides.second_N == second)).sum()) for second in (False, True)]
    if len(names) < 2 or min(sizes) < FEWEST:
        return
    kinds = [names.index(language) for language in judged if language]
    apart, p = shares_test(kinds, sides.second_N[known_N])
    words = []
    for second in (False, True):
        uses = Counter(each for each, of in zip(judged, sides.second_N, strict=True) if each and bool(of) == second)
        words.append(", ".join(f"{name} {share(number / uses.total())}" for name, number in uses.most_common(3)))
    message = f"Requests are in other languages: {words[1]}; the rows' inputs: {words[0]}"
    origin = sides.origins[int(np.argmax(sides.second_N))]
    yield Difference("production-language", p, apart >= LEAST_APART / 3, message, origin)


def _habits(sides: Sides) -> Iterator[Difference]:
    from scipy.stats import fisher_exact

    for does, has in HABITS.items():
        (ours, of_ours), (theirs, of_theirs) = (
            (sum(map(has, sides.of(second))), len(sides.of(second))) for second in (False, True)
        )
        _, p = fisher_exact([[ours, of_ours - ours], [theirs, of_theirs - theirs]])
        large = abs(ours / of_ours - theirs / of_theirs) >= LEAST_APART
        message = f"{share(theirs / of_theirs)} of the requests {does}, {share(ours / of_ours)} of the rows' inputs"
        yield Difference("production-formatting", float(p), large, message, sides.origins[of_ours])


def _wording(sides: Sides) -> Difference:
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True)
    return _told("wording", "are worded otherwise", words.fit_transform(sides.texts), sides)


def _words_and_pairs(text: str) -> list[str]:
    words = normalise(text).split()
    return words + [" ".join(pair) for pair in pairwise(words)]


def _told(name: str, differ: str, features: Any, sides: Sides) -> Difference:
    import numpy as np

    from tunesmith.data.two_samples import classifier_test

    told = classifier_test(features if hasattr(features, "todense") else np.asarray(features), sides.second_N)
    order = [int(at) for at in np.argsort(-told.scores_N, kind="stable")]
    sent = [at for at in order if sides.second_N[at]][:SHOWN]
    ours = [at for at in reversed(order) if not sides.second_N[at]][:SHOWN]
    most_unlike = ["; ".join(f"“{quoted(sides.texts[at])}”" for at in each) for each in (sent, ours)]
    message = (
        f"Requests {differ} than the rows' inputs: a classifier tells them apart with an AUC of {told.auc:.2f} (0.5: "
        f"not at all). Most unlike the rows: {most_unlike[0]}. Most unlike the requests: {most_unlike[1]}"
    )
    origins = [sides.origins[at] for at in (*sent, *ours)]
    return Difference(f"production-{name}", told.p, told.auc >= LEAST_AUC, message, origins[0], tuple(origins[1:]))


def _systems(requests: Sequence[Request], prompt: str | None) -> Iterator[Finding]:
    """System prompts that production sends and that are not the task's."""
    bodies = [each for each in requests if each.body or each.system is not None]
    wanted = " ".join((prompt or "").split())
    others = [each for each in bodies if " ".join((each.system or "").split()) != wanted]
    if prompt is None or not others:
        return
    texts = Counter(each.system or "" for each in others)
    what = "no system prompt" if others[0].system is None else "another system prompt than the task's"
    message = (
        f"{len(others):,} of {count(len(bodies), 'request')} come with another system prompt than the task's, or none "
        f"({count(len(texts), 'different one')}); this one has {what}. A model answers best under the prompt it was "
        "trained with: make [task] prompt what production sends."
    )
    yield _finding("look", "production-system", others[0].origin, message, excerpt=quoted(others[0].system or ""))


def _tools(rows: Sequence[Example], requests: Sequence[Request]) -> Iterator[Finding]:
    sent = {name: each.origin for each in reversed(requests) for name in each.tools}
    if not sent:
        return
    with_tools = sum(bool(each.tools) for each in requests)
    if not any(row.tools for row in rows):
        message = (
            f"{with_tools:,} of {count(len(requests), 'request')} list tools, and no row does: a model that has never "
            "seen them will not know when to call one."
        )
        yield _finding("look", "production-tools", next(each.origin for each in requests if each.tools), message)


def _finding(
    severity: Severity, check: str, origin: str, message: str, related: tuple[str, ...] = (), excerpt: str = ""
) -> Finding:
    file, line = place(origin)
    return Finding(
        severity=severity, check=check, file=file, line=line, message=message, related=related, excerpt=excerpt
    )
