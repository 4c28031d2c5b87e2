"""As much of PowerShell's lexical rules as guides need (about_Quoting_Rules, about_Comments): one line into its words."""

from __future__ import annotations

SINGLE, DOUBLE = "'\u2018\u2019\u201a\u201b", '"\u201c\u201d\u201e'  # each kind is interchangeable
SEPARATORS = " |=();,"


def words(line: str) -> list[str]:
    """The words of a line without their quotes; a comment ends it. ValueError for a string that is never closed, for a
    bracket without its other half, and for characters that have a meaning of their own outside of strings."""
    found: list[str] = []
    word, begun, depth, at = "", False, 0, 0
    while at < len(line):
        char = line[at]
        if char in SINGLE or char in DOUBLE:
            piece, at = _string(line, at)
            word, begun = word + piece, True
            continue
        if char == "#" and not begun:
            break
        if char in "<>`&@{}":
            raise ValueError(f"{char} outside of a string: {line}")
        if char in SEPARATORS:
            depth += {"(": 1, ")": -1}.get(char, 0)
            found, word, begun = ([*found, word] if begun else found), "", False
        else:
            word, begun = word + char, True
        at += 1
    if depth:
        raise ValueError(f"brackets do not match: {line}")
    return [*found, word] if begun else found


def _string(line: str, start: int) -> tuple[str, int]:
    """What a string holds, and where the line goes on behind it."""
    quotes = SINGLE if line[start] in SINGLE else DOUBLE
    text, at = "", start + 1
    while at < len(line):
        if line[at] in quotes:
            if line[at + 1 : at + 2] not in quotes or at + 1 == len(line):
                return text, at + 1
            at += 1  # two of them stand for one
        text += line[at]
        at += 1
    raise ValueError(f"a string is never closed: {line}")
