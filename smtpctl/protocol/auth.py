"""AUTH (RFC 4954): which mechanism, the exchange, and what the server meant.

A mechanism is tried once. After a refusal of the credentials nothing else is tried, because every further try
counts towards a lock-out; only when the server does not know the mechanism after all is the next one taken.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.secret import MASK
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Stage
from smtpctl.protocol import sasl
from smtpctl.protocol.binding import channel_bindings
from smtpctl.protocol.commands import command
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue, Note, Receive, Send

if TYPE_CHECKING:
    from smtpctl.protocol.dialogue import Login

CHALLENGES_LIMIT = 16  # GSSAPI needs a handful; a server that asks on and on is stopped
CHALLENGE_LIMIT = 12288  # octets of base64, RFC 4954 4

# 504 5.5.4 "unrecognized authentication type", and what servers say in its place: the credentials were not judged.
MECHANISM_UNKNOWN = frozenset({500, 502, 504})


class Means(NamedTuple):
    """The mechanisms to try and why not the others, the channel `bindings` (RFC 5929) for them, and whether the connection
    is `private`."""

    choice: sasl.Choice
    bindings: Mapping[str, bytes]
    private: bool


class Authenticated(NamedTuple):
    """A login that worked: the mechanism, the server's reply and what the mechanism learnt on the way."""

    mechanism: str
    reply: Reply
    facts: Mapping[str, Any] = {}


def authenticate(login: Login, capabilities: Capabilities, tls: TlsSession | None) -> Dialogue[Authenticated | None]:
    """Log in as the policy says; None where there is nothing to log in with or no need to.

    Obstacle `auth.not_offered`, `auth.no_common_mechanism`, `auth.would_be_plaintext`, `config.oauth_without_tls`;
    Refused with `facts["mechanism"]` when the server says no.
    """
    policy, credentials = login.auth, login.credentials
    if policy.method == "none" or not (credentials or policy.mechanism or login.client_certificate):
        return None
    choice, bindings, private = means(login, capabilities, tls)
    if not choice.candidates:
        yield from _without(login, capabilities, choice, private)
        return None
    yield Note(f"mechanisms to try: {' '.join(choice.candidates)}", Stage.AUTH, {"candidates": choice.candidates})
    context = sasl.SaslContext(
        host=login.host,
        port=login.port,
        service="lmtp" if login.lmtp else "smtp",
        secured=private,
        bindings=bindings,
        offered=capabilities.auth,
        eager_login=policy.initial_response == "always",
    )
    refused: Refused | None = None
    for mechanism in choice.candidates:
        try:
            reply, facts = yield from _attempt(mechanism, login, context)
        except sasl.SaslFailure as failure:
            raise Obstacle(Stage.AUTH, failure.id, {"mechanism": mechanism, "reason": failure.message}) from failure
        if reply.positive:
            return Authenticated(mechanism, reply, facts)
        refused = Refused(Stage.AUTH, f"AUTH {mechanism}", reply, {"mechanism": mechanism, **facts})
        if reply.code not in MECHANISM_UNKNOWN:
            break
    assert refused is not None
    raise refused


def means(login: Login, capabilities: Capabilities, tls: TlsSession | None) -> Means:
    """What a login on this connection can be tried with; nothing is sent."""
    private = tls is not None or _may_go_in_clear(login)
    plus = any(name.endswith("-PLUS") for name in capabilities.auth)
    bindings = channel_bindings(tls) if tls and plus else {}
    choice = sasl.choose(
        capabilities.auth,
        policy=login.auth,
        credentials=login.credentials,
        secured=private,
        bindings=bindings,
        client_cert=login.client_certificate and tls is not None,
    )
    return Means(choice, bindings, private)


def _may_go_in_clear(login: Login) -> bool:
    """A password may cross a trusted network without TLS, a token never (RFC 6750 5.3)."""
    return (login.auth.allow_plaintext or login.loopback) and not login.credentials.token


