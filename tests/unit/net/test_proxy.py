"""Proxies that stall, drip, flood or talk back: they cost bounded time and tell nobody anything."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest

from profiles import ids, look
from rawserver import Peer, RawServer, Script

SECONDS = 0.4  # what a stage may take
BOUND = 5.0


def drip(octets: bytes) -> Script:
    """What is said comes one octet at a time, each well before a read would time out, and never ends."""

    def script(peer: Peer) -> None:
        peer.octets()
        if octets[:1] == b"\x05":
            peer.say(b"\x05\x00")
            peer.octets()
        peer.say(octets)
        while True:
            time.sleep(SECONDS / 4)
            peer.say(b"a")

    return script


def flood(peer: Peer) -> None:
    peer.octets()
    while True:
        peer.say(b"HTTP/1.1 200 " + b"a" * 65536)


@pytest.mark.parametrize(
    ("scheme", "script"),
    [
        ("http", drip(b"HTTP/1.1 200 OK\r\nX: ")),
        ("http", drip(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 ")),
        ("socks5", drip(b"\x05\x00\x00\x03\xff")),
        ("http", flood),
    ],
    ids=["drip", "drip-100", "drip-socks", "flood"],
)
def test_it_stretches_no_time(scheme: str, script: Script) -> None:
    with RawServer(script) as proxy:
        began = time.monotonic()
        report = look("mail.test", 25, proxy=f"{scheme}://{proxy.host}:{proxy.port}", tls="none", seconds=SECONDS)
        assert time.monotonic() - began < BOUND
    assert ids(report)[0] == "conn.proxy_failed"


def test_what_it_is_told_ends_no_line_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def script(peer: Peer) -> None:
        heard.append(peer.octets())
        peer.say(b"HTTP/1.1 407 pa:ss\r\n\r\n")

    with RawServer(script) as proxy:
        monkeypatch.setenv("SMTPCTL_PROXY", f"http://us%0d%0aer:pa%3Ass@{proxy.host}:{proxy.port}")
        report = look("mail.test", 25, tls="none", seconds=SECONDS)
    assert heard[0].split(b"\r\n") == [
        b"CONNECT mail.test:25 HTTP/1.1",
        b"Host: mail.test:25",
        b"Proxy-Authorization: Basic " + b64encode(b"us\r\ner:pa:ss"),
        b"",
        b"",
    ]
    assert ids(report)[0] == "conn.proxy_failed"
    assert "pa:ss" not in repr(report) + report.transcript.dumps()
