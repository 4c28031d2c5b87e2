"""Where a token comes from, how often it is asked for, and what happens when the server does not want it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.net.connection import Log
from smtpctl.oauth import grants
from smtpctl.oauth.values import Application, Token
from smtpctl.ops import session, tokens
from smtpctl.ops.check import check
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

USER = "ann@x.test"


class Provider:
    """Stands in for whoever gives tokens: hands out `good`, then whatever is in `next`."""

    def __init__(self, *given: str, life: float = 3600.0) -> None:
        self.given = list(given)
        self.life = life
        self.asked: list[Application] = []

    def obtain(self, application: Application) -> Token:
        self.asked.append(application)
        given = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        return Token(Secret(given), time.time() + self.life, Secret("refresh-me"))


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    tokens._memory.clear()
    yield
    tokens._memory.clear()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider("good-token")
    monkeypatch.setattr(grants, "obtain", made.obtain)
    return made


def profile(port: int = 587, ca_file: str = "", **oauth: Any) -> Any:
    known = {"tenant_id": "contoso.test", "client_id": "app", "client_secret_env": "CLIENT_SECRET", **oauth}
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in known.items())
    text = f"""version = 1
[profiles.office]
host = "localhost"
port = {port}
tls = "starttls"
auth = "oauth2"
username = "{USER}"
ca_file = "{ca_file}"
oauth = "m365"
[oauth.m365]
{lines}
"""
    return resolve("office", {}, {}, document=Document(Path("none.toml"), text))


def around(home: Path) -> Surroundings:
    return Surroundings({**os.environ, "CLIENT_SECRET": "s3cret", "XDG_STATE_HOME": str(home / "state")})


def ask(found: Any, home: Path, **how: bool) -> str:
    return str(tokens.token(found.oauth, USER, around(home), **how).access.reveal())


def test_two_sends_ask_for_one_token(provider: Provider, home: Path) -> None:
    assert [ask(profile(), home) for _ in range(3)] == ["good-token"] * 3
    assert len(provider.asked) == 1
    assert provider.asked[0].client_secret == Secret("s3cret")
    assert provider.asked[0].scopes == ("https://outlook.office365.com/.default",)
    assert provider.asked[0].token_endpoint == "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token"


def test_a_token_near_its_end_is_not_used(provider: Provider, home: Path) -> None:
    provider.life = 200.0
    ask(profile(), home)
    ask(profile(), home)
    assert len(provider.asked) == 2
    assert provider.asked[1].refresh_token == Secret("refresh-me")


@pytest.mark.parametrize("key", ["client_id", "issuer", "key_file", "refresh_token_file"])
def test_other_settings_ask_for_a_token_of_their_own(key: str, provider: Provider, home: Path) -> None:
    for value in ("one", "another"):
        ask(profile(**{key: f"https://{value}.test" if key == "issuer" else str(home / value)}), home)
    assert len(provider.asked) == 2


def test_a_kept_token_serves_the_next_process(provider: Provider, home: Path) -> None:
    ask(profile(cache="file"), home)
    place = home / "state" / "smtpctl" / "token-m365.json"
    assert place.stat().st_mode & 0o777 == 0o600
    tokens._memory.clear()
    assert ask(profile(cache="file"), home) == "good-token"
    assert len(provider.asked) == 1
    tokens._memory.clear()
    ask(profile(cache="file", scope="https://outlook.office365.us/.default"), home)
    assert len(provider.asked) == 2, "what was kept was for other settings"


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", '{"for": 1}', "\0"])
def test_what_lies_where_a_token_should_does_no_harm(damage: str, provider: Provider, home: Path) -> None:
    place = home / "state" / "smtpctl" / "token-m365.json"
    place.parent.mkdir(parents=True)
    place.write_text(damage)
    place.chmod(0o600)
    assert ask(profile(cache="file"), home) == "good-token"
    assert "good-token" in place.read_text()


def test_nothing_is_written_unless_it_was_chosen(provider: Provider, home: Path) -> None:
    ask(profile(), home)
    assert not (home / "state").exists()


def test_a_grant_that_needs_somebody_says_so(home: Path) -> None:
    with pytest.raises(Problem) as told:
        ask(profile(grant="device_code", refresh_token_file=str(home / "none")), home)
    assert told.value.finding.id == "oauth.login_needed"
    assert "smtpctl oauth login m365" in repr(told.value.finding.causes)


def test_a_refresh_token_that_was_replaced_is_kept(provider: Provider, home: Path) -> None:
    place = home / "refresh"
    place.write_text("the-first\n")
    place.chmod(0o600)
    ask(profile(grant="refresh_token", refresh_token_file=str(place)), home)
    assert provider.asked[0].refresh_token == Secret("the-first")
    assert place.read_text() == "refresh-me\n"


def test_a_refresh_token_that_stays_is_not_written(provider: Provider, home: Path) -> None:
    """Its file may be mounted for reading only."""
    place = home / "refresh"
    place.write_text("refresh-me\n# of the vault\n")
    place.chmod(0o600)
    ask(profile(grant="refresh_token", refresh_token_file=str(place)), home)
    assert place.read_text() == "refresh-me\n# of the vault\n"


@pytest.mark.skipif(os.name == "nt", reason="a folder of that name is another error there")
def test_a_token_that_cannot_be_kept_is_used(provider: Provider, home: Path) -> None:
    """The refresh token that it was got with may be used up: what is got now is all there is."""
    place = home / "refresh"
    place.mkdir()
    (place / "in the way").touch()
    found, heard = profile(cache="file", refresh_token_file=str(place)), []
    listening = around(home)._replace(warn=heard.append)
    assert tokens.token(found.oauth, USER, listening).access == Secret("good-token")
    assert [finding.id for finding in heard] == ["oauth.not_kept"]
    assert "refresh-me" not in repr(heard)
    with pytest.raises(Problem) as told:
        ask(found, home, renew=True)
    assert told.value.finding.id == "secret.not_writable"


@pytest.mark.parametrize("put", ["symlink", "folder", "no folder"])
def test_where_no_lock_can_be_made(put: str, provider: Provider, home: Path) -> None:
    place, others = home / "state" / "smtpctl" / ".token-m365.lock", home / "others"
    others.write_text("kept")
    if put == "no folder":
        (home / "state").write_text("")
    else:
        place.parent.mkdir(parents=True)
        place.symlink_to(others) if put == "symlink" else place.mkdir()
    with pytest.raises(Problem) as told:
        ask(profile(cache="file"), home)
    assert told.value.finding.id == "secret.not_writable"
    assert others.read_text() == "kept"
    assert not provider.asked


def test_a_name_leads_to_no_other_folder(provider: Provider, home: Path) -> None:
    """One that was written into the file by hand may be anything."""
    found = profile(cache="file")
    tokens.token(found.oauth._replace(name="a/../../../b"), USER, around(home))
    made = [path for path in home.rglob("*") if path.is_file()]
    assert made
    assert {path.parent for path in made} == {home / "state" / "smtpctl"}


def test_a_token_that_the_server_does_not_want_is_replaced_once(provider: Provider, home: Path) -> None:
    users = {USER: Secret("good-token")}
    with Sink(Setup(tls=TlsMode.STARTTLS, users=users, mechanisms=("XOAUTH2",))) as sink:
        provider.given = ["old-token", "good-token"]
        report = check(profile(sink.port, sink.ca_file), around(home))
        assert report.failure is None
        assert len(provider.asked) == 2
        provider.given = ["bad-token"]
        tokens._memory.clear()
        refused = check(profile(sink.port, sink.ca_file), around(home))
        assert refused.failure
        assert len(provider.asked) == 4, "once more, and no more"
    for text in ("old-token", "good-token", "bad-token", "s3cret"):
        assert text not in f"{report}{report.transcript.dumps()}{refused}{refused.transcript.dumps()}"


def test_the_clock_of_a_session_begins_when_there_is_a_token(
    provider: Provider, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time that a provider takes would be told as that of the name lookup."""
    begun: list[int] = []

    def log(*arguments: Any) -> Log:
        begun.append(len(provider.asked))
        return Log(*arguments)

    monkeypatch.setattr(session, "Log", log)
    with Sink(Setup(tls=TlsMode.STARTTLS, users={USER: Secret("good-token")}, mechanisms=("XOAUTH2",))) as sink:
        assert check(profile(sink.port, sink.ca_file), around(home)).failure is None
    assert begun == [1]
