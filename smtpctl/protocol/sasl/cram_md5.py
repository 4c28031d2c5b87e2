"""CRAM-MD5 (RFC 2195): the user name, and HMAC-MD5 of the server's challenge under the password."""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, SaslFailure, prepared, unusable


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """One challenge, one response. SaslFailure for an empty challenge: the response would be the same each time."""
    import hmac

    username, password = prepared(name, credentials)
    challenge = yield None
    if not challenge:
        raise SaslFailure("auth.challenge_not_understood", name, "the server sent no challenge to hash")
    try:
        digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    except ValueError as error:  # OpenSSL in FIPS mode
        raise unusable(name, f"MD5 is switched off in this machine's OpenSSL: {error}.") from error
    yield f"{username} {digest}".encode()
