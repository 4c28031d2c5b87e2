"""Servers that are broken, lie, stall or attack: every session ends in bounded time, with the finding that names it.

Behaviours of `smtpctl sink` come from protocol/server/faults.py; what needs a raw socket is scripted here.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import Runner
from profiles import ids, look, profile
from rawserver import PATIENCE, Peer, RawServer, Script
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import ExitStatus, Report
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage
from smtpctl.ops import test_send as sending
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.faults import HOSTILE, Faults
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.authority import context as tls_context
from smtpctl.sink.authority import create as make_authority
from smtpctl.sink.server import Sink

SECONDS = 0.4  # what each stage may take
BOUND = 5 * SECONDS + 3.0  # the whole run, with room for a slow machine
OK, TEMPORARY, UNAVAILABLE, PROTOCOL = ExitStatus.OK, ExitStatus.TEMPORARY, ExitStatus.UNAVAILABLE, ExitStatus.PROTOCOL

# behaviour -> what is found, what the run ends with
EXPECTED: dict[str, tuple[list[str], ExitStatus]] = {
    "silent": (["conn.greeting_timeout"], TEMPORARY),
    "silent_after_ehlo": (["smtp.reply_timeout"], TEMPORARY),
    "slow_drip": (["conn.greeting_timeout"], TEMPORARY),
    "endless_line": (["smtp.reply_too_long"], PROTOCOL),
    "endless_reply": (["smtp.reply_endless"], PROTOCOL),
    "nul": (["smtp.reply_oddity"], OK),
    "eight_bit": (["smtp.reply_oddity"], OK),
    "mixed_codes": (["smtp.reply_oddity"], OK),
    "bare_code": ([], OK),
    "two_digits": (["conn.not_smtp"], PROTOCOL),
    "no_space": (["smtp.reply_oddity"], OK),
    "bare_lf": (["smtp.reply_oddity"], OK),
    "http": (["conn.not_smtp"], PROTOCOL),
    "ssh": (["conn.not_smtp"], PROTOCOL),
    "imap": (["conn.not_smtp"], PROTOCOL),
    "pop3": (["conn.not_smtp"], PROTOCOL),
    "too_busy": (["generic.greeting-421-service-not-available"], TEMPORARY),
    "not_for_you": (["smtp.greeting_refused"], UNAVAILABLE),
    "masked_ehlo": (["smtp.ehlo_masked"], ExitStatus.FINDINGS),
    "helo_only": (["smtp.ehlo_rejected_helo_ok"], OK),
    "half_close": (["smtp.closed_by_server"], TEMPORARY),
    "tls_garbage": (["starttls.response_injection"], PROTOCOL),
    "tls_closed": (["starttls.no_tls_after_220"], UNAVAILABLE),
    "starttls_injection": (["starttls.response_injection"], PROTOCOL),
    "starttls_refused": (["generic.starttls-454-not-available"], TEMPORARY),
    "reset_at_greeting": (["conn.reset"], TEMPORARY),
    "reset_at_ehlo": (["conn.reset"], TEMPORARY),
    "reset_at_starttls": (["conn.reset"], TEMPORARY),
    "reset_at_tls": (["starttls.no_tls_after_220"], UNAVAILABLE),
    "close_at_greeting": (["conn.closed"], TEMPORARY),
    "close_at_ehlo": (["smtp.closed_by_server"], TEMPORARY),
    "close_at_starttls": (["smtp.closed_by_server"], TEMPORARY),
    "close_at_tls": (["starttls.no_tls_after_220"], UNAVAILABLE),
}
# Those that only a login or a mail gets to.
LOGIN = {"reset_at_auth": ["conn.reset"], "close_at_auth": ["smtp.closed_by_server"]}
MAIL = {
    f"{end}_at_{stage}": [name]
    for end, name in (("reset", "conn.reset"), ("close", "smtp.closed_by_server"))
    for stage in ("mail", "rcpt", "data", "content", "eod")
}
HARMLESS = ("reset_at_quit", "close_at_quit")


@contextmanager
def bounded() -> Iterator[None]:
    """What runs inside keeps to the limits of its profile."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < BOUND


def texts(report: Report) -> str:
    return "\n".join(evidence.text for finding in report.findings for evidence in finding.evidence)


def test_every_behaviour_is_expected() -> None:
    assert set(HOSTILE) == {*EXPECTED, *LOGIN, *MAIL, *HARMLESS}


