"""What the static rules mean for a live run: what it does not begin with, and what it says besides."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles import ids, look, profile
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Kind
from smtpctl.ops.check import check
from smtpctl.ops.session import Surroundings
from smtpctl.ops.static import judge
from smtpctl.ops.test_send import Wish, draft
from smtpctl.ops.test_send import test_send as send
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

OAUTH = {"tls": "starttls", "auth": "oauth2"}


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    """A port on which nobody must knock."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {**OAUTH, "tls": "none", "username": "a@x.test", "access_token": "t0ken"},
            "OAuth2 authentication requires TLS",
        ),
        ({**OAUTH, "access_token": "t0ken"}, "Cannot determine OAuth2 username"),
        (
            {**OAUTH, "username": "a@x.test"},
            "OAuth2 is enabled but neither EmailSmtpOAuth2AzureTenantId nor EmailSmtpOAuth2TokenEndpoint is configured",
        ),
    ],
)
def test_settings_that_cannot_work_end_a_run_before_it_connects(
    ear: socket.socket, settings: dict[str, Any], text: str
) -> None:
    about = {"from": "a@x.test"} if "username" in settings else {}
    for report in (
        look("127.0.0.1", ear.getsockname()[1], **settings),
        _sent("127.0.0.1", ear.getsockname()[1], **settings, **about),
    ):
        assert report.findings[0].title == text
        assert report.status() is ExitStatus.CONFIG
        assert [(row.stage.value, row.status) for row in report.stages] == [("config", "failed")]
        assert {event.kind for event in report.transcript} == {Kind.ERROR}


def _sent(host: str, port: int, **settings: Any) -> Any:
    try:
        return send(profile(host, port, **settings), Surroundings(os.environ), Wish(draft(to=["b@b.test"], text="x")))
    except Problem:  # without a sender there is no mail to be sent
        assert not settings.get("from")
        return look(host, port, **settings)


def test_without_a_sender_a_test_mail_has_no_oauth_login_either() -> None:
    with pytest.raises(Problem, match="Cannot determine OAuth2 username") as told:
        _compose(**OAUTH, access_token="t0ken")
    assert told.value.status is ExitStatus.CONFIG
    assert _compose(**OAUTH, access_token="t0ken", **{"from": "Me <me@x.test>"}).login == "me@x.test"


def _compose(**settings: Any) -> Any:
    from smtpctl.ops.test_send import composed

    made = profile("mail.example.com", 587, **settings)
    composed(made, Wish(draft(to=["b@b.test"], text="x")))
    return made


def test_credentials_without_a_token_are_told_before_connecting(ear: socket.socket) -> None:
    port = ear.getsockname()[1]
    text = f"""version = 1
[profiles.office]
host = "127.0.0.1"
port = {port}
tls = "starttls"
auth = "oauth2"
username = "a@x.test"
oauth = "m365"
[oauth.m365]
token_endpoint = "https://id.x.test/t"
"""
    for grant, found in (("token_command", "config.oauth_no_token"), ("client_credentials", "config.oauth_incomplete")):
        document = Document(Path("none.toml"), f'{text}grant = "{grant}"\n')
        report = check(resolve("office", {}, {}, document=document), Surroundings({}))
        assert ids(report)[0] == found


@pytest.mark.parametrize("mechanism", ["", "SCRAM-SHA-256", "CRAM-MD5"])
def test_a_password_to_a_public_server_without_tls_stays_here(mechanism: str) -> None:
    report = look("192.0.2.1", 25, tls="none", username="ann", password="s3cret", auth_mech=mechanism)
    assert ids(report) == ["config.plaintext_credentials"]
    assert report.status() is ExitStatus.CONFIG
    assert {event.kind for event in report.transcript} == {Kind.ERROR}


@pytest.mark.parametrize(
    "settings",
    [{"allow_plaintext_auth": True}, {"trusted": True}, {"auth_mech": "GSSAPI"}, {"tls": "auto"}],
)
def test_what_lets_a_run_without_tls_begin(settings: dict[str, Any]) -> None:
    from smtpctl.ops import static

    made = profile("192.0.2.1", 25, **{"tls": "none", "username": "ann", "password": "s3cret", **settings})
    assert static.stopper(made, static.judge(made)) is None


def test_half_a_login_is_tried_without_one_and_told() -> None:
    with Sink(Setup()) as sink:
        report = look("localhost", sink.port, username="ann")
        mail = _sent("localhost", sink.port, username="ann", **{"from": "a@a.test"})
    for made in (report, mail):
        assert ids(made) == ["config.half_credentials"]
        assert "the password is missing" in made.findings[0].title
        assert made.status() is ExitStatus.OK
        assert not [event for event in made.transcript if event.text.startswith("AUTH")]
    assert mail.recipients[0].result == "accepted"
    assert mail.facts["tls"] == {"used": False}


def test_tls_left_to_a_server_that_has_none_is_told_but_for_localhost() -> None:
    with Sink(Setup()) as sink:
        told = look("127.0.0.1", sink.port, tls="auto")
        quiet = look("localhost", sink.port), look("127.0.0.1", sink.port, trusted=True)
    (finding,) = told.findings
    assert (finding.id, finding.severity) == ("starttls.not_offered", Severity.WARNING)
    assert told.status() is ExitStatus.OK
    assert told.facts["tls"] == {"used": False}
    assert not any(report.findings for report in quiet)


def test_a_token_is_not_given_to_a_server_that_offers_no_tls() -> None:
    with Sink(Setup(users={"a@x.test": Secret("t0ken")})) as sink:
        report = look("localhost", sink.port, tls="auto", auth="oauth2", username="a@x.test", access_token="t0ken")
    assert report.findings[0].title == "OAuth2 authentication requires TLS"
    assert report.status() is ExitStatus.CONFIG
    assert not [event for event in report.transcript if event.text.startswith("AUTH")]


def test_a_password_beside_a_token_is_never_sent(tmp_path: Path) -> None:
    users = {"a@x.test": Secret("t0ken")}
    setup = Setup(tls=TlsMode.STARTTLS, users=users, mechanisms=("XOAUTH2", "PLAIN"))
    with Sink(setup) as sink:
        report = look(
            "localhost", sink.port, tls="starttls", ca_file=sink.ca_file, auth="oauth2", username="a@x.test",
            access_token="t0ken", password="s3cret",
        )  # fmt: skip
    assert "config.password_ignored" in ids(report)
    sent = [event.text for event in report.transcript if event.kind is Kind.SENT and event.text.startswith("AUTH")]
    assert sent == ["AUTH XOAUTH2 ********"], report.findings


@pytest.mark.parametrize(("days", "warned"), [(29, True), (-3, True), (31, False)])
def test_the_end_of_a_client_secret_is_told_a_month_before(days: int, warned: bool) -> None:
    last = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    text = f"""version = 1
[profiles.office]
host = "smtp.office365.com"
port = 587
tls = "starttls"
auth = "oauth2"
username = "a@x.test"
oauth = "m365"
[oauth.m365]
tenant_id = "contoso.test"
client_id = "app"
client_secret_env = "SECRET"
secret_expires = "{last}"
"""
    found = judge(resolve("office", {}, {}, document=Document(Path("none.toml"), text)))
    assert ("config.oauth_secret_expires_soon" in [finding.id for finding in found]) is warned
