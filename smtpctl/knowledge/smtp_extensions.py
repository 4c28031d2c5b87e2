"""What a server may lack or change among its extensions; part of the family `smtp`."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

# Keyword, what is missed without it, source.
_EXTENSIONS = (
    (
        "8BITMIME",
        "Text outside ASCII has to be written as base64 or quoted-printable, which mail programs do by themselves.",
        "RFC 6152 2",
    ),
    (
        "SMTPUTF8",
        "Addresses with letters outside ASCII before the @ cannot be used here. All others work.",
        "RFC 6531 3.1",
    ),
    (
        "PIPELINING",
        "Every command waits for its own reply, so a mail takes some round trips more. That is felt with many mails or "
        "over a long line.",
        "RFC 2920 3",
    ),
    ("CHUNKING", "Mails are handed over with DATA instead of BDAT. Nothing is lost by that.", "RFC 3030 2"),
    (
        "DSN",
        "Nobody can ask for a report of delivery, or ask for none, and a bounce may lack what it was about.",
        "RFC 3461 4",
    ),
)


def _missing(keyword: str, message: str, source: str) -> Entry:
    return Entry(
        id=f"smtp.missing_{keyword.lower()}",
        severity=Severity.NOTE,
        stage=Stage.EHLO,
        title=f"{{host}} does not offer {keyword}",
        message=message,
        causes=(
            because(
                0.7,
                "The server does not have it, or it is switched off.",
                fix(
                    "Nothing needs to be done unless you miss it. On Postfix see what is switched off.",
                    "postconf smtpd_discard_ehlo_keywords smtpd_discard_ehlo_keyword_address_maps",
                ),
            ),
            because(
                0.3,
                "A firewall or a proxy on the way takes it out of the answer.",
                fix("Compare the answer to EHLO from another network.", "smtpctl check {target} -v"),
            ),
        ),
        source=source,
    )


ENTRIES = (
    *(_missing(*extension) for extension in _EXTENSIONS),
    Entry(
        id="smtp.ehlo_changes_after_tls",
        severity=Severity.NOTE,
        stage=Stage.EHLO,
        title="{host} offers other extensions inside TLS than before",
        message="That is allowed: after STARTTLS a client forgets what it was told and asks again. STARTTLS, AUTH and "
        "REQUIRETLS are meant to change and do not count here.",
        causes=(
            because(
                0.6,
                "The server ties some extensions to TLS.",
                fix("Nothing needs to be done. Programs that ask only before TLS will miss what comes after it."),
            ),
            because(
                0.4,
                "Something on the way changes the answer in clear; it cannot change the one inside TLS.",
                fix("Compare the answer to EHLO from another network.", "smtpctl check {target} -v"),
            ),
        ),
        source="RFC 3207 4.2",
    ),
)
