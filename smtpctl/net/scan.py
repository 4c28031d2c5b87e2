"""Which TLS versions and cipher suites a server takes, and what else its answers in clear tell.

A server names one suite an answer, so suites are found by asking again without those that were found. The suites of a
version are dealt out to groups that are asked side by side, each until nothing of it is left or it is refused. A refusal
costs a connection and finds nothing, so what a server takes all of or nothing of is one group: the usual suites with one
key exchange; what hardly anybody takes is one more. What an answer says besides (compression, renegotiation, extended
master secret, DH parameters, certificate) costs no connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from smtpctl.knowledge import ciphers
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem, SmtpctlError
from smtpctl.model.tlsscan import AddressScan, TlsScan, VersionScan
from smtpctl.net.connect import Address, resolve
from smtpctl.net.connection import Log
from smtpctl.net.errands import Door, Errand, Errands, Job, Result
from smtpctl.protocol.tls.answer import Answer, Ending
from smtpctl.protocol.tls.dialogues import Entrance, Handshake, Injection, ask, inject, shake_hands
from smtpctl.protocol.tls.hello import SSL3, TLS12, TLS13, VERSIONS, ClientHello
from smtpctl.protocol.tls.ssl2 import SSL2, Ssl2Hello

# Some old servers hang up on a hello with hundreds of suites; then what everybody has is asked for, and the rest in groups
# that are small enough.
_FEW = 60
_MOST_ADDRESSES = 8  # of one name; a network of mail servers may have hundreds
_VAGUE_ALERTS = ("tls.cipher.no_overlap", "tls.handshake_failed")
_CERTIFICATE_ALERTS = ("tls.client_cert_required", "tls.client_cert_refused")
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
    # Ours is not shown, so that it can be seen what becomes of who has none.
    open_to_all = policy._replace(verify=False, pins=(), verify_name="", client_cert="", client_key="")
    door = Door(endpoint, route, open_to_all, timeouts, log, began + timeouts.total)
    mode = TlsMode.IMPLICIT if policy.mode is TlsMode.IMPLICIT else TlsMode.STARTTLS
    survey = _Survey(Entrance(mode, helo, endpoint.lmtp), _sni(endpoint, policy), max_connections)
    survey.several = _several(endpoint, route, timeouts, log)
    errands = Errands(door, max_connections)
    errands.run(survey.jobs())
    return survey.facts()._replace(connections=door.opened, ms=(log.clock() - began) * 1000, finished=errands.finished)


def _several(endpoint: Endpoint, route: Route, timeouts: Timeouts, log: Log) -> Sequence[Address]:
    """The addresses of the name where there is more than one that we connect to ourselves."""
    if endpoint.path or route.proxy:
        return ()
    addresses = resolve(endpoint, route, timeouts, log)[:_MOST_ADDRESSES]
    return addresses if len(addresses) > 1 else ()


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
        self._groups_open: list[list[int]] = []  # the suites that are still to be asked for in each
        self._asked = 0
        self._versions: dict[int, VersionScan] = {}
        self._answers: list[Answer] = []  # the ServerHellos of TLS 1.2 and older
        self._found: dict[str, Any] = {}
        self._untested: dict[str, str] = {}
        self._addresses: dict[Address, AddressScan] = {}
        self._refused: Result | None = None  # the whole handshake, for a reason that is not plain
        self.several: Sequence[Address] = ()

    def jobs(self) -> Iterable[Job]:
        """What to begin with: the versions that have most suites first, they take longest."""
        yield self._version(TLS12)
        yield self._usual()
        yield from map(self._version, sorted(set(VERSIONS) - {TLS12, TLS13}))
        yield self._ssl2()
        yield self._resumption()
        yield from map(self._one_address, self.several)
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
        if self._refused:
            known |= self._ambiguous(self._refused, asked=bool(known.get("asks_certificate")))
        every = (SSL2, *VERSIONS)
        versions = tuple(self._versions.get(version, VersionScan(version, complete=False)) for version in every)
        addresses = tuple(self._addresses[address] for address in self.several if address in self._addresses)
        return TlsScan(
            versions, dh=tuple(sorted(dh.items())), addresses=addresses, untested=tuple(self._untested.items()),
            **known, **self._found,
        )  # fmt: skip

    def _ambiguous(self, refused: Result, *, asked: bool) -> dict[str, str]:
        """With TLS 1.2 the alert to who has no certificate is the one for no common cipher; that one was asked for tells
        them apart."""
        failure = refused.failure
        if asked and isinstance(failure, Problem) and failure.finding.id in _VAGUE_ALERTS:
            return {"demands_certificate": f"{_words(failure)} to a client without a certificate"}
        self._untested["tls.client_cert_required"] = _why(refused)
        return {}

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
        further = self._groups(version, answer.suite, _FEW if hello.suites is _COMMON else len(suites))
        if answer.certificate and self._name and "certificates" not in self._found:
            further.append(self._default_certificate(hello, answer.certificate))
        return further

    def _groups(self, version: int, found: int, most: int) -> list[Job]:
        """What is still to be asked for, dealt out to groups of at most so many suites."""
        usual = [[suite for suite in group if suite != found] for group in ciphers.expected(version)]
        asked = {found, *(suite for group in usual for suite in group)}
        rest = [suite for suite in ciphers.for_version(version) if suite not in asked]
        parts = -(-len(rest) // most) if rest else 0
        return [self._group(version, group) for group in (*usual, *(rest[at::parts] for at in range(parts))) if group]

    def _group(self, version: int, suites: list[int]) -> Job:
        """Which of these suites are taken. After an answer the rest is split in two where connections are to spare, or where
        it would take longer than all others."""
        self._groups_open.append(suites)
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
                if len(suites) > 1 and (len(self._groups_open) < self._limit or len(suites) > self._share()):
                    return [self._group(version, suites[::2]), self._group(version, suites[1::2])]
        finally:
            self._groups_open = [group for group in self._groups_open if group is not suites]
        return ()

    def _share(self) -> float:
        """How many of the suites still to be asked for each connection has. A group as long as those of a whole version is
        most likely refused at once."""
        return sum(len(group) if len(group) < _FEW else 1 for group in self._groups_open) / self._limit

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
        elif answer.version == TLS13 and answer.suite in suites:
            self._note(answer)  # which answers the question for TLS 1.3, too
            return self._groups(TLS13, answer.suite, len(suites))
        elif answer.ending is not Ending.HELLO:
            self._found["usual"] = str(answer)
        return (self._version(TLS13),)

    def _ssl2(self) -> Job:
        """SSL 2.0 lists all that it takes at once."""
        question = Ssl2Hello(tuple(ciphers.SSL2_SUITES))
        answer = _answer((yield Errand(lambda: ask(question, self._entrance))))
        spoken = answer is not None and answer.version == SSL2
        told = "not reached" if answer is None else "" if spoken else str(answer)
        suites = answer.suites if answer and spoken else ()
        self._versions[SSL2] = VersionScan(SSL2, suites, told, complete=answer is not None)
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
        """Two handshakes, the second with the session of the first. The first shows whether a client certificate is
        demanded."""
        result = yield Errand(lambda: shake_hands(self._entrance))
        refusal = _demand(result)
        if isinstance(result.value, Handshake):
            self._found["leaf"] = next(iter(result.value.session.chain), b"")
        if refusal or isinstance(result.value, Handshake):
            self._found["demands_certificate"] = refusal
        else:
            self._refused = result
        if result.session is not None and not refusal:
            result = yield Errand(lambda: shake_hands(self._entrance), result.session)
        if result.failure or refusal:
            self._untested["tls.resumption"] = refusal or _why(result)
        else:
            self._found["resumption"] = bool(result.value.session.resumed)
        return ()

    def _one_address(self, address: Address) -> Job:
        """What this one of the name's addresses shows."""
        result = yield Errand(lambda: shake_hands(self._entrance), address=address)
        seen = AddressScan(str(address.sockaddr[0]))
        if isinstance(result.value, Handshake):
            session = result.value.session
            seen = seen._replace(protocol=session.protocol, certificate=next(iter(session.chain), b""))
        else:
            seen = seen._replace(failure=_why(result))
        self._addresses[address] = seen
        return ()

    def _injection(self) -> Job:
        result = yield Errand(lambda: inject(self._entrance))
        if result.failure or result.value is Injection.NOT_TOLD:
            ended = "the server ended the session before it answered"
            self._untested["starttls.command_injection"] = _why(result) if result.failure else ended
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


def _demand(result: Result) -> str:
    """What a server said to who has no client certificate; empty where it did not mind, or did not say so."""
    if isinstance(result.value, Handshake):
        return result.value.refusal
    failure = result.failure
    if isinstance(failure, Problem) and failure.finding.id in _CERTIFICATE_ALERTS:
        return _words(failure)
    return ""


def _words(failure: Problem) -> str:
    """OpenSSL's, or the finding's."""
    seen = failure.finding.evidence
    return seen[0].text if seen else str(failure)


def _why(result: Result) -> str:
    failure: SmtpctlError | None = result.failure
    return str(failure) if failure else str(result.value)
