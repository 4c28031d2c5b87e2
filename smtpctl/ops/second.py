"""Second looks: what a run that was stopped asks before it says why. Each has a failure that it comes after, a connection
or two of its own and a few seconds; a run that works never pays for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smtpctl.checks import starttls
from smtpctl.checks.facts import Facts
from smtpctl.config.profile import Profile
from smtpctl.knowledge.families import entry, known
from smtpctl.model.endpoint import TlsMode, is_loopback
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Outcome
from smtpctl.model.transcript import Stage
from smtpctl.net import probe, tls
from smtpctl.ops.refused import as_problem

SUBMISSION_PORTS = (587, 465)
STARTTLS_PORTS = (587, 25)
NOBODYS_PORTS = (1, 64999)  # where no server of a mail host listens


class Look(NamedTuple):
    """One second look. `after` are the findings it comes after, `emits` what it can find. `run` gives a Problem to be told
    in place of the first one, a Finding to be told beside it, None, or in words why it saw nothing at all; `denies` is the
    fact (`knowledge.ranking`) that does not hold where it gave None."""

    name: str
    after: tuple[str, ...]
    emits: tuple[str, ...]
    run: Callable[[Profile, Facts], Problem | Finding | str | None]
    denies: str = ""


class Seen(NamedTuple):
    """What stopped a run as it is to be told, what else was seen on looking again, and what became of each look."""

    problem: Problem
    beside: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


def look(problem: Problem, profile: Profile, facts: Facts) -> Seen:
    """Look again at what stopped a run."""
    beside: list[Finding] = []
    outcomes: list[Outcome] = []
    if profile.endpoint.path:  # a UNIX socket has no ports and no network before it
        return Seen(problem)
    for one in LOOKS:
        if problem.finding.id not in one.after:
            continue
        seen = one.run(profile, facts)
        outcomes.append(Outcome(f"second look: {one.name}", *_became(seen)))
        if isinstance(seen, Problem):
            problem = _at(problem.finding.stage, seen)
        elif isinstance(seen, Finding):
            beside.append(seen)
        elif seen is None and one.denies:
            causes = known(problem.finding.causes, {one.denies: False})
            problem.finding = problem.finding._replace(causes=causes)
    return Seen(problem, tuple(beside), tuple(outcomes))


def _at(stage: Stage, problem: Problem) -> Problem:
    """The problem, told of the stage at which the session itself ended: where another connection came upon it means nothing
    to who reads the stages."""
    problem.finding = problem.finding._replace(stage=stage)
    return problem


def _became(seen: Problem | Finding | str | None) -> tuple[str, str]:
    """The status and the detail of an Outcome."""
    if isinstance(seen, str):
        return "skipped", seen
    found = seen.finding if isinstance(seen, Problem) else seen
    return ("found", found.id) if found else ("passed", "")


def _implicit_tls(profile: Profile, facts: Facts) -> Problem | str | None:
    """No greeting, or a hang-up before one, in clear: does the port speak TLS from the first octet?"""
    return None if profile.tls.mode is TlsMode.IMPLICIT else tls_first(profile)


def tls_first(profile: Profile) -> Problem | str | None:
    """What is wrong with waiting for a greeting in clear, where the answer to a TLS hello tells it: SMTP inside TLS, or a server
    of another kind, in TLS or not. In words why there was no answer to be had."""
    answer = probe.answer_to_tls(profile.endpoint, profile.route, _limit(profile))
    if answer is None:
        return "a second connection did not come about"
    other = as_problem(answer.ended, profile) if answer.ended else None
    if other and other.finding.id == "conn.not_smtp":
        return _at(Stage.GREETING, other)
    if not answer.tls:
        return None
    # A web server waits for its request: what hung up or sent an alert is none.
    silent = other and other.finding.id in _NO_WORD
    if silent and (web := _web(profile, probe.INSIDE, inside=True)):
        return _at(Stage.GREETING, web)
    seen = [Evidence("a TLS ClientHello sent to the port was answered with TLS")]
    seen += [Evidence(answer.greeting, "S:")] if answer.greeting else []
    return entry("conn.port_is_implicit_tls").problem(target=str(profile.endpoint), evidence=seen, stage=Stage.GREETING)


def _http(profile: Profile, facts: Facts) -> Problem | None:
    """Still no word: does it wait for a request of HTTP?"""
    return _web(profile, probe.SECONDS, inside=facts.tls is not None)


def _web(profile: Profile, seconds: float, *, inside: bool) -> Problem | None:
    return probe.answer_to_http(profile.endpoint, profile.route, min(seconds, _limit(profile)), inside=inside)


def _any_port(profile: Profile, facts: Facts) -> Finding | None:
    """A connection and no word: does the address accept every port?"""
    if profile.route.proxy:
        return None
    found = probe.answering(profile.endpoint, profile.route, NOBODYS_PORTS, _limit(profile))
    if [found.get(port) for port in NOBODYS_PORTS] != ["connected"] * len(NOBODYS_PORTS):
        return None
    return facts.finding("conn.any_port_accepted", [f"port {port}: connected" for port in NOBODYS_PORTS])


def _port_25(profile: Profile, facts: Facts) -> Finding | None:
    """No answer on port 25: do other ports of the host answer? A refusal is an answer too."""
    if profile.endpoint.port != 25 or profile.route.proxy:
        return None
    found = probe.answering(profile.endpoint, profile.route, SUBMISSION_PORTS, _limit(profile))
    seen = ["port 25: no answer", *(f"port {port}: {how}" for port, how in found.items())]
    return facts.finding("local.port25_blocked", seen) if found else None


def _stripped(profile: Profile, facts: Facts) -> Problem | None:
    """STARTTLS is not offered: is it masked, taken all the same, or offered on another port?"""
    before = facts.offered(secured=False)
    masked = starttls.masked_starttls(before) if before else ()
    if masked:
        seen = [Evidence(line, "S:") for line in masked]
        return _problem(facts, "starttls.stripped", seen, elsewhere="its place is overwritten")
    seen = [Evidence(line, "S:") for line in (before.lines[1:5] if before else ())]
    heard = probe.hear(profile.endpoint, profile.route, facts.helo, _limit(profile))
    if heard and heard.starttls.code == 220:
        seen += [Evidence("STARTTLS", "C:"), Evidence(str(heard.starttls), "S:")]
        return _problem(facts, "starttls.stripped", seen, elsewhere="the server takes it all the same")
    for port in () if _this_machine(facts) else STARTTLS_PORTS:
        endpoint = profile.endpoint._replace(port=port)
        there = (
            None if endpoint == profile.endpoint else probe.hear(endpoint, profile.route, facts.helo, _limit(profile))
        )
        if there and there.offered.has("STARTTLS"):
            seen += [Evidence("250 STARTTLS", f"port {port}:")]
            return _problem(facts, "starttls.stripped", seen, elsewhere=f"port {port} offers it")
    return None


def _this_machine(facts: Facts) -> bool:
    """Whether the server is here: its ports may be tunnels to different servers, and nothing is on the way."""
    return starttls.local(facts) or is_loopback(facts.endpoint.host)


def _resolver(profile: Profile, facts: Facts) -> Problem | None:
    """No address: is there a resolver that answers anything at all?"""
    servers = probe.resolvers()
    silences = {server: probe.resolver_silence(server, _limit(profile) / len(servers)) for server in servers}
    if not silences or not all(silences.values()):
        return None
    return _problem(facts, "local.resolver_unreachable", [f"{server}: {why}" for server, why in silences.items()])


def _trust_store(profile: Profile, facts: Facts) -> Finding | None:
    """A certificate that nobody vouches for: does this machine trust anybody?"""
    if profile.tls.ca_file or profile.tls.ca_dir or not tls.trusts_nobody():
        return None
    return facts.finding("local.trust_store_empty", tls.trust_places())


def _problem(facts: Facts, id: str, evidence: Any, **values: Any) -> Problem:
    return entry(id).problem(target=facts.target, role=facts.role, evidence=evidence, **values)


def _limit(profile: Profile) -> float:
    return min(
        profile.timeouts.of(Stage.CONNECT), profile.timeouts.of(Stage.TLS), profile.timeouts.total, probe.SECONDS
    )


_NO_WORD = ("conn.greeting_timeout", "conn.total_timeout")
_SILENT = ("conn.greeting_timeout", "conn.closed", "conn.reset")
_UNTRUSTED = ("tls.cert.self_signed", "tls.cert.untrusted", "tls.chain.unknown_ca", "tls.chain.missing_intermediate")
LOOKS: tuple[Look, ...] = (
    Look("implicit TLS", _SILENT, ("conn.port_is_implicit_tls", "conn.not_smtp"), _implicit_tls, "tls_from_start"),
    Look("HTTP", (*_SILENT, "tls.handshake_timeout"), ("conn.not_smtp",), _http),
    Look("any port", (*_SILENT[:2], "conn.not_smtp"), ("conn.any_port_accepted",), _any_port),
    Look("port 25", ("conn.timeout",), ("local.port25_blocked",), _port_25),
    Look("stripped STARTTLS", ("starttls.not_offered",), ("starttls.stripped",), _stripped),
    Look("resolver", ("conn.dns_temporary",), ("local.resolver_unreachable",), _resolver),
    Look("trust store", _UNTRUSTED, ("local.trust_store_empty",), _trust_store),
)
