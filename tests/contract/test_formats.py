"""One suite for every settings format: what is written reads back, secrets stay away, nothing dangerous is followed.

A new format needs no test of its own here; its cases are files in tests/corpus/settings/NAME: an input, and beside it
a .toml with what it must be read as (`servers`, `scope`, `notices` as [about, key, line]).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl import formats
from smtpctl.formats.settings import About, OAuth, Settings
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import MASK, Secret

CORPUS = Path(__file__).parent.parent / "corpus" / "settings"
CANARY = "hunter2-canary"
NAMES = formats.names()

WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"], exclude_characters="<>*(\ufffe\uffff"),
    min_size=1,
    max_size=20,
)
HOST = st.from_regex(
    r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z][a-z0-9]{0,5}){1,3}|2001:db8::[0-9a-f]{1,4}", fullmatch=True
)
SCOPE = {
    "emails_enabled": st.booleans(),
    "queue_enabled": st.booleans(),
    "log_emails": st.booleans(),
    "debug_emails": st.booleans(),
    "batch_size": st.integers(1, 9999),
    "archive_days": st.integers(0, 9999),
    "sender": st.just("no-reply@example.com"),
}


@st.composite
def server(draw: st.DrawFn, module: formats.Format) -> Settings:
    """A server that has only what the format carries, and makes sense: a login has a user name and a password."""
    carries = module.CARRIES
    auth = draw(st.sampled_from(sorted(module.AUTH)))
    values: dict[str, Any] = {
        "host": draw(HOST),
        "port": draw(st.integers(1, 65535)),
        "tls": draw(st.sampled_from(sorted(module.TLS))),
        "auth": auth,
        "user": draw(WORD) if auth == "password" else draw(st.just("") | WORD) if auth == "oauth2" else "",
        "secret": Secret(draw(WORD)) if auth == "password" else Secret(""),
        "enabled": draw(st.booleans()),
        "priority": draw(st.sampled_from(["high", "normal", "low"])),
        "delivery": draw(st.sampled_from(["network", "pickup", "iis"])),
        "pickup_dir": draw(st.sampled_from(["", "C:\\pick up", "/srv/pickup"])),
    }
    if auth == "oauth2":
        parts = {part: draw(WORD) for part in OAuth._fields if f"oauth.{part}" in carries}
        secrets = {part for part, default in OAuth()._asdict().items() if isinstance(default, Secret)}
        values["oauth"] = OAuth(**{part: Secret(value) if part in secrets else value for part, value in parts.items()})
    return Settings(**{name: value for name, value in values.items() if name in carries or name == "oauth"})


@st.composite
def content(draw: st.DrawFn, module: formats.Format) -> tuple[list[Settings], dict[str, object]]:
    servers = draw(st.lists(server(module), min_size=1, max_size=3 if module.MANY else 1))
    return servers, {name: draw(SCOPE[name]) for name in sorted(module.SCOPE) if draw(st.booleans())}


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_what_is_written_reads_back(name: str, data: st.DataObject) -> None:
    module = formats.get(name)
    servers, scope = data.draw(content(module))
    written = module.write(servers, scope, reveal=True)
    assert written.notices == ()
    read = module.read(written.text)
    assert (read.servers, read.scope, read.notices) == (tuple(servers), scope, ())


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_secrets_are_not_written_unless_asked_for(name: str, data: st.DataObject) -> None:
    module = formats.get(name)
    servers, scope = data.draw(content(module))
    hidden = [
        one._replace(
            secret=one.secret and Secret(CANARY),
            oauth=one.oauth._replace(client_secret=one.oauth.client_secret and Secret(CANARY)),
        )
        for one in servers
    ]
    written = module.write(hidden, scope)
    assert CANARY not in f"{written}"
    read = module.read(written.text)
    wanting = [n for n in read.notices if n.about in (About.PLACEHOLDER, About.MASKED)]
    assert bool(wanting) == any(one.secret or one.oauth.client_secret for one in hidden)
    assert MASK not in [one.secret.reveal() for one in read.servers]


@pytest.mark.parametrize("name", NAMES)
@given(value=st.text(max_size=40))
def test_whatever_a_password_is_it_reads_back_or_is_refused(name: str, value: str) -> None:
    module = formats.get(name)
    original = Settings(host="h.example", tls=TlsMode.STARTTLS, auth="password", user="u", secret=Secret(value or "x"))
    written = module.write([original], {}, reveal=True)
    if not any(notice.about.refuses for notice in written.notices):
        read = module.read(written.text)
        masked = any(notice.about is About.MASKED for notice in read.notices)
        assert masked or read.servers == (original,)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_carried_is_said(name: str) -> None:
    module = formats.get(name)
    everything = Settings(
        host="h.example", verify=False, ca_file="/ca", client_cert="/c", client_key="/k", tls_min="1.3",
        fingerprint="00", mechanisms=("PLAIN",), from_addr="a@b.example", from_name="A", envelope_from="b@b.example",
        reply_to="c@b.example", helo="me.example", timeout_connect=1, timeout_read=2, pickup_dir="/p", sites=("s",),
        oauth=OAuth("t", "https://t.example", "c", Secret("s"), "x", Secret("r"), Secret("a")),
    )  # fmt: skip
    notices = module.write([everything], {"interval": 60}).notices
    said = {notice.key for notice in notices if notice.about is About.NOT_CARRIED}
    default = Settings()
    expected = {
        field
        for field in Settings._fields
        if field != "oauth" and getattr(everything, field) != getattr(default, field) and field not in module.CARRIES
    }
    expected |= {f"oauth.{part}" for part in OAuth._fields if f"oauth.{part}" not in module.CARRIES}
    assert said == expected | {"interval"}


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(st.characters()))
def test_any_text_is_read_without_an_exception(name: str, text: str) -> None:
    formats.get(name).read(text)


@pytest.mark.parametrize("name", NAMES)
def test_no_entity_is_followed(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    external = f'<!DOCTYPE c [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    body = '<configuration><appSettings><add key="CMSSMTPServer" value="&x;"/></appSettings></configuration>'
    for text in (external + body, '<!DOCTYPE c [<!ENTITY x "a">]>' + body, '<!DOCTYPE c SYSTEM "x.dtd">' + body, body):
        read = formats.get(name).read(text)
        assert CANARY not in str(read)
        assert read.notices
        assert not any(one.host == "a" for one in read.servers)


def test_names_are_the_files() -> None:
    assert NAMES
    with pytest.raises(KeyError):
        formats.get("settings")
    with pytest.raises(KeyError):
        formats.get("../config")


CASES = sorted(path for path in CORPUS.glob("*/*") if path.suffix != ".toml")


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_corpus(path: Path) -> None:
    expected = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    read = formats.get(path.parent.name).read(path.read_text(encoding="utf-8"))
    assert [_shown(one) for one in read.servers] == expected.get("servers", [])
    assert dict(read.scope) == expected.get("scope", {})
    assert [[n.about.value, n.key, n.line] for n in read.notices] == expected.get("notices", [])


def _shown(one: Settings) -> dict[str, Any]:
    """The fields that differ from the default, secrets revealed: the corpus has none that are real."""
    values = {k: v for k, v in one._asdict().items() if v != getattr(Settings(), k) or k in ("host", "port", "tls")}
    if "oauth" in values:
        values["oauth"] = {k: v for k, v in one.oauth._asdict().items() if v}
    return {k: _plain(v) for k, v in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value.value if isinstance(value, TlsMode) else value
