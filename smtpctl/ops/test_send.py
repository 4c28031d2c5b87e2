"""`test-send`: one mail straight to a server, every stage shown, the verdict on each recipient, what failed explained."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smtpctl.config.profile import Profile
from smtpctl.message.bodies import from_path
from smtpctl.message.compose import Draft, Message, compose, envelope, parse_header
from smtpctl.model.address import Mailbox, parse, parse_list
from smtpctl.model.envelope import Envelope
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Failure, RecipientResult, Report
from smtpctl.model.transcript import Kind, Stage
from smtpctl.ops import session, static
from smtpctl.ops.refused import refusals
from smtpctl.ops.session import Conversation, Surroundings
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.steps import Dialogue
from smtpctl.protocol.submit import Submission, submit

# How servers name a message in their last reply: Postfix "queued as X", Exim "OK id=X", Exchange "<id> [InternalId=N ...]",
# Gmail "2.0.0 OK  <time> <id> - gsmtp", Sendmail "X Message accepted for delivery", OpenSMTPD "X Message accepted ...".
# Compiled when they are tried: the first one mostly fits.
_QUEUE_IDS = (
    r"queued (?:mail for delivery )?as:? <?([\w.@+/=-]+)",
    r"\bid=([\w-]+)",
    r"\bOK\s+\d+\s+(\S+) - gsmtp",
    r"<[^>]+> \[InternalId=(\d+)",
    r"(\w{6,}) Message accepted",
    r"\bOk:? ([0-9a-f-]{16,})",
)


DEFAULT_SUBJECT = "Test mail from smtpctl"
DEFAULT_TEXT = "This mail was sent by smtpctl test-send. If you read it, sending works.\n"
NOBODY = Mailbox("", "", "")  # stands for the profile's sender, which is known only when there is a profile


class Wish(NamedTuple):
    """The mail that was asked for: a draft whose sender may still be missing, and the wishes of its envelope."""

    draft: Draft
    notify: str = ""
    ret: str = ""
    require_tls: bool = False


def draft(
    *,
    to: Sequence[str] | None,
    cc: Sequence[str] | None = None,
    bcc: Sequence[str] | None = None,
    subject: str | None = None,
    text: str | None = None,
    html: str | None = None,
    attach: Sequence[Path] | None = None,
    headers: Sequence[str] | None = None,
    sample: str | None = None,
) -> Draft:
    """What was asked for as a draft without a sender; `sample` is a kind whose texts are taken. UsageProblem for an
    address, header or attachment that cannot be used."""
    title = DEFAULT_SUBJECT
    if sample:
        from smtpctl.message.samples import sample as load

        _, title, text, html = load(sample)
    return Draft(
        sender=NOBODY,
        to=parse_list(", ".join(to or ())),
        cc=parse_list(", ".join(cc or ())),
        bcc=parse_list(", ".join(bcc or ())),
        subject=title if subject is None else subject,
        text=text,
        html=html,
        attachments=tuple(map(from_path, attach or ())),
        headers=tuple(map(parse_header, headers or ())),
    )


def default_sender(profile: Profile) -> Mailbox:
    """Who a mail is from where nobody says: the profile's address, else its login. Without either UsageProblem, with
    OAuth 2.0 Problem `config.oauth_no_username`, because the login is missing then too."""
    # The setting itself has the display name too; `profile.sender` is the bare address.
    written = str(profile.values.get("from") or "") or (profile.login if "@" in profile.login else "")
    if not written and profile.method == "oauth2":
        problem = static.stopper(profile, static.judge(profile))
        if problem:
            raise problem
    if not written:
        raise UsageProblem(
            "The mail has no sender.", "Give --from ADDRESS, or set it: smtpctl profile set NAME from=ADDRESS"
        )
    return parse(written)


def composed(profile: Profile, wish: Wish, now: datetime | None = None) -> tuple[Message, Envelope]:
    """The mail for one profile, and its envelope. UsageProblem for a sender or recipient that is missing or wrong."""
    mail = wish.draft
    if mail.sender == NOBODY:
        mail = mail._replace(sender=default_sender(profile))
    if not (mail.to or mail.cc or mail.bcc):
        raise UsageProblem("The mail has no recipient.", "Give --to ADDRESS.")
    message = compose(mail, now or datetime.now(UTC).astimezone(), os.urandom(16).hex())
    made = envelope(mail, message)
    recipients = tuple(recipient._replace(notify=wish.notify) for recipient in made.recipients)
    return message, made._replace(recipients=recipients, ret=wish.ret, require_tls=wish.require_tls)


def test_send(profile: Profile, around: Surroundings, wish: Wish) -> Report:
    """Send it and report; problems of the network and refusals are in the report. UsageProblem as `composed`."""
    message, mail = composed(profile, wish)
    now = time.time()

    def body(opened: Session) -> Dialogue[Submission]:
        return submit(opened.capabilities, mail, message.chunks(), lmtp=profile.endpoint.lmtp, last=True)

    conversation = session.converse(profile, around, body, now=now)
    return _report(profile, conversation, mail, message)


def _report(profile: Profile, conversation: Conversation, mail: Envelope, message: Message) -> Report:
    done: Submission | None = conversation.result
    problem = conversation.problem
    recipients = done.recipients if done else tuple(_undecided(mail, problem))
    findings: list[Finding] = []
    failure: Failure | None = None
    if problem:
        from smtpctl.ops import second
        from smtpctl.ops.check import facts_of, merged

        problem, beside, _ = second.look(problem, profile, facts_of(profile, conversation, time.time()))
        findings = [*merged(problem, _certificate_findings(profile, conversation, problem)), *beside]
        failure = problem.failure
    elif done:
        problems = refusals(profile, done, conversation.known)
        findings = [refused.finding for refused in problems]
        failure = problems[0].failure if problems else None
    findings += _too_large(profile, conversation, message)
    told = {finding.id for finding in findings}
    findings += [finding for finding in conversation.settings if finding.id not in told]
    sent = sum(recipient.result == "accepted" for recipient in recipients)
    report = Report(
        target=profile.label,
        transcript=conversation.transcript,
        findings=tuple(findings),
        stages=tuple(conversation.rows),
        recipients=recipients,
        failure=failure,
        facts=_facts(conversation, message, sent),
        headline=profile.headline,
        place=profile.place,
    )
    if not report.findings:
        return report
    from smtpctl.ops import advice

    return advice.advised(report, profile)


def _undecided(mail: Envelope, problem: Problem | None) -> Iterator[RecipientResult]:
    """The recipients of a mail whose verdict never came. A server that ends the session in place of an earlier answer takes
    nothing, though the content had left already (RFC 5321 3.8)."""
    ended = problem.reply if problem and problem.finding.stage in (Stage.MAIL, Stage.RCPT) else None
    for recipient in mail.recipients:
        yield RecipientResult(recipient.address, "temporary" if ended else "unknown", ended)


def _too_large(profile: Profile, conversation: Conversation, message: Message) -> list[Finding]:
    """The server's limit where the mail is over it, whatever the server made of that (RFC 1870 6)."""
    limit = conversation.session.capabilities.size if conversation.session else None
    if limit is None or message.size <= limit:
        return []
    from smtpctl.checks.facts import role
    from smtpctl.knowledge import families

    place, logged_in = profile.endpoint, bool(conversation.session and conversation.session.authenticated)
    seen = [Evidence(f"250-SIZE {limit}", "S:")]
    entry = families.entry("smtp.size_too_small")
    of = role(place, profile.role, logged_in=logged_in)
    return [entry.finding(target=str(place), role=of, evidence=seen, size=message.size, limit=limit)]


