"""Attacks, played for real: what a hostile server, network or client can do to a session, and what it must not get.

Each test is an experiment on sockets. The units that hold a promise alone have theirs beside the others
(`tests/unit`): addresses in commands, proxies, certificates, SCRAM, files.
"""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import Runner
from profiles import ids, look
from rawserver import Peer, RawServer
from smtpctl.config import resolve
from smtpctl.net.tls import fingerprints
from smtpctl.sink.authority import Files
from smtpctl.sink.authority import context as tls_context
from smtpctl.sink.authority import create as make_authority

SECRET = "CanaryPass77"
SECONDS = 0.5  # what a stage may take


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return make_authority(tmp_path / "tls")


@pytest.fixture
def _far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests are on this machine, where clear text reaches nobody: pretend that they are not."""
    monkeypatch.setattr(resolve, "is_loopback", lambda host: False)


# A server that offers and takes everything, so that only the client decides what is said

Turn = Callable[["Greedy"], None]


class Greedy:
    """Takes any login; `heard` is every octet that came, in clear or out of TLS."""

    def __init__(self, peer: Peer, heard: list[str]) -> None:
        self.peer = peer
        self.heard = heard

    def line(self) -> str:
        line = self.peer.hear()[0]
        self.heard.append(line)
        return line

    def talk(self, *keywords: str, starttls: Turn | None = None, auth: str = "235 2.7.0 welcome") -> None:
        """Answer until QUIT; `keywords` stand in the reply to EHLO."""
        say = self.peer.say
        while True:
            verb, _, rest = self.line().partition(" ")
            if verb == "EHLO":
                say("250-greedy", *(f"250-{keyword}" for keyword in keywords), "250 HELP")
            elif verb == "STARTTLS" and starttls:
                starttls(self)
            elif verb == "STARTTLS":
                say("454 4.7.0 TLS is not available")
            elif verb == "AUTH":
                while not auth.startswith("5") and rest.startswith(("LOGIN", "PLAIN")) and len(rest.split()) < 2:
                    say("334 ")
                    rest += " " + self.line()
                say(auth)
            else:
                say("250 2.0.0 ok")
                if verb == "QUIT":
                    return

    def encrypt(self, files: Files, *keywords: str, auth: str = "235 2.7.0 welcome") -> None:
        """Say 220, shake hands, go on."""
        self.peer.say("220 go on")
        self.peer.sock = tls_context(files).wrap_socket(self.peer.sock, server_side=True)
        self.peer.forget()
        self.talk(*keywords, auth=auth)


def heard(play: Turn, **settings: Any) -> tuple[list[str], list[str]]:
    """What a server got to hear from a login, and the findings."""
    lines: list[str] = []

    def script(peer: Peer) -> None:
        peer.say("220 greedy ESMTP")
        play(Greedy(peer, lines))

    secret = settings.pop("secret", "password")
    with RawServer(script) as server:
        report = look(server.host, server.port, username="ann", seconds=SECONDS, **{secret: SECRET}, **settings)
    return lines, ids(report)


def leaked(lines: list[str]) -> bool:
    """Whether the secret can be read from what was heard."""
    words = [
        word for line in lines for word in line.split() if re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/=]{4}", word)
    ]
    decoded = [base64.b64decode(word) for word in words]
    return SECRET in "\n".join(lines) or any(SECRET.encode() in octets for octets in decoded)


ALL = ("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER",)
IN_CLEAR: dict[str, Turn] = {
    "starttls stripped": lambda it: it.talk(*ALL),
    "starttls refused": lambda it: it.talk("STARTTLS", *ALL),
    "old AUTH= line": lambda it: it.talk("AUTH=PLAIN LOGIN"),
    "text behind the 220": lambda it: it.talk(
        "STARTTLS", *ALL, starttls=lambda it: it.peer.say("220 go", "250 AUTH PLAIN")
    ),
    "text after the 220": lambda it: it.talk("STARTTLS", *ALL, starttls=_text_instead_of_tls),
    "hang-up after the 220": lambda it: it.talk("STARTTLS", *ALL, starttls=_hang_up),
}


def _hang_up(it: Greedy) -> None:
    it.peer.say("220 go")
    it.peer.reset()


def _text_instead_of_tls(it: Greedy) -> None:
    it.peer.say("220 go on")
    it.peer.octets()  # the client's first words of TLS
    it.peer.say("250-greedy", "250 AUTH PLAIN LOGIN")


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"auth_mech": "PLAIN"},
        {"auth_mech": "LOGIN"},
        {"auth_requirement": "optional"},
        {"secret": "access_token"},
        {"secret": "access_token", "trusted": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["auto", "starttls", "none"])
@pytest.mark.parametrize("attack", IN_CLEAR)
def test_nothing_secret_goes_out_in_clear(attack: str, mode: str, settings: dict[str, Any]) -> None:
    lines, found = heard(IN_CLEAR[attack], tls=mode, **settings)
    assert not leaked(lines)
    assert not [line for line in lines if line.startswith("AUTH")]
    assert found
    assert lines or mode == "none"  # where the settings alone say it, nobody is asked


UNTRUSTED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "its name asked for": {"sni": "sink.localhost"},
    "its name verified": {"verify_name": "sink.localhost"},
    "both": {"sni": "sink.localhost", "verify_name": "sink.localhost"},
    "another one's pin": {"pin": f"sha256:{'ab' * 32}"},
    "oldest TLS": {"tls_min": "1.2"},
}


@pytest.mark.parametrize("mode", ["auto", "starttls"])
@pytest.mark.parametrize("case", UNTRUSTED)
def test_nobody_unverified_gets_a_login(case: str, mode: str, files: Files) -> None:
    lines, found = heard(
        lambda it: it.talk("STARTTLS", *ALL, starttls=lambda it: it.encrypt(files, *ALL)), tls=mode, **UNTRUSTED[case]
    )
    assert lines[1] == "STARTTLS" and len(lines) == 2
    assert found[0].startswith("tls.")


@pytest.mark.parametrize(
    "settings",
    [
        {"verify_name": "evil.test"},
        {"verify_name": "evil.test", "sni": "localhost"},
        {"pin": f"sha256:{'ab' * 32}"},
        {"pin": f"sha256:{'ab' * 32}", "insecure": True},
    ],
    ids=str,
)
def test_a_trusted_authority_is_not_enough(settings: dict[str, Any], files: Files) -> None:
    lines, found = heard(
        lambda it: it.talk("STARTTLS", starttls=lambda it: it.encrypt(files, *ALL)),
        tls="starttls",
        ca_file=str(files.ca),
        **settings,
    )
    assert len(lines) == 2
    assert found[0] in ("tls.cert.hostname_mismatch", "tls.pin_mismatch")


def test_the_right_pin_is_enough(files: Files) -> None:
    certificate = ssl.PEM_cert_to_DER_cert(files.certificate.read_text("ascii"))
    for pin in fingerprints(certificate):
        lines, _ = heard(
            lambda it: it.talk("STARTTLS", starttls=lambda it: it.encrypt(files, *ALL)), tls="starttls", pin=pin
        )
        assert leaked(lines)


def test_what_was_offered_before_tls_counts_no_more(files: Files) -> None:
    lines, found = heard(
        lambda it: it.talk("STARTTLS", *ALL, starttls=lambda it: it.encrypt(files)), tls="auto", ca_file=str(files.ca)
    )
    assert not leaked(lines) and not any(line.startswith("AUTH") for line in lines)
    assert found[0] == "auth.not_offered"


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize("reply", ["535 5.7.8 no", "454 4.7.0 later", "504 5.5.4 unknown", "500 5.5.1 what"])
@pytest.mark.parametrize("stronger", ["SCRAM-SHA-256", "CRAM-MD5", "SCRAM-SHA-256 CRAM-MD5"])
def test_a_refusal_brings_no_weaker_login_in_clear(stronger: str, reply: str) -> None:
    lines, _ = heard(lambda it: it.talk(f"AUTH {stronger} PLAIN LOGIN", auth=reply), tls="none")
    assert not leaked(lines)
    assert not [line for line in lines if line.startswith(("AUTH PLAIN", "AUTH LOGIN"))]


def test_a_server_that_proves_nothing_gets_no_second_login(files: Files) -> None:
    """SCRAM: 235 without the server's signature."""
    lines, found = heard(
        lambda it: it.talk("STARTTLS", starttls=lambda it: it.encrypt(files, "AUTH SCRAM-SHA-256 PLAIN")),
        tls="starttls",
        ca_file=str(files.ca),
    )
    assert not leaked(lines)
    assert [line for line in lines if line.startswith("AUTH")][1:] == []
    assert found[0] == "auth.server_not_authenticated"


