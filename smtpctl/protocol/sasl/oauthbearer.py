"""OAUTHBEARER (RFC 7628): access token, user name, and the server that the token is meant for."""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.challenges import oauth_error
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, bearer, unusable, utf8


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """One message. An error challenge (JSON, RFC 7628 3.2.2) is answered with one Ctrl-A, which lets the server
    send its 535; any other challenge is not part of the mechanism."""
    username, token = bearer(name, credentials)
    if any(char < " " for char in credentials.authzid + context.host):
        raise unusable(name, "The authorization identity or host name holds a control character.")
    escaped = (credentials.authzid or username).replace("=", "=3D").replace(",", "=2C")
    where = f"host={context.host}\x01port={context.port}\x01" if context.host else ""
    challenge = yield utf8(name, f"n,a={escaped},\x01{where}auth=Bearer {token}\x01\x01")
    if oauth_error(challenge) is not None:
        yield b"\x01"
