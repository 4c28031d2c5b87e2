"""Every reply of the knowledge base, played by the sink: the command that its directions give ends in that entry.

The lines are run as they are printed. What is added is what a user has besides: OAuth 2.0 credentials with the grant
that an entry is about.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import Runner
from smtpctl.knowledge.catalogue import Said, load
from smtpctl.knowledge.match import by_banner
from smtpctl.model.errors import UsageProblem
from smtpctl.ops.directions import Directions, directions
from smtpctl.ops.sink import Wishes, running
from smtpctl.sink import personality

CONFIG = """
version = 1

[oauth.app]
grant = "client_credentials"
tenant_id = "contoso.example"
client_id = "app"

[oauth.user]
grant = "refresh_token"
token_endpoint = "https://login.example/token"
client_id = "app"
"""
SAID = tuple(load().entries.values())
PLAYED = [(said, text) for said in SAID for text in personality.samples(said)]
FINDINGS = [name for name in personality.names() if name not in load().entries and name not in personality.providers()]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority for all sinks."""
    return tmp_path_factory.mktemp("keys")


def met(call: Runner, told: Directions, *more: str) -> Any:
    """The report of the command that the directions give."""
    words = shlex.split(told.try_it)
    env = dict(word.split("=", 1) for word in words[: words.index("smtpctl")])
    done = call(*words[words.index("smtpctl") + 1 :], *more, "--json", env=env)
    return json.loads(done.stdout)


def grant(said: Said) -> Iterator[str]:
    if said.grants:
        yield from ("--oauth", "app" if "client_credentials" in said.grants else "user")


def test_as_many_replies_are_played_as_ever() -> None:
    """A reply that cannot be played any more is one that nobody can rehearse: these numbers only grow."""
    assert len(PLAYED) >= 446
    assert len({said.id for said, _ in PLAYED}) >= 228
    assert len(FINDINGS) >= 25


@pytest.mark.parametrize(
    ("said", "text"),
    PLAYED,
    ids=[f"{said.id}-{said.samples.index(text) if said.samples else 0}" for said, text in PLAYED],
)
def test_a_reply_ends_in_its_entry(said: Said, text: str, keys: Path, home: Path, smtpctl_call: Runner) -> None:
    (home / "smtpctl.toml").write_text(CONFIG)
    with running(Wishes(play=said.id, sample=text, tls_folder=keys), {}) as run:
        report = met(smtpctl_call, directions(run), *grant(said), "--config", str(home / "smtpctl.toml"))
    assert report["findings"][0]["id"] == said.id, text


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_of_ours_is_met(name: str, keys: Path, smtpctl_call: Runner) -> None:
    with running(Wishes(play=name, tls_folder=keys), {}) as run:
        report = met(smtpctl_call, directions(run))
    assert report["findings"][0]["id"] == name


@pytest.mark.parametrize("name", personality.providers())
def test_a_provider_takes_a_mail(name: str, keys: Path, smtpctl_call: Runner) -> None:
    with running(Wishes(play=name, tls_folder=keys), {}) as run:
        report = met(smtpctl_call, directions(run))
    assert report["facts"]["sent"] == 1


def test_a_greeting_gives_its_provider_away() -> None:
    """So an entry that holds for one provider only is met behind any name, and without the preset."""
    catalogue = load()
    for name, prefix in personality.providers().items():
        manner = personality.play(name).manner
        if manner.greeting and manner.sources:
            assert by_banner(catalogue, manner.greeting.lower()) == (catalogue.providers[prefix].provider,)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("generic.rcpt-greylist", "--as generic.rcpt-greylist: there is no such entry, finding or provider."),
        ("entra.aadsts65001-no-consent", "--as entra.aadsts65001-no-consent: an OAuth 2.0 token endpoint says it"),
        ("generic.connect-refused", "--as generic.connect-refused: it is said before any server is reached."),
        ("generic.tls-cert-expired", "--as generic.tls-cert-expired: it is a client's word for a failed handshake"),
        ("m365.dane-mta-sts", "--as m365.dane-mta-sts: it comes in a bounce, after the server took the mail."),
        ("google.xoauth2-challenge-401", "--as google.xoauth2-challenge-401: it is only heard along with google.535-5"),
        ("generic.auth-not-offered", "--as generic.auth-not-offered: its texts are a client program's words"),
        ("tls.chain.order", "--as tls.chain.order: nothing that this server does shows it."),
    ],
)
def test_what_cannot_be_played_is_said(name: str, says: str) -> None:
    with pytest.raises(UsageProblem) as problem, running(Wishes(play=name), {}):
        pass
    assert problem.value.message.startswith(says)
    assert problem.value.hint
