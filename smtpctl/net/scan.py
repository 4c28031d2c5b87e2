"""Which TLS versions and cipher suites a server takes, and what else its answers in clear tell.

A server names one suite an answer, so suites are found by asking again without those that were found. The suites of a
version are dealt out to groups that are asked side by side, each until nothing of it is left or it is refused. A refusal
costs a connection and finds nothing, so what a server takes all of or nothing of is one group: the usual suites with one
key exchange; what hardly anybody takes is one more. What an answer says besides (compression, renegotiation, extended
master secret, DH parameters, certificate) costs no connection of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from smtpctl.knowledge import ciphers
from smtpctl.knowledge.groups import HYBRIDS
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem, SmtpctlError
from smtpctl.model.tlsscan import AddressScan, TlsScan, VersionScan
from smtpctl.model.transcript import Stage
from smtpctl.net.connect import Address, resolve
from smtpctl.net.connection import Log
from smtpctl.net.errands import Door, Errand, Errands, Job, Result
from smtpctl.net.groups import Groups
from smtpctl.protocol.tls.answer import Answer, Ending
from smtpctl.protocol.tls.dialogues import Entrance, Handshake, Injected, Injection, ask, inject, shake_hands
from smtpctl.protocol.tls.hello import GROUPS, SSL3, TLS12, TLS13, VERSIONS, ClientHello
from smtpctl.protocol.tls.ssl2 import SSL2, Ssl2Hello

# Some old servers hang up on a hello with hundreds of suites; then what everybody has is asked for, and the rest in groups
# that are small enough.
_FEW = 60
_TOO_FEW = 3  # suites to be split between two connections: more likely than not, one of them is a refusal
_MOST_ADDRESSES = 8  # of one name; a network of mail servers may have hundreds
_Found = TypeVar("_Found")
Asking: TypeAlias = Generator[Errand, Result, _Found]  # a part of a job
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
    *,
    seen: int | None = None,
) -> TlsScan:
    """Ask everything, within `timeouts.total` seconds and `max_connections` connections at once.

    `seen` is the suite of a handshake of today that has just been made with TLS 1.3, 0 where that came to an older
    version, None where there was none: what it showed is not asked again. Problem where the server cannot be reached,
    Refused or Obstacle where it lets nobody get as far as TLS.
    """
    began = log.clock()
    # Whose certificate it is does not matter here, and nothing is sent that a secret would be in.
    # Ours is not shown, so that it can be seen what becomes of who has none.
    open_to_all = policy._replace(verify=False, pins=(), verify_name="", client_cert="", client_key="")
    door = Door(endpoint, route, open_to_all, timeouts, log, began + timeouts.total)
    mode = TlsMode.IMPLICIT if policy.mode is TlsMode.IMPLICIT else TlsMode.STARTTLS
    survey = _Survey(Entrance(mode, helo, endpoint.lmtp), _sni(endpoint, policy), max_connections, seen)
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

    def __init__(self, entrance: Entrance, name: str, limit: int, seen: int | None) -> None:
        self._entrance = entrance
        self._name = name
        self._limit = limit
        self._seen = seen
        self._curves = Groups()
        self._curves_asked = False
        self._shown: tuple[ClientHello, bytes] | None = None  # the certificate for the name
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
        yield from self._newest()
        yield from map(self._version, sorted(set(VERSIONS) - {TLS12, TLS13}))
        yield self._ssl2()
        yield self._handshakes()
        yield from map(self._one_address, self.several)

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
            versions, dh=tuple(sorted(dh.items())), curves=self._curves.named, curves_complete=self._curves.complete,
            addresses=addresses, untested=tuple(self._untested.items()), **known, **self._found,
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
        answer = yield from self._with_curves(hello)
        if version <= TLS12 and answer is not None and answer.ending in (Ending.CLOSED, Ending.SILENT):
            hello = hello._replace(suites=_COMMON, compress=False)
            answer = yield from self._with_curves(hello)
        if answer is None or not _takes(answer, hello):
            told = str(answer) if answer else "not reached"
            self._versions[version] = VersionScan(version, told=told, complete=answer is not None)
            return ()
        self._note(answer)
        if answer.certificate and not self._shown:
            self._shown = (hello, answer.certificate)
        return self._groups(version, answer.suite, _FEW if hello.suites is _COMMON else len(suites))

    def _with_curves(self, hello: ClientHello) -> Asking[Answer | None]:
        """The answer to a hello, and what it says of the curves."""
        offer = self._curves.offer()
        if hello.version < TLS13:
            hello = hello._replace(groups=offer.groups)
        answer = _answer((yield self._ask(hello)))
        if answer is not None and answer.version < TLS13 and _takes(answer, hello):
            self._curves.heard(offer, answer.group)
        return answer

    def _newest(self) -> Iterable[Job]:
        """TLS 1.3. Where a handshake of today went well just before, its hello needs no try, and its suite is known."""
        if self._seen is None:
            yield self._usual()
        elif self._seen not in ciphers.for_version(TLS13):
            yield self._version(TLS13)
        else:
            self._versions[TLS13] = VersionScan(TLS13, (self._seen,))
            yield from self._groups(TLS13, self._seen, len(ciphers.for_version(TLS13)))

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
        leaf = b""
        try:
            while suites:
                hello = ClientHello(version, tuple(suites), self._name)
                answer = yield from self._next(hello, leaf)
                if answer is None:
                    self._versions[version] = self._versions[version]._replace(complete=False)
                if answer is None or not _takes(answer, hello):
                    break
                self._note(answer)
                suites.remove(answer.suite)
                if len(suites) > _TOO_FEW and (len(self._groups_open) < self._limit or len(suites) > self._share()):
                    return [self._group(version, suites[::2]), self._group(version, suites[1::2])]
                # Who names no server is shown a certificate on the way, once in a group.
                leaf = b"" if leaf else answer.certificate
        finally:
            self._groups_open = [group for group in self._groups_open if group is not suites]
        return self._left_over()

    def _next(self, hello: ClientHello, leaf: bytes) -> Asking[Answer | None]:
        """The answer to a hello that goes on with a group. It is made in a way that shows something else, too, where that
        is not known yet; `leaf` is the certificate shown in this group."""
        answer: Answer | None = None
        if hello.version == TLS13 and "hybrid" not in self._found:
            answer = yield from self._hybrid(hello)
        elif leaf and self._name and "certificates" not in self._found:
            answer = yield from self._nameless(hello, leaf)
        if answer is not None:
            return answer
        return (yield from self._with_curves(hello))

    def _hybrid(self, hello: ClientHello) -> Asking[Answer | None]:
        """Which group a server of TLS 1.3 chooses that is offered those with post-quantum keys first. None where it takes
        nothing: the hello is to be asked again in the usual way."""
        self._found["hybrid"] = None
        answer = _answer((yield self._ask(hello._replace(groups=HYBRIDS + GROUPS, share=False))))
        if answer is None or not _takes(answer, hello):
            del self._found["hybrid"]
            return None
        self._found["hybrid"] = answer.group if answer.group in HYBRIDS else 0
        return answer

    def _nameless(self, hello: ClientHello, leaf: bytes) -> Asking[Answer | None]:
        """The answer to a client that names no server. None where that is no answer for who names one, because it shows
        another certificate, or none."""
        self._found["certificates"] = None
        answer = _answer((yield self._ask(hello._replace(server_name=""))))
        if answer is None or not answer.certificate or not _takes(answer, hello):
            del self._found["certificates"]
            return None
        self._found["certificates"] = (leaf, answer.certificate)
        return answer if answer.certificate == leaf else None

    def _left_over(self) -> Iterable[Job]:
        """What did not come out on the way to the suites."""
        last = not self._groups_open
        curves = self._curves
        if (curves.stubborn or last) and curves.named and not (curves.complete or self._curves_asked):
            self._curves_asked = True
            yield self._other_curves()
        if last and self._shown and self._name and "certificates" not in self._found:
            yield self._default_certificate(*self._shown)
        if last and TLS13 in self._versions and self._versions[TLS13].accepted and "hybrid" not in self._found:
            yield self._hybrid_alone()

    def _other_curves(self) -> Job:
        """Which curves a server takes besides: with few suites not all come out on the way, and with an order of its own it
        names one only."""
        version, suites = max((scan.version, ciphers.elliptic(scan.suites)) for scan in self._versions.values()
                              if ciphers.elliptic(scan.suites))  # fmt: skip
        curves = self._curves
        while not curves.complete:
            # A key on a curve can be shown only to who takes that curve, so all are offered as long as that helps.
            offer = curves.others() if curves.stubborn else curves.offer()
            hello = ClientHello(version, suites, self._name, groups=offer.groups)
            answer = _answer((yield self._ask(hello)))
            if answer is None or not _takes(answer, hello) or answer.group not in offer.new + offer.old:
                refused = answer is not None and curves.stubborn
                curves.complete = refused and not any("ECDSA" in ciphers.name(suite) for suite in suites)
                break
            curves.heard(offer, answer.group)
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
        """The certificate for a client that names no server, where no group has shown it."""
        self._found["certificates"] = None
        result = yield self._ask(hello._replace(server_name=""))
        answer = _answer(result)
        if answer is None or not answer.certificate:
            self._untested["tls.sni_default_cert"] = _why(result)
        else:
            self._found["certificates"] = (named, answer.certificate)
        return ()

    def _hybrid_alone(self) -> Job:
        yield from self._hybrid(ClientHello(TLS13, self._versions[TLS13].suites, self._name))
        return ()

    def _handshakes(self) -> Job:
        """Two, the second with the session of the first. The first shows whether a client certificate is demanded, and behind
        STARTTLS what becomes of a command that comes too early."""
        made = yield from self._first_handshake()
        handshake = made.value
        refusal = _demand(made)
        if isinstance(handshake, Handshake):
            self._found["leaf"] = next(iter(handshake.session.chain), b"")
        if refusal or isinstance(handshake, Handshake):
            self._found["demands_certificate"] = refusal
        else:
            self._refused = made
        again = made
        if made.session is not None and not refusal:
            again = yield Errand(lambda: shake_hands(self._entrance), made.session)
        if again.failure or refusal:
            self._untested["tls.resumption"] = refusal or _why(again)
        else:
            self._found["resumption"] = bool(again.value.session.resumed)
        return ()

    def _first_handshake(self) -> Asking[Result]:
        """A whole handshake, if possible that of the injection."""
        if self._entrance.mode is TlsMode.STARTTLS:
            result = yield Errand(lambda: inject(self._entrance))
            if not isinstance(result.value, Injected) or result.value.fate is Injection.NOT_TOLD:
                ended = "the server ended the session before it answered"
                self._untested["starttls.command_injection"] = _why(result) if result.failure else ended
            else:
                self._found["injection"] = result.value.fate.value
            if isinstance(result.value, Injected) and result.value.handshake:
                return result._replace(value=result.value.handshake)
        return (yield Errand(lambda: shake_hands(self._entrance)))

    def _one_address(self, address: Address) -> Job:
        """What this one of the name's addresses shows."""
        result = yield Errand(lambda: shake_hands(self._entrance), address=address)
        seen = AddressScan(str(address.sockaddr[0]))
        if isinstance(result.value, Handshake):
            session = result.value.session
            seen = seen._replace(protocol=session.protocol, certificate=next(iter(session.chain), b""))
        else:
            failure = result.failure
            silent = isinstance(failure, Problem) and failure.finding.stage in (Stage.CONNECT, Stage.GREETING)
            why = _words(failure) if silent and isinstance(failure, Problem) else _why(result)
            seen = seen._replace(failure=why, silent=silent)
        self._addresses[address] = seen
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
