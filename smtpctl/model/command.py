"""Commands that a user copies: words as a shell reads them."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"(?a:[\w@%+=:,./-]+)\Z")


def quoted(word: str) -> str:
    """The word as a shell reads it; most need no quotes, and no library."""
    if _PLAIN.match(word):
        return word
    import shlex

    return shlex.quote(word)
