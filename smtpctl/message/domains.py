"""Domains as SMTP carries them: A-labels (RFC 5890), so that SMTPUTF8 is needed only for a local part."""

from __future__ import annotations

from smtpctl.model.address import AddressProblem, Mailbox


def a_label(domain: str) -> str:
    """`domain` in ASCII, by IDNA 2008 with UTS 46 mapping as browsers have it. ValueError when no name can be made of it."""
    if domain.isascii():
        return domain
    import idna

    return idna.encode(domain, uts46=True).decode("ascii")


def wire_address(mailbox: Mailbox) -> str:
    """The bare address for MAIL, RCPT and header fields. AddressProblem for a domain that is no name."""
    try:
        return f"{mailbox.local}@{a_label(mailbox.domain)}"
    except ValueError as error:
        position = len(mailbox.local) + 2
        raise AddressProblem(mailbox.address, position, f"the domain is no internationalised name: {error}") from None
