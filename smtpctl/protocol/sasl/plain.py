"""PLAIN (RFC 4616): authorization identity, user name and password, NUL between them, as typed."""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, unusable, utf8


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """One message, no challenge is understood. Problem for a NUL in the credentials."""
    fields = (credentials.authzid, credentials.username, credentials.password.reveal())
    if any("\0" in field for field in fields):
        raise unusable(name, "The user name or password holds a NUL character, which PLAIN uses to part them.")
    yield utf8(name, "\0".join(fields))
