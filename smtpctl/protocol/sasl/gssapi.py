"""GSSAPI (RFC 4752): a Kerberos ticket says who it is; by pyspnego, which uses the system's Kerberos.

After the ticket both sides agree on a security layer. SMTP has TLS for that, so none is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Accepted, Exchange, SaslContext, SaslFailure, library_missing, unusable, utf8

if TYPE_CHECKING:
    from spnego import ContextProxy

_NO_LAYER = 1  # the bit of RFC 4752 3.3


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """Tokens until the ticket is accepted on both sides, then the choice of no security layer.

    Without a user name or password the ticket of the credential cache is used. Problem without pyspnego and its
    Kerberos libraries, or without a ticket; SaslFailure when the server cannot prove itself or insists on a layer.
    """
    client, token = _begin(name, credentials, context)
    from spnego.exceptions import SpnegoError

    try:
        challenge = yield token
        while not client.complete:
            token = client.step(challenge) or b""
            challenge = yield token
        offer = client.unwrap(challenge).data
    except Accepted:
        raise _untrusted(name, "it accepted the login before it proved itself") from None
    except SpnegoError as error:
        raise _untrusted(name, str(error)) from error
    if len(offer) != 4 or not offer[0] & _NO_LAYER:
        raise SaslFailure("auth.challenge_not_understood", name, "the server insists on a security layer inside SASL")
    answer = bytes((_NO_LAYER, 0, 0, 0)) + utf8(name, credentials.authzid)
    yield client.wrap(answer, encrypt=False).data


def _begin(name: str, credentials: Credentials, context: SaslContext) -> tuple[ContextProxy, bytes]:
    try:
        import spnego
        from spnego.exceptions import SpnegoError
    except ImportError as error:
        raise library_missing(name, "gssapi", "pyspnego") from error
    try:
        client = spnego.client(
            credentials.username or None,
            credentials.password.reveal() or None,
            hostname=context.host,
            service=context.service,
            protocol="kerberos",
            context_req=spnego.ContextReq.mutual_auth | spnego.ContextReq.integrity,
        )
        return client, client.step() or b""
    except ImportError as error:
        raise library_missing(name, "gssapi", "python-gssapi") from error
    except SpnegoError as error:
        raise unusable(name, f"Kerberos gives no ticket for {context.service}/{context.host}: {error}") from error


def _untrusted(name: str, why: str) -> SaslFailure:
    return SaslFailure("auth.server_not_authenticated", name, f"the server cannot be trusted: {why}")