# What a server says, in everything that shows it

EVIL = (
    "\x1b]0;pwned\x07\x1b[31m\u202e\u2066abc\u2069\u200f\u2028\u2029\x85\x9b31m\x00\x08::error file=x::pwn\r]]></x><b>%0A"
    + SECRET
)
_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def evil(mode: str) -> Callable[[Peer], None]:
    """A server with terminal escapes, marks of direction, ends of quotations and the password in every word."""

    def script(peer: Peer) -> None:
        peer.say(f"220 {EVIL} ESMTP")
        peer.hear()
        peer.say(f"250-{EVIL}", f"250-AUTH PLAIN X{EVIL}", f"250-SIZE {EVIL}", f"250-{EVIL}", f"250 {EVIL}")
        while True:
            verb = peer.hear()[0].partition(" ")[0]
            if verb == "AUTH" and mode == "challenge":
                peer.say("334 " + base64.b64encode(json.dumps({"status": EVIL, "error": EVIL}).encode()).decode())
                peer.hear()
            if mode == "no reply at all":
                peer.say(EVIL)
                return
            peer.say(f"235 {EVIL}" if verb == "AUTH" and mode == "mail" else f"550 5.7.8 {EVIL}")

    return script


@pytest.mark.parametrize(
    "command", [("check",), ("check", "-v"), ("test-send", "--to", "b@x.test", "--from", "a@x.test", "-v")], ids=str
)
@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github"])
@pytest.mark.parametrize("mode", ["refusal", "challenge", "mail", "no reply at all"])
def test_no_output_has_what_a_server_says_raw(
    mode: str, form: str, command: tuple[str, ...], smtpctl_call: Runner, tmp_path: Path
) -> None:
    transcript = tmp_path / "transcript.jsonl"
    with RawServer(evil(mode)) as server:
        run = smtpctl_call(
            command[0], f"{server.host}:{server.port}", *command[1:], "--format", form, "--tls", "none", "--username", "ann",
            "--password-env", "P", "--transcript", transcript, "--color", "never", env={"P": SECRET},
        )  # fmt: skip
    assert run.code not in (2, 70)
    for shown in (run.stdout, run.stderr, transcript.read_text("utf-8")):
        assert not _RAW.search(shown)
        assert SECRET not in shown
    assert not [line for line in run.stdout.splitlines() if line.startswith("::") and form != "github"]
    if form == "github":
        assert all(
            line.startswith(("::error title=", "::warning title=", "::notice title="))
            for line in run.stdout.splitlines()
        )


