"""The TLS scan against servers on loopback: a real one, and ones that answer hellos as no library of today would."""

from __future__ import annotations

import errno
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rawserver import Peer, RawServer
from smtpctl.knowledge import ciphers
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.tlsscan import TlsScan
from smtpctl.model.transcript import Transcript
from smtpctl.net import errands
from smtpctl.net.connection import Log
from smtpctl.net.scan import scan
from smtpctl.protocol.server.values import Setup
from smtpctl.protocol.tls.hello import SSL3, TLS10, TLS12, TLS13
from smtpctl.sink import authority
from smtpctl.sink.server import Sink

RSA, RC4, DHE = 0x002F, 0x0005, 0x0033
REFUSAL = b"\x15\x03\x01\x00\x02\x02\x28"
# What a scripted server answers: the version, suites and whether all versions were offered at once, to octets.
Answer = Callable[[int, list[int], bool], bytes]


def look(
    port: int, mode: TlsMode = TlsMode.IMPLICIT, connections: int = 1, seconds: float = 20, seen: int | None = None
) -> TlsScan:
    policy = TlsPolicy(mode=mode)
    log, timeouts = Log(Transcript()), Timeouts(seconds)
    return scan(Endpoint("127.0.0.1", port), Route(), policy, timeouts, "client.test", log, connections, seen=seen)


def read_hello(record: bytes) -> tuple[int, list[int], bool]:
    """(newest version, suites, whether older versions are offered too)."""
    version = int.from_bytes(record[9:11], "big")
    at = 44 + record[43]
    length = int.from_bytes(record[at : at + 2], "big")
    suites = [int.from_bytes(record[i : i + 2], "big") for i in range(at + 2, at + 2 + length, 2)]
    several = b"\x00\x2b\x00\x09\x08" in record
    return (TLS13 if several or b"\x00\x2b\x00\x03\x02" in record else version), suites, several


def server_hello(
    version: int, suite: int, *, compression: int = 0, extensions: bytes = b"", more: bytes = b""
) -> bytes:
    body = version.to_bytes(2, "big") + bytes(32) + b"\x00" + suite.to_bytes(2, "big") + bytes([compression])
    body += len(extensions).to_bytes(2, "big") + extensions if extensions else b""
    messages = b"\x02" + len(body).to_bytes(3, "big") + body + more + b"\x0e\x00\x00\x00"
    return b"\x16" + version.to_bytes(2, "big") + len(messages).to_bytes(2, "big") + messages


def extensions(record: bytes) -> dict[int, bytes]:
    """What else a hello offers, by the number of the extension."""
    at = 44 + record[43]
    at += 2 + int.from_bytes(record[at : at + 2], "big")
    at += 1 + record[at] + 2
    found = {}
    while at < len(record):
        kind, length = (int.from_bytes(record[at + step : at + step + 2], "big") for step in (0, 2))
        found[kind] = record[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def offered_groups(record: bytes) -> list[int]:
    listed = extensions(record)[10][2:]
    return [int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)]


def a_record(peer: Peer) -> bytes:
    record = b""
    while len(record) < 5 or len(record) < 5 + int.from_bytes(record[3:5], "big"):
        record += peer.octets()
    return record


def answering(answer: Callable[[bytes], bytes]) -> Callable[[Peer], None]:
    """A server that is asked in TLS only; SSL 2.0 it does not know."""

    def script(peer: Peer) -> None:
        record = a_record(peer)
        octets = answer(record) if record[:1] == b"\x16" else REFUSAL
        if octets:
            peer.say(octets)
            peer.until_gone()

    return script


def talking_tls(answer: Answer) -> Callable[[Peer], None]:
    return answering(lambda record: answer(*read_hello(record)))


def on_curve(suite: int, curve: int) -> bytes:
    """A ServerHello with a key on a curve."""
    key = b"\x03" + curve.to_bytes(2, "big") + b"\x20" + bytes(32) + b"\x04\x01\x00\x02xy"
    return server_hello(TLS12, suite, more=b"\x0c" + len(key).to_bytes(3, "big") + key)


