"""Numbers as people read them: seconds, bytes, counts, shares, money."""


def seconds(value: float) -> str:
    """`0.042` → '42 ms', `7.3` → '7.3 s', `192` → '3 min 12 s', `7500` → '2 h 05 min'."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def roughly(value: float) -> str:
    """Seconds that are not known exactly: `41.3` → '41 s', `682` → '11 min', `9000` → '2.5 h'."""
    if value < 90:
        return f"{max(1.0, value):.0f} s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h" if value < 36_000 else f"{value / 3600:,.0f} h"


def size(count: float) -> str:
    """Bytes in binary units: '512 B', '3.4 MiB'."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def share(value: float) -> str:
    """`0.8834` → '88.3 %'."""
    return f"{value * 100:.1f} %"


def plain(value: float) -> str:
    """A figure that is no share: `0.971` → '0.97', `23.4` → '23'."""
    return f"{value:.2f}" if abs(value) < 5 else f"{value:,.0f}"


def amount(value: float) -> str:
    """Of a unit that is the user's own: `0.04217` → '0.0422', `1.2` → '1.20', `1204.6` → '1,205'."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def signed_amount(value: float) -> str:
    """With its sign, a true minus: '+0.13', '−1,205'."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{amount(abs(value))}"


def level(value: float) -> str:
    """A confidence level, as exact as it is: `0.95` → '95 %', `0.9875` → '98.75 %'."""
    return f"{value * 100:.2f}".rstrip("0").rstrip(".") + " %"


def money(value: float, currency: str = "$") -> str:
    """Two significant digits below a cent, else cents: '$0.00042', '$1.20'."""
    if value == 0 or abs(value) >= 0.01:
        return f"{currency}{value:.2f}"
    return f"{currency}{value:.2g}" if abs(value) >= 0.0001 else f"{currency}{value:.1e}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`count(1, 'row')` → '1 row', `count(3080, 'row')` → '3,080 rows'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
