"""Each grant at a provider that keeps to the standard, and what each way to fail is called."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import jwt
import pytest
from cryptography import x509

from canaries import Canaries
from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.oauth import generic, grants
from smtpctl.oauth.values import Application, DeviceCode, Token
from smtpctl.sink import authority
from webserver import Answering, Request, Response, WebServer

SECRETS = Canaries(["client", "refresh", "code", "device", "assertion", "access"])
GOOD = {"access_token": SECRETS["access"], "token_type": "Bearer", "expires_in": 3600}


@pytest.fixture
def provider() -> Iterator[WebServer]:
    with WebServer(lambda request: Response(GOOD)) as server:
        yield server


def application(provider: WebServer, **values: Any) -> Application:
    known = {
        "name": "shop", "grant": "client_credentials", "client_id": "app 1", "client_secret": Secret(SECRETS["client"]),
        "token_endpoint": f"{provider.url}/token", "device_endpoint": f"{provider.url}/device",
        "authorization_endpoint": f"{provider.url}/authorize?tenant=x", "scopes": ("mail:send", "offline"),
        "ca_file": provider.ca_file, "timeout": 10.0,
    }  # fmt: skip
    return Application(**{**known, **values})


def refused(work: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as told:
        work()
    assert not SECRETS.found(f"{told.value.finding!r}{told.value!r}{told.value.lookup!r}")
    return told.value


def only(provider: WebServer) -> Request:
    [request] = provider.requests
    return request


# Without anybody there


def test_an_application_asks_for_itself(provider: WebServer) -> None:
    before = time.time()
    token = grants.obtain(application(provider))
    assert token.access == Secret(SECRETS["access"])
    assert before + 3600 <= token.expires <= time.time() + 3600
    assert only(provider).form == {
        "grant_type": "client_credentials",
        "scope": "mail:send offline",
        "client_id": "app 1",
        "client_secret": SECRETS["client"],
    }
    assert "scope=mail%3Asend+offline" in only(provider).body, "several scopes are one field"


def test_the_secret_may_stand_in_a_header(provider: WebServer) -> None:
    grants.obtain(application(provider, client_auth="basic"))
    kind, _, pair = only(provider).headers["authorization"].partition(" ")
    name, _, secret = base64.b64decode(pair).decode().partition(":")
    assert (kind, unquote_plus(name), unquote_plus(secret)) == ("Basic", "app 1", SECRETS["client"])
    assert only(provider).form.keys() == {"grant_type", "scope"}


def test_a_refresh_token_gets_the_next(provider: WebServer) -> None:
    provider.answering = lambda request: Response({**GOOD, "refresh_token": SECRETS["code"], "scope": "mail:send"})
    for grant in ("refresh_token", "device_code", "authorization_code"):
        token = grants.obtain(application(provider, grant=grant, refresh_token=Secret(SECRETS["refresh"])))
        assert token.refresh == Secret(SECRETS["code"])
        assert token.scopes == "mail:send"
        form = provider.requests[-1].form
        assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", SECRETS["refresh"])
        assert ("scope" in form) == (grant == "refresh_token")


@pytest.mark.parametrize(("life", "known"), [("3600", True), (3600, True), ("soon", False), (-1, False), (None, False)])
def test_a_life_that_nobody_told_is_none(provider: WebServer, life: Any, known: bool) -> None:
    provider.answering = lambda request: Response({"access_token": "x", "expires_in": life})
    assert bool(grants.obtain(application(provider)).expires) == known


def test_a_signed_statement_of_somebody_else(provider: WebServer, tmp_path: Path) -> None:
    file = tmp_path / "assertion"
    file.write_text(f"{SECRETS['assertion']}\n")
    grants.obtain(application(provider, client_secret=Secret(""), assertion_file=str(file)))
    form = only(provider).form
    assert form["client_assertion"] == SECRETS["assertion"]
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form["client_id"] == "app 1"


def test_a_certificate_signs_for_the_token_endpoint(provider: WebServer, tmp_path: Path) -> None:
    files = authority.create(tmp_path, clients=["app"])
    both = tmp_path / "client-app.pem"
    grants.obtain(application(provider, client_secret=Secret(""), certificate=str(both)))
    certificate = x509.load_pem_x509_certificate(both.read_bytes())
    signed = only(provider).form["client_assertion"]
    claims = jwt.decode(signed, certificate.public_key(), ["ES256"], audience=f"{provider.url}/token")  # type: ignore[arg-type]
    assert (claims["iss"], claims["sub"]) == ("app 1", "app 1")
    assert claims["exp"] - claims["iat"] == 300
    assert jwt.get_unverified_header(signed)["x5t#S256"]
    problem = refused(lambda: grants.obtain(application(provider, certificate=str(files.ca))))
    assert (problem.finding.id, problem.status) == ("oauth.file_unusable", ExitStatus.CONFIG)
    assert "no private key" in problem.finding.title


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"x" * 100_000])
def test_a_file_that_is_no_use(provider: WebServer, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "assertion"
    if content is not None:
        file.write_bytes(content)
    problem = refused(lambda: grants.obtain(application(provider, assertion_file=str(file))))
    assert problem.finding.id == "oauth.file_unusable"
    assert str(file) in problem.finding.title
    assert not provider.requests


# What is no token


@pytest.mark.parametrize(
    ("status", "body", "id"),
    [
        (401, {"error": "invalid_client", "error_description": "No such client"}, "generic.oauth-invalid-client"),
        (400, {"error": "unauthorized_client"}, "generic.oauth-unauthorized-client"),
        (400, {"error": "unsupported_grant_type"}, "generic.oauth-unsupported-grant-type"),
        (400, {"error": "invalid_scope"}, "generic.oauth-invalid-scope"),
        (200, {"error": "invalid_grant"}, "generic.oauth-invalid-grant"),
        (400, {"error": "frobnication_missing"}, "oauth.refused"),
        (400, {"error": ["x"], "error_description": {"a": 1}}, "oauth.refused"),
        (400, {"error": "access_denied"}, "oauth.declined"),
        (400, {"message": "no"}, "oauth.not_json"),
        (404, {}, "oauth.not_json"),
        (200, {}, "oauth.not_json"),
        (200, {"access_token": ""}, "oauth.not_json"),
        (200, {"access_token": 17}, "oauth.not_json"),
        (200, {"access_token": "a\x01b"}, "oauth.not_json"),
        (200, {"access_token": "x", "token_type": "mac"}, "oauth.not_supported"),
        (500, "<html>Internal error</html>", "oauth.not_json"),
        (200, f"access_token={SECRETS['access']}", "oauth.not_json"),
        (500, f"<p>{SECRETS['client']} of {base64.b64encode(SECRETS['client'].encode()).decode()}", "oauth.not_json"),
        (302, "", "oauth.redirect"),
        (429, {"error": "temporarily_unavailable"}, "oauth.busy"),
    ],
)
def test_what_is_no_token_is_named(provider: WebServer, status: int, body: Any, id: str) -> None:
    provider.answering = lambda request: Response(body, status)
    problem = refused(lambda: grants.obtain(application(provider)))
    assert problem.finding.id == id
    assert problem.retryable == (id == "oauth.busy" or status >= 500)


def test_a_provider_that_echoes_the_secret(provider: WebServer) -> None:
    said = {"error": "invalid_client", "error_description": f"{SECRETS['client']} is not the secret"}
    provider.answering = lambda request: Response(said, 401, {"X-Debug": SECRETS["client"]})
    problem = refused(lambda: grants.obtain(application(provider)))
    assert "******** is not the secret" in repr(problem.finding.evidence)


# Where the endpoints are


def test_neither_tenant_nor_endpoint() -> None:
    problem = refused(lambda: grants.obtain(Application("shop", "client_credentials", "app")))
    assert problem.finding.title == (
        "OAuth2 is enabled but neither EmailSmtpOAuth2AzureTenantId nor EmailSmtpOAuth2TokenEndpoint is configured"
    )
    assert problem.status is ExitStatus.CONFIG


@pytest.mark.parametrize("field", ["token_endpoint", "issuer"])
def test_an_endpoint_must_be_https(field: str) -> None:
    problem = refused(lambda: grants.obtain(Application("shop", "client_credentials", **{field: "http://x.test/t"})))
    assert problem.finding.title == "The token endpoint must be HTTPS"


@pytest.mark.parametrize(
    "address", ["https://[x/t", f"https://{'x' * 300}[/t", "https://x:99999/t", "https:///t", "https://x\x1b/"]
)
def test_an_endpoint_that_is_no_address(address: str) -> None:
    """An issuer may publish anything."""
    asking = Application("shop", "authorization_code", "app", authorization_endpoint=address, token_endpoint=address)
    for ask in (lambda: grants.begin(asking, "http://localhost:1"), lambda: generic.obtain(asking)):
        assert refused(ask).finding.id == "config.endpoint_not_https"


OPENID, OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"


def published(provider: WebServer, at: str, **changes: Any) -> Answering:
    document = {"issuer": f"{provider.url}/realm", "token_endpoint": f"{provider.url}/there", **changes}

    def answer(request: Request) -> Response:
        if request.path == at:
            return Response(document)
        return Response(GOOD) if request.path == "/there" else Response("<h1>Not found</h1>", 404)

    return answer


@pytest.mark.parametrize("at", [f"/realm{OPENID}", f"{OAUTH}/realm"])
def test_an_issuer_says_where(provider: WebServer, at: str) -> None:
    provider.answering = published(provider, at)
    asking = application(provider, token_endpoint="", issuer=f"{provider.url}/realm")
    assert grants.obtain(asking).access == Secret(SECRETS["access"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"issuer": "https://another.test"}, "it calls itself https://another.test"),
        ({"issuer": None}, "it calls itself None"),
        ({"token_endpoint": ""}, "it names no token_endpoint"),
        ({"token_endpoint": "http://localhost/token"}, "must be HTTPS"),
    ],
)
def test_an_issuer_that_is_not_believed(provider: WebServer, changes: Any, told: str) -> None:
    provider.answering = published(provider, f"/realm{OPENID}", **changes)
    asking = application(provider, token_endpoint="", issuer=f"{provider.url}/realm")
    assert told in refused(lambda: grants.obtain(asking)).finding.title
    assert len(provider.requests) == 1, "the secret goes nowhere"


def test_an_issuer_that_publishes_nothing(provider: WebServer) -> None:
    provider.answering = lambda request: Response("<h1>Not found</h1>", 404)
    problem = refused(lambda: grants.obtain(application(provider, token_endpoint="", issuer=provider.url)))
    assert problem.finding.id == "oauth.no_discovery"
    assert [request.path for request in provider.requests] == [OPENID, OAUTH]


# A code for another device


CODE = {
    "device_code": SECRETS["device"],
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://x.test/device",
    "verification_uri_complete": "https://x.test/device?user_code=WDJB-MJHT",
    "expires_in": 60,
    "interval": 2,
}


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def now(self) -> float:
        return 1000.0 + sum(self.slept)


def code_login(provider: WebServer, *answers: Any, **code: Any) -> tuple[Clock, list[DeviceCode], Callable[[], Token]]:
    left, clock, shown = list(answers), Clock(), list[DeviceCode]()

    def answer(request: Request) -> Response:
        if request.path == "/device":
            return Response({**CODE, **code})
        answer = left.pop(0) if len(left) > 1 else left[0]
        return Response({"error": answer}, 400) if isinstance(answer, str) else answer

    provider.answering = answer
    asking = application(provider, grant="device_code", client_secret=Secret(""))
    return clock, shown, lambda: generic.device(asking, shown.append, sleep=clock.sleep, now=clock.now)


def test_somebody_types_the_code(provider: WebServer) -> None:
    answers = ("authorization_pending", "slow_down", "authorization_pending", Response(GOOD))
    clock, shown, login = code_login(provider, *answers)
    assert login().access == Secret(SECRETS["access"])
    assert clock.slept == [2, 2, 7, 7]
    assert shown == [DeviceCode("WDJB-MJHT", CODE["verification_uri"], 1060.0, CODE["verification_uri_complete"])]
    assert provider.requests[0].form == {"client_id": "app 1", "scope": "mail:send offline"}
    assert provider.requests[1].form == {
        "client_id": "app 1",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": SECRETS["device"],
    }


@pytest.mark.parametrize(
    ("error", "id"),
    [
        ("expired_token", "oauth.code_expired"),
        ("access_denied", "oauth.declined"),
        ("authorization_declined", "oauth.declined"),
        ("invalid_client", "generic.oauth-invalid-client"),
    ],
)
def test_the_code_came_to_nothing(provider: WebServer, error: str, id: str) -> None:
    clock, _, login = code_login(provider, "authorization_pending", error)
    assert refused(login).finding.id == id
    assert clock.slept == [2, 2]


def test_nobody_types_the_code(provider: WebServer) -> None:
    clock, _, login = code_login(provider, "authorization_pending")
    assert refused(login).finding.id == "oauth.code_expired"
    assert 55 <= sum(clock.slept) <= 60


def test_a_provider_in_trouble_is_asked_less_often(provider: WebServer) -> None:
    clock, _, login = code_login(provider, Response("", 503), Response("", 429), Response(GOOD))
    assert login().access == Secret(SECRETS["access"])
    assert clock.slept == [2, 4, 8]


@pytest.mark.parametrize(
    "wrong", [{"user_code": ""}, {"user_code": "a\x1b[2J"}, {"verification_uri": 1}, {"device_code": None}]
)
def test_a_code_that_cannot_be_shown(provider: WebServer, wrong: Any) -> None:
    _, shown, login = code_login(provider, Response(GOOD), **wrong)
    assert refused(login).finding.id == "oauth.not_json"
    assert not shown


def test_no_place_for_codes(provider: WebServer) -> None:
    problem = refused(lambda: grants.device(application(provider, device_endpoint=""), print))
    assert problem.finding.id == "oauth.not_supported"
    assert "device_endpoint" in problem.finding.title


# A login with a browser


BACK = "http://127.0.0.1:8400/"


def test_somebody_signs_in_with_a_browser(provider: WebServer) -> None:
    asking = application(provider, grant="authorization_code")
    pending = grants.begin(asking, BACK)
    parts = urlsplit(pending.url)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{provider.url}/authorize"
    assert asked["tenant"] == "x", "what the address had stays"
    assert pending.state == asked["state"]
    assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == ("code", "app 1", BACK)
    assert (asked["scope"], asked["code_challenge_method"]) == ("mail:send offline", "S256")

    grants.finish(asking, pending, {"state": asked["state"], "code": SECRETS["code"]})
    form = only(provider).form
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    assert 43 <= len(form["code_verifier"]) <= 128
    assert (form["grant_type"], form["code"], form["redirect_uri"]) == ("authorization_code", SECRETS["code"], BACK)
    assert form["code_verifier"] not in f"{pending!r}"


def test_each_login_is_another(provider: WebServer) -> None:
    first, second = (grants.begin(application(provider), BACK) for _ in range(2))
    assert first.memory["state"] != second.memory["state"]
    assert first.memory["verifier"] != second.memory["verifier"]


@pytest.mark.parametrize(
    ("query", "id"),
    [
        ({"code": SECRETS["code"]}, "oauth.browser_answer"),
        ({"code": SECRETS["code"], "state": "ä"}, "oauth.browser_answer"),
        ({"error": "access_denied", "state": "another"}, "oauth.browser_answer"),
        ({"state": "STATE"}, "oauth.browser_answer"),
        ({"state": "STATE", "code": SECRETS["code"], "iss": "https://evil.test"}, "oauth.browser_answer"),
        ({"state": "STATE", "error": "access_denied", "error_description": "said no"}, "oauth.declined"),
        ({"state": "STATE", "error": "invalid_scope"}, "generic.oauth-invalid-scope"),
        (
            {"state": "STATE", "error": "consent_required", "error_description": "AADSTS65001: x"},
            "entra.aadsts65001-no-consent",
        ),
    ],
)
def test_what_the_browser_brings_is_not_believed(provider: WebServer, query: dict[str, str], id: str) -> None:
    asking = application(provider, issuer=f"{provider.url}/realm")
    pending = grants.begin(asking, BACK)
    state = pending.memory["state"].reveal()
    answer = {name: state if value == "STATE" else value for name, value in query.items()}
    assert refused(lambda: grants.finish(asking, pending, answer)).finding.id == id
    assert not provider.requests


def test_json_of_every_kind_is_survived(provider: WebServer) -> None:
    for value in (None, 17, "x", [], {}, True, 1e400, "9" * 50):
        for name in ("access_token", "expires_in", "refresh_token", "scope", "token_type", "error"):
            body = json.dumps({**GOOD, name: value})
            provider.answering = lambda request, body=body: Response(body)  # type: ignore[misc]
            try:
                grants.obtain(application(provider))
            except Problem:
                continue
