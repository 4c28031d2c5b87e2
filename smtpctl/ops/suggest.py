"""`check --suggest`: which other ports and TLS modes of a server work, and the command that sets the best.

`plan` says what to try, in the order of preference; `suggest` tries it. A password goes to the server that the user
named and to no other, only where TLS was verified (or inside this machine), and once: after a refusal no further login
is tried, because each counts towards a lock-out, and after one that worked none is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smtpctl.config import presets
from smtpctl.config.profile import MODES, Profile
from smtpctl.model.endpoint import Endpoint, Timeouts, TlsMode, is_loopback
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Comparison, Line, Report
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.ops import advice, session
from smtpctl.ops.check import check
from smtpctl.ops.session import Conversation, Surroundings
from smtpctl.ops.threads import at_once

# Where submission is found: implicit TLS first (RFC 8314 3), then STARTTLS; 2525 is what providers offer besides where
# networks block the others; 25 is for mail between servers, and takes submissions only on old or small ones.
_USUAL = ((465, TlsMode.IMPLICIT), (587, TlsMode.STARTTLS), (2525, TlsMode.STARTTLS), (25, TlsMode.STARTTLS))
_SECONDS: Mapping[Stage, float] = {Stage.DNS: 5, Stage.CONNECT: 5, Stage.GREETING: 8, Stage.EHLO: 5, Stage.TLS: 5}
_WHOLE = 15.0  # seconds for one try
_MOST = 16  # candidates

WORKS, REFUSED, REACHED, FAILED = "works", "login_refused", "reached", "failed"
_RANK = (WORKS, REFUSED, REACHED, FAILED)  # best first; where a login is refused, the connection is right
_STATUS = {WORKS: "passed", REFUSED: "failed", REACHED: "warning", FAILED: "failed"}

# What stopped a try, beside its port and mode in a line; the title where nothing stands here.
_SHORT: Mapping[str, str] = {
    "conn.dns_nxdomain": "no such name in DNS",
    "conn.dns_temporary": "the name cannot be looked up",
    "conn.unreachable": "no route to it",
    "conn.refused": "connection refused",
    "conn.timeout": "no answer",
    "conn.greeting_timeout": "connects, but no greeting came",
    "conn.port_is_plaintext": "greets in clear: no TLS from the first octet",
    "conn.port_is_implicit_tls": "speaks TLS from the first octet",
    "starttls.not_offered": "answers, but offers no STARTTLS",
}


class Candidate(NamedTuple):
    """A server, a port and a TLS mode to try; `given` is what the profile has now."""

    host: str
    port: int
    mode: TlsMode
    given: bool = False
    other: bool = False  # not the server that the user named

    @property
    def where(self) -> str:
        """How to call it beside the others."""
        return str(Endpoint(self.host, self.port)) if self.other else f"port {self.port}"

    @property
    def named(self) -> str:
        """How a sentence begins about it; a host's name stays as it is."""
        where = self.where if self.other else f"P{self.where[1:]}"
        return f"{where} with {MODES[self.mode]}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a profile that it stands for."""
        return {"host": self.host, "port": self.port, "tls": self.mode.value}


class Attempt(NamedTuple):
    """What came of a candidate.

    `result`: `works` (as far as the profile wants to go), `login_refused`, `reached` (all but a login, which was not
    tried), `failed`. `detail` says it in words, `finding` is the id of what stopped it, `stage` where; `may_log_in` that the
    credentials may be sent there.
    """

    candidate: Candidate
    result: str
    detail: str
    ms: float = 0.0
    stage: Stage | None = None
    finding: str = ""
    may_log_in: bool = False

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            **self.candidate.settings,
            "given": self.candidate.given,
            "result": self.result,
            "detail": self.detail,
            "stage": self.stage.value if self.stage else None,
            "finding": self.finding or None,
            "ms": round(self.ms, 1),
        }