def _facts(conversation: Conversation, message: Message, sent: int) -> dict[str, Any]:
    """The JSON document's facts. `content_sent`: the message has left; without a reply nobody knows what became of it."""
    done: Submission | None = conversation.result
    final = done.final[0] if done and done.final else None
    content = (event for _, event in conversation.transcript.at_stage(Stage.DATA) if "octets" in event.facts)
    return {
        "ms": round(conversation.ms, 1),
        "round_trips": conversation.round_trips,
        "message_id": message.message_id,
        "octets": message.size,
        "sent": sent,
        "content_sent": any(event.kind is Kind.SENT for event in content),
        "checked_at": int(time.time()),
        "tls": session.tls_facts(conversation),
        **({"token": dict(conversation.known.token.shown)} if conversation.known.token.shown else {}),
        **({"queue_id": found} if final and final.positive and (found := queue_id(str(final))) else {}),
    }


def _certificate_findings(profile: Profile, conversation: Conversation, problem: Problem) -> Sequence[Finding]:
    """A certificate that was refused is worth a second look; nothing else is judged here."""
    if not problem.finding.id.startswith(("tls.cert.", "tls.chain.")):
        return ()
    from smtpctl.ops.check import judged

    report = judged(profile, conversation, time.time())
    return [finding for finding in report.findings if finding.id.startswith("tls.")]


def queue_id(reply: str) -> str:
    """The name that the server gave the message, as far as its last reply says; else empty."""
    for pattern in _QUEUE_IDS:
        found = re.search(pattern, reply, re.IGNORECASE)
        if found:
            return found[1]
    return ""
