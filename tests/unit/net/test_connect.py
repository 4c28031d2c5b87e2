"""From a name to a connected socket."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net import connect as module
from smtpctl.net.connect import Address, connect, resolve
from smtpctl.net.connection import Log

V4, V6 = socket.AF_INET, socket.AF_INET6
TIMEOUTS = Timeouts(stages={Stage.CONNECT: 2, Stage.DNS: 2})


def address(text: str, port: int = 25) -> Address:
    return Address(V6, (text, port, 0, 0)) if ":" in text else Address(V4, (text, port))


@pytest.mark.parametrize(
    ("found", "tried"),
    [
        (["::1", "::2", "::3", "1.1.1.1", "1.1.1.2"], ["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"]),
        (["1.1.1.1", "::1", "::2"], ["1.1.1.1", "::1", "::2"]),
        (["1.1.1.1", "1.1.1.2"], ["1.1.1.1", "1.1.1.2"]),
        ([], []),
    ],
)
def test_families_take_turns(found: list[str], tried: list[str]) -> None:
    assert module._alternate([address(text) for text in found]) == [address(text) for text in tried]


def test_addresses_as_text() -> None:
    assert str(address("::1")) == "[::1]:25"
    assert str(address("192.0.2.1")) == "192.0.2.1:25"


def lookup(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Any:
    def look(*_: Any, **__: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", look)
    log = Log(Transcript())
    return log, lambda: resolve(Endpoint("mx.example.com", 25), Route(), TIMEOUTS, log)


@pytest.mark.parametrize(
    ("error", "id"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "conn.dns_nxdomain"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "conn.dns_temporary"),
        (socket.gaierror(-5, "No address associated with hostname"), "conn.no_address"),
        (socket.gaierror(99, "something new"), "conn.dns_temporary"),
        (UnicodeError("label too long"), "conn.dns_nxdomain"),
    ],
)
def test_names_that_lead_nowhere(error: Exception, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log, look = lookup(monkeypatch, error)
    with pytest.raises(Problem) as told:
        look()
    assert told.value.finding.id == id
    assert told.value.finding.stage is Stage.DNS
    assert "error" in log.transcript[0].facts


def test_addresses_are_told_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    item = (V4, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 25))
    log, look = lookup(monkeypatch, [item, item, (V6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 25, 0, 0))])
    assert look() == [address("192.0.2.1"), address("2001:db8::1")]
    assert log.transcript[0].facts["addresses"] == ["192.0.2.1", "2001:db8::1"]


def test_every_attempt_is_recorded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        log = Log(Transcript())
        found = [address("127.0.9.70", port), address("127.0.0.1", port)]
        endpoint = Endpoint("mx.example.com", port)
        sock = module._race(endpoint, Route(source=""), found, log.clock() + 2, log)
        sock.close()
    first, second = log.transcript
    assert first.facts["address"] == "127.0.9.70"
    assert "refused" in first.facts["error"].lower()
    assert second.facts["address"] == "127.0.0.1"
    assert second.facts["local"] == "127.0.0.1"


def test_when_none_answers_all_are_evidence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    log = Log(Transcript())
    found = [address("127.0.9.71", port), address("127.0.9.72", port)]
    with pytest.raises(Problem) as told:
        module._race(Endpoint("mx.example.com", port), Route(), found, log.clock() + 2, log)
    assert told.value.finding.id == "conn.refused"
    assert len(told.value.finding.evidence) == 2


def test_a_source_that_is_not_ours() -> None:
    log = Log(Transcript())
    with pytest.raises(Problem) as told:
        connect(Endpoint("127.0.0.1", 9), Route(source="192.0.2.1"), TlsPolicy(), TIMEOUTS, log)
    assert told.value.finding.id == "conn.unreachable"


def test_a_family_that_the_address_is_not_of() -> None:
    with pytest.raises(Problem) as told:
        connect(Endpoint("127.0.0.1", 9), Route(family=6), TlsPolicy(), TIMEOUTS, Log(Transcript()))
    assert told.value.finding.stage is Stage.DNS


def test_who_was_tried_first_and_gave_no_answer_is_told() -> None:
    log = Log(Transcript(), clock=lambda: 100.3)
    with socket.socket(V6) as slow, socket.socket(V4) as quick, socket.socket(V4) as later:
        running = [module._Attempt(slow, address("::1"), 100.0), module._Attempt(later, address("192.0.2.9"), 100.28)]
        module._connected(module._Attempt(quick, address("192.0.2.1"), 100.25), log, running)
    first, second = log.transcript
    assert (first.text, first.facts["overtaken"]) == ("[::1]:25: no answer in 300 ms", True)
    assert second.text == "connected to 192.0.2.1:25"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> tuple[Log, list[Stage]]:
    """A log, and the stages that who looks on is told of while nothing comes."""
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.01)
    log, stages = Log(Transcript()), []
    log.idle = lambda stage, _: stages.append(stage)
    return log, stages


def test_a_resolver_is_waited_for(told: tuple[Log, list[Stage]], monkeypatch: pytest.MonkeyPatch) -> None:
    log, stages = told
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: threading.Event().wait(0.1) or [])
    resolve(Endpoint("mx.example.com", 25), Route(), TIMEOUTS, log)
    assert set(stages) == {Stage.DNS}


def test_a_server_is_waited_for(told: tuple[Log, list[Stage]]) -> None:
    log, stages = told
    few = Timeouts(stages={Stage.CONNECT: 0.1})
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        endpoint = Endpoint("127.0.0.1", full.getsockname()[1])
        with socket.create_connection(full.getsockname()), pytest.raises(Problem):  # its queue is full now
            connect(endpoint, Route(), TlsPolicy(), few, log)
    assert set(stages) == {Stage.CONNECT}