def elliptic(suites: Sequence[int], curves: Sequence[int], *, own_order: bool) -> Callable[[bytes], bytes]:
    """What a server of TLS 1.2 answers that has these suites and curves."""

    def answer(record: bytes) -> bytes:
        version, offered, _ = read_hello(record)
        suite = next((suite for suite in suites if suite in offered), None)
        if version != TLS12 or suite is None:
            return REFUSAL
        if suite == RSA:
            return server_hello(TLS12, suite)
        theirs = offered_groups(record)
        first, second = (curves, theirs) if own_order else (theirs, curves)
        curve = next((curve for curve in first if curve in second), None)
        if curve is None:
            return REFUSAL
        return on_curve(suite, curve)

    return answer


def takes(version: int, *suites: int, compression: int = 0, extensions: bytes = b"") -> Answer:
    """A server with one version that it prefers to whatever newer is offered."""

    def answer(newest: int, offered: list[int], several: bool) -> bytes:
        chosen = next((suite for suite in suites if suite in offered), None)
        if newest < version or chosen is None:
            return REFUSAL
        return server_hello(version, chosen, compression=compression, extensions=extensions)

    return answer


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_a_server_of_today(mode: TlsMode) -> None:
    with Sink(Setup(tls=mode)) as sink:
        found = look(sink.port, mode, connections=5)
    assert [version.name for version in found.accepted] == ["TLS 1.2", "TLS 1.3"]
    assert found.finished and not found.untested
    assert found.injection == ("ignored" if mode is TlsMode.STARTTLS else None)
    assert found.resumption and found.extended_master_secret and found.secure_renegotiation
    assert (found.usual, found.compression, found.asks_certificate) == ("", 0, False)
    suites = [ciphers.name(suite) for version in found.accepted for suite in version.suites]
    assert all("ECDHE_ECDSA" in name for name in suites if "_WITH_" in name), "its key is an elliptic one"
    assert len(suites) + 40 > found.connections


def test_the_number_of_connections_at_once_changes_nothing() -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        slow, fast = look(sink.port, connections=1), look(sink.port, connections=16)
    assert [set(version.suites) for version in slow.versions] == [set(version.suites) for version in fast.versions]


def no_route(sock: socket.socket, sockaddr: tuple[str, int]) -> int:
    """As `connect_ex` where nothing leads out of loopback."""
    if not sockaddr[0].startswith("127."):
        return errno.ENETUNREACH
    try:
        sock.connect(sockaddr)
    except BlockingIOError as under_way:
        return int(under_way.errno or 0)
    return 0


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 answers on Linux only")
def test_each_address_of_a_name_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as one:
        elsewhere = Endpoint("127.0.0.2", one.port)
        with Sink(Setup(tls=TlsMode.IMPLICIT), elsewhere) as other:
            hosts = (one.host, other.host, "127.0.0.3", "192.0.2.1")
            monkeypatch.setattr(socket.socket, "connect_ex", no_route)
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, one.port)) for host in hosts]
            with monkeypatch.context() as names:  # the sinks look names up, too
                names.setattr(socket, "getaddrinfo", lambda *_, **__: found)
                scanned = look(one.port, connections=3)
    first, second, third, fourth = scanned.addresses
    assert [shown.address for shown in scanned.addresses] == list(hosts)
    assert first.protocol == second.protocol == "TLSv1.3"
    assert first.certificate and second.certificate and first.certificate != second.certificate
    assert third.silent and not third.certificate
    assert (third.failure, fourth.failure) == ("Connection refused", "Network is unreachable")
    assert not (first.silent or second.silent)
    assert scanned.leaf == first.certificate
    assert scanned.finished


def test_one_address_is_not_compared_with_itself() -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        assert look(sink.port).addresses == ()


def test_a_very_old_server() -> None:
    with RawServer(talking_tls(takes(TLS10, RC4, RSA, compression=1))) as server:
        found = look(server.port)
    assert [(version.name, set(version.suites)) for version in found.accepted] == [("TLS 1.0", {RC4, RSA})]
    assert found.version(TLS12).told == "ServerHello 0x0301 0x0005"
    assert (found.compression, found.secure_renegotiation, found.extended_master_secret) == (TLS10, False, False)
    assert found.usual == ""


