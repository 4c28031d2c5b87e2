"""Tokens from something like Microsoft Entra, and the login with them at real servers, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bed.accounts import ALICE, BOB, HOST
from bed.dovecot import Dovecot
from bed.entra import CLIENT_ID, SECRET, TENANT, Entra
from bed.pki import Pki
from bed.postfix import Postfix
from bed.tokens import TokenIssuer
from harness import Runner
from webserver import WebServer

Write = Callable[..., None]


@pytest.fixture
def entra(tokens: TokenIssuer) -> Entra:
    return Entra(lambda form: tokens.token(ALICE.username))


@pytest.fixture
def web(entra: Entra) -> Iterator[WebServer]:
    with WebServer(entra.answer) as running:
        yield running


@pytest.fixture
def write(web: WebServer, home: Path, pki: Pki, postfix: Postfix, dovecot: Dovecot) -> Write:
    """Write settings: profiles `postfix` and `dovecot` that share credentials, with these settings of theirs."""

    def settings(**given: Any) -> None:
        known = {
            "tenant_id": TENANT, "authority": web.url, "ca_file": web.ca_file, "client_id": CLIENT_ID,
            "client_secret_env": "CLIENT_SECRET", **given,
        }  # fmt: skip
        lines = ["version = 1"]
        for name, port in (("postfix", postfix.port("submission")), ("dovecot", dovecot.port("submission"))):
            lines += [
                f"[profiles.{name}]",
                f'host = "{HOST}"',
                f"port = {port}",
                'tls = "starttls"',
                'auth = "oauth2"',
                'auth_mech = "XOAUTH2"',
            ]
            lines += [f'username = "{ALICE.username}"', f'ca_file = "{pki.ca_file}"', 'oauth = "m365"']
        lines += ["[oauth.m365]", *(f"{name} = {json.dumps(value)}" for name, value in known.items())]
        file = home / ".config" / "smtpctl" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n")
        file.chmod(0o600)

    return settings


PROOF = {"CLIENT_SECRET": SECRET}


@pytest.mark.parametrize("padding", [0, 3000])
def test_the_token_logs_in_whatever_its_length(
    padding: int, write: Write, entra: Entra, tokens: TokenIssuer, smtpctl_run: Runner
) -> None:
    given: list[str] = []

    def issue(form: Any) -> str:
        given.append(tokens.token(ALICE.username, padding=padding))
        return given[-1]

    entra._token = issue
    write()
    run = smtpctl_run("check", "postfix", "dovecot", "-vv", env=PROOF)
    assert run.code == 0, run.stdout
    assert run.stdout.count("XOAUTH2") >= 2
    assert len(given) == 1, "two targets, one token"
    assert len(given[0]) > padding
    shown = run.stdout + run.stderr
    assert given[0][:40] not in shown and given[0][-40:] not in shown and SECRET not in shown


def test_a_kept_token_serves_the_next_process(
    write: Write, entra: Entra, dovecot: Dovecot, smtpctl_run: Runner
) -> None:
    write(cache="file")
    for number in range(2):
        sent = smtpctl_run("test-send", "postfix", "--to", BOB.username, "--subject", f"By token {number}", env=PROOF)
        assert sent.code == 0, sent.stdout
    assert len(entra.requests) == 1
    dovecot.wait_for_mail(BOB.username, "By token 1")


def test_a_token_that_has_expired_is_replaced_once(
    write: Write, entra: Entra, tokens: TokenIssuer, smtpctl_run: Runner
) -> None:
    """Entra says that it is good for an hour; the server's judgement counts."""
    lives = [-60, 3600]
    entra._token = lambda form: tokens.token(ALICE.username, life=lives.pop(0))
    write()
    run = smtpctl_run("check", "dovecot", env=PROOF)
    assert run.code == 0, run.stdout
    assert len(entra.requests) == 2
    lives += [-60, -60]
    refused = smtpctl_run("check", "postfix", env=PROOF)
    assert refused.code == 77, refused.stdout
    assert "expired" in refused.stdout
    assert not lives
