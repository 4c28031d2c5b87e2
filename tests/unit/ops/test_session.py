"""From a profile to a conversation."""

from __future__ import annotations

import os

import pytest

from profiles import PASSWORD, profile
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.reply import Reply
from smtpctl.model.report import ExitStatus, StageResult
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Event, Stage
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
