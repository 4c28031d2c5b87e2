"""`check --probe`: tests that do something to a server, for servers of one's own. Each has a connection of its own and is
never part of anything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from smtpctl.checks import facts as checks_facts
from smtpctl.config.profile import Profile
from smtpctl.knowledge.families import MX, entry
from smtpctl.model.endpoint import is_loopback
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.report import Comparison, Line, Outcome, Report
from smtpctl.model.transcript import Transcript
from smtpctl.ops import advice, session
from smtpctl.ops.check import check
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.probe import probe
from smtpctl.protocol.smuggle import Smuggled, smuggle
from smtpctl.protocol.steps import Dialogue
from smtpctl.protocol.submit import Submission

# Nobody's addresses (RFC 2606), foreign to every server.
FOREIGN_SENDER, FOREIGN_RECIPIENT = "smtpctl-probe@example.net", "smtpctl-probe@example.com"
SUBJECT = "smtpctl check --probe bare-lf"
TEXT = """This mail was sent by smtpctl to find out whether the server takes a bare line
feed for the end of a mail. Where it ends early, the server does.
"""
_STATUS = {"passed": "passed", "found": "failed", "skipped": "skipped"}


class Verdict(NamedTuple):
    """What a probe gave: `passed`, `found` or `skipped`, and why."""

    result: str
    detail: str
    finding: Finding | None = None


class Probe(NamedTuple):
    """One probe: what it does to a server, in words for help and lists, and what it can find. `login`: as the profile does;
    else nobody logs in. `sends`: a mail, to the first of the recipients. `role` is that of the servers it is for."""

    name: str
    does: str
    emits: tuple[str, ...]
    body: Callable[[Profile, Sequence[str], Session], Dialogue[Any]]
    judge: Callable[[Profile, str, Any], Verdict]
    login: bool = False
    sends: bool = False
    role: str = ""


def check_and_probe(profile: Profile, around: Surroundings, recipients: Sequence[str], names: Sequence[str]) -> Report:
    """As `check`, then these probes. UsageProblem for a server of a provider, and for a probe that sends a mail and has
    nobody to send it to."""
    refuse(profile, names, recipients)
    chosen = [one for one in PROBES if one.name in names]
    profile = session.prepared(profile, around)
    report = check(profile, around, recipients)
    role = checks_facts.role(profile.endpoint, profile.role, logged_in="mechanism" in report.facts)
    verdicts = [(one.name, *_run(one, profile, around, recipients, role, report.transcript)) for one in chosen]
    found = tuple(advice.personal(v.finding, profile) for _, v, _ in verdicts if v.finding)
    told = tuple(Line(_STATUS[v.result], (name, v.detail), ms) for name, v, ms in verdicts)
    facts = [
        {"probe": name, "result": v.result, "detail": v.detail, "finding": v.finding.id if v.finding else None}
        for name, v, _ in verdicts
    ]
    return report._replace(
        findings=(*report.findings, *found),
        outcomes=(*report.outcomes, *(Outcome(f"probe {name}", v.result, v.detail) for name, v, _ in verdicts)),
        comparisons=(*report.comparisons, Comparison("Probes", told)),
        facts={**report.facts, "probes": facts},
    )


def refuse(profile: Profile, names: Sequence[str], recipients: Sequence[str]) -> None:
    """Before anything is done: what a probe must not be run against, and what it lacks. UsageProblem."""
    from smtpctl.knowledge.catalogue import owner

    host = profile.endpoint.host
    if known := owner(host):
        raise UsageProblem(
            f"--probe: {host} belongs to {known.name}",
            "Probes are for servers of your own; a provider may block whoever tries them.",
        )
    sending = next((one.name for one in PROBES if one.sends and one.name in names), "")
    if sending and not recipients:
        raise UsageProblem(f"--probe {sending} sends a mail", "Say to whom: --to ADDRESS")


def _run(
    one: Probe, profile: Profile, around: Surroundings, recipients: Sequence[str], role: str, record: Transcript
) -> tuple[Verdict, float | None]:
    """One probe and how long it took. What it said goes into the record behind all before."""
    if one.role not in ("", role):
        return Verdict(
            "skipped", f"only of a server with the role {one.role} (port 25 and no login, or --role mx)"
        ), None
    own = profile if one.login else profile._replace(method="anonymous")
    done = session.converse(own, Surroundings(around.environ), lambda opened: one.body(profile, recipients, opened))
    before = record.events[-1].at if record.events else 0.0
    for event in done.transcript:
        record.add(event._replace(at=before + event.at))
    if done.result is None:
        why = done.problem.finding.title if done.problem else "the session ended early"
        return Verdict("skipped", why), done.ms
    return one.judge(profile, role, done.result), done.ms


def _relay(profile: Profile, recipients: Sequence[str], opened: Session) -> Dialogue[list[Submission]]:
    """A foreign recipient, from a foreign sender and from the profile's own: some servers believe whoever claims that."""
    tried: list[Submission] = []
    own = profile.sender if profile.sender.isascii() else ""
    for sender in dict.fromkeys((FOREIGN_SENDER, own or FOREIGN_SENDER)):
        envelope = Envelope(sender, (Recipient(FOREIGN_RECIPIENT),))
        tried += [(yield from probe(opened.capabilities, envelope))]
    return tried