# Servers that never end


def _ehlo(peer: Peer, *keywords: str) -> None:
    peer.say("220 endless ESMTP")
    peer.hear()
    peer.say("250-endless", *(f"250-{keyword}" for keyword in keywords), "250 HELP")


def _for_ever(peer: Peer, octets: bytes) -> None:
    while True:
        peer.say(octets)


def many_keywords(peer: Peer) -> None:
    peer.say("220 x")
    peer.hear()
    peer.say(*(f"250-K{number} {'P ' * 20}" for number in range(10_000)), "250 HELP")
    peer.until_gone()


def endless_greeting(peer: Peer) -> None:
    _for_ever(peer, b"220-" + b"x" * 60 + b"\r\n")


def many_greetings(peer: Peer) -> None:
    _for_ever(peer, b"220 hello\r\n" * 1000)


def giant_challenge(peer: Peer) -> None:
    _ehlo(peer, "AUTH CRAM-MD5")
    peer.hear()
    _for_ever(peer, b"334 " + b"A" * 1_000_000)


def endless_challenges(peer: Peer) -> None:
    _ehlo(peer, "AUTH LOGIN CRAM-MD5")
    while True:
        peer.hear()
        peer.say("334 " + base64.b64encode(b"x" * 9000).decode())


def nested_challenge(peer: Peer) -> None:
    _ehlo(peer, "AUTH PLAIN")
    while peer.hear():
        peer.say("334 " + base64.b64encode(b'{"a":' * 1800).decode())


def many_rounds(peer: Peer) -> None:
    _ehlo(peer, "AUTH SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1")
    while (line := peer.hear()[0]) != "QUIT":
        if line.startswith("AUTH"):
            nonce = base64.b64decode(line.split()[2]).decode().partition("r=")[2]
            peer.say("334 " + base64.b64encode(f"r={nonce}x,s={'c2FsdHNhbHQ' * 4},i=999999999".encode()).decode())
        else:
            peer.say("504 5.5.4 unknown")


