"""The whole program, and whatever may stand where a token endpoint should: the right cause first, the exit status that is
promised, and no secret anywhere."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from canaries import Canaries
from harness import Run, Runner
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.ops import tokens
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink
from webserver import Request, Response, WebServer

USER = "ann@example.com"
# None of these is a valid JWT; a token's claims are another matter.
CANARIES = Canaries(["client", "refresh", "access", "wrong"])
CONFIG = """\
version = 1
[profiles.shop]
host = "localhost"
port = {port}
tls = "starttls"
auth = "oauth2"
username = "{user}"
ca_file = "{sink_ca}"
oauth = "shop"
[oauth.shop]
client_id = "app"
client_secret_env = "CLIENT_SECRET"
ca_file = "{web_ca}"
{settings}
"""
GOOD = {"access_token": CANARIES["access"].replace("+", "-"), "token_type": "Bearer", "expires_in": 3600}


@pytest.fixture(scope="module")
def server() -> Iterator[Sink]:
    users = {USER: Secret(GOOD["access_token"])}
    with Sink(Setup(tls=TlsMode.STARTTLS, users=users, mechanisms=("XOAUTH2",))) as sink:
        yield sink


@pytest.fixture
def provider() -> Iterator[WebServer]:
    tokens._memory.clear()
    with WebServer(lambda request: Response(GOOD)) as running:
        yield running
    tokens._memory.clear()


@pytest.fixture
def check(smtpctl_call: Runner, server: Sink, provider: WebServer, home: Path) -> Any:
    def call(*options: str, **settings: str) -> Run:
        known = {"token_endpoint": f"{provider.url}/token", "scope": "a b", **settings}
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in known.items() if value)
        text = CONFIG.format(
            port=server.port, user=USER, sink_ca=server.ca_file, web_ca=provider.ca_file, settings=lines
        )
        (home / "config.toml").write_text(text)
        env = {"CLIENT_SECRET": CANARIES["client"], "REFRESH": CANARIES["refresh"]}
        done = smtpctl_call("check", "shop", "--config", home / "config.toml", *options, env=env)
        assert not CANARIES.found(done.stdout + done.stderr)
        assert not CANARIES.in_files(home)
        assert "Traceback" not in done.stderr
        return done

    return call


def first(done: Run) -> str:
    return str(json.loads(done.stdout)["findings"][0]["id"])


def test_a_token_logs_in(check: Any, provider: WebServer) -> None:
    assert check().code == 0
    [request] = provider.requests
    assert request.form["scope"] == "a b"
    assert request.form["client_secret"] == CANARIES["client"]


def test_a_refresh_token_logs_in(check: Any, provider: WebServer) -> None:
    provider.answering = lambda request: Response({**GOOD, "refresh_token": CANARIES["wrong"]})
    assert check(grant="refresh_token", refresh_token_env="REFRESH", client_auth="basic").code == 0
    assert provider.requests[0].form["refresh_token"] == CANARIES["refresh"]


def drip(request: Request) -> None:
    threading.Event().wait(0.5)


def error(name: str, text: str = "", status: int = 400) -> Response:
    return Response({"error": name, "error_description": f"{text} {CANARIES['client']}"}, status)


@pytest.mark.parametrize(
    ("answer", "id", "code"),
    [
        (error("invalid_client", status=401), "generic.oauth-invalid-client", 77),
        (error("invalid_client", "AADSTS7000222: expired", 401), "entra.aadsts7000222-expired-secret", 77),
        (error("unauthorized_client"), "generic.oauth-unauthorized-client", 77),
        (error("unsupported_grant_type"), "generic.oauth-unsupported-grant-type", 77),
        (error("invalid_scope"), "generic.oauth-invalid-scope", 77),
        (error("something_new"), "oauth.refused", 77),
        (error("temporarily_unavailable"), "generic.oauth-temporarily-unavailable", 75),
        (Response({}, 429, {"Retry-After": "30"}), "oauth.busy", 75),
        (Response("<html>502 Bad gateway</html>", 502), "oauth.not_json", 75),
        (Response("<html>Log in to the hotel's network</html>"), "oauth.not_json", 76),
        (Response(f"access_token={CANARIES['access']}"), "oauth.not_json", 76),
        (Response("x" * 300_000), "oauth.too_large", 76),
        (Response("", 302, {"Location": "http://localhost/token"}), "oauth.redirect", 69),
    ],
)
def test_what_gives_no_token(check: Any, provider: WebServer, answer: Response, id: str, code: int) -> None:
    provider.answering = lambda request: answer
    done = check("--format", "json")
    assert (first(done), done.code) == (id, code)
    assert check().code == code, "the same for people"
    assert len(provider.requests) == 2, "it is not asked again"


def test_a_server_that_does_not_want_the_token(check: Any, provider: WebServer) -> None:
    provider.answering = lambda request: Response({**GOOD, "access_token": CANARIES["wrong"]})
    done = check("--format", "json")
    assert done.code == 77
    assert len(provider.requests) == 2, "a new one is tried once"


@pytest.mark.parametrize(
    ("settings", "id", "code", "told"),
    [
        ({"token_endpoint": "http://localhost/token"}, "config.invalid_value", 78, "must be HTTPS"),
        ({"token_endpoint": ""}, "config.oauth_no_endpoint", 78, "OAuth2 is enabled but neither EmailSmtpOAuth2AzureTenantId "
         "nor EmailSmtpOAuth2TokenEndpoint is configured"),
        ({"ca_file": ""}, "oauth.untrusted", 69, "not trusted"),
        ({"grant": "device_code", "refresh_token_file": "none"}, "oauth.login_needed", 78, "Nobody has logged in"),
        ({"grant": "service_account", "key_file": "none", "client_secret_env": ""}, "oauth.file_unusable", 78, "none"),
    ],
)  # fmt: skip
def test_settings_with_which_nobody_is_asked(
    check: Any, provider: WebServer, settings: dict[str, str], id: str, code: int, told: str
) -> None:
    if "ca_file" in settings:
        provider.ca_file, settings = "", {}
    done = check("--format", "json", **settings)
    assert told in done.stdout + done.stderr
    assert done.code == code
    assert id in done.stdout + done.stderr
    assert not provider.requests


def test_who_is_not_there(check: Any, provider: WebServer) -> None:
    with WebServer(drip) as gone:
        url = f"{gone.url}/token"
    done = check("--format", "json", token_endpoint=url)
    assert (first(done), done.code) == ("oauth.unreachable", 75)
    os.environ["HTTPS_PROXY"] = url.replace("https", "http")
    done = check("--format", "json")
    assert (first(done), done.code) == ("oauth.unreachable", 75)
