"""What `check` says where Entra gives no token: the right cause first, the right exit status, nothing secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bed.entra import CLIENT_ID, TENANT, Entra, failure
from canaries import Canaries
from harness import Run, Runner
from smtpctl.ops import tokens
from webserver import Request, Response, WebServer

SECRETS = Canaries(["secret", "token"])
AUTH, TEMPORARY, CONFIG, UNAVAILABLE, PROTOCOL = 77, 75, 78, 69, 76


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    tokens._memory.clear()
    yield
    tokens._memory.clear()


def check(run: Runner, home: Path, web: WebServer, *words: str, **given: Any) -> Run:
    """One run with credentials of these settings; the mail server is not reached, since there is no token."""
    known = {
        "tenant_id": TENANT, "authority": web.url, "ca_file": web.ca_file, "client_id": CLIENT_ID,
        "client_secret_env": "CLIENT_SECRET", **given,
    }  # fmt: skip
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in known.items())
    file = home / ".config" / "smtpctl" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        'version = 1\n[profiles.office]\nhost = "localhost"\nport = 9\ntls = "starttls"\nauth = "oauth2"\n'
        f'username = "ann@contoso.test"\noauth = "m365"\n[oauth.m365]\n{settings}\n'
    )
    file.chmod(0o600)
    done = run("check", "office", *words, env={"CLIENT_SECRET": SECRETS["secret"]})
    assert not SECRETS.found(done.stdout + done.stderr)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    ("number", "status", "cause"),
    [
        (7000215, AUTH, "The secret's ID was copied instead of its Value."),
        (7000222, AUTH, "The secret passed its end date."),
        (700016, AUTH, "Client id mistyped"),
        (700027, AUTH, "The certificate is not uploaded"),
        (700024, AUTH, "The clock is wrong."),
        (70011, AUTH, "Scope lacks the resource part"),
        (1002012, AUTH, "A delegated scope was used"),
        (65001, AUTH, "SMTP.Send (delegated) or SMTP.SendAsApp (application) was added but not consented."),
        (53003, AUTH, "A policy blocks this app"),
        (900382, AUTH, "The app lives in another cloud"),
        (700082, AUTH, "The profile was not used for a long time"),
        (90002, AUTH, "Tenant id or domain mistyped"),
    ],
)
def test_entra_s_own_words(number: int, status: int, cause: str, smtpctl_call: Runner, home: Path) -> None:
    entra = Entra(lambda form: SECRETS["token"])
    entra.faults = [number]
    with WebServer(entra.answer) as web:
        run = check(smtpctl_call, home, web, "--json")
    report = json.loads(run.stdout)
    finding = report["findings"][0]
    assert (run.code, report["exit"]) == (status, status)
    assert finding["id"].startswith(f"entra.aadsts{number}-")
    assert finding["causes"][0]["text"].startswith(cause)


@pytest.mark.parametrize(
    ("answer", "id", "status"),
    [
        (failure(90002), "entra.aadsts90002-tenant-not-found", AUTH),
        (Response({"error": "x"}, 429, {"Retry-After": "17"}), "oauth.busy", TEMPORARY),
        (Response("<html>Sign in to the network</html>"), "oauth.not_json", PROTOCOL),
        (Response("x" * 300_000), "oauth.too_large", PROTOCOL),
        (Response("", 302, {"Location": "http://portal.test/"}), "oauth.redirect", UNAVAILABLE),
        (Response({"issuer": "somebody"}), "oauth.authority", CONFIG),
    ],
)
@pytest.mark.parametrize("at", ["/openid-configuration", "/token"])
def test_an_answer_that_is_none(
    at: str, answer: Response, id: str, status: int, smtpctl_call: Runner, home: Path
) -> None:
    entra = Entra(lambda form: SECRETS["token"])

    def answering(request: Request) -> Response:
        return answer if request.path.endswith(at) else entra.answer(request)

    with WebServer(answering) as web:
        run = check(smtpctl_call, home, web, "--json")
    found = json.loads(run.stdout)["findings"][0]["id"]
    if id == "oauth.authority" and at == "/token":
        id, status = "oauth.not_json", PROTOCOL
    assert (found, run.code) == (id, status)


@pytest.mark.parametrize(("flaw", "id"), [("expired", "oauth.certificate_date"), ("other_name", "oauth.untrusted")])
def test_a_certificate_that_is_not_right(flaw: str, id: str, smtpctl_call: Runner, home: Path) -> None:
    with WebServer(lambda request: Response({}), flaw=flaw) as web:
        run = check(smtpctl_call, home, web)
    assert run.code == UNAVAILABLE
    assert f"error[{id}]" in run.stdout
    assert not web.requests


def test_nobody_there(smtpctl_call: Runner, home: Path) -> None:
    with WebServer(lambda request: Response({})) as web:
        pass
    run = check(smtpctl_call, home, web)
    assert run.code == TEMPORARY
    assert "error[oauth.unreachable]" in run.stdout
    assert "smtpctl oauth set m365 proxy=" in run.stdout


def test_an_authority_that_echoes_the_secret(smtpctl_call: Runner, home: Path) -> None:
    def answering(request: Request) -> Response:
        if request.method == "GET":
            return entra.answer(request)
        words = f"bad: {request.body} {request.form.get('client_secret')}"
        return Response({"error": "invalid_client", "error_description": words, words: words}, 401)

    entra = Entra(lambda form: SECRETS["token"])
    with WebServer(answering) as web:
        for words in ((), ("--json",), ("-vv",)):
            assert check(smtpctl_call, home, web, *words).code == AUTH


def test_the_commands_have_the_user_s_own_ids(smtpctl_call: Runner, home: Path) -> None:
    entra = Entra(lambda form: SECRETS["token"])
    entra.faults = [65001, 7000222, 1002012]
    with WebServer(entra.answer) as web:
        consent, expired, scope = (check(smtpctl_call, home, web, cloud="usgov").stdout for _ in range(3))
    assert f"/{TENANT}/" in consent and f"client_id={CLIENT_ID}" in consent
    assert f"az ad app credential reset --id {CLIENT_ID} --append" in expired
    assert "smtpctl secret set oauth/m365/client_secret" in expired
    assert "smtpctl oauth set m365 scope=https://outlook.office365.us/.default" in scope


def test_so_have_those_of_a_run_without_a_profile(smtpctl_call: Runner, home: Path) -> None:
    entra = Entra(lambda form: SECRETS["token"])
    with WebServer(entra.answer) as web:
        check(smtpctl_call, home, web)
        tokens._memory.clear()
        entra.faults = [7000222]
        run = smtpctl_call("oauth", "token", "m365", env={"CLIENT_SECRET": SECRETS["secret"]})
    assert run.code == AUTH
    assert f"az ad app credential reset --id {CLIENT_ID} --append" in run.stderr
    assert "smtpctl secret set oauth/m365/client_secret" in run.stderr
