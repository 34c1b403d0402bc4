"""The card in Markdown: tables, with bars of block letters where the page has charts.

Foreign text stands in code spans with its bars escaped, so that it is no markup, whatever it holds.
"""

from collections.abc import Iterable, Iterator, Sequence

from tunesmith.core.markup import visible
from tunesmith.core.units import count, share
from tunesmith.data.card.record import BINS, Card, Lengths

LISTED = 40  # labels, slices or languages of one table
BAR = 24  # letters of the longest bar
MARK = "<!-- Written by Tunesmith -->"
MEANING = {"stop": "stops the work", "look": "worth a look", "note": "good to know"}


def markdown(card: Card) -> str:
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Card) -> Iterator[str]:
    yield MARK
    yield f"# Data of {code(card.project)}"
    yield ""
    evals = f", and {count(card.eval_rows, 'eval row')}" if card.eval_rows else ""
    what = f"{count(card.rows, 'row')} for {card.family}{evals}"
    yield f"{what}. Looked at on {card.created[:10]} by Tunesmith {card.version}."
    yield ""
    yield f"Digest: `{card.digest}`"
    yield from _table(
        "Sources", ("file", "rows", "SHA-256"), ((code(f.name), f"{f.rows:,}", f"`{f.sha256}`") for f in card.files)
    )
    yield from _findings(card)
    for title, parts in (("Labels", card.labels), ("Slices", card.slices)):
        yield from _shares(title, parts, card.rows)
    for lengths in card.lengths:
        yield from _histogram(lengths)
    if card.languages:
        yield from _shares("Languages", card.languages, card.judged)
        yield ""
        unclear = card.drawn - card.judged
        yield f"Of {count(card.drawn, 'input')} drawn; {unclear:,} were too short, or not clear enough, to tell."
    if card.groups:
        yield ""
        yield f"The rows belong to {count(card.groups, 'group')}."


def _findings(card: Card) -> Iterator[str]:
    rows = [
        (MEANING[each.severity], code(each.check), f"{each.number:,}", code(f"{each.origin}: {each.message}"))
        for each in card.found
    ]
    if rows:
        yield from _table("Findings", ("severity", "check", "number", "the first"), rows)
    else:
        yield from ("", "## Findings", "", "None.")


def _shares(title: str, parts: Sequence[tuple[str, int]], total: int) -> Iterator[str]:
    if not parts:
        return
    most = max(number for _, number in parts)
    rows = [(code(name), f"{number:,}", share(number / total), bar(number, most)) for name, number in parts[:LISTED]]
    yield from _table(f"{title} ({len(parts):,})", ("", "rows", "share", ""), rows)
    if len(parts) > LISTED:
        rest = sum(number for _, number in parts[LISTED:])
        yield from (
            "",
            f"… and {len(parts) - LISTED:,} more with {count(rest, 'row')}, the rarest {code(parts[-1][0])}.",
        )


def _histogram(lengths: Lengths) -> Iterator[str]:
    first, last = ends(lengths.bins)
    most = max(lengths.bins)
    rows = [(bin_name(at), f"{lengths.bins[at]:,}", bar(lengths.bins[at], most)) for at in range(first, last + 1)]
    yield from _table(f"Length of {lengths.field}s", ("characters", "rows", ""), rows)
    yield from (
        "",
        f"Half have at most {lengths.median:,}, 95 % at most {lengths.p95:,}, the longest {lengths.longest:,}.",
    )


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from ("", f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
    for row in rows:
        yield f"| {' | '.join(row)} |"


def ends(bins: Sequence[int]) -> tuple[int, int]:
    """The first and the last bin with a text."""
    filled = [at for at, number in enumerate(bins) if number]
    return (filled[0], filled[-1]) if filled else (0, 0)


def bin_name(at: int) -> str:
    """`'50–99'`; the first begins with nothing, the last has no end."""
    if at + 1 == len(BINS):
        return f"{BINS[at]:,} and more"
    low, high = (0 if at == 0 else BINS[at]), BINS[at + 1] - 1
    return f"{low:,}–{high:,}" if low != high else f"{low:,}"


def bar(number: int, most: int) -> str:
    eighths = round(8 * BAR * number / most) if most else 0
    whole, part = divmod(eighths, 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[part] if part else "") or ("▏" if number else "")


def code(text: str) -> str:
    """`text` in a code span of a table's cell: within it, nothing but a bar and its own fence mean anything."""
    plain = " ".join(visible(text).split()) or " "
    fence = "`"
    while fence in plain:
        fence += "`"
    edge = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{edge}{plain}{edge}{fence}".replace("|", "\\|")