def endless_handshake(peer: Peer) -> None:
    _ehlo(peer, "STARTTLS")
    peer.hear()
    peer.say("220 go on")
    peer.octets()
    record = b"\x16\x03\x03\x40\x00"
    peer.say(record + b"\x0b\xff\xff\xff" + bytes(0x4000 - 4))  # a Certificate message of 16 MB
    _for_ever(peer, record + bytes(0x4000))


def endless_farewell(peer: Peer) -> None:
    _ehlo(peer)
    peer.hear()
    _for_ever(peer, b"221 bye\r\n" * 1000)


ENDLESS = (
    many_keywords, endless_greeting, many_greetings, giant_challenge, endless_challenges, nested_challenge, many_rounds,
    endless_handshake, endless_farewell,
)  # fmt: skip
# Runs the words and tells the most memory (kB) and the processor time that they took.
_MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, used.ru_maxrss, used.ru_utime)
"""
MEGABYTES = 64  # a session that goes well takes 20


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: ru_maxrss in kB")
@pytest.mark.parametrize("script", ENDLESS, ids=lambda script: script.__name__)
def test_memory_and_time_have_bounds(script: Callable[[Peer], None], smtpctl_program: Path) -> None:
    mode = "starttls" if script is endless_handshake else "none"
    with RawServer(script) as server:
        words: list[str | Path] = [
            smtpctl_program,
            "check",
            f"{server.host}:{server.port}",
            "--tls",
            mode,
            "--timeout",
            "5",
        ]
        words += ["--username", "ann", "--password-env", "P"]
        done = subprocess.run(
            [sys.executable, "-c", _MEASURE, *words],
            capture_output=True,
            env={**os.environ, "P": SECRET},
            timeout=60,
            check=True,
        )
    code, kilobytes, seconds = done.stdout.split()
    assert int(code) not in (2, 70)
    assert int(kilobytes) < MEGABYTES * 1024
    assert float(seconds) < 5


def test_ten_thousand_names_and_a_hundred_certificates(files: Files, tmp_path: Path) -> None:
    """What is too long for OpenSSL ends the handshake; what is not is read up to a limit."""
    chain = files.certificate.read_text("ascii") + files.ca.read_text("ascii") * 100
    files.certificate.write_text(chain, "ascii")
    lines, found = heard(
        lambda it: it.talk("STARTTLS", starttls=lambda it: it.encrypt(files, *ALL)),
        tls="starttls",
        ca_file=str(files.ca),
    )
    assert leaked(lines) and "tls.chain.order" not in found  # it is the right one, with a tail
    make_authority(tmp_path / "wide", [f"host-{number:05}.example.test" for number in range(10_000)])
    wide = Files(*(tmp_path / "wide" / path.name for path in files))
    lines, found = heard(lambda it: it.talk("STARTTLS", starttls=lambda it: it.encrypt(wide, *ALL)), tls="starttls")
    assert len(lines) == 2 and found[0].startswith("tls.")


# Files without an end


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
@pytest.mark.parametrize(
    "words",
    [
        ("--config", "/dev/zero", "profile", "list"),
        ("check", "192.0.2.1", "--username", "ann", "--password-file", "/dev/zero"),
        ("check", "192.0.2.1", "--username", "ann", "--password-command", "cat /dev/zero"),
        ("test-send", "192.0.2.1", "--to", "a@x.test", "--from", "a@x.test", "--body", "@/dev/zero"),
        ("test-send", "192.0.2.1", "--to", "a@x.test", "--from", "a@x.test", "--attach", "/dev/zero"),
        ("profile", "import", "--from", "kentico", "/dev/zero"),
        ("profile", "import", "--from", "contensis", "/dev/zero"),
        ("explain", "/dev/zero"),
    ],
    ids=" ".join,
)
def test_no_file_is_read_without_end(words: tuple[str, ...], smtpctl_call: Runner) -> None:
    assert smtpctl_call(*words).code in (2, 65, 78)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/zero, and a limit of memory")
def test_a_client_certificate_without_an_end_fills_no_memory(tmp_path: Path) -> None:
    """`validate` may look at a stranger's file."""
    config = tmp_path / "c.toml"
    config.write_text('version = 1\n[profiles.a]\nhost = "mail.test"\nclient_cert = "/dev/zero"\n')
    limit = (sys.executable, "-c", "import resource, runpy; resource.setrlimit(resource.RLIMIT_AS, (1 << 30,) * 2);"
             "runpy.run_module('smtpctl', run_name='__main__')")  # fmt: skip
    done = subprocess.run(
        [*limit, "validate", "--config", str(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, 1), done.stderr
