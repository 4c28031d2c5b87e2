"""`check`: the staged run without a mail, judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from smtpctl.checks import runner
from smtpctl.checks.facts import Facts
from smtpctl.config.profile import Profile
from smtpctl.model.certificate import Certificate
from smtpctl.model.command import quoted
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding
from smtpctl.model.report import Outcome, RecipientResult, Report
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.net import certificate
from smtpctl.ops import advice, session
from smtpctl.ops.refused import refusals
from smtpctl.ops.session import Conversation, Surroundings
from smtpctl.protocol import probe
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.steps import Dialogue
from smtpctl.protocol.submit import Submission


def check(profile: Profile, around: Surroundings, recipients: Sequence[str] = ()) -> Report:
    """Everything up to a login, nothing sent; with `recipients` (addresses as people write them) also whether the server
    would take a mail to them. Problems are in the report. UsageProblem for an address that is none."""
    now = time.time()
    if not recipients:
        return _finished(profile, session.converse(profile, around, now=now), now, around)
    envelope = _envelope(profile, recipients)

    def body(opened: Session) -> Dialogue[Submission]:
        return probe.probe(opened.capabilities, envelope)

    conversation = session.converse(profile, around, body, now=now)
    done: Submission | None = conversation.result
    refused = refusals(profile, done, conversation.known) if done else []
    return _finished(profile, conversation, now, around, done, refused)


def _finished(
    profile: Profile,
    conversation: Conversation,
    now: float,
    around: Surroundings,
    done: Submission | None = None,
    refused: Sequence[Problem] = (),
) -> Report:
    """The report of a check, with what it asked about recipients and of third parties, in the user's own names."""
    report = judged(profile, conversation, now)
    whole = report._replace(
        recipients=_would(done) if done else (),
        findings=(*(problem.finding for problem in refused), *report.findings),
        failure=report.failure or (refused[0].failure if refused else None),
    )
    if around.others:
        from smtpctl.ops import others

        whole = others.asked(whole, profile, facts_of(profile, conversation, now), around)
    return advice.advised(whole, profile)


def _envelope(profile: Profile, recipients: Sequence[str]) -> Envelope:
    from smtpctl.message.domains import wire_address
    from smtpctl.model.address import parse, parse_list

    written = profile.sender or (profile.login if "@" in profile.login else "")
    sender = wire_address(parse(written)) if written else ""
    addresses = tuple(wire_address(mailbox) for mailbox in parse_list(", ".join(recipients)))
    utf8 = not all(address.isascii() for address in (sender, *addresses))
    return Envelope(sender, tuple(map(Recipient, addresses)), utf8=utf8)


def _would(done: Submission) -> tuple[RecipientResult, ...]:
    """The verdicts: a positive reply to RCPT is all there is to be had."""
    return tuple(
        recipient._replace(result="accepted") if recipient.reply and recipient.reply.positive else recipient
        for recipient in done.recipients
    )


def judged(profile: Profile, conversation: Conversation, now: float, **more: Any) -> Report:
    """A conversation as a report: what stopped it first, then what the checks see in it. `more` are fields of Report."""
    facts = facts_of(profile, conversation, now)
    _note(facts.chain, conversation.transcript)
    problem = conversation.problem
    beside: tuple[Finding, ...] = ()
    looks: tuple[Outcome, ...] = ()
    if problem:  # a run that works does not load what for
        from smtpctl.ops import second

        problem, beside, looks = second.look(problem, profile, facts)
    seen, outcomes = runner.run(facts)
    findings = sorted((*conversation.settings, *beside, *seen), key=lambda finding: -finding.severity)
    extra = more.pop("facts", {})
    return Report(
        target=profile.label,
        transcript=conversation.transcript,
        findings=merged(problem, findings),
        outcomes=(*outcomes, *looks),
        stages=tuple(conversation.rows),
        failure=problem.failure if problem else None,
        facts={**_facts(conversation, facts), **extra},
        headline=profile.headline,
        place=profile.place,
        chain=conversation.tls.chain if conversation.tls else (),
        next_command=f"smtpctl test-send {quoted(profile.name)} --to you@example.com"
        if profile.name and not problem
        else "",
        **more,
    )


def _note(chain: Sequence[Certificate | None], transcript: Transcript) -> None:
    """Write the presented certificates into the transcript, for who reads along."""
    at = transcript.events[-1].at if transcript.events else 0.0
    for number, presented in enumerate(chain, 1):
        if presented:
            first, *more = presented.lines()
            about = f"certificate {number} of {len(chain)}: {first}"
            for text in (about, *(f"  {line}" for line in more)):
                transcript.add(Event(at, Stage.TLS, Kind.NOTE, text))


def facts_of(profile: Profile, conversation: Conversation, now: float) -> Facts:
    """A conversation as checks want it."""
    return Facts(
        target=str(profile.endpoint),
        endpoint=profile.endpoint,
        policy=profile.tls,
        helo=profile.helo or session.own_name(),
        transcript=conversation.transcript,
        session=conversation.session,
        tls=conversation.tls,
        chain=certificate.parse(conversation.tls.chain, profile.tls) if conversation.tls else (),
        now=now,
        trusted=profile.trusted,
        client=certificate.of_file(profile.tls.client_cert),
        given_role=profile.role,
    )


def merged(problem: Problem | None, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The finding that stopped the run stands first. A certificate that was refused is told by the checks of its chain,
    which see more than OpenSSL's one verdict."""
    if problem is None:
        return tuple(findings)
    first = problem.finding
    if first.id.startswith(("tls.cert.", "tls.chain.")):
        told = [f for f in findings if f.id.startswith(("tls.cert.", "tls.chain.")) and f.severity == first.severity]
        # `untrusted` is what OpenSSL says of a broken chain, and of faults that no check knows.
        if any(first.id != "tls.cert.untrusted" or _of_chain(finding) for finding in told):
            return tuple(findings)
    return (first, *(finding for finding in findings if finding.id != first.id))


def _of_chain(finding: Finding) -> bool:
    return finding.id.startswith("tls.chain.") or finding.id in ("tls.cert.self_signed", "tls.cert.untrusted")


def refused_certificate(profile: Profile, conversation: Conversation, now: float) -> str:
    """Why the certificate was refused that ended this conversation, in the words of the report's finding about it."""
    seen, _ = runner.run(facts_of(profile, conversation, now))
    of_tls = [finding for finding in seen if finding.stage is Stage.TLS]
    return merged(conversation.problem, of_tls)[0].title


def _facts(conversation: Conversation, facts: Facts) -> dict[str, Any]:
    """The JSON document's facts: connection, TLS, certificates, capabilities."""
    found: dict[str, Any] = {"ms": round(conversation.ms, 1), "round_trips": conversation.round_trips}
    found["checked_at"] = int(facts.now)
    found["tls"] = session.tls_facts(conversation)
    if conversation.known.token.shown:
        found["token"] = dict(conversation.known.token.shown)
    if conversation.tls:
        found["certificates"] = [item.to_json() for item in facts.chain if item]
    if conversation.session:
        capabilities = conversation.session.capabilities
        found["capabilities"] = {
            "name": capabilities.name,
            "keywords": {key: list(value) for key, value in capabilities.keywords.items()},
            "auth": list(capabilities.auth),
            "esmtp": capabilities.extended,
        }
        found["greeting"] = str(conversation.session.greeting)
        if conversation.session.authenticated:
            found["mechanism"] = conversation.session.authenticated.mechanism
    return found
