"""Tokens of Microsoft Entra: each grant, each proof, and what every wrong answer is called.

The authority is on loopback with a certificate of its own; MSAL asks nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bed.entra import ASSERTION, CLIENT_ID, ERRORS, SCOPE, SECRET, TENANT, Entra, failure
from canaries import Canaries
from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.oauth import grants, microsoft
from smtpctl.oauth.values import Application, DeviceCode, Token
from webserver import Request, Response, WebServer

SECRETS = Canaries(["token", "refresh", "passphrase", "assertion"])
PERSON = "https://outlook.office.com/SMTP.Send"
PASSPHRASE = SECRETS["passphrase"]


class Pair:
    """A certificate of the application and its key, written in whatever form is asked for."""

    def __init__(self, folder: Path, key: Any) -> None:
        self.folder, self.key = folder, key
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "smtpctl test application")])
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        self.certificate = made.sign(key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def write(self, name: str, *parts: str) -> str:
        path = self.folder / name
        path.write_text("".join(parts))
        return str(path)

    def key_pem(self, passphrase: str = "") -> str:
        hidden = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else None
        how = hidden or serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        return str(self.key.private_bytes(serialization.Encoding.PEM, form, how).decode())

    def pfx(self, passphrase: str) -> str:
        how = serialization.BestAvailableEncryption(passphrase.encode())
        path = self.folder / "application.PFX"
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", self.key, self.certificate, None, how))
        return str(path)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("pair"), rsa.generate_private_key(65537, 2048))


@pytest.fixture
def entra(pair: Pair) -> Entra:
    return Entra(lambda form: SECRETS["token"], pair.pem)


@pytest.fixture
def server(entra: Entra) -> Iterator[WebServer]:
    with WebServer(entra.answer) as running:
        yield running


def application(server: WebServer, **given: Any) -> Application:
    known = {
        "grant": "client_credentials", "client_id": CLIENT_ID, "tenant_id": TENANT, "authority": server.url,
        "scopes": (SCOPE,), "client_secret": Secret(SECRET), "ca_file": server.ca_file, "timeout": 10.0,
    }  # fmt: skip
    return Application("m365", **{**known, **given})


def person(server: WebServer, **given: Any) -> Application:
    known = {"grant": "device_code", "client_secret": Secret(""), "scopes": (PERSON, "offline_access", "openid")}
    return application(server, **{**known, **given})


def typed(asking: Application, show: Callable[[DeviceCode], None], slept: list[float] | None = None) -> Token:
    """A device login whose pauses take no time; `slept` gets them."""
    return microsoft.device(asking, show, sleep=(slept if slept is not None else []).append)


def problem(work: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as told:
        work()
    finding = told.value.finding
    assert not SECRETS.found(f"{finding!r}{told.value!r}")
    assert SECRET not in repr(finding)
    assert told.value.__suppress_context__ or told.value.__context__ is None
    return told.value


def test_a_secret_gets_a_token(server: WebServer, entra: Entra) -> None:
    before = time.time()
    token = grants.obtain(application(server))
    assert token.access == Secret(SECRETS["token"])
    assert before + 3500 < token.expires <= time.time() + 3600
    assert (token.refresh, token.source) == (Secret(""), "endpoint")
    assert entra.requests[0]["scope"] == SCOPE
    assert SECRETS["token"] not in repr(token)
    assert [request.method for request in server.requests] == ["GET", "POST"]
    assert not any("expect100" in request.path for request in server.requests)


def test_each_asking_asks(server: WebServer, entra: Entra) -> None:
    """What was right before is not good still, and what was wrong is looked at again at once."""
    grants.obtain(application(server))
    entra.faults = [65001]
    assert problem(lambda: grants.obtain(application(server))).finding.id == "entra.aadsts65001-no-consent"
    grants.obtain(application(server))
    assert len(entra.requests) == 3


@pytest.mark.parametrize("form", ["one file", "two files", "pass phrase", "pfx"])
def test_a_certificate_gets_a_token(form: str, server: WebServer, entra: Entra, pair: Pair) -> None:
    forms = {
        "one file": lambda: {"certificate": pair.write("both.pem", pair.key_pem(), pair.pem)},
        "two files": lambda: {"certificate": pair.write("a.crt", pair.pem), "key": pair.write("a.key", pair.key_pem())},
        "pass phrase": lambda: {
            "certificate": pair.write("hidden.pem", pair.pem, pair.key_pem(PASSPHRASE)),
            "passphrase": Secret(PASSPHRASE),
        },
        "pfx": lambda: {"certificate": pair.pfx(PASSPHRASE), "passphrase": Secret(PASSPHRASE)},
    }
    grants.obtain(application(server, client_secret=Secret(""), **forms[form]()))
    assert entra.requests[0]["client_assertion_type"] == ASSERTION
    assert "client_secret" not in entra.requests[0]


def test_an_unknown_certificate(server: WebServer, tmp_path: Path) -> None:
    other = Pair(tmp_path, rsa.generate_private_key(65537, 2048))
    path = other.write("both.pem", other.pem, other.key_pem())
    told = problem(lambda: grants.obtain(application(server, client_secret=Secret(""), certificate=path)))
    assert told.finding.id == "entra.aadsts700027-bad-assertion-signature"


@pytest.mark.parametrize(
    "what", ["missing", "empty", "no key", "locked", "wrong pass phrase", "pfx", "elliptic", "NUL"]
)
def test_a_file_that_is_of_no_use(what: str, server: WebServer, entra: Entra, pair: Pair, tmp_path: Path) -> None:
    def elliptic() -> str:
        other = Pair(tmp_path, ec.generate_private_key(ec.SECP256R1()))
        return other.write("ec.pem", other.pem, other.key_pem())

    path = {
        "missing": lambda: str(tmp_path / "none.pem"),
        "empty": lambda: pair.write("empty.pem"),
        "no key": lambda: pair.write("lonely.pem", pair.pem),
        "locked": lambda: pair.write("locked.pem", pair.pem, pair.key_pem(PASSPHRASE)),
        "wrong pass phrase": lambda: pair.write("hidden.pem", pair.pem, pair.key_pem(PASSPHRASE)),
        "pfx": lambda: pair.pfx(PASSPHRASE),
        "elliptic": elliptic,
        "NUL": lambda: "a\0b",
    }[what]()
    passphrase = Secret("another") if what in ("wrong pass phrase", "pfx") else Secret("")
    given = {"client_secret": Secret(""), "certificate": path, "passphrase": passphrase}
    told = problem(lambda: grants.obtain(application(server, **given)))
    assert (told.finding.id, told.status) == ("oauth.file_unusable", ExitStatus.CONFIG)
    assert path in told.finding.title
    assert not entra.requests


def test_an_assertion_is_read_when_it_is_asked_for(server: WebServer, entra: Entra, pair: Pair) -> None:
    import jwt

    def assertion(life: int) -> str:
        audience = f"{server.url}/{TENANT}/oauth2/v2.0/token"
        return jwt.encode({"aud": audience, "exp": time.time() + life}, pair.key, "RS256")

    path = pair.write("assertion", assertion(-10), "\n")
    asking = application(server, client_secret=Secret(""), assertion_file=path)
    late = problem(lambda: grants.obtain(asking))
    assert late.finding.id == "entra.aadsts700024-assertion-time-range"
    assert "clock" in late.finding.causes[0].text
    pair.write("assertion", assertion(600), "\n")
    grants.obtain(asking)
    gone = problem(lambda: grants.obtain(asking._replace(assertion_file="/nonexistent")))
    assert gone.finding.id == "oauth.file_unusable"


@pytest.mark.parametrize(
    ("given", "id"),
    [
        ({"client_secret": Secret("wrong")}, "entra.aadsts7000215-wrong-secret"),
        ({"client_id": "another"}, "entra.aadsts700016-app-not-found"),
        ({"tenant_id": "fabrikam.test"}, "entra.aadsts90002-tenant-not-found"),
        ({"tenant_id": "a/../b c"}, "entra.aadsts90002-tenant-not-found"),
        ({"tenant_id": "Common"}, "oauth.not_supported"),
        ({"client_secret": Secret("")}, "oauth.not_supported"),
        ({"scopes": (PERSON,)}, "entra.aadsts1002012-scope-not-default"),
    ],
)
def test_what_is_wrong_with_the_settings(given: dict[str, Any], id: str, server: WebServer) -> None:
    told = problem(lambda: grants.obtain(application(server, **given)))
    assert told.finding.id == id
    assert told.status in (ExitStatus.AUTH, ExitStatus.CONFIG)
    assert not told.retryable


@pytest.mark.parametrize("number", sorted(ERRORS))
def test_every_number_has_its_page(number: int, server: WebServer, entra: Entra) -> None:
    entra.faults = [number]
    told = problem(lambda: grants.obtain(application(server)))
    assert told.finding.id.startswith(f"entra.aadsts{number}-")
    assert f"AADSTS{number}" in told.finding.evidence[0].text
    assert told.finding.causes


def test_a_refresh_token_gets_the_next(server: WebServer, entra: Entra) -> None:
    token = grants.obtain(person(server, refresh_token=Secret("refresh-0")))
    assert token.refresh == Secret("refresh-1")
    assert set(entra.requests[0]["scope"].split()) == {PERSON, "offline_access", "openid", "profile"}
    told = problem(lambda: grants.obtain(person(server, refresh_token=Secret("refresh-0"))))
    assert told.finding.id.startswith("entra.aadsts700082-")


def test_a_code_is_typed_elsewhere(server: WebServer, entra: Entra) -> None:
    entra.pending = 3
    shown: list[DeviceCode] = []
    slept: list[float] = []
    token = typed(person(server), shown.append, slept)
    assert slept == [5] * 4
    assert token.access == Secret(SECRETS["token"])
    assert token.refresh == Secret("refresh-4")
    [code] = shown
    assert (code.code, code.uri) == ("BED-1234", f"{server.url}/{TENANT}/device")
    assert code.expires > time.time()


@pytest.mark.parametrize(
    ("answer", "id"),
    [
        (failure(65004), "entra.aadsts65004-consent-declined"),
        (Response({"error": "authorization_declined"}, 400), "oauth.declined"),
        (Response({"error": "access_denied"}, 400), "oauth.declined"),
        (Response({"error": "expired_token"}, 400), "oauth.code_expired"),
    ],
)
def test_a_code_that_is_not_typed(answer: Response, id: str, entra: Entra) -> None:
    def answering(request: Request) -> Response:
        return answer if request.path.endswith("/token") else entra.answer(request)

    with WebServer(answering) as server:
        told = problem(lambda: typed(person(server), lambda code: None))
    assert (told.finding.id, told.status) == (id, ExitStatus.AUTH)


def test_an_error_of_whoever_shows_the_code_is_not_the_provider_s(server: WebServer) -> None:
    def show(code: DeviceCode) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        typed(person(server), show)


def test_a_secret_is_not_sent_along_with_a_device_code(server: WebServer, entra: Entra) -> None:
    assert typed(person(server, client_secret=Secret(SECRET)), lambda code: None).access
    assert not any("client_secret" in request for request in entra.requests)


def test_a_code_whose_time_is_over(server: WebServer, entra: Entra) -> None:
    entra.pending = 9
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += 400 * seconds / 5

    told = problem(lambda: microsoft.device(person(server), lambda code: None, sleep=sleep, now=lambda: clock[0]))
    assert told.finding.id == "oauth.code_expired"
    assert len(entra.requests) == 3, "900 seconds, one question in 400"


def test_a_hiccup_does_not_end_the_waiting(entra: Entra) -> None:
    hiccups = [Response("busy", 503), failure(70016), Response({"error": "slow_down"}, 400)]

    def answering(request: Request) -> Response:
        return hiccups.pop(0) if hiccups and request.path.endswith("/token") else entra.answer(request)

    slept: list[float] = []
    with WebServer(answering) as server:
        assert typed(person(server), lambda code: None, slept).access
    assert slept == [5, 10, 10, 15]


def test_a_sign_in_server_without_codes(entra: Entra) -> None:
    def answering(request: Request) -> Response:
        answer = entra.answer(request)
        return answer._replace(body={name: answer.body[name] for name in ("token_endpoint", "authorization_endpoint")})

    with WebServer(answering) as server:
        told = problem(lambda: typed(person(server), lambda code: None))
    assert told.finding.id == "oauth.not_supported"


def test_a_device_code_that_is_refused(entra: Entra) -> None:
    def answering(request: Request) -> Response:
        return failure(700016) if request.path.endswith("/devicecode") else entra.answer(request)

    with WebServer(answering) as server:
        told = problem(lambda: typed(person(server), lambda code: pytest.fail("there is no code")))
    assert told.finding.id == "entra.aadsts700016-app-not-found"


def test_somebody_signs_in_with_a_browser(server: WebServer, entra: Entra) -> None:
    asking = person(server, grant="authorization_code")
    pending = grants.begin(asking, "http://localhost:1234")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(pending.url).query).items()}
    assert (asked["code_challenge_method"], asked["redirect_uri"]) == ("S256", "http://localhost:1234")
    assert pending.state == asked["state"]
    token = grants.finish(asking, pending, {"code": "the-code", "state": asked["state"]})
    assert token.refresh == Secret("refresh-1")
    sent = entra.requests[0]
    assert (sent["code"], sent["redirect_uri"]) == ("the-code", "http://localhost:1234")
    assert sent["code_verifier"] not in repr(pending)


@pytest.mark.parametrize(
    ("query", "id"),
    [
        ({"code": "x", "state": "another"}, "oauth.browser_answer"),
        ({"code": "x"}, "oauth.browser_answer"),
        ({"state": "ours"}, "oauth.browser_answer"),
        ({"error": "access_denied", "state": "ours"}, "oauth.declined"),
        ({"error": "access_denied", "error_description": "AADSTS65004: User declined", "state": "ours"},
         "entra.aadsts65004-consent-declined"),
    ],
)  # fmt: skip
def test_what_a_browser_may_come_back_with(query: dict[str, str], id: str, server: WebServer, entra: Entra) -> None:
    asking = person(server, grant="authorization_code")
    pending = grants.begin(asking, "http://localhost:1234")
    [state] = parse_qs(urlsplit(pending.url).query)["state"]
    given = {name: state if value == "ours" else value for name, value in query.items()}
    assert problem(lambda: grants.finish(asking, pending, given)).finding.id == id
    assert not entra.requests


BROKEN: dict[str, Any] = {"access_token": SECRETS["token"], "expires_in": 3600}


@pytest.mark.parametrize(
    ("answer", "id"),
    [
        (Response("<html>Sign in</html>"), "oauth.not_json"),
        (Response("<html>Bad gateway</html>", 502), "oauth.not_json"),
        (Response({"error": "server_error", "error_description": "x"}, 500), None),
        (Response({"error": "invalid_grant"}, 500), None),
        (Response({"error": "invalid_request"}, 429, {"Retry-After": "7"}), "oauth.busy"),
        (Response("busy", 503), "oauth.busy"),
        (Response("", 307, {"Location": "http://evil.test/"}), "oauth.redirect"),
        (Response("x" * 300_000), "oauth.too_large"),
        (Response({}), "oauth.not_json"),
        (Response({"access_token": 7}), "oauth.not_json"),
        (Response({"access_token": "two words"}), "oauth.not_json"),
        (Response({"access_token": None}), "oauth.not_json"),
        (Response({**BROKEN, "expires_in": "soon"}), "oauth.not_json"),
        (Response({**BROKEN, "id_token": "x.y.z"}), "oauth.not_json"),
        (Response({**BROKEN, "client_info": "!"}), "oauth.not_json"),
        (Response({**BROKEN, "scope": 7}), "oauth.not_json"),
        (Response({"error": ["x"], "error_description": {}}, 400), "oauth.refused"),
    ],
)
@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
def test_an_answer_that_is_none(grant: str, answer: Response, id: str | None, entra: Entra) -> None:
    def answering(request: Request) -> Response:
        return answer if request.path.endswith("/token") else entra.answer(request)

    with WebServer(answering) as server:
        asking = application(server, grant=grant, refresh_token=Secret("refresh-0"))
        told = problem(lambda: grants.obtain(asking))
    assert id is None or told.finding.id == id
    later = answer.status in (429, 500, 502, 503)
    assert (told.status is ExitStatus.TEMPORARY, told.retryable) == (later, later)


@pytest.mark.parametrize(
    ("answer", "id"),
    [
        (Response({}), "oauth.authority"),
        (Response({"token_endpoint": "http://localhost/", "authorization_endpoint": "https://x/"}), "oauth.authority"),
        (Response({"token_endpoint": "https://[x/t", "authorization_endpoint": "https://x/a"}), "oauth.authority"),
        (Response({"token_endpoint": "https://x/", "authorization_endpoint": "https://x/a"}), "oauth.authority"),
        (
            Response(
                {
                    "token_endpoint": "https://x/t",
                    "authorization_endpoint": "https://x/a",
                    "device_authorization_endpoint": ["https://x/d"],
                }
            ),
            "oauth.authority",
        ),
        (Response({"error": "x"}, 404), "oauth.authority"),
        (Response("<html>", 404), "oauth.not_json"),
        (Response("", 302, {"Location": "https://elsewhere.test/"}), "oauth.redirect"),
    ],
)
def test_a_sign_in_server_that_is_none(answer: Response, id: str) -> None:
    with WebServer(lambda request: answer) as server:
        assert problem(lambda: grants.obtain(application(server))).finding.id == id
        assert [request.method for request in server.requests] == ["GET"], "no secret is sent"


def test_the_time_is_for_all_requests_together(entra: Entra) -> None:
    over = threading.Event()

    def answering(request: Request) -> Response | None:
        if request.path.endswith("/token"):
            over.wait(10)
            return None
        return entra.answer(request)

    with WebServer(answering) as server:
        told = problem(lambda: grants.obtain(application(server, timeout=0.5)))
        over.set()
    assert (told.finding.id, told.status) == ("oauth.timeout", ExitStatus.TEMPORARY)


def test_no_region_and_no_other_host_is_asked(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    monkeypatch.setenv("REGION_NAME", "westeurope")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # whoever is asked besides is not reached
    monkeypatch.setenv("NO_PROXY", "localhost")
    grants.obtain(application(server))
    grants.obtain(person(server, refresh_token=Secret("refresh-0")))
    assert [request.method for request in server.requests] == ["GET", "POST"] * 2


def test_nothing_is_logged_or_printed(
    server: WebServer, entra: Entra, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    grants.obtain(application(server))
    entra.faults = [7000215]
    problem(lambda: grants.obtain(application(server)))
    out, err = capfd.readouterr()
    assert not SECRETS.found(f"{caplog.text}{out}{err}")
    assert not (out or err)


def test_an_identity_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [
        {"access_token": SECRETS["token"], "expires_on": str(int(time.time()) + 3600)},
        {"message": "no identity"},
        ["?"],
    ]
    with WebServer(lambda request: Response(given.pop(0)), secure=False) as service:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{service.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        asking = Application("m365", "client_credentials", scopes=(SCOPE,), managed_identity="some-id", timeout=5.0)
        token = grants.obtain(asking)
        [request] = service.requests
        fields = parse_qs(urlsplit(request.path).query)
        assert token.access == Secret(SECRETS["token"])
        assert (fields["resource"], fields["client_id"]) == (["https://outlook.office365.com"], ["some-id"])
        assert request.headers["x-identity-header"] == "header"
        unknown = problem(lambda: grants.obtain(asking._replace(managed_identity="system")))
        assert "no identity" in unknown.finding.title
        other = problem(lambda: grants.obtain(asking))
    gone = problem(lambda: grants.obtain(asking))
    assert {unknown.finding.id, other.finding.id, gone.finding.id} == {"oauth.no_managed_identity"}
    assert gone.status is ExitStatus.CONFIG


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>", 404),  # another cloud's service is at the same address
        Response({"error": "invalid_request", "error_description": "Identity not found"}, 400),
        Response({"access_token": f"no token: {SECRETS['token']}"}),  # MSAL makes a text of all of it
        Response([]),
        Response(""),
    ],
)
@pytest.mark.parametrize("way", ["MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT"])
def test_a_machine_without_an_identity(way: str, answer: Response, monkeypatch: pytest.MonkeyPatch) -> None:
    with WebServer(lambda request: answer, secure=False) as service:
        monkeypatch.setenv(way, service.url)
        monkeypatch.setenv("MSI_SECRET", "header")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        asking = Application("m365", "client_credentials", scopes=(SCOPE,), managed_identity="system", timeout=5.0)
        told = problem(lambda: grants.obtain(asking))
        assert service.requests
    assert told.finding.id in ("oauth.no_managed_identity", "oauth.not_json")
