"""Which TLS versions and cipher suites a server takes, and what else its answers in clear tell.

A server names one suite an answer, so suites are found by asking again without those that were found. The suites of a
version are dealt out to groups that are asked side by side; each ends with the first refusal, so there are only as many
groups as keep the connections busy. What an answer says besides
(compression, renegotiation, extended master secret, DH parameters, certificate) costs no connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smtpctl.knowledge import ciphers
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import SmtpctlError
from smtpctl.model.tlsscan import TlsScan, VersionScan
from smtpctl.net.connection import Log
from smtpctl.net.errands import Door, Errand, Errands, Job, Result
from smtpctl.protocol.tls.answer import Answer, Ending
from smtpctl.protocol.tls.dialogues import Entrance, Injection, ask, inject, shake_hands
from smtpctl.protocol.tls.hello import SSL3, TLS12, TLS13, VERSIONS, ClientHello

# Some old servers hang up on a hello with hundreds of suites; then what everybody has is asked for, and the rest in groups
# that are small enough.
_FEW = 60
_COMMON = (
    0xC02F, 0xC030, 0xC02B, 0xC02C, 0xCCA8, 0xCCA9, 0xC013, 0xC014, 0xC009, 0xC00A, 0x009C, 0x009D, 0x002F, 0x0035, 0x0033,
    0x0039, 0x000A, 0x0005, 0x0004,
)  # fmt: skip


def scan(
    endpoint: Endpoint,
    route: Route,
    policy: TlsPolicy,
    timeouts: Timeouts,
    helo: str,
    log: Log,
    max_connections: int,
) -> TlsScan:
    """Ask everything, within `timeouts.total` seconds and `max_connections` connections at once.

    Problem where the server cannot be reached, Refused or Obstacle where it lets nobody get as far as TLS.
    """
    began = log.clock()
    # Whose certificate it is does not matter here, and nothing is sent that a secret would be in.
    open_to_all = policy._replace(verify=False, pins=(), verify_name="")
    door = Door(endpoint, route, open_to_all, timeouts, log, began + timeouts.total)
    mode = TlsMode.IMPLICIT if policy.mode is TlsMode.IMPLICIT else TlsMode.STARTTLS
    survey = _Survey(Entrance(mode, helo, endpoint.lmtp), _sni(endpoint, policy), max_connections)
    errands = Errands(door, max_connections)
    errands.run(survey.jobs())
    return survey.facts()._replace(connections=door.opened, ms=(log.clock() - began) * 1000, finished=errands.finished)


def _sni(endpoint: Endpoint, policy: TlsPolicy) -> str:
    """The name to ask for; an address is none (RFC 6066 3)."""
    host = policy.sni or endpoint.host
    return "" if ":" in host or host.replace(".", "").isdecimal() else host


class _Survey:
    """The jobs of a scan, and what they found."""

    def __init__(self, entrance: Entrance, name: str, limit: int) -> None:
        self._entrance = entrance
        self._name = name
        self._limit = limit
        self._running = 0  # groups
        self._asked = 0
        self._versions: dict[int, VersionScan] = {}
        self._answers: list[Answer] = []  # the ServerHellos of TLS 1.2 and older
        self._found: dict[str, Any] = {}
        self._untested: dict[str, str] = {}

    def jobs(self) -> Iterable[Job]:
        """What to begin with: the versions that have most suites first, they take longest."""
        yield from (self._version(version) for version in (TLS12, *sorted(set(VERSIONS) - {TLS12})))
        yield self._usual()
        yield self._resumption()
        if self._entrance.mode is TlsMode.STARTTLS:
            yield self._injection()

    def facts(self) -> TlsScan:
        """All that was found so far."""
        answers = self._answers
        dh = {answer.suite: answer.dh_bits for answer in answers if answer.dh_bits}
        known: dict[str, Any] = {}
        if answers:
            known["compression"] = max((answer.version for answer in answers if answer.compression), default=0)
            known["asks_certificate"] = any(answer.asks_certificate for answer in answers)
        extended = [answer for answer in answers if answer.version > SSL3]  # which has no extensions
        if extended:
            known["extended_master_secret"] = all(answer.extended_master_secret for answer in extended)
            known["secure_renegotiation"] = all(answer.secure_renegotiation for answer in extended)
        versions = tuple(self._versions.get(version, VersionScan(version, complete=False)) for version in VERSIONS)
        return TlsScan(
            versions, dh=tuple(sorted(dh.items())), untested=tuple(self._untested.items()), **known, **self._found
        )

    def _ask(self, hello: ClientHello) -> Errand:
        self._asked += 1
        seeded = hello._replace(seed=self._asked.to_bytes(4, "big"))
        return Errand(lambda: ask(seeded, self._entrance))

    def _version(self, version: int) -> Job:
        """Whether a version is taken at all; if so, the groups of its other suites."""
        suites = ciphers.for_version(version)
        hello = ClientHello(version, suites, self._name)
        answer = _answer((yield self._ask(hello)))
        if version <= TLS12 and answer is not None and answer.ending in (Ending.CLOSED, Ending.SILENT):
            hello = hello._replace(suites=_COMMON, compress=False)
            answer = _answer((yield self._ask(hello)))
        if answer is None or not _takes(answer, hello):
            told = str(answer) if answer else "not reached"
            self._versions[version] = VersionScan(version, told=told, complete=answer is not None)
            return ()
        self._note(answer)
        rest = [suite for suite in suites if suite != answer.suite]
        # With few suites a group each would be as many refusals as answers.
        number = 1 if len(rest) < 10 else max(1, (self._limit - self._running) // 2)
        if hello.suites is _COMMON:
            number = max(number, -(-len(rest) // _FEW))
        further = [self._group(version, rest[start::number]) for start in range(number)]
        if answer.certificate and self._name and "certificates" not in self._found:
            further.append(self._default_certificate(hello, answer.certificate))
        return further

    def _group(self, version: int, suites: list[int]) -> Job:
        """Which of these suites are taken. Where connections are to spare, the rest is split in two after an answer."""
        self._running += 1
        try:
            while suites:
                hello = ClientHello(version, tuple(suites), self._name)
                answer = _answer((yield self._ask(hello)))
                if answer is None:
                    self._versions[version] = self._versions[version]._replace(complete=False)
                if answer is None or not _takes(answer, hello):
                    break
                self._note(answer)
                suites.remove(answer.suite)
                if len(suites) > 1 and self._running < self._limit:
                    return [self._group(version, suites[::2]), self._group(version, suites[1::2])]
        finally:
            self._running -= 1
        return ()

    def _note(self, answer: Answer) -> None:
        scan = self._versions.get(answer.version, VersionScan(answer.version))
        self._versions[answer.version] = scan._replace(suites=(*scan.suites, answer.suite))
        if answer.version < TLS13:
            self._answers.append(answer._replace(certificate=b""))

    def _usual(self) -> Job:
        """Every version in one hello, as clients of today send it. Some old servers and middleboxes end a session over it,
        where they should choose what they know."""
        suites = (*ciphers.for_version(TLS13), *ciphers.for_version(TLS12))
        result = yield self._ask(ClientHello(TLS13, suites, self._name, older=True))
        answer = _answer(result)
        if answer is None:
            self._untested["tls.version_intolerant"] = _why(result)
        elif answer.ending is not Ending.HELLO:
            self._found["usual"] = str(answer)
        return ()

    def _default_certificate(self, hello: ClientHello, named: bytes) -> Job:
        """The certificate for a client that names no server."""
        self._found["certificates"] = None
        result = yield self._ask(hello._replace(server_name=""))
        answer = _answer(result)
        if answer is None or not answer.certificate:
            self._untested["tls.sni_default_cert"] = _why(result)
        else:
            self._found["certificates"] = (named, answer.certificate)
        return ()

    def _resumption(self) -> Job:
        """Two handshakes, the second with the session of the first."""
        result = yield Errand(lambda: shake_hands(self._entrance))
        session = result.session
        if session is not None:
            result = yield Errand(lambda: shake_hands(self._entrance), session)
        if result.failure:
            self._untested["tls.resumption"] = _why(result)
        else:
            self._found["resumption"] = bool(result.value.resumed)
        return ()

    def _injection(self) -> Job:
        result = yield Errand(lambda: inject(self._entrance))
        if result.failure:
            self._untested["starttls.command_injection"] = _why(result)
        else:
            injection: Injection = result.value
            self._found["injection"] = injection.value
        return ()


def _answer(result: Result) -> Answer | None:
    """The answer of the server, None where it could not be asked."""
    return result.value if isinstance(result.value, Answer) else None


def _takes(answer: Answer, hello: ClientHello) -> bool:
    """Whether the server chose what was asked for. An old one answers a newer hello with its own version."""
    return answer.ending is Ending.HELLO and answer.version == hello.version and answer.suite in hello.suites


def _why(result: Result) -> str:
    failure: SmtpctlError | None = result.failure
    return str(failure) if failure else str(result.value)
