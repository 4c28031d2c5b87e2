"""Opaque tokens, about which a server has to ask the provider (RFC 7662): the login with them, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed.accounts import CAROL, HOST
from bed.dovecot import Dovecot
from bed.introspection import CLIENT_ID, SECRET, Provider
from bed.pki import Pki
from bed.ports import Ports
from bed.postfix import Postfix
from harness import Run, Runner
from smtpctl.sink.authority import Files
from webserver import WebServer

Check = Callable[[str, str], Run]

CONFIG = """\
version = 1
[profiles.bed]
host = "{host}"
port = {port}
tls = "starttls"
auth = "oauth2"
auth_mech = "{mechanism}"
username = "{user}"
ca_file = "{ca}"
oauth = "bed"
[oauth.bed]
client_id = "{client}"
client_secret_env = "CLIENT_SECRET"
token_endpoint = "{url}/token"
scope = "SMTP.Send"
ca_file = "{ca}"
"""


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def web(provider: Provider, ports: Ports, pki: Pki) -> Iterator[WebServer]:
    own = Files(pki.ca_file, pki.chain("good"), pki.key("good"))
    with WebServer(provider.answer, own=own, port=ports["introspection"]) as running:
        yield running


@pytest.fixture
def check(
    web: WebServer, provider: Provider, home: Path, postfix: Postfix, dovecot: Dovecot, smtpctl_run: Runner
) -> Check:
    """Look at a server, logging in by a mechanism; what the program tells has no token in it. The dialogue is in the
    file `transcript`."""

    def run(server: str, mechanism: str) -> Run:
        port = {"postfix": postfix, "dovecot": dovecot}[server].port("submission")
        known = {"user": CAROL, "ca": web.ca_file, "client": CLIENT_ID, "url": web.url}
        (home / "config.toml").write_text(CONFIG.format(host=HOST, port=port, mechanism=mechanism, **known))
        options = ["--config", home / "config.toml", "--transcript", home / "transcript", "--json"]
        done = smtpctl_run("check", "bed", *options, env={"CLIENT_SECRET": SECRET})
        told = done.stdout + done.stderr + (home / "transcript").read_text()
        assert not [secret for secret in (*provider.given, SECRET) if secret in told]
        assert provider.asked == provider.given, "the server asks once about each"
        return done

    return run


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("server", ["postfix", "dovecot"])
def test_an_opaque_token_logs_in(check: Check, provider: Provider, server: str, mechanism: str) -> None:
    done = check(server, mechanism)
    assert done.code == 0, done.stdout
    assert len(provider.given) == 1


def test_a_withdrawn_token_is_replaced(check: Check, provider: Provider) -> None:
    provider.withdrawn = 1
    done = check("dovecot", "XOAUTH2")
    assert done.code == 0, done.stdout
    assert len(provider.given) == 2


@pytest.mark.parametrize(
    ("mechanism", "status", "found"),
    [
        ("XOAUTH2", "401", "generic.xoauth2-challenge"),
        ("OAUTHBEARER", "invalid_token", "generic.oauthbearer-challenge-invalid-token"),
    ],
)
def test_a_token_that_is_never_active(
    check: Check, provider: Provider, home: Path, mechanism: str, status: str, found: str
) -> None:
    """One new token is asked for, no third."""
    provider.withdrawn = 9
    done = check("postfix", mechanism)
    assert done.code == 77, done.stdout
    assert len(provider.given) == 2
    assert json.loads(done.stdout)["findings"][0]["id"] == found
    events = [json.loads(line) for line in (home / "transcript").read_text().splitlines()]
    challenges = [event["facts"]["challenge"] for event in events if "challenge" in event.get("facts", {})]
    assert [challenge["oauth"]["status"] for challenge in challenges] == [status, status]