def test_a_server_that_is_too_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so in clear, also on a port for TLS (Exim does)."""
    monkeypatch.setattr(errands, "PAUSE", 0.0)
    willing, heard = takes(TLS12, RSA, RC4), []

    def script(peer: Peer) -> None:
        record = peer.octets()
        question = read_hello(record) if record[:1] == b"\x16" else None
        busy = question not in heard
        heard.append(question)
        if busy or question is None:
            peer.say("421 too many concurrent connections")
        else:
            peer.say(willing(*question))
            peer.until_gone()

    with RawServer(script) as server:
        found = look(server.port)
    assert set(found.version(TLS12).suites) == {RSA, RC4}
    assert found.version(TLS12).complete


def test_ssl_2() -> None:
    """It lists what it takes, in one answer."""
    hello = b"\x80\x11\x04\x00\x01\x00\x02\x00\x00\x00\x06\x00\x00" + b"\x01\x00\x80\x07\x00\xc0"
    newer = takes(TLS10, RSA)

    def script(peer: Peer) -> None:
        record = peer.octets()
        if record[:1] == b"\x80":
            peer.say(hello)
        else:
            peer.say(newer(*read_hello(record)))
        peer.until_gone()

    with RawServer(script) as server:
        found = look(server.port)
    assert [(version.name, version.suites) for version in found.accepted] == [
        ("SSL 2.0", (0x010080, 0x0700C0)), ("TLS 1.0", (RSA,)),
    ]  # fmt: skip


ECDHE = (0xC02F, 0xC030, 0xC013, 0xC014)
ECDSA = (0xC02B, 0xC02C)


@pytest.mark.parametrize("connections", [1, 5])
@pytest.mark.parametrize("own_order", [False, True])
@pytest.mark.parametrize("curves", [(29,), (23, 29, 24), (19, 23)])
def test_curves_come_with_the_suites(curves: tuple[int, ...], own_order: bool, connections: int) -> None:
    """Whichever order the server goes by."""
    with RawServer(answering(elliptic((*ECDHE, RSA), curves, own_order=own_order))) as server:
        found = look(server.port, connections=connections)
    assert set(found.version(TLS12).suites) == {*ECDHE, RSA}
    assert (set(found.curves), found.curves_complete) == (set(curves), True)


def test_a_key_on_a_curve_leaves_the_other_curves_open() -> None:
    """It can be shown only to who takes its curve, so without that nothing comes out."""
    willing = elliptic(ECDSA, (29, 23, 24), own_order=True)

    def answer(record: bytes) -> bytes:
        spoken = read_hello(record)[0] == TLS12
        return willing(record) if spoken and 23 in offered_groups(record) else REFUSAL

    with RawServer(answering(answer)) as server:
        found = look(server.port)
    assert (found.curves, found.curves_complete) == ((29, 23), False)


@pytest.mark.parametrize("suites", [ECDHE[:1], ECDSA])
@pytest.mark.parametrize("curves", [(29,), (23, 29, 24, 25)])
def test_few_suites_show_all_curves_of_who_goes_by_our_order(suites: tuple[int, ...], curves: tuple[int, ...]) -> None:
    with RawServer(answering(elliptic(suites, curves, own_order=False))) as server:
        found = look(server.port)
    assert set(found.curves) == set(curves)
    assert found.curves_complete or (suites, curves) == (ECDSA, (29,))


@pytest.mark.parametrize("group", [0, 7, 256, 0x7777])
def test_a_curve_that_nobody_offered_ends_the_questions(group: int) -> None:
    def answer(record: bytes) -> bytes:
        version, offered, _ = read_hello(record)
        return on_curve(ECDHE[0], group) if version == TLS12 and ECDHE[0] in offered else REFUSAL

    with RawServer(answering(answer)) as server:
        found = look(server.port)
    assert found.finished
    assert found.connections < 20


def test_no_curves() -> None:
    with RawServer(talking_tls(takes(TLS12, RSA))) as server:
        assert look(server.port).curves == ()


@pytest.mark.parametrize(("hybrids", "expected"), [((0x11EC,), 0x11EC), ((), 0)])
@pytest.mark.parametrize("suites", [(0x1301, 0x1302, 0x1303), (0x1301,)])
@pytest.mark.parametrize("seen", [None, 0, 0x1301])
def test_post_quantum_keys(hybrids: tuple[int, ...], expected: int, suites: tuple[int, ...], seen: int | None) -> None:
    """A server that has them chooses them where it is offered them first."""

    def answer(record: bytes) -> bytes:
        version, offered, _ = read_hello(record)
        suite = next((suite for suite in suites if suite in offered), None)
        if version != TLS13 or suite is None:
            return REFUSAL
        chosen = next(group for group in (*hybrids, 29) if group in offered_groups(record))
        versions = b"\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x02" + chosen.to_bytes(2, "big")
        return server_hello(TLS12, suite, extensions=versions)

    with RawServer(answering(answer)) as server:
        found = look(server.port, seen=seen)
    assert (set(found.version(TLS13).suites), found.hybrid) == (set(suites), expected)


def test_what_the_check_saw_is_not_asked_again() -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        before = look(sink.port)
        suite = before.version(TLS13).suites[0]
        again = look(sink.port, seen=suite)
    assert set(again.version(TLS13).suites) == set(before.version(TLS13).suites)
    assert again.connections == before.connections - 1


def test_ssl_3() -> None:
    with RawServer(talking_tls(takes(SSL3, RC4))) as server:
        found = look(server.port)
    assert [version.version for version in found.accepted] == [SSL3]
    assert found.extended_master_secret is None and found.secure_renegotiation is None


def test_a_server_that_knows_both_extensions() -> None:
    known = b"\x00\x17\x00\x00" + b"\xff\x01\x00\x01\x00"
    with RawServer(talking_tls(takes(TLS12, RSA, extensions=known))) as server:
        found = look(server.port)
    assert found.extended_master_secret and found.secure_renegotiation


def test_a_server_that_hangs_up_on_several_versions_at_once() -> None:
    alone = takes(TLS12, RSA)
    with RawServer(talking_tls(lambda *offer: b"" if offer[2] else alone(*offer))) as server:
        found = look(server.port)
    assert found.version(TLS12).suites == (RSA,)
    assert found.usual == "closed"


def test_a_server_that_hangs_up_on_long_hellos() -> None:
    """What it is asked then are the suites that everybody has."""
    some = takes(TLS10, RSA, RC4)
    with RawServer(talking_tls(lambda *offer: b"" if len(offer[1]) > 100 else some(*offer))) as server:
        found = look(server.port)
    assert set(found.version(TLS10).suites) == {RSA, RC4}


def test_time_that_runs_out_leaves_what_was_found() -> None:
    newer = takes(TLS12, RSA)

    def script(peer: Peer) -> None:
        hello = read_hello(peer.octets())
        peer.say(newer(*hello)) if hello[0] == TLS12 and RSA in hello[1] else None
        peer.until_gone()

    with RawServer(script) as server:
        found = look(server.port, seconds=0.5)
    assert not found.finished
    assert found.version(TLS12).suites == (RSA,)
    assert not found.version(TLS13).complete


def starttls(folder: Path, *, forgetful: bool) -> Callable[[Peer], None]:
    """A server that keeps (or not) what it has read before the handshake."""
    context = authority.context(authority.create(folder))

    def script(peer: Peer) -> None:
        peer.say("220 mx")
        while (heard := peer.octets()).startswith(b"EHLO"):
            peer.say("250-mx", "250 STARTTLS")
        injected = heard.removeprefix(b"STARTTLS\r\n")
        peer.say("220 go")
        with context.wrap_socket(peer.sock, server_side=True) as secured:
            if injected and not forgetful:
                secured.sendall(b"250 2.0.0 Ok\r\n")
            try:
                while command := secured.recv(4096):
                    secured.sendall(b"250 mx\r\n" if command.startswith(b"EHLO") else b"221 bye\r\n")
            except ssl.SSLError:
                pass

    return script


@pytest.mark.parametrize(("forgetful", "expected"), [(True, "ignored"), (False, "carried_out")])
def test_a_command_from_before_tls(tmp_path: Path, forgetful: bool, expected: str) -> None:
    with RawServer(starttls(tmp_path, forgetful=forgetful)) as server:
        assert look(server.port, TlsMode.STARTTLS).injection == expected
