"""Keeps secrets out of everything that is recorded: applied where an event is made, never afterwards.

Lines that carry a secret by design (AUTH and what follows it) are replaced whole by whoever sends them. This is for
the rest: a server that echoes what it was sent, an error text that quotes it, in clear or in base64 at any offset. Text that
somebody pasted has secrets that nobody told us: `model.foreign`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from smtpctl.model.secret import MASK, Secret

# Shorter ones would blank out half of every line, and hide nothing that could not be guessed.
SHORTEST = 4


_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
# How octets are written in URLs and in xtext (RFC 3986 2.3, RFC 3461 4): what stands before two digits, what needs none.
_ESCAPES = (
    ("%", _LETTERS),
    ("%", _LETTERS | frozenset(b"-._~")),
    ("%", _LETTERS | frozenset(b"-._~/")),
    ("+", _LETTERS),
    ("+", frozenset(range(33, 127)) - frozenset(b"+=")),
)


def _base64_cores(octets: bytes) -> Iterable[str]:
    """The base64 of `octets` wherever it starts within a longer text: what all three alignments leave unchanged."""
    for skip in range(3):
        text = base64.b64encode(b"\0" * skip + octets).decode("ascii").rstrip("=")
        lead = (skip * 8 + 5) // 6  # characters that depend on what stands before
        trail = 1 if (skip + len(octets)) % 3 else 0  # ... and on what comes after
        yield text[lead : len(text) - trail]


def _forms(secret: str) -> Iterable[str]:
    octets = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield octets.hex()
    for mark, kept in _ESCAPES:
        yield "".join(chr(octet) if octet in kept else f"{mark}{octet:02X}" for octet in octets)
    for core in _base64_cores(octets):
        yield core
        yield core.replace("+", "-").replace("/", "_")


class Redactor:
    """Replaces every form of the given secrets by the mask."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        forms = {
            form
            for secret in secrets
            if len(secret.reveal()) >= SHORTEST
            for form in _forms(secret.reveal())
            if len(form) >= SHORTEST
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None

    def text(self, text: str) -> str:
        """`text` with the mask in place of secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The same for JSON values, at any depth."""
        return {key: self._value(value) for key, value in facts.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.facts(value)
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        return value
