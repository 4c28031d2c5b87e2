"""From a profile to a conversation."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

import pytest

from profiles import PASSWORD, profile
from rawserver import Peer
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus, StageResult
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Event, Stage
from smtpctl.net import runner
from smtpctl.ops import session
from smtpctl.ops.refused import as_problem
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink


def test_credentials_are_fetched_where_the_profile_says() -> None:
    made = profile("mx.example.com", 587, username="ann", password="wonderland")
    assert session.credentials(made, Surroundings({PASSWORD: "wonderland"})).password == Secret("wonderland")
    with pytest.raises(Problem) as told:
        session.credentials(made, Surroundings({}))
    assert told.value.finding.id.startswith("secret.")


def test_login_takes_the_profile_as_it_is() -> None:
    made = profile("localhost", 587, username="ann", password="wonderland", tls="starttls", helo="me.test")
    who = session.login(made, session.credentials(made, Surroundings(os.environ)))
    assert (who.helo, who.mode, who.host, who.port) == ("me.test", TlsMode.STARTTLS, "localhost", 587)


def test_a_conversation_and_all_that_came_of_it() -> None:
    shown: list[StageResult] = []
    seen: list[Event] = []
    with Sink(Setup()) as sink:
        made = profile(sink.host, sink.port, tls="none")
        found = session.converse(made, Surroundings(os.environ, show=shown.append, watch=seen.append))
    assert found.problem is None
    assert found.session
    assert found.round_trips == 4
    assert [row.stage for row in shown] == [row.stage for row in found.rows]
    assert list(found.transcript) == seen


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of waiting is over at once."""
    monkeypatch.setattr(runner, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(session, "GREETED_BY", 0.0)


@pytest.mark.usefixtures("restless")
def test_a_port_for_tls_is_found_while_its_greeting_is_waited_for() -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        found = session.converse(profile(sink.host, sink.port, tls="starttls"), Surroundings(os.environ))
    assert found.problem
    assert found.problem.finding.id == "conn.port_is_implicit_tls"
    assert found.rows[-1].stage is Stage.GREETING


@pytest.mark.usefixtures("restless")
def test_nobody_speaks_where_a_greeting_is_waited_for() -> None:
    rows: list[StageResult] = []
    waited: list[tuple[Stage, list[Stage]]] = []
    early: list[bytes] = []

    def greet_late(listener: socket.socket) -> None:
        with listener, listener.accept()[0] as waiting:
            with listener.accept()[0] as other:
                assert other.recv(3) == b"\x16\x03\x01", "a TLS hello, on a connection of its own"
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                early.append(waiting.recv(100))
            waiting.setblocking(True)
            peer = Peer(waiting)
            for reply in ("220 mx.example.com", "250 mx.example.com", "221 Bye"):
                peer.say(reply)
                if reply[:3] != "221":
                    peer.hear()

    listener = socket.create_server(("127.0.0.1", 0))
    server = threading.Thread(target=greet_late, args=(listener,))
    made = profile("127.0.0.1", listener.getsockname()[1], tls="none")
    server.start()
    around = Surroundings(
        os.environ, show=rows.append, wait=lambda stage, _: waited.append((stage, [row.stage for row in rows]))
    )
    found = session.converse(made, around)
    server.join()
    assert found.problem is None
    assert not early
    assert waited[0] == (Stage.GREETING, [Stage.CONFIG, Stage.DNS, Stage.CONNECT]), "shown before it is waited for"


def test_a_missing_password_stops_it_before_anything_is_said() -> None:
    made = profile("mx.example.com", 587, username="ann", password="wonderland", tls="starttls")
    found = session.converse(made, Surroundings({}))
    assert found.problem
    assert found.problem.finding.id.startswith("secret.")
    assert len(found.transcript) == 0


def test_refusals_and_obstacles_become_problems() -> None:
    made = profile("mx.example.com", 587, tls="starttls")
    refused = as_problem(Refused(Stage.AUTH, "AUTH PLAIN", Reply(535, ("5.7.8 no",)), {"mechanism": "PLAIN"}), made)
    assert refused.status is ExitStatus.AUTH
    assert "AUTH PLAIN ********" in [evidence.text for evidence in refused.finding.evidence]
    obstacle = as_problem(Obstacle(Stage.STARTTLS, "starttls.not_offered", {"lines": ("mx", "SIZE")}), made)
    assert obstacle.finding.id == "starttls.not_offered"
    assert obstacle.finding.evidence


@pytest.mark.parametrize(
    ("host", "address", "name"),
    [
        ("mail.example.com", "192.0.2.1", "mail.example.com"),
        ("laptop", "192.0.2.1", "[192.0.2.1]"),
        ("laptop", "2001:db8::1", "[IPv6:2001:db8::1]"),
        ("laptop", "fe80::1%eth0", "[IPv6:fe80::1]"),
        ("laptop", "", "[127.0.0.1]"),
    ],
)
def test_how_this_machine_introduces_itself(
    host: str, address: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert session.own_name(address) == name
