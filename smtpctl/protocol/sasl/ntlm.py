"""NTLM ([MS-SMTPNTLM], [MS-NLMP]) by pyspnego: for Exchange servers on their own premises that offer nothing better."""

from __future__ import annotations

import struct

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, SaslFailure, library_missing


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """NEGOTIATE, then AUTHENTICATE to the server's CHALLENGE. The user name may be `DOMAIN\\user` or
    `user@domain`. SaslFailure for a challenge that is not NTLM, Problem without pyspnego."""
    try:
        import spnego
        from spnego.exceptions import SpnegoError
    except ImportError as error:
        raise library_missing(name, "ntlm", "pyspnego") from error
    # NTLM has no message by which the server proves itself, so there is nothing to hold a 235 against.
    client = spnego.client(
        credentials.username,
        credentials.password.reveal(),
        hostname=context.host,
        service=context.service,
        protocol="ntlm",
        options=spnego.NegotiateOptions.use_ntlm,
    )
    challenge = yield client.step() or b""
    try:
        response = client.step(challenge)
    # The library's parser lets whatever it stumbles over through.
    except (SpnegoError, ValueError, LookupError, struct.error) as error:
        raise SaslFailure("auth.challenge_not_understood", name, "the challenge is not an NTLM message") from error
    yield response or b""
