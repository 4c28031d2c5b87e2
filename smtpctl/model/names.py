"""Which names a certificate is good for (RFC 9525 6.3)."""

from __future__ import annotations

from collections.abc import Iterable


def matches(pattern: str, name: str) -> bool:
    """Whether a DNS name or address of a certificate covers `name`; a wildcard stands for one whole left-most label."""
    pattern, name = pattern.lower().rstrip("."), name.lower().rstrip(".")
    if pattern == name:
        return True
    if not pattern.startswith("*.") or pattern.count("*") > 1:
        return False
    label, _, rest = name.partition(".")
    return bool(label) and rest == pattern[2:] and not name.replace(".", "").isdigit()


def matches_any(patterns: Iterable[str], name: str) -> bool:
    """Whether any of them does."""
    return any(matches(pattern, name) for pattern in patterns)


def nearest(patterns: Iterable[str], name: str) -> str:
    """The name offered that reads most like the one asked for; empty without any."""
    from difflib import get_close_matches

    candidates = list(patterns)
    close = get_close_matches(name, candidates, n=1, cutoff=0.0)
    return close[0] if close else ""
