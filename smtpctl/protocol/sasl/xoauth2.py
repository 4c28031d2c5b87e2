"""XOAUTH2 (Google's and Microsoft's documents): user name and access token, fields ended by Ctrl-A."""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.challenges import oauth_error
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, bearer, utf8


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """One message. An error challenge (JSON) is answered with an empty line, which lets the server send its 535;
    any other challenge is not part of the mechanism."""
    username, token = bearer(name, credentials)
    challenge = yield utf8(name, f"user={username}\x01auth=Bearer {token}\x01\x01")
    if oauth_error(challenge) is not None:
        yield b""