class Suggestion(NamedTuple):
    """All that was tried, best first; `best` is None where nothing can be reached; `command` sets it, and is empty where
    nothing is to be changed."""

    tried: tuple[Attempt, ...]
    best: Attempt | None = None
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON values: what stands in `facts.suggestion` of a report."""
        return {
            "tried": [attempt.to_json() for attempt in self.tried],
            "best": self.best.candidate.settings if self.best else None,
            "command": self.command,
        }

    def comparison(self) -> Comparison:
        """The same for people."""
        lines = tuple(
            Line(_STATUS[tried.result], (tried.candidate.where, MODES[tried.candidate.mode], tried.detail), tried.ms)
            for tried in self.tried
        )
        return Comparison("Ports and modes", lines, _note(self))


def check_and_suggest(profile: Profile, around: Surroundings, recipients: Sequence[str] = ()) -> Report:
    """As `check`, then what else there is to set; what the check found counts as tried."""
    profile = session.prepared(profile, around)
    report = check(profile, around, recipients)
    found = suggest(profile, around, report)
    return report._replace(
        comparisons=(*report.comparisons, found.comparison()),
        facts={**report.facts, "suggestion": found.to_json()},
        next_command=found.command or report.next_command,
    )


def suggest(profile: Profile, around: Surroundings, known: Report | None = None) -> Suggestion:
    """Try what `plan` has. `known` is what a check of the profile as it is has found: it is not tried again, and a login
    that was refused there is the last. Raises no Problem."""
    candidates = plan(profile)
    tried: list[Attempt] = []
    if known and candidates and any(event.kind is Kind.ATTEMPT for event in known.transcript):
        tried, candidates = [_known(candidates[0], known, profile)], candidates[1:]
    if around.say and candidates:
        around.say(f"Trying {len(candidates)} ports and modes, for {_WHOLE:.0f} seconds at most ...")
    tried += at_once(lambda candidate: _reach(profile, candidate), candidates)
    if not (known and _asked(known.transcript)):
        tried = _logged_in(profile, around, tried)
    tried.sort(key=lambda attempt: _RANK.index(attempt.result))
    best = tried[0] if tried and tried[0].result != FAILED else None
    command = _command(profile, best.candidate) if best and not best.candidate.given else ""
    return Suggestion(tuple(tried), best, command)


def plan(profile: Profile) -> tuple[Candidate, ...]:
    """What to try, best first: the profile as it is, what its provider documents, the usual ports, its own port in
    other modes; clear text only inside this machine or a trusted network. A UNIX socket and LMTP have no other ports."""
    host, port, mode = profile.endpoint.host, profile.endpoint.port, profile.tls.mode
    if profile.endpoint.path or profile.endpoint.lmtp or not host:
        return ()
    local = _local(profile)
    provided = list(_provided(profile))
    wanted = [
        Candidate(host, port, mode, given=True),
        *(one for one in provided if not one.other),
        *(Candidate(host, *usual) for usual in _USUAL),
        *(Candidate(host, port, other) for other in (TlsMode.STARTTLS, TlsMode.IMPLICIT)),
        *(Candidate(host, plain, TlsMode.NONE) for plain in (port, 25) if local),
        *(one for one in provided if one.other),
    ]
    seen: dict[tuple[str, int, TlsMode], Candidate] = {}
    for one in wanted:
        if mode is TlsMode.AUTO and one == Candidate(host, port, TlsMode.STARTTLS):
            continue  # it is what `auto` does where STARTTLS is offered
        seen.setdefault((one.host, one.port, one.mode), one)
    return tuple(seen.values())[:_MOST]


def _provided(profile: Profile) -> Iterator[Candidate]:
    """What presets have for the server, for a name that is commonly taken for it (the domain, its MX), else for the
    provider of the address that logs in."""
    host, domain = profile.endpoint.host, profile.login.rpartition("@")[2]
    own = [suggestion.preset for suggestion in presets.suggest(host=host)]
    mistaken = [suggestion.preset for suggestion in presets.suggest(host, mx=[host])]
    by_login = [suggestion.preset for suggestion in presets.suggest(domain)]
    for found in (own + mistaken, by_login):
        fitting = [preset for preset in found if preset.kind != presets.COMMON]
        for preset in fitting:
            for server in preset.endpoints:
                name = host if "{" in server.host and preset in own else server.host
                if "{" not in name and server.tls is not TlsMode.NONE:
                    yield Candidate(name, server.port, server.tls, other=name != host)
        if fitting:
            return


def _reach(profile: Profile, candidate: Candidate) -> Attempt:
    """A session with the candidate, without a login."""
    quick = {stage: min(limit, profile.timeouts.of(stage)) for stage, limit in _SECONDS.items()}
    timeouts = Timeouts(min(_WHOLE, profile.timeouts.total), {**profile.timeouts.stages, **quick})
    nobody = _as(profile, candidate)._replace(method="anonymous", timeouts=timeouts)
    found = session.converse(nobody, Surroundings({}))
    if found.problem:
        finding = found.problem.finding
        return Attempt(candidate, FAILED, _words(finding), found.ms, finding.stage, finding.id)
    assert found.session is not None
    answers = "answers" if found.tls or candidate.mode is TlsMode.NONE else "answers without TLS"
    if not _wants_login(profile):
        return Attempt(candidate, WORKS, answers.replace("answers", "works"), found.ms)
    if not found.session.capabilities.auth:
        return Attempt(candidate, FAILED, f"{answers}, but offers no login", found.ms, Stage.AUTH)
    why = _kept_back(profile, candidate, found)
    told = f"{answers}; the login was not tried: {why or 'one try is enough'}"
    return Attempt(candidate, REACHED, told, found.ms, may_log_in=not why)


def _as(profile: Profile, candidate: Candidate) -> Profile:
    """The profile with the candidate's settings. What was set for one server (a name to verify, a pin, a certificate to
    present, the leave to accept any) holds for no other."""
    policy = profile.tls._replace(mode=candidate.mode)
    if candidate.other:
        policy = policy._replace(verify=True, sni="", verify_name="", pins=(), client_cert="", client_key="")
    return profile._replace(endpoint=Endpoint(candidate.host, candidate.port), tls=policy)


def _known(candidate: Candidate, report: Report, profile: Profile) -> Attempt:
    """What a check of the profile as it is has found."""
    ms, failure = float(report.facts.get("ms", 0)), report.failure
    mechanism = report.facts.get("mechanism")
    if failure is None:
        if mechanism or not _wants_login(profile):
            return Attempt(candidate, WORKS, f"works, login accepted ({mechanism})" if mechanism else "works", ms)
        return Attempt(candidate, REACHED, "answers; there is nothing to log in with", ms)
    finding = report.findings[0]
    if failure.stage is Stage.AUTH and failure.reply:
        return Attempt(candidate, REFUSED, f"login refused: {failure.reply}", ms, failure.stage, finding.id)
    return Attempt(candidate, FAILED, _words(finding), ms, failure.stage, finding.id)


def _logged_in(profile: Profile, around: Surroundings, tried: Sequence[Attempt]) -> list[Attempt]:
    """The same with a login at the first that may see the password; at the next only while nobody was asked for it."""
    result = list(tried)
    numbers = [number for number, attempt in enumerate(tried) if attempt.may_log_in]
    try:
        held = session.holding(profile, around) if numbers else profile
    except Problem as problem:
        for number in numbers:
            result[number] = tried[number]._replace(detail=f"answers; no login: {problem.finding.title}")
        return result
    for number in numbers:
        found = _log_in(held, around, tried[number].candidate)
        result[number] = _with_login(tried[number].candidate, found)
        if _asked(found.transcript):
            break  # also without an answer: the server may have counted it
    return result


def _asked(transcript: Transcript) -> bool:
    """Whether a login was begun."""
    return any(event.kind is Kind.SENT and event.text.startswith("AUTH ") for event in transcript)


def _log_in(profile: Profile, around: Surroundings, candidate: Candidate) -> Conversation:
    """The candidate once more, with the credentials. A mode that leaves TLS to the server is held to it."""
    local = _local(profile)
    made = _as(profile, candidate)._replace(auth=profile.auth._replace(allow_plaintext=local))
    if candidate.mode is TlsMode.AUTO and not local:
        made = made._replace(tls=made.tls._replace(mode=TlsMode.STARTTLS))
    return session.converse(made, Surroundings(around.environ))


def _with_login(candidate: Candidate, found: Conversation) -> Attempt:
    if found.problem:
        finding, reply = found.problem.finding, found.problem.reply
        judged = finding.stage is Stage.AUTH and reply is not None
        detail = f"login refused: {reply}" if judged else _words(finding)
        return Attempt(candidate, REFUSED if judged else FAILED, detail, found.ms, finding.stage, finding.id)
    login = found.session.authenticated if found.session else None
    return Attempt(candidate, WORKS, f"works, login accepted ({login.mechanism})" if login else "works", found.ms)


def _wants_login(profile: Profile) -> bool:
    return profile.method != "anonymous" or profile.lacks_password


def _local(profile: Profile) -> bool:
    """Whether clear text reaches nobody else. Behind a proxy `localhost` is another machine."""
    return profile.trusted or (is_loopback(profile.endpoint.host) and not profile.route.proxy)


def _words(finding: Finding) -> str:
    return _SHORT.get(finding.id, finding.title)


def _kept_back(profile: Profile, candidate: Candidate, found: Conversation) -> str:
    """Why the credentials do not go there; empty where they may."""
    if profile.lacks_password:
        return "there is no password"
    if candidate.other:
        return "you named another server"
    if not _local(profile) and not (found.tls and found.tls.verified):
        return "TLS is not verified there"
    return ""


def _command(profile: Profile, candidate: Candidate) -> str:
    settings = {key: str(value) for key, value in candidate.settings.items() if key != "host" or candidate.other}
    return advice.setting(profile, settings)


def _note(suggestion: Suggestion) -> str:
    best = suggestion.best
    if best is None:
        return "None of these works from here." if suggestion.tried else "There are no other ports to try."
    if best.result == REFUSED:
        return f"{best.candidate.named} is right as far as the login. It was tried once, so that the account is not locked."
    if best.candidate.given:
        return "The present settings are the best of these; there is nothing to change."
    return f"{best.candidate.named} is the best of these."
