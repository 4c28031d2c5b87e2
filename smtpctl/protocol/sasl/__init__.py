"""SASL for SMTP (RFC 4422, RFC 4954): choose a mechanism, run it, without I/O.

    choice = choose(capabilities.auth, policy, credentials, secured=True)
    exchange = start(choice.candidates[0], credentials, context)
    response = next(exchange)                 # the initial response, or None: the server speaks first
    response = exchange.send(challenge)       # StopIteration: nothing to say to that; cancel with "*"
    accepted(exchange)                        # at 235; SaslFailure when the server did not prove itself

A mechanism is one module with `start(name, credentials, context)`, imported when it runs: PLAIN, LOGIN and
the OAuth mechanisms need no library.
"""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.challenges import describe_challenge
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, SaslFailure, accepted
from smtpctl.protocol.sasl.mechanisms import MECHANISMS, Choice, Credential, Mechanism, Reason, choose

__all__ = [
    "MECHANISMS",
    "Choice",
    "Credential",
    "Exchange",
    "Mechanism",
    "Reason",
    "SaslContext",
    "SaslFailure",
    "accepted",
    "choose",
    "describe_challenge",
    "initial_response_fits",
    "start",
]

_MAX_COMMAND = 512  # octets with CRLF (RFC 5321 4.5.3.1.4); RFC 4954 4 has the initial response obey it


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """An exchange of the mechanism `name` (upper case), not yet begun. KeyError for a name not in MECHANISMS.

    Its first `next()` raises Obstacle when the credentials cannot be used with the mechanism
    (`auth.credentials_unusable`) or its library is not installed (`auth.library_missing`).
    """
    from importlib import import_module

    exchange: Exchange = import_module(f"{__name__}.{MECHANISMS[name].module}").start(name, credentials, context)
    return exchange


def initial_response_fits(mechanism: str, response: bytes) -> bool:
    """Whether `AUTH mechanism initial-response` is a command line that every server takes. When not, send
    `AUTH mechanism` alone and the response after the 334: Dovecot refuses longer lines, Postfix cuts them and
    calls the password wrong."""
    encoded = 4 * -(-len(response) // 3) or 1  # an empty response is written as "="
    return len(f"AUTH {mechanism} \r\n") + encoded <= _MAX_COMMAND
