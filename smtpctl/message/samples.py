"""Sample mails of the kinds that applications send, to test with: realistic, harmless, and not all ASCII.

Each kind is two files in `data/`: `KIND.txt`, whose first line is the subject, and `KIND.html`. Every link leads to
example.com (RFC 2606), which nobody can register.
"""

from __future__ import annotations

from pathlib import Path

from smtpctl.model.record import NamedTuple

_FOLDER = Path(__file__).parent / "data"

# Kinds in the order of help texts: what Kentico and Contensis name as the mails they send.
KINDS = (
    "password-reset",
    "newsletter",
    "notification",
    "confirmation",
    "subscription",
    "workflow",
    "form-submission",
    "system",
)


class Sample(NamedTuple):
    """A mail without its addresses; `category` is its kind, to file and find it by."""

    category: str
    subject: str
    text: str
    html: str


def sample(kind: str) -> Sample:
    """The sample of a kind in KINDS; KeyError for another."""
    if kind not in KINDS:
        raise KeyError(kind)
    first, text = (_FOLDER / f"{kind}.txt").read_text(encoding="utf-8").split("\n\n", 1)
    html = (_FOLDER / f"{kind}.html").read_text(encoding="utf-8")
    return Sample(kind, first.removeprefix("Subject: "), text, html)
