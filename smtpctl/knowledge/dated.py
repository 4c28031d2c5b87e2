"""What providers change, and when: facts that are true as of a date. Whatever tells one takes it from here, date and all.

An entry of `replies/*.toml` names them under `dated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from smtpctl.model.record import NamedTuple


class Dated(NamedTuple):
    """A fact in whole sentences, the date that it was told on (ISO date, perhaps without a day), and by whom."""

    says: str
    as_of: str
    source: str

    def __str__(self) -> str:
        return f"{self.says} (As of {self.as_of}: {self.source}.)"


DATED: Mapping[str, Dated] = {
    "m365-passwords": Dated(
        "Microsoft 365 turns passwords for sending (SMTP AUTH) off by default at the end of December 2026; an administrator "
        "can switch them on again, until a date to be announced in the second half of 2027. Tenants created later do not "
        "get them.",
        "2026-01-27",
        "Microsoft Message Center MC786329, Exchange Team Blog 4114750",
    ),
    "outlook-com-passwords": Dated(
        "Personal mailboxes (Outlook.com, Hotmail, Live) take no password from programs since 16 September 2024.",
        "2024-06",
        "Microsoft's page on modern authentication for Outlook.com",
    ),
}


def told(names: Iterable[str]) -> str:
    """The facts of these names, one behind the other, each with its date."""
    return " ".join(str(DATED[name]) for name in names)
