"""`check --fetch-aia`: the proof that a certificate is all that a chain lacks.

The certificate whose issuer was not sent says where that one is to be had (RFC 5280 4.2.2.1, authority information access).
What is there is judged together with what the server sent. The session is over by then: it trusts nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from smtpctl.checks import chain
from smtpctl.checks.certificate import WEAK_HASHES
from smtpctl.checks.facts import Facts
from smtpctl.config.profile import Profile
from smtpctl.knowledge import chain as knowledge
from smtpctl.knowledge.families import entry
from smtpctl.model.certificate import Certificate
from smtpctl.model.finding import Cause, Evidence, Finding, Remedy, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Outcome, Report
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.net import certificate, plainhttp
from smtpctl.net.plainhttp import Errand, NotFetched

NAME = "missing certificate"
AFTER = ("tls.chain.missing_intermediate", "tls.chain.bad_signature")
LINKS = 3  # certificates that a chain may lack, one above the other


class Proof(NamedTuple):
    """What came of it: `seen` to be told with the finding, and what is wrong with the chain `still`, empty where it is
    complete; `fault` is the finding that this is, where it is one. `facts` have what was fetched in their chain,
    `appending` is how to do the same by hand."""

    facts: Facts
    seen: tuple[Evidence, ...]
    appending: tuple[str, ...]
    still: str = ""
    fault: str = ""


def proved(report: Report, profile: Profile, facts: Facts, errand: Errand) -> tuple[Report, Facts]:
    """The report, with what the missing certificate would do for the chain; the facts with that certificate."""
    lacking = next((finding for finding in report.findings if finding.id in AFTER), None)
    if lacking is None:
        why = "none is missing" if facts.chain else "the session did not get to tls"
        return _with(report, Outcome(NAME, "skipped", why)), facts
    proof = _prove(profile, facts, errand)
    _note(proof, report.transcript)
    findings = tuple(_told(finding, proof) if finding is lacking else finding for finding in report.findings)
    outcome = Outcome(NAME, "skipped", proof.still) if proof.still else Outcome(NAME, "passed")
    return _with(report._replace(findings=findings), outcome), proof.facts


def _prove(profile: Profile, facts: Facts, errand: Errand) -> Proof:
    seen: list[Evidence] = []
    appending: list[str] = []
    fault = AFTER[0]
    still = ""
    for _ in range(LINKS):
        last = chain.needed(facts)[-1]
        try:
            facts, found, form = _extended(profile, facts, last, errand)
        except NotFetched as error:
            still = str(error)
            return Proof(facts, (*seen, Evidence(still, "not fetched:")), (), still, fault)
        url = last.issuer_urls[0]
        appending.append(knowledge.appending(form, url if re.fullmatch(chain.PLAIN_URL, url) else "<url>"))
        seen.append(Evidence(f"{found.subject}, issued by {found.issuer}", "fetched:"))
        faults = [finding for finding in chain.chain(facts) if entry(finding.id).severity is Severity.ERROR]
        fault, still = (faults[0].id, faults[0].title) if faults else ("", "")
        if fault != AFTER[0]:
            break
    label = "with them:" if len(seen) > 1 else "with it:"
    seen.append(Evidence(still or "the chain is complete", label))
    return Proof(facts, tuple(seen), () if still else tuple(appending), still, fault)


def _extended(profile: Profile, facts: Facts, last: Certificate, errand: Errand) -> tuple[Facts, Certificate, str]:
    """The facts with the issuer of `last`, that one, and the form in which it came. NotFetched, also for what is not its
    issuer."""
    if not last.issuer_urls or facts.tls is None:
        raise NotFetched("the certificate does not say where to get it")
    octets = plainhttp.fetch(last.issuer_urls[0], errand)
    form, fetched = certificate.of_octets(octets)
    first, *others = facts.tls.chain
    tls = facts.tls._replace(chain=(first, *fetched, *others), verified=False, verify_code=-1)
    more = facts._replace(tls=tls, chain=certificate.parse(tls.chain, profile.tls))
    issuer = next(
        (one for one in chain.needed(more) if one.subject == last.issuer), None
    )  # its key signed: it is linked
    if issuer is None:
        raise NotFetched(_not_it(more.chain[1 : 1 + len(fetched)], last))
    if last.hash in WEAK_HASHES:  # linked by the name alone
        raise NotFetched(f"the one that is there has the right name; a signature with {last.hash} proves nothing more")
    return more, issuer, form


def _not_it(fetched: Sequence[Certificate | None], last: Certificate) -> str:
    read = [one for one in fetched if one]
    if not read:
        return "what is there is no certificate"
    if any(one.subject == last.issuer for one in read):
        return "the one that is there has the right name, but its key did not sign"
    return f"the one that is there is another: {read[0].subject}"


def _told(finding: Finding, proof: Proof) -> Finding:
    """The finding with the proof. What it proves leaves one cause: the likeliest, or an authority of somebody's own."""
    own = tuple(cause for cause in finding.causes if "private_authority" in cause.facts)
    left = finding.causes[:1] if not proof.still else own if proof.fault == "tls.chain.unknown_ca" else ()
    causes = tuple(cause._replace(remedies=tuple(_left_to_do(cause, proof))) for cause in left or finding.causes)
    return finding._replace(evidence=(*finding.evidence, *proof.seen), causes=causes)


def _left_to_do(cause: Cause, proof: Proof) -> Iterator[Remedy]:
    """What is more than what has been done now; to append what was fetched, in the form in which it came. Where that would
    not make the chain complete, the command would be a waste of time."""
    for remedy in cause.remedies:
        if any(knowledge.READERS["DER"] in command for command in remedy.commands):
            yield remedy._replace(commands=proof.appending)
        elif not any("--fetch-aia" in command for command in remedy.commands):
            yield remedy


def _note(proof: Proof, transcript: Transcript) -> None:
    at = transcript.events[-1].at if transcript.events else 0.0
    for piece in proof.seen:
        transcript.add(Event(at, Stage.TLS, Kind.NOTE, f"{piece.label} {piece.text}"))


def _with(report: Report, outcome: Outcome) -> Report:
    return report._replace(outcomes=(*report.outcomes, outcome))
