"""Whether a text really says the words that are found in it: what it denies, supposes or leaves open it does not say.

Looked at is the sentence around the words, and no more of grammar than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NEAR = 70  # characters around the words that are looked at
_ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-][\w.-]{0,254}")
_DENIED = re.compile(
    r"\b(?:not|no|never|without|\w+n't)\s+(?:(?:a|an|any|as|be|been|considered|currently|in|listed|on|the)\s+){0,3}$",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:may|might|could|possibly|perhaps|probably|maybe|whether|if|unless)\b(?! not\b(?! exist))(?!.*\bthen\b)"
    r"[^.,;:!?]*$",
    re.IGNORECASE,
)
_OR_AFTER = re.compile(
    r"[^.;:!?,]{0,12}(?:, [^.;:!?,]{1,30},)? ?\b(?:or|oder|lub|или|(?<= )(?:o|ou)(?= ))\b(?! (?:to )?(?:try|contact|visit|see|call|later)\b)",
    re.IGNORECASE,
)
_OR_BEFORE = re.compile(r"(?:\b(?:or|oder|lub|или)|(?<= )(?:o|ou))\s+(?:[\w']+\s+){0,3}$", re.IGNORECASE)
_REASON_AFTER = re.compile(r"[^.;]{0,20}\b(?:because|due to|owing to)\b", re.IGNORECASE)
_OF_SENDER = re.compile(
    r"\b(?:sender|sending|outgoing|from header|mail from|verification failed for|your (?:account|mailbox|quota))\b[^.;]*$",
    re.IGNORECASE,
)
_TO_SENDER = re.compile(
    r"[^.;]{0,40}\b(?:for sending|to send\b|sender.s|outgoing|daily|hourly|(?:smtp )?auth(?:entication)?\b|passwords?\b)",
    re.IGNORECASE,
)
_OF_CLIENT = re.compile(
    r"\b(?:(?:your|client|sending|remote|this) (?:[\w-]+ )?(?:host|server|network|domain|account|address|provider)|IP)\b[^.;]*$",
    re.IGNORECASE,
)
_TO_CLIENT = re.compile(
    r"\bspam\W+(?:sources?|activit\w+|complaints?|reports?|abuse|being sent|sent|was sent|from)\b|"
    r"^[^.;]{0,40}\b(?:from your|against your|by your (?:host|server|network|IP))\b",
    re.IGNORECASE,
)
_OR_WITHIN = re.compile(r"\w\w\b or (?!illegal|discontinued)", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with addresses made unreadable, of the same length: what somebody is called explains no failure."""
    return _ADDRESS.sub(lambda found: re.sub(r"\w", "x", found[0]), text) if "@" in text else text


def denied(text: str, start: int) -> bool:
    """Whether the words that begin there are denied: `not listed`."""
    return _DENIED.search(text[max(0, start - _NEAR) : start]) is not None


def doubts(text: str, span: tuple[int, int]) -> Iterator[str]:
    """What keeps the words in `span` from being said outright, in words after "but"."""
    start, end = span
    before, after = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    if _SUPPOSED.search(before):
        yield "the text only supposes it"
    if _OR_AFTER.match(after) or _OR_BEFORE.search(before) or _OR_WITHIN.search(text, start, end):
        yield "the text has it as one of several possibilities"
    if _REASON_AFTER.match(after):
        yield "the text goes on with a reason for it"


def of_sender(text: str, span: tuple[int, int]) -> bool:
    """Whether the sentence around the words speaks of the sender, or of a login, and not of a recipient."""
    start, end = span
    before, after = text[max(0, start - _NEAR) : start + 1], text[end : end + _NEAR]
    return _OF_SENDER.search(before) is not None or _TO_SENDER.match(after) is not None


def of_client(text: str, span: tuple[int, int]) -> bool:
    """Whether the sentence around the words speaks of who sends, a machine or an account, and not of a message."""
    start, end = span
    before, after = text[max(0, start - _NEAR) : start + 1], text[max(start, end - 8) : end + _NEAR]
    return _OF_CLIENT.search(before) is not None or _TO_CLIENT.search(after) is not None
