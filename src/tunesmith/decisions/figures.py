"""Differences as people read them."""


def points(share: float) -> str:
    """`0.02` → '2', `0.0345` → '3.5'."""
    return f"{share * 100:.1f}".removesuffix(".0")


def signed(share: float) -> str:
    """`0.0345` → '+3.4'; a true minus sign."""
    return f"{share * 100:+.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
