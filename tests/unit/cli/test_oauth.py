"""`smtpctl oauth` as a user runs it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import Run, Runner
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.oauth import grants
from smtpctl.oauth.values import Application, DeviceCode, Token
from smtpctl.ops import tokens
from smtpctl.ops.schemas import of_output
from tokens import APP, app_token

NOREPLY = "noreply@contoso.test"


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    tokens._memory.clear()
    yield
    tokens._memory.clear()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Application]:
    """Every asking for a token, answered with the same one."""
    asked: list[Application] = []

    def obtain(application: Application) -> Token:
        asked.append(application)
        return Token(Secret(app_token()), time.time() + 3600, Secret("refresh-me"))

    monkeypatch.setattr(grants, "obtain", obtain)
    return asked


@pytest.fixture
def m365(smtpctl_call: Runner, home: Path) -> Runner:
    """Credentials `m365`, their secret in a file, and a profile that uses them."""
    place = home / "client-secret"
    place.write_text("s3cret\n")
    place.chmod(0o600)
    added = smtpctl_call("oauth", "add", "m365", "--tenant-id", "contoso.test", "--client-id", APP)
    assert (added.code, added.stdout) == (0, "")
    assert smtpctl_call("oauth", "set", "m365", f"client_secret_file={place}").code == 0
    about = ("--preset", "microsoft365", "--username", NOREPLY, "--oauth", "m365", "--auth", "oauth2")
    assert smtpctl_call("profile", "add", "office", *about).code == 0
    return smtpctl_call


def document(run: Run, name: str) -> dict[str, Any]:
    found = json.loads(run.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output(name))).validate(found)
    return dict(found)


def test_what_is_stored_is_shown_without_its_secret(m365: Runner) -> None:
    rows = document(m365("oauth", "list", "--json"), "oauth.list")["oauth"]
    assert [(row["name"], row["provider"], row["used_by"]) for row in rows] == [("m365", "contoso.test", ["office"])]
    found = document(m365("oauth", "show", "m365", "--json"), "oauth")
    assert found["token_endpoint"] == "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token"
    assert found["client_secret"] == "********"
    text = m365("oauth", "show", "m365")
    assert "********" in text.stdout
    assert "s3cret" not in text.stdout + text.stderr


def test_a_token_file_goes_with_its_credentials(m365: Runner, given: list[Application], home: Path) -> None:
    """Also when tokens are kept elsewhere by then."""
    m365("oauth", "set", "m365", "cache=file")
    assert m365("oauth", "token", "m365").code == 0
    kept = home / ".local" / "state" / "smtpctl" / "token-m365.json"
    assert kept.exists()
    m365("oauth", "set", "m365", "cache=memory")
    m365("profile", "unset", "office", "oauth", "auth")
    assert m365("oauth", "remove", "m365", "--yes").code == 0
    assert not kept.exists()


def test_what_is_used_is_not_removed(m365: Runner, home: Path) -> None:
    refused = m365("oauth", "remove", "m365", "--yes")
    assert refused.code == 2
    assert "used by office" in refused.stderr
    assert m365("profile", "unset", "office", "oauth", "auth").code == 0
    assert m365("oauth", "remove", "m365", "--yes").code == 0
    assert document(m365("oauth", "list", "--json"), "oauth.list")["oauth"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "m365", "--client-id", "x"), 'There are credentials "m365" already'),
        (("add", "a/b"), "name for OAuth 2.0 credentials"),
        (("add", "new", "--token-endpoint", "http://id.x.test/t"), "must be HTTPS"),
        (("add", "new", "--preset", "nobody"), 'There is no preset "nobody"'),
        (("set", "m364", "client_id=x"), 'There are no OAuth 2.0 credentials "m364"'),
        (("set", "m365"), "Nothing is said to change"),
        (("set", "m365", "client_secret=x"), "does not belong on the command line"),
        (("set", "m365", "secret_expires=soon"), "is no day"),
        (("set", "m365", "cleint_id=x"), "client_id"),
        (("login", "m365"), "Nobody logs in for m365"),
        (("token", "m365", "--format", "xoauth2", "--user", ""), ""),
        (("token", "m365", "--format", "xoauth2", "--user", "a\x01auth=Bearer x\x01\x01"), "control character"),
        (("token", "m365", "--format", "oauthbearer", "--user", "a\udce4"), "broken text"),
    ],
)
def test_what_cannot_be_done(words: tuple[str, ...], told: str, m365: Runner, given: list[Application]) -> None:
    run = m365("oauth", *words)
    assert run.code == (2 if told else 0)
    assert told in run.stderr


def test_a_token_in_each_form(m365: Runner, given: list[Application]) -> None:
    assert m365("oauth", "token", "m365").stdout == f"{app_token()}\n"
    assert m365("oauth", "token", "m365", "--format", "header").stdout == f"Authorization: Bearer {app_token()}\n"
    response = base64.b64decode(m365("oauth", "token", "m365", "--format", "xoauth2").stdout)
    assert response == f"user={NOREPLY}\x01auth=Bearer {app_token()}\x01\x01".encode()
    bearer = base64.b64decode(
        m365("oauth", "token", "m365", "--format", "oauthbearer", "--user", "a=b,c@x.test").stdout
    )
    assert bearer.startswith(b"n,a=a=3Db=2Cc@x.test,\x01auth=Bearer ")
    found = document(m365("oauth", "token", "m365", "--json"), "oauth.token")
    assert (found["access_token"], found["user"]) == (app_token(), NOREPLY)
    assert given[0].client_secret == Secret("s3cret")


def test_a_token_of_another_program(smtpctl_call: Runner) -> None:
    smtpctl_call("oauth", "add", "vault", "--grant", "token_command")
    missing = smtpctl_call("oauth", "token", "vault")
    assert missing.code == 78
    smtpctl_call("oauth", "set", "vault", "access_token_command=echo the-token")
    assert smtpctl_call("oauth", "token", "vault").stdout == "the-token\n"


def test_what_a_provider_s_preset_knows_is_taken(smtpctl_call: Runner) -> None:
    assert smtpctl_call("oauth", "add", "gmail", "--preset", "gmail", "--client-id", "id").code == 0
    found = document(smtpctl_call("oauth", "show", "gmail", "--json"), "oauth")
    assert found["token_endpoint"] == "https://oauth2.googleapis.com/token"
    assert found["scope"] == "https://mail.google.com/"
    assert smtpctl_call("oauth", "add", "home", "--preset", "outlook-com", "--client-id", "id").code == 0
    home = json.loads(smtpctl_call("oauth", "show", "home", "--format", "json").stdout)
    assert (home["grant"], home["tenant_id"]) == ("device_code", "consumers")
    smtpctl_call("oauth", "add", "gov", "--preset", "microsoft365-gcc-high", "--tenant-id", "t", "--client-id", "id")
    gov = document(smtpctl_call("oauth", "show", "gov", "--json"), "oauth")
    assert gov["token_endpoint"] == "https://login.microsoftonline.us/t/oauth2/v2.0/token"
    assert gov["scope"] == "https://outlook.office365.us/.default"


def test_a_token_is_read_here(m365: Runner, given: list[Application]) -> None:
    good = document(m365("oauth", "inspect", "m365", "--json"), "oauth.inspect")
    assert (good["kind"], good["wrong"]) == ("token", False)
    bad = m365("oauth", "inspect", "-", stdin=app_token(aud="https://graph.microsoft.com", exp=1_700_000_000))
    assert bad.code == 1
    assert "SMTP will not take it, for aud, exp." in bad.stdout
    assert "for Microsoft Graph" in " ".join(bad.stdout.split())


def test_a_token_on_the_command_line_is_read_with_a_warning(smtpctl_call: Runner) -> None:
    run = smtpctl_call("oauth", "inspect", app_token())
    assert run.code == 0
    assert "Exchange Online" in run.stdout
    assert "others on this machine can read it" in run.stderr


@pytest.mark.parametrize("place", ["", "refresh_token_env=NOWHERE"])
def test_nobody_signs_in_for_nothing(place: str, smtpctl_call: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a keyring, or with a place that is not written to, it ends before anybody is asked."""
    monkeypatch.setattr(grants, "device", lambda *_: pytest.fail("somebody was asked"))
    smtpctl_call(
        "oauth", "add", "me", "--grant", "device_code", "--token-endpoint", "https://id.x.test/t", "--client-id", "i"
    )
    if place:
        smtpctl_call("oauth", "set", "me", place)
    run = smtpctl_call("oauth", "login", "me")
    assert run.code == 2
    assert "smtpctl oauth set me refresh_token_file=PATH" in " ".join(run.stderr.split())


