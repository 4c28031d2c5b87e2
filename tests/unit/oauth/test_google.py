"""Google's service accounts: the statement that is signed, and what Google says to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.oauth import grants
from smtpctl.oauth.values import Application
from webserver import Response, WebServer

MAILBOX = "ann@example.com"


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def google() -> Iterator[WebServer]:
    with WebServer(lambda request: Response({"access_token": "ya29.x", "expires_in": 3599})) as server:
        yield server


def key_file(folder: Path, google: WebServer, **changes: Any) -> Path:
    private = key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    content = {
        "type": "service_account", "private_key_id": "k1", "private_key": private.decode(), "client_id": "1077",
        "client_email": "mailer@shop.iam.gserviceaccount.com", "token_uri": f"{google.url}/token", **changes,
    }  # fmt: skip
    path = folder / "key.json"
    path.write_text(json.dumps(content))
    return path


def application(path: Path, google: WebServer, **values: Any) -> Application:
    known = {
        "name": "g", "grant": "service_account", "key_file": str(path), "subject": MAILBOX,
        "scopes": ("https://mail.google.com/",), "ca_file": google.ca_file, "timeout": 10.0,
    }  # fmt: skip
    return Application(**{**known, **values})


def refused(asking: Application) -> Problem:
    with pytest.raises(Problem) as told:
        grants.obtain(asking)
    assert "PRIVATE KEY" not in f"{told.value.finding!r}"
    return told.value


def test_a_statement_is_signed_for_the_mailbox(google: WebServer, tmp_path: Path) -> None:
    token = grants.obtain(application(key_file(tmp_path, google), google))
    assert token.access == Secret("ya29.x")
    [request] = google.requests
    assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    signed = request.form["assertion"]
    claims = jwt.decode(signed, key().public_key(), ["RS256"], audience=f"{google.url}/token")
    assert jwt.get_unverified_header(signed)["kid"] == "k1"
    assert (claims["iss"], claims["sub"]) == ("mailer@shop.iam.gserviceaccount.com", MAILBOX)
    assert claims["scope"] == "https://mail.google.com/"
    assert claims["exp"] - claims["iat"] == 3600
    assert time.time() - 90 < claims["iat"] < time.time()


def test_an_endpoint_that_is_set_wins(google: WebServer, tmp_path: Path) -> None:
    path = key_file(tmp_path, google, token_uri="https://elsewhere.invalid/")
    grants.obtain(application(path, google, token_endpoint=f"{google.url}/own"))
    assert google.requests[0].path == "/own"
    assert refused(application(key_file(tmp_path, google, token_uri="http://x.test/"), google)).finding.id == (
        "config.endpoint_not_https"
    )


@pytest.mark.parametrize(
    ("error", "description", "id"),
    [
        ("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not "
         "authorized for any of the scopes requested.", "google.dwd-unauthorized"),
        ("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
         "google.jwt-clock"),
        ("invalid_grant", "Invalid JWT Signature.", "google.jwt-signature"),
        ("invalid_grant", "Invalid grant: account not found", "google.account-not-found"),
    ],
)  # fmt: skip
def test_what_google_says(google: WebServer, tmp_path: Path, error: str, description: str, id: str) -> None:
    google.answering = lambda request: Response({"error": error, "error_description": description}, 400)
    problem = refused(application(key_file(tmp_path, google), google))
    assert (problem.finding.id, problem.status) == (id, ExitStatus.AUTH)
    assert "client id 1077" in repr(problem.finding.evidence), "what the Admin console asks for"
    assert "our clock" not in repr(problem.finding.evidence)


def test_a_clock_that_is_wrong_is_told(google: WebServer, tmp_path: Path) -> None:
    def answer(request: object) -> Response:
        return Response({"error": "invalid_grant"}, 400, {"Date": formatdate(time.time() - 900, usegmt=True)})

    google.answering = answer
    problem = refused(application(key_file(tmp_path, google), google))
    assert any("s ahead of the provider's" in line.text for line in problem.finding.evidence)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"private_key": None}, "it has no private_key"),
        ({"client_email": 17}, "it has no client_email"),
        ({"private_key": "x"}, "it has no private key"),
    ],
)
def test_a_key_that_is_none(google: WebServer, tmp_path: Path, changes: Any, told: str) -> None:
    problem = refused(application(key_file(tmp_path, google, **changes), google))
    assert (problem.finding.id, problem.status) == ("oauth.file_unusable", ExitStatus.CONFIG)
    assert told in problem.finding.title
    assert not google.requests


@pytest.mark.parametrize("text", ["", "no json", "[]", "[" * 50_000])
def test_a_file_that_is_none(google: WebServer, tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(text)
    assert refused(application(path, google)).finding.id == "oauth.file_unusable"


def test_a_mailbox_is_needed(google: WebServer, tmp_path: Path) -> None:
    problem = refused(application(key_file(tmp_path, google), google, subject=""))
    assert problem.finding.id == "oauth.not_supported"
    assert "subject" in problem.finding.title
