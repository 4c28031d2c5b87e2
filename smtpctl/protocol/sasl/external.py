"""EXTERNAL (RFC 4422 appendix A): the TLS client certificate says who it is."""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, utf8


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """One message: whom to act as, or nothing, which lets the certificate decide."""
    yield utf8(name, credentials.authzid or credentials.username)
