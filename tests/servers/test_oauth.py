"""Tokens of a real OpenID provider, got in every way, and a real server that takes them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bed import oidc as clients
from bed.accounts import ALICE
from bed.dovecot import Dovecot
from bed.oidc import OidcProvider
from bed.pki import Pki
from bed.process import wait_until
from browser import Browser
from harness import Run, Runner
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.oauth import generic, grants
from smtpctl.oauth.claims import claims
from smtpctl.oauth.loopback import listener
from smtpctl.oauth.values import Application, DeviceCode, Token

# What is clicked on its pages, each found on that page alone.
SIGN_IN, CONSENT = "form:has([value=login]) [type=submit]", "form:has([value=consent]) [type=submit]"
CANCEL, CODE, CONFIRM = (
    ".login-help a",
    "body:has([name=user_code]:not([type=hidden])) [type=submit]",
    "[autofocus][form]",
)


def application(oidc: OidcProvider, client: str, **values: Any) -> Application:
    known = {
        "name": "bed", "grant": "client_credentials", "client_id": client, "issuer": oidc.issuer,
        "scopes": ("SMTP.Send", "offline_access"), "ca_file": oidc.ca_file, "timeout": 20.0,
    }  # fmt: skip
    return Application(**{**known, **values})


def service(oidc: OidcProvider, client: str = clients.SERVICE, **values: Any) -> Application:
    known = {"client_secret": Secret(clients.SECRET), "client_auth": "basic", "scopes": ("SMTP.Send",)}
    return application(oidc, client, **{**known, **values})


def refused(work: Callable[[], Any]) -> str:
    with pytest.raises(Problem) as told:
        work()
    assert clients.SECRET not in repr(told.value.finding)
    return told.value.finding.id


def sign_in(browser: Browser) -> None:
    browser.click(SIGN_IN, login=ALICE.username, password="any")


@pytest.mark.parametrize(("client", "place"), [(clients.SERVICE, "basic"), (clients.POSTED, "body")])
def test_an_application_gets_a_token(oidc: OidcProvider, client: str, place: str) -> None:
    token = grants.obtain(service(oidc, client, client_auth=place))
    assert claims(token.access)["client_id"] == client
    assert 3500 < token.expires - time.time() <= 3600
    assert token.scopes == "SMTP.Send"


def test_a_certificate_proves_an_application(oidc: OidcProvider, pki: Pki) -> None:
    files = {"certificate": str(pki.chain("client")), "key": str(pki.key("client"))}
    token = grants.obtain(service(oidc, clients.CERTIFIED, client_secret=Secret(""), **files))
    assert claims(token.access)["client_id"] == clients.CERTIFIED
    other = {**files, "certificate": str(pki.chain("good-rsa")), "key": str(pki.key("good-rsa"))}
    wrong = service(oidc, clients.CERTIFIED, client_secret=Secret(""), **other)
    assert refused(lambda: grants.obtain(wrong)) == "generic.oauth-invalid-client"


@pytest.mark.parametrize(
    ("values", "id"),
    [
        ({"client_secret": Secret("wrong")}, "generic.oauth-invalid-client"),
        ({"client": "nobody"}, "generic.oauth-invalid-client"),
        ({"client": clients.NO_GRANT, "client_auth": "body"}, "generic.oauth-invalid-request"),
        ({"client": clients.NO_SCOPE, "client_auth": "body"}, "generic.oauth-invalid-scope"),
        ({"issuer": "https://127.0.0.1:{port}"}, "oauth.no_discovery"),
        ({"issuer": "https://localhost:{port}/realm"}, "oauth.no_discovery"),
        ({"ca_file": ""}, "oauth.untrusted"),
        ({"issuer": "", "token_endpoint": "https://localhost:{port}/nowhere"}, "oauth.not_json"),
    ],
)
def test_what_is_wrong_is_told(oidc: OidcProvider, values: dict[str, Any], id: str) -> None:
    named = {key: value.format(port=oidc.port) if isinstance(value, str) else value for key, value in values.items()}
    assert refused(lambda: grants.obtain(service(oidc, **named))) == id


def test_somebody_signs_in_with_a_browser(oidc: OidcProvider, browser: Browser, dovecot: Dovecot) -> None:
    asking = application(oidc, clients.PERSON, grant="authorization_code")
    with listener(name="bed") as at:
        pending = grants.begin(asking, at.redirect)
        browser.open(pending.url + "&prompt=consent")
        sign_in(browser)
        browser.click(CONSENT)
        query = at.wait(20)
        assert browser.until("document.querySelector('h1').textContent") == "You are signed in"
    token = grants.finish(asking, pending, query)
    assert claims(token.access)["email"] == ALICE.username
    assert token.refresh
    again = grants.obtain(asking._replace(refresh_token=token.refresh))
    assert again.access != token.access
    assert refused(lambda: grants.finish(asking, pending, query)) == "generic.oauth-invalid-grant", (
        "a code is good once"
    )


def test_somebody_cancels(oidc: OidcProvider, browser: Browser) -> None:
    asking = application(oidc, clients.PERSON, grant="authorization_code")
    with listener(name="bed") as at:
        pending = grants.begin(asking, at.redirect)
        browser.open(pending.url)
        browser.click(CANCEL)
        query = at.wait(20)
        assert browser.until("document.querySelector('h1').textContent") == "The login was not completed"
    assert refused(lambda: grants.finish(asking, pending, query)) == "oauth.declined"


def with_code(oidc: OidcProvider, browser: Browser, answer: Callable[[DeviceCode], None]) -> Token:
    """A device login in which somebody answers only after the second question."""
    codes, asked = list[DeviceCode](), list[float]()

    def sleep(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 2:
            answer(codes[0])

    return generic.device(application(oidc, clients.PERSON, grant="device_code"), codes.append, sleep=sleep)


def test_somebody_types_a_code(oidc: OidcProvider, browser: Browser) -> None:
    def answer(code: DeviceCode) -> None:
        browser.open(code.uri)
        browser.click(CODE, user_code=code.code)
        browser.click(CONFIRM)
        sign_in(browser)
        browser.click(CONSENT)
        browser.until("/sign-in success/i.test(document.body.innerText)")

    token = with_code(oidc, browser, answer)
    assert claims(token.access)["email"] == ALICE.username
    assert token.refresh


def test_somebody_types_a_code_and_declines(oidc: OidcProvider, browser: Browser) -> None:
    def answer(code: DeviceCode) -> None:
        browser.open(code.complete)
        browser.click("[name=abort]")
        browser.until("/interrupted/i.test(document.body.innerText)")

    assert refused(lambda: with_code(oidc, browser, answer)) == "oauth.declined"


CONFIG = """\
version = 1
[profiles.bed]
host = "localhost"
port = {port}
family = "4"
tls = "starttls"
auth = "oauth2"
{mechanism}
username = "{user}"
ca_file = "{ca}"
oauth = "bed"
[oauth.bed]
client_id = "{client}"
client_secret_env = "CLIENT_SECRET"
client_auth = "basic"
issuer = "{issuer}"
scope = "SMTP.Send"
ca_file = "{ca}"
"""


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_the_token_of_a_real_provider_logs_in_at_a_real_server(
    oidc: OidcProvider, dovecot: Dovecot, smtpctl_run: Runner, home: Path, mechanism: str
) -> None:
    def check(user: str, secret: str = clients.SECRET) -> Run:
        text = CONFIG.format(
            port=dovecot.port("submission"), user=user, ca=oidc.ca_file, client=clients.SERVICE, issuer=oidc.issuer,
            mechanism=f'auth_mech = "{mechanism}"',
        )  # fmt: skip
        (home / "config.toml").write_text(text)
        done = smtpctl_run("check", "bed", "--config", home / "config.toml", env={"CLIENT_SECRET": secret})
        assert clients.SECRET not in done.stdout + done.stderr
        assert "eyJ" not in done.stdout + done.stderr, "no JWT"
        return done

    done = check(ALICE.username)
    assert done.code == 0, done.stdout + done.stderr
    assert check("bob@bed.test").code == 77, "the token is another's"
    wrong = check(ALICE.username, "Zq-another-secret")
    assert wrong.code == 77
    assert "Client authentication failed at the token endpoint" in wrong.stdout + wrong.stderr
    assert "Zq-another" not in wrong.stdout + wrong.stderr


PERSONS = """\
version = 1
[profiles.bed]
host = "localhost"
port = {port}
family = "4"
tls = "starttls"
auth = "oauth2"
username = "{user}"
ca_file = "{ca}"
oauth = "bed"
[oauth.bed]
grant = "{grant}"
client_id = "{client}"
issuer = "{issuer}"
authorization_endpoint = "{issuer}/auth?prompt=consent"
scope = "SMTP.Send offline_access"
refresh_token_file = "{refresh}"
ca_file = "{ca}"
"""


@pytest.mark.parametrize("grant", ["authorization_code", "device_code"])
def test_somebody_logs_in_once_and_mail_can_be_sent(
    oidc: OidcProvider, dovecot: Dovecot, browser: Browser, smtpctl_program: Path, smtpctl_run: Runner, home: Path,
    grant: str,
) -> None:  # fmt: skip
    config, refresh = home / "config.toml", home / "refresh"
    text = PERSONS.format(
        port=dovecot.port("submission"), user=ALICE.username, ca=oidc.ca_file, client=clients.PERSON,
        issuer=oidc.issuer, grant=grant, refresh=refresh,
    )  # fmt: skip
    config.write_text(text)
    before = smtpctl_run("check", "bed", "--config", config)
    assert "smtpctl oauth login bed" in before.stdout + before.stderr

    argv = [smtpctl_program, "oauth", "login", "bed", "--config", config, "--no-browser"]
    said = home / "said"
    with said.open("wb") as sink:
        program = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=home)
    try:
        wait_until(lambda: "Waiting" in said.read_text(), "what to open")
        words = said.read_text().split()
        browser.open(next(word for word in words if word.startswith("https://")))
        if grant == "device_code":
            browser.click(CODE, user_code=words[words.index("Enter") + 1])
            browser.click(CONFIRM)
        sign_in(browser)
        browser.click(CONSENT)
        assert program.wait(20) == 0, said.read_text()
    finally:
        program.kill()
        program.wait()
    assert "Signed in." in said.read_text()
    assert refresh.stat().st_mode & 0o777 == 0o600
    assert refresh.read_text().strip() not in said.read_text()

    after = smtpctl_run("check", "bed", "--config", config)
    assert after.code == 0, after.stdout + after.stderr