def _without(login: Login, capabilities: Capabilities, choice: sasl.Choice, private: bool) -> Dialogue[None]:
    """No mechanism can be tried: decide whether that matters."""
    facts = {
        "offered": list(capabilities.auth),
        "rejected": [f"{name}: {reason.value}" for name, reason in choice.rejected],
        "lines": list(capabilities.lines),
        "encrypted": private,
    }
    requirement = login.auth.requirement
    if requirement == "optional" or (requirement == "optional-strict" and not capabilities.auth):
        yield Note("no login: the server offers no mechanism that can be used here", Stage.AUTH, facts)
        return
    if not private and login.credentials.token:
        raise Obstacle(Stage.AUTH, "config.oauth_without_tls", facts)
    if not capabilities.auth:
        raise Obstacle(Stage.AUTH, "auth.not_offered", facts)
    if not private:
        raise Obstacle(Stage.AUTH, "auth.would_be_plaintext", facts)
    if any(reason is sasl.Reason.NOT_OFFERED for _, reason in choice.rejected):
        raise Obstacle(Stage.AUTH, "auth.mechanism_not_offered", {"mechanism": login.auth.mechanism.upper(), **facts})
    raise Obstacle(Stage.AUTH, "auth.no_common_mechanism", facts)


def _attempt(mechanism: str, login: Login, context: sasl.SaslContext) -> Dialogue[tuple[Reply, dict[str, Any]]]:
    """One AUTH exchange; the server's final reply and what its challenges said."""
    facts: dict[str, Any] = {}
    conversation = sasl.start(mechanism, login.credentials, context)
    response = next(conversation)
    held: bytes | None = None
    allowed = login.auth.initial_response != "never"
    if response is not None and allowed and sasl.initial_response_fits(mechanism, response):
        text = _b64(response) or "="  # RFC 4954 4: an empty initial response is a single "="
        yield Send(f"AUTH {mechanism} {text}\r\n".encode(), Stage.AUTH, f"AUTH {mechanism} {MASK}")
    else:
        held = response
        yield command(Stage.AUTH, f"AUTH {mechanism}")
    for _ in range(CHALLENGES_LIMIT):
        reply: Reply = yield Receive(Stage.AUTH, secret=True)
        if reply.code != 334:
            if reply.positive:
                sasl.accepted(conversation)
            return reply, facts
        if held is not None:
            answer: bytes | None = held
            held = None
        else:
            answer = yield from _respond(conversation, _decode(reply), facts)
        if answer is None:  # nothing sensible to say: cancel (RFC 4954 4); the reply is normally 501
            yield command(Stage.AUTH, "*")
        else:
            yield Send(_b64(answer).encode() + b"\r\n", Stage.AUTH, MASK)
    raise Obstacle(Stage.AUTH, "auth.challenge_undecodable", {"mechanism": mechanism, "text": "too many challenges"})


def _respond(conversation: sasl.Exchange, challenge: bytes | None, facts: dict[str, Any]) -> Dialogue[bytes | None]:
    """The response to a challenge, None where there is none; what the challenge says is kept in `facts`. SaslFailure."""
    if challenge is None:
        return None
    said = sasl.describe_challenge(challenge)
    if said.keys() - {"prompt"}:
        facts["challenge"] = said
        yield Note("the server explained itself in a challenge", Stage.AUTH, {"challenge": said})
    try:
        return _next(conversation, challenge)
    except sasl.SaslFailure:
        # The server waits for a response: cancel first (RFC 4954 4), whatever it says to that.
        yield command(Stage.AUTH, "*")
        with suppress(Problem):
            yield Receive(Stage.AUTH, secret=True)
        raise


def _next(conversation: sasl.Exchange, challenge: bytes) -> bytes | None:
    try:
        return conversation.send(challenge)
    except StopIteration:
        return None


def _decode(reply: Reply) -> bytes | None:
    text = reply.text.strip()
    if len(text) > CHALLENGE_LIMIT:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # Some servers send the prompt of AUTH LOGIN unencoded; the mechanism may know it as it is.
        return text.encode("ascii", "replace") if text.rstrip(":").lower() in ("username", "password") else None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