@pytest.mark.parametrize("name", EXPECTED)
def test_check(name: str) -> None:
    mode = TlsMode.STARTTLS if "tls" in name else TlsMode.NONE
    with Sink(Setup(tls=mode, faults=Faults(*HOSTILE[name]))) as sink, bounded():
        report = look(sink.host, sink.port, tls=mode.value, ca_file=sink.ca_file, seconds=SECONDS)
    assert (ids(report), report.status()) == EXPECTED[name]
    assert not [outcome for outcome in report.outcomes if outcome.result == "crashed"]


@pytest.mark.parametrize("name", LOGIN)
def test_check_with_a_login(name: str) -> None:
    with Sink(Setup(users={"ann": Secret("wonderland")}, faults=Faults(*HOSTILE[name]))) as sink, bounded():
        report = look(sink.host, sink.port, tls="none", username="ann", password="wonderland", seconds=SECONDS)
    assert ids(report) == LOGIN[name]
    assert report.status() is TEMPORARY


def send(host: str, port: int, **settings: Any) -> Report:
    wish = sending.Wish(sending.draft(to=["bob@example.com"]))
    made = profile(host, port, **{"tls": "none", "from": "ann@example.com", "seconds": SECONDS, **settings})
    return sending.test_send(made, Surroundings(os.environ), wish)


@pytest.mark.parametrize(
    "without", [(), ("CHUNKING",), ("CHUNKING", "PIPELINING")], ids=["bdat", "pipelined", "lockstep"]
)
@pytest.mark.parametrize("name", MAIL)
def test_send(name: str, without: tuple[str, ...]) -> None:
    setup = Setup(faults=Faults(*HOSTILE[name]))
    setup = setup._replace(extensions=tuple(word for word in setup.extensions if word not in without))
    with Sink(setup) as sink, bounded():
        report = send(sink.host, sink.port)
    if name.endswith("at_data") and not without:
        assert ids(report) == []  # with BDAT there is no DATA
        return
    assert ids(report) in (["conn.reset"], ["smtp.closed_by_server"])
    assert report.status() is TEMPORARY
    assert report.recipients[0].result == "unknown"


@pytest.mark.parametrize("name", HARMLESS)
def test_nothing_after_the_mail_counts(name: str) -> None:
    with Sink(Setup(faults=Faults(*HOSTILE[name]))) as sink, bounded():
        report = send(sink.host, sink.port)
        assert len(sink.messages) == 1
    assert report.recipients[0].result == "accepted"
    assert report.status() is OK


# Scripts


