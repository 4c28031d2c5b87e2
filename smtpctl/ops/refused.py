"""From what ended a session to a Problem: a reply is looked up in the knowledge base with all that is known besides it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from smtpctl.config.profile import Profile
from smtpctl.knowledge import families
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.finding import Evidence
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.secret import MASK, Secret
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.oauth.claims import NOTHING, Told
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.submit import Submission

# Claims of a token that must be those of the login; which roles and scopes it needs, the server knows.
_COMPARED = ("aud", "exp", "nbf", "tid", "appid", "azp", "upn", "preferred_username")
_LONGEST = 200  # characters of a claim that are shown


class Known(NamedTuple):
    """What a session knows besides the profile: what its token tells, whether somebody logged in (None: it did not get
    that far), the server's greeting, and of a token that was refused the claims that do not fit the login."""

    token: Told = NOTHING
    logged_in: bool | None = None
    banner: str = ""
    against: tuple[str, ...] = ()


UNKNOWN = Known()


def heard(known: Known, transcript: Transcript, session: Session | None) -> Known:
    """What the session found out besides: its greeting may say whose server it is."""
    greeting = (event.text for event in transcript if event.stage is Stage.GREETING and event.kind is Kind.RECEIVED)
    logged_in = bool(session.authenticated) if session else None
    return known._replace(banner=next(greeting, ""), logged_in=logged_in)


def claims_against(token: Secret, user: str, profile: Profile) -> tuple[str, ...]:
    """The claims of a token that do not fit a login as `user`, each beside what it should be; none where it is opaque."""
    from smtpctl.oauth.inspect import WRONG, Asked, inspect

    oauth = profile.oauth
    asked = Asked(time.time(), user, oauth.client_id if oauth else "", oauth.tenant_id if oauth else "")
    wrong = (line for line in inspect(token, asked).lines if line.verdict == WRONG and line.name in _COMPARED)
    return tuple(f"{line.name} {line.value[:_LONGEST]}: {line.says}" for line in wrong)


def as_problem(error: Problem | Refused | Obstacle, profile: Profile, known: Known = UNKNOWN) -> Problem:
    """What ended a dialogue, as a Problem with causes: replies are looked up in the knowledge base."""
    if isinstance(error, Problem):
        return _hung_up(error, profile, known)
    target = str(profile.endpoint)
    if isinstance(error, Obstacle):
        facts = {
            key: ", ".join(value) if isinstance(value, list | tuple) else value for key, value in error.facts.items()
        }
        return families.entry(error.id).problem(
            target=target, stage=error.stage, evidence=_obstacle_evidence(error), **_strings(facts)
        )
    return _refusal(error.reply, error.stage, profile, known, command=error.command, facts=error.facts)


def _hung_up(problem: Problem, profile: Profile, known: Known) -> Problem:
    """A 421 that came in place of an answer says more than that the session is over, where its words are known."""
    if problem.reply is None or problem.finding.id != "smtp.early_421":
        return problem
    from smtpctl.knowledge.catalogue import load

    explained = _refusal(problem.reply, problem.finding.stage, profile, known, command="")
    return explained if explained.finding.id in load().entries else problem


def _refusal(
    reply: Reply,
    stage: Stage,
    profile: Profile,
    known: Known,
    *,
    command: str,
    facts: Mapping[str, Any] | None = None,
) -> Problem:
    """A reply that stopped a session, explained by all that is known about it."""
    import json

    from smtpctl.knowledge import match

    facts = facts or {}
    mechanism = str(facts.get("mechanism", ""))
    surroundings = {name: holds(profile, stage, known) for name, holds in _SURROUNDINGS.items()}
    context = match.Context.of(
        reply,
        stage=stage,
        provider=profile.preset,
        host=profile.endpoint.host,
        port=profile.endpoint.port,
        banner=known.banner,
        mechanism=mechanism,
        credential=profile.credential,
        grant=known.token.grant or (profile.oauth.grant if profile.oauth and profile.method == "oauth2" else ""),
        challenge=json.dumps(facts.get("challenge", {}).get("oauth", {})),
        facts=known.token.facts.union(name for name, holds in surroundings.items() if holds),
        denied=known.token.denied.union(name for name, holds in surroundings.items() if holds is False),
    )
    told = f" (token {known.token})" if known.token.shown and stage is Stage.AUTH else ""
    evidence = [Evidence(f"{command} {MASK}{told}" if mechanism else command, "C:")] if command.isupper() else []
    evidence += [Evidence(line, "S:") for line in reply.wire_lines()]
    evidence += [Evidence(line, "token:") for line in known.against if stage is Stage.AUTH]
    return match.problem(context, target=str(profile.endpoint), evidence=evidence)


_ANSWERED = {Stage.MAIL: "MAIL FROM", Stage.RCPT: "RCPT TO", Stage.DATA: "DATA"}


def refusals(profile: Profile, done: Submission, known: Known = UNKNOWN) -> list[Problem]:
    """Every different refusal of a transaction, explained: what kept the mail from everybody, else what single
    recipients were refused for."""
    refused = done.refusal
    if refused:
        stage, reply = refused
        return [_refusal(reply, stage, profile, known, command=_ANSWERED[stage])]
    seen: dict[tuple[int, str], Reply] = {}
    for recipient in done.recipients:
        if recipient.reply is not None and not recipient.reply.positive:
            words = recipient.reply.text.replace(recipient.address, "")
            seen.setdefault((recipient.reply.code, words), recipient.reply)
    command = _ANSWERED[Stage.RCPT]
    return [_refusal(reply, Stage.RCPT, profile, known, command=command) for reply in seen.values()]


# Conditions of the knowledge base (knowledge/replies/facts.toml) that a profile, a stage and the session decide; None
# where they do not. At AUTH no sender has been named yet.
_ENVELOPE = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_SURROUNDINGS: Mapping[str, Callable[[Profile, Stage, Known], bool | None]] = {
    "verification_off": lambda profile, _, known: not profile.tls.verify,
    "cleartext_login": lambda profile, _, known: profile.tls.mode is TlsMode.NONE and profile.method == "basic",
    "username_no_address": lambda profile, _, known: "@" not in profile.username if profile.username else None,
    "from_not_username": lambda profile, stage, known: (
        profile.sender != profile.login if stage in _ENVELOPE and profile.sender and profile.login else None
    ),
    "logged_in": lambda _, stage, known: known.logged_in if stage in _ENVELOPE else None,
}


def _obstacle_evidence(error: Obstacle) -> list[Evidence]:
    return [Evidence(line, "S:") for line in error.facts.get("lines", ())][:12]


def _strings(values: Mapping[str, Any]) -> dict[str, Any]:
    reserved = {"target", "evidence", "role", "stage", "severity", "location", "reply"}
    return {f"{key}_text" if key in reserved else key: value for key, value in values.items()}