def _relayed(profile: Profile, role: str, tried: Sequence[Submission]) -> Verdict:
    last = next((done for done in tried if _decisive(done).positive), tried[-1])
    said = [Evidence(f"MAIL FROM:<{last.envelope.sender}>", "C:"), *_said(last.mail)]
    reply = _decisive(last)
    if not reply.positive:
        return _unclear(reply) or Verdict("passed", str(reply))
    said += [Evidence(f"RCPT TO:<{FOREIGN_RECIPIENT}>", "C:"), *_said(reply)]
    here = {"on_this_machine": True} if profile.endpoint.path or is_loopback(profile.endpoint.host) else {}
    return _found(profile, role, "smtp.open_relay", reply, said, recipient=FOREIGN_RECIPIENT, facts=here)


def _postmaster(profile: Profile, recipients: Sequence[str], opened: Session) -> Dialogue[Submission]:
    return probe(opened.capabilities, Envelope("", (Recipient("postmaster"),)))


def _has_postmaster(profile: Profile, role: str, done: Submission) -> Verdict:
    reply = _decisive(done)
    if reply.positive:
        return Verdict("passed", str(reply))
    if reply is done.mail:
        return Verdict("skipped", f"no recipient was asked about: {reply}")
    said = [Evidence("RCPT TO:<postmaster>", "C:"), *_said(reply)]
    return _unclear(reply) or _found(profile, role, "smtp.postmaster_missing", reply, said)


def _bare_lf(profile: Profile, recipients: Sequence[str], opened: Session) -> Dialogue[Smuggled]:
    from smtpctl.ops.test_send import Wish, composed, draft

    message, envelope = composed(profile, Wish(draft(to=recipients[:1], subject=SUBJECT, text=TEXT)))
    return smuggle(opened.capabilities, envelope, b"".join(message.chunks()))


def _smuggled(profile: Profile, role: str, done: Smuggled) -> Verdict:
    if not done.asked:
        return Verdict("skipped", f"the mail was not taken: {done.reply}")
    if not done.sequence or not done.reply.positive:
        return Verdict("passed", str(done.reply))
    said = [Evidence(f"the mail goes on{done.sequence}", "C:"), *_said(done.reply)]
    return _found(profile, role, "smtp.bare_lf_accepted", done.reply, said, sequence=done.sequence)


def _found(profile: Profile, role: str, id: str, reply: Reply, said: Sequence[Evidence], **values: Any) -> Verdict:
    finding = entry(id).finding(target=str(profile.endpoint), role=role, evidence=said, **values)
    return Verdict("found", str(reply), finding)


def _decisive(done: Submission) -> Reply:
    """The reply that a probe of one recipient is about: that to MAIL where it was refused, whatever RCPT got then."""
    return done.recipients[0].reply or done.mail


def _unclear(reply: Reply) -> Verdict | None:
    """Refused for now: a server that greylists has not decided yet."""
    return Verdict("skipped", f"no verdict: {reply}") if reply.transient else None


def _said(reply: Reply) -> list[Evidence]:
    return [Evidence(line, "S:") for line in reply.wire_lines()]


PROBES: tuple[Probe, ...] = (
    Probe("open-relay", f"names {FOREIGN_RECIPIENT} as a recipient without a login, then resets; no mail is sent",
          ("smtp.open_relay",), _relay, _relayed),
    Probe("bare-lf", "sends one mail to the first --to, whose content holds bare line feeds where a mail might end",
          ("smtp.bare_lf_accepted",), _bare_lf, _smuggled, login=True, sends=True),
    Probe("postmaster", "names postmaster as a recipient, then resets; no mail is sent",
          ("smtp.postmaster_missing",), _postmaster, _has_postmaster, role=MX),
)  # fmt: skip