def _open(*keywords: str) -> Script:
    """Greeting and EHLO."""

    def script(peer: Peer) -> None:
        peer.say("220 raw.test ESMTP")
        peer.hear()
        lines = ["raw.test", *keywords]
        peer.say(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    return script


def played(script: Script, **settings: Any) -> Report:
    with RawServer(script) as server, bounded():
        return look(server.host, server.port, **{"tls": "none", "seconds": SECONDS, **settings})


def test_tls_client_on_a_port_that_speaks_first() -> None:
    def script(peer: Peer) -> None:
        peer.say("220 raw.test ESMTP")
        peer.octets()
        peer.say("500 5.5.2 What is that?")

    report = played(script, tls="implicit")
    assert ids(report) == ["conn.port_is_plaintext"]
    assert "220 raw.test ESMTP" in texts(report)


def test_plain_client_on_an_implicit_tls_port() -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink, bounded():
        report = look(sink.host, sink.port, tls="none", seconds=SECONDS)
    assert ids(report) == ["conn.port_is_implicit_tls"]


def test_plain_client_on_a_port_that_answers_with_an_alert() -> None:
    report = played(lambda peer: peer.say(b"\x15\x03\x01\x00\x02\x02\x0a\n"))
    assert ids(report) == ["conn.port_is_implicit_tls"]


@pytest.mark.parametrize("end", ["eof", "reset"])
def test_hang_up_at_the_client_hello(end: str) -> None:
    def script(peer: Peer) -> None:
        peer.octets()
        if end == "reset":
            peer.reset()

    report = played(script, tls="implicit")
    assert ids(report) == ["tls.handshake_failed"]
    assert report.status() is UNAVAILABLE


def test_silence_at_the_client_hello() -> None:
    report = played(lambda peer: peer.until_gone(), tls="implicit")
    assert ids(report) == ["tls.handshake_timeout"]


def test_a_handshake_that_drips_is_no_progress() -> None:
    def script(peer: Peer) -> None:
        peer.octets()
        for octet in b"\x16\x03\x03\x40\x00" + b"\x02" * 200:
            peer.say(bytes([octet]))
            if peer.sock.fileno() < 0 or _gone(peer, 0.1):
                return

    assert ids(played(script, tls="implicit")) == ["tls.handshake_timeout"]


def _gone(peer: Peer, seconds: float) -> bool:
    """Waits for the client to hang up; False when the time is over."""
    peer.sock.settimeout(seconds)
    try:
        return not peer.sock.recv(65536)
    except TimeoutError:
        return False


@pytest.mark.parametrize("octets", [b"\x00\x01\x02 no TLS at all", b"500 5.5.1 sorry\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"])
def test_something_else_after_the_client_hello(octets: bytes) -> None:
    def script(peer: Peer) -> None:
        _open("STARTTLS")(peer)
        peer.hear()
        peer.say("220 2.0.0 Go")
        peer.octets()
        peer.say(octets)

    report = played(script, tls="starttls", insecure=True)
    assert ids(report) == ["starttls.no_tls_after_220"]
    assert octets[:12].decode("ascii", "backslashreplace").split("\r")[0] in texts(report)


def test_an_injection_in_a_packet_of_its_own_is_never_believed() -> None:
    def script(peer: Peer) -> None:
        _open("STARTTLS")(peer)
        peer.hear()
        peer.say("220 2.0.0 Go")
        peer.say("250-raw.test", "250 AUTH PLAIN")
        peer.until_gone()

    report = played(script, tls="starttls", insecure=True, username="ann", password="wonderland")
    assert ids(report)[0] in ("starttls.response_injection", "starttls.no_tls_after_220")
    assert not any("AUTH" in event.text for event in report.transcript if event.kind == "sent")


def test_a_421_in_the_middle_of_a_group_is_the_reason() -> None:
    def script(peer: Peer) -> None:
        _open("PIPELINING")(peer)
        peer.hear(3)
        peer.say("250 2.1.0 Ok", "421 4.7.0 raw.test Too many recipients, closing")

    with RawServer(script) as server:
        report = send(server.host, server.port)
    assert ids(report) == ["generic.rcpt-too-many-recipients"]  # its words say more than that it hung up
    assert report.findings[0].stage is Stage.RCPT
    assert {one.result for one in report.recipients} == {"temporary"}  # the content had gone, but nobody took it
    assert "Too many recipients" in texts(report)
    assert report.status() is TEMPORARY


@pytest.mark.parametrize("chunking", [False, True])
def test_a_refusal_while_content_is_on_its_way(chunking: bool) -> None:
    """The server refuses and hangs up without reading on: its words count, not the broken pipe."""

    def script(peer: Peer) -> None:
        _open(*(["CHUNKING"] if chunking else ["SIZE"]))(peer)
        for _ in range(2):
            peer.hear()
            peer.say("250 Ok")
        peer.hear()
        peer.say(*([] if chunking else ["354 Go"]), "552 5.3.4 Message too big for me")
        peer.octets()

    wish = sending.Wish(sending.draft(to=["bob@example.com"], text="x" * 78 + "\n" + ("y" * 78 + "\n") * 100_000))
    with RawServer(script) as server, bounded():
        made = profile(server.host, server.port, tls="none", seconds=SECONDS, **{"from": "ann@example.com"})
        report = sending.test_send(made, Surroundings(os.environ), wish)
    assert report.recipients[0].result == "permanent"
    assert "552 5.3.4 Message too big for me" in texts(report)
    assert report.status() is ExitStatus.DATA


def test_a_server_that_reads_no_content() -> None:
    """The time of the stage ends it, however much is left to send."""

    def script(peer: Peer) -> None:
        _open("SIZE")(peer)
        for _ in range(2):
            peer.hear()
            peer.say("250 Ok")
        peer.hear()
        peer.say("354 Go")
        server.reached.set()
        server.gone.wait(PATIENCE)

    wish = sending.Wish(sending.draft(to=["bob@example.com"], text=("y" * 78 + "\n") * 200_000))
    with RawServer(script) as server, bounded():
        made = profile(server.host, server.port, tls="none", seconds=SECONDS, **{"from": "ann@example.com"})
        report = sending.test_send(made, Surroundings(os.environ), wish)
        server.gone.set()
    assert ids(report) == ["smtp.reply_timeout"]


def test_words_that_nobody_asked_for() -> None:
    def script(peer: Peer) -> None:
        peer.say("220 raw.test ESMTP")
        peer.hear()
        peer.say("250 raw.test", "250 and once more")
        peer.hear()
        peer.say("221 bye")

    report = played(script)
    assert ids(report) == ["smtp.unsolicited"]


@pytest.mark.parametrize("line", ["421 4.3.2 shutting down", "nonsense"])
def test_an_end_that_nobody_asked_for(line: str) -> None:
    def script(peer: Peer) -> None:
        peer.say("220 raw.test ESMTP")
        peer.hear()
        peer.say("250-raw.test", "250 AUTH PLAIN", line)
        peer.until_gone()

    report = played(script, username="ann", password="wonderland")
    assert ids(report)[0] in ("smtp.early_421", "smtp.protocol_violation")


def test_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    report = played(lambda peer: peer.until_gone(), tls="implicit", ca_file=str(tmp_path / "missing.pem"))
    assert ids(report) == ["local.tls_file_unusable"]


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    report = look("127.0.0.1", port, tls="none", seconds=SECONDS)
    assert ids(report) == ["conn.refused"]
    assert report.status() is TEMPORARY


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    report = look(str(tmp_path / "none.socket"), 0, lmtp=True)
    assert (ids(report), report.status()) == (["conn.socket_failed"], ExitStatus.UNAVAILABLE)
    assert report.failure and not report.failure.retryable


def test_a_socket_whose_server_is_gone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "s"))
    report = look(str(tmp_path / "s"), 0, lmtp=True)
    assert (ids(report), report.status()) == (["conn.socket_failed"], TEMPORARY)