def test_a_login_is_kept_for_later(smtpctl_call: Runner, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Application] = []

    def device(application: Application, show: Any) -> Token:
        asked.append(application)
        show(DeviceCode("BED-1234", "https://id.x.test/device", time.time() + 900))
        return Token(Secret("access"), time.time() + 3600, Secret("refresh-me"))

    monkeypatch.setattr(grants, "device", device)
    place = home / "refresh"
    options = (
        "--grant",
        "device_code",
        "--token-endpoint",
        "https://id.x.test/t",
        "--scope",
        "mail",
        "--client-id",
        "id",
    )
    smtpctl_call("oauth", "add", "me", *options)
    smtpctl_call("oauth", "set", "me", f"refresh_token_file={place}")
    run = smtpctl_call("oauth", "login", "me", "--with", "code")
    assert run.code == 0, run.stderr
    assert "BED-1234" in run.stderr
    assert place.read_text() == "refresh-me\n"
    assert place.stat().st_mode & 0o777 == 0o600
    assert "refresh-me" not in run.stdout + run.stderr


def test_a_pasted_address_that_is_none() -> None:
    from smtpctl.ops.login import pasted_query

    assert pasted_query("http://localhost:1/?code=c&state=s") == {"code": "c", "state": "s"}
    for text in ("", "nonsense", "http://localhost:1/?state=s", "http://[x/?code=c", "http://x/?code=\udce4"):
        with pytest.raises(Problem):
            pasted_query(text)
