"""A server that takes the token and refuses the login: the token's own claims say why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from profiles import profile
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import Report
from smtpctl.model.secret import Secret
from smtpctl.ops.check import check
from smtpctl.ops.refused import claims_against
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.faults import Faults, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink
from tokens import APP, OBJECT, TENANT, app_token, user_token

USER = "ann@example.com"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Sink]:
    faults = Faults(refusal("auth:535 5.7.3 Authentication unsuccessful [AM0PR04CA0012.eurprd04.prod.outlook.com]"))
    setup = Setup(tls=TlsMode.STARTTLS, users={USER: Secret("x")}, mechanisms=("LOGIN", "XOAUTH2"), faults=faults)
    with Sink(setup) as sink:
        yield sink


def look(sink: Sink, token: str) -> Report:
    made = profile(
        "localhost", sink.port, tls="starttls", ca_file=sink.ca_file, auth="oauth2", username=USER, access_token=token,
        preset="microsoft365",
    )  # fmt: skip
    return check(made, Surroundings(os.environ))


@pytest.mark.parametrize(
    ("token", "entry", "cause"),
    [
        (app_token(), "app-token", "The service principal is wrong"),
        (app_token(aud="https://graph.microsoft.com"), "app-token", "The token is for another audience"),
        (app_token(exp=1), "app-token", "The token has expired"),
        (user_token(), "delegated-token", "A shared mailbox"),
        (user_token(upn="bob@example.com"), "delegated-token", "The address in user="),
        (user_token(exp=1), "delegated-token", "The access token expired"),
    ],
)
def test_the_claims_decide_between_the_causes(exchange: Sink, token: str, entry: str, cause: str) -> None:
    finding = look(exchange, token).findings[0]
    assert finding.id == f"m365.535-5-7-3-{entry}"
    assert finding.causes[0].text.startswith(cause)


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (app_token(), []),
        (app_token(aud="https://graph.microsoft.com"), ["aud https://graph.microsoft.com: for Microsoft Graph"]),
        (app_token(exp=86_400), ["exp 1970-01-02 00:00 UTC: ended"]),
        (user_token(upn="bob@example.com"), [f"upn bob@example.com: the login is for {USER}"]),
    ],
)
def test_the_claims_that_do_not_fit_are_shown(exchange: Sink, token: str, told: list[str]) -> None:
    finding = look(exchange, token).findings[0]
    shown = [piece.text for piece in finding.evidence if piece.label == "token:"]
    assert len(shown) == len(told)
    assert all(text.startswith(begin) for text, begin in zip(shown, told, strict=True))


def test_the_tenant_is_compared_where_one_is_set() -> None:
    other: Any = SimpleNamespace(oauth=SimpleNamespace(client_id=APP, tenant_id=OBJECT))
    assert claims_against(Secret(app_token()), USER, other) == (f"tid {TENANT}: not the tenant {OBJECT}",)
    assert claims_against(Secret("opaque"), USER, other) == ()


def test_the_commands_have_the_user_s_own_ids(exchange: Sink) -> None:
    report = look(exchange, app_token())
    commands = [line for cause in report.findings[0].causes for remedy in cause.remedies for line in remedy.commands]
    assert f"New-ServicePrincipal -AppId {APP} -ObjectId {OBJECT} -DisplayName 'SMTP sender'" in commands
    assert f"Add-MailboxPermission -Identity {USER} -User {OBJECT} -AccessRights FullAccess" in commands
    assert report.facts["token"]["roles"] == ["SMTP.SendAsApp"]
    assert "of app 6f1c" in report.findings[0].evidence[0].text


def test_a_claim_that_is_no_id_gets_into_no_command(exchange: Sink) -> None:
    report = look(exchange, app_token(oid="x; Remove-Mailbox *"))
    told = repr(report.findings[0].causes)
    assert "Remove-Mailbox" not in told
    assert "<ENTERPRISE_APP_OBJECT_ID>" in told


def test_the_token_itself_is_nowhere(exchange: Sink) -> None:
    token = app_token()
    report = look(exchange, token)
    shown = f"{report}{report.transcript.dumps()}"
    for part in (token, *token.split(".")[1:]):
        assert part not in shown