@contextmanager
def full(family: int, address: Any) -> Iterator[socket.socket]:
    """A listener whose queue is full: the kernel answers no further connection."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.bind(address)
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket(family))
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener


def test_a_host_that_answers_nothing() -> None:
    with full(socket.AF_INET, ("127.0.0.1", 0)) as listener, bounded():
        report = look("127.0.0.1", listener.getsockname()[1], tls="none", seconds=SECONDS)
    assert ids(report) == ["conn.timeout"]


def test_a_socket_whose_server_takes_nobody_in(tmp_path: Path) -> None:
    with full(socket.AF_UNIX, str(tmp_path / "s")), bounded():
        report = look(str(tmp_path / "s"), 0, lmtp=True, seconds=SECONDS)
    assert ids(report) == ["conn.socket_failed"]


def test_a_name_that_does_not_exist() -> None:
    report = look("no-such-host.invalid", 25, tls="none", seconds=SECONDS)
    # The latter two on a machine without a resolver, or with one that is out of reach.
    assert ids(report)[0] in ("conn.dns_nxdomain", "conn.dns_temporary", "local.resolver_unreachable")


# The program itself

LIMITS = (
    "--timeout",
    "2",
    *(word for stage in ("greeting", "ehlo", "tls") for word in ("--stage-timeout", f"{stage}={SECONDS}")),
)


@pytest.mark.parametrize(
    "name", ["silent", "slow_drip", "endless_line", "endless_reply", "http", "too_busy", "reset_at_ehlo"]
)
def test_program(smtpctl_run: Runner, name: str) -> None:
    with Sink(Setup(faults=Faults(*HOSTILE[name]))) as sink, bounded():
        done = smtpctl_run("check", f"127.0.0.1:{sink.port}", "--tls", "none", *LIMITS)
    [id] = EXPECTED[name][0]
    assert done.code == EXPECTED[name][1]
    assert id in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_program_json(smtpctl_run: Runner) -> None:
    import json

    with Sink(Setup(faults=Faults(*HOSTILE["nul"]))) as sink:
        done = smtpctl_run("check", f"127.0.0.1:{sink.port}", "--tls", "none", "--json", *LIMITS)
    assert json.loads(done.stdout)
    assert "\0" not in done.stdout
    assert done.code == OK


# Ctrl-C


def _stall(lines: list[str], then: Callable[[Peer], None] | None = None) -> Callable[[RawServer], Script]:
    """Plays greeting and replies, then says nothing more."""

    def make(server: RawServer) -> Script:
        def script(peer: Peer) -> None:
            for line in lines:
                peer.say(*line.split("|"))
                peer.hear()
            if then:
                then(peer)
            server.stall(peer)

        return script

    return make


def _silent(server: RawServer) -> Script:
    return server.stall


def _client_hello(peer: Peer) -> None:
    peer.say("220 Go")
    peer.octets()


EHLO = "250-raw.test|250-STARTTLS|250 AUTH PLAIN LOGIN"
STALLS: dict[str, tuple[Callable[[RawServer], Script], list[str]]] = {
    "greeting": (_silent, ["--tls", "none"]),
    "tls": (_silent, ["--tls", "implicit"]),
    "ehlo": (_stall(["220 raw.test"]), ["--tls", "none"]),
    "starttls": (_stall(["220 raw.test", EHLO]), ["--tls", "starttls"]),
    "starttls handshake": (_stall(["220 raw.test", EHLO], _client_hello), ["--tls", "starttls"]),
    "auth": (_stall(["220 raw.test", EHLO]), ["--tls", "none", "--username", "ann", "--password-env", "PW"]),
    "auth challenge": (
        _stall(["220 raw.test", EHLO, "334 VXNlcm5hbWU6"]),
        ["--tls", "none", "--username", "ann", "--password-env", "PW", "--auth-mech", "LOGIN"],
    ),
    "quit": (_stall(["220 raw.test", "250 raw.test"]), ["--tls", "none", "--stage-timeout", "quit=20"]),
}


def interrupted(smtpctl_program: Path, home: Path, arguments: list[str], server: RawServer) -> tuple[int, str]:
    """Start the program, interrupt it when the server says that it waits; its exit code and what it wrote."""
    process = subprocess.Popen(
        [smtpctl_program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PW": "wonderland"},
        cwd=home,
    )
    with process:
        try:
            assert server.reached.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert server.gone.wait(PATIENCE)
    return process.returncode, output.decode()


@pytest.mark.parametrize("stage", STALLS)
def test_interrupt(stage: str, smtpctl_program: Path, home: Path) -> None:
    make, options = STALLS[stage]
    with RawServer(lambda peer: make(server)(peer)) as server:
        code, output = interrupted(smtpctl_program, home, ["check", f"127.0.0.1:{server.port}", *options], server)
    assert code == ExitStatus.INTERRUPTED
    assert "Traceback" not in output
    assert "interrupted" in output


@pytest.mark.parametrize("lines", [2, 3, 4, 5], ids=["mail", "rcpt", "data", "content"])
def test_interrupt_a_mail(lines: int, smtpctl_program: Path, home: Path) -> None:
    told = ["220 raw.test", "250 raw.test", "250 Ok", "250 Ok", "354 Go"]
    with RawServer(lambda peer: _stall(told[:lines])(server)(peer)) as server:
        arguments = ["test-send", f"127.0.0.1:{server.port}", "--tls", "none", "--from", "a@x.test", "--to", "b@x.test"]
        code, output = interrupted(smtpctl_program, home, arguments, server)
    assert code == ExitStatus.INTERRUPTED
    assert "Traceback" not in output


def test_interrupt_many(smtpctl_program: Path, home: Path) -> None:
    """Nobody waits for the servers that still say nothing."""
    with RawServer(lambda peer: one.stall(peer)) as one, RawServer(lambda peer: two.stall(peer)) as two, bounded():
        code, output = interrupted(
            smtpctl_program, home, ["check", f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}", "--tls", "none"], two
        )
    assert code == ExitStatus.INTERRUPTED
    assert "Traceback" not in output


def test_tls_1_2_greeting_behind_the_handshake(tmp_path: Path) -> None:
    """The server's Finished and its greeting come in one packet."""
    files = make_authority(tmp_path / "tls", ["localhost"], ())
    context = tls_context(files, ask_client=False)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def script(peer: Peer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        done = False
        while not done:
            incoming.write(peer.octets())
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                peer.say(outgoing.read())
        for line in (b"220 raw.test\r\n", b"250 raw.test\r\n", b"221 bye\r\n"):
            tls.write(line)
            peer.say(outgoing.read())
            incoming.write(peer.octets())

    report = played(script, tls="implicit", ca_file=str(files.ca), verify_name="localhost")
    assert ids(report) == []
    assert report.facts["greeting"] == "220 raw.test"
