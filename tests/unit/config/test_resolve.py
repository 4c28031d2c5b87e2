"""From a target, options, the environment and the file to one profile."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.secrets.refs import Kind
from smtpctl.config.store import Document
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

TEXT = """\
version = 1
[global]
default_profile = "office"
sender = "noreply@example.com"
[sites.shop]
default_profile = "relay"
[profiles.base]
helo = "client.example.com"
ca_file = "ca.pem"
host = "base.example.com"
port = 2525
password_keyring = true
[profiles.office]
preset = "microsoft365"
extends = "base"
username = "ann@example.com"
[profiles.relay]
host = "relay.example.com:2526"
tls = "none"
stage_timeout = { dns = 2 }
pin = ["sha256:%s"]
from = '"Shop" <shop@example.com>'
""" % ("AB" * 32)


def document(text: str = TEXT, path: str = "/etc/smtpctl.toml") -> Document:
    return Document(Path(path), text)


def profile(target: str | None, text: str = TEXT, environ: dict[str, str] | None = None, **flags: Any) -> Profile:
    return resolve(target, flags, environ or {}, document=document(text))


@pytest.mark.parametrize(
    ("target", "flags", "line"),
    [
        ("relay", {}, 'host = "relay.example.com:2526"'),
        ("office", {}, 'preset = "microsoft365"'),
        ("base", {"port": "25"}, 'host = "base.example.com"'),
        ("mail.example.com", {}, ""),
        (None, {"host": "mail.example.com"}, ""),
    ],
)
def test_the_place_is_the_line_that_says_which_server(target: str | None, flags: dict[str, Any], line: str) -> None:
    place = profile(target, **flags).place
    assert (TEXT.splitlines()[place.line - 1] if place else "") == line
    assert place is None or Path(place.path) == Path("/etc/smtpctl.toml")


# Port and mode: D3, R009, R010, R011, R074


@pytest.mark.parametrize(
    ("flags", "port", "mode"),
    [
        ({"host": "m"}, 25, "auto"),
        ({"host": "m", "tls": "implicit"}, 465, "implicit"),
        ({"host": "m", "tls": "starttls"}, 587, "starttls"),
        ({"host": "m", "tls": "none"}, 25, "none"),
        ({"host": "m:465"}, 465, "implicit"),
        ({"host": "m", "port": "587"}, 587, "starttls"),
        ({"host": "m:2525"}, 2525, "auto"),
        ({"host": "m:25", "tls": "implicit"}, 25, "implicit"),
        ({"host": "m", "lmtp": True}, 24, "auto"),
    ],
)
def test_port_and_mode_follow_from_each_other(flags: dict[str, Any], port: int, mode: str) -> None:
    found = profile(None, "", **flags)
    assert (found.endpoint.port, found.tls.mode) == (port, TlsMode(mode))


def test_a_port_given_twice_must_be_the_same() -> None:
    assert profile(None, "", host="a:587", port="587").endpoint.port == 587
    with pytest.raises(UsageProblem, match="--port: 25 and 587 in the host differ"):
        profile(None, "", host="a:587", port="25")


@pytest.mark.parametrize("host", ["a:0", "a:70000", "a:x", "https://x", "a b", ""])
def test_a_wrong_host_is_wrong_usage(host: str) -> None:
    with pytest.raises(UsageProblem, match=r"^--host: "):
        profile(None, "", host=host)


# Which source wins, and what is said about it


def origins(found: Profile) -> dict[str, str]:
    return {name: str(origin) for name, origin in found.origins.items() if str(origin) != "default"}


def test_every_value_knows_where_it_comes_from() -> None:
    found = profile("office", environ={"SMTPCTL_HELO": "env.example.com"}, username="bob")
    assert origins(found) == {
        "username": "flag --username",
        "helo": "environment $SMTPCTL_HELO",
        "preset": "file /etc/smtpctl.toml:14",
        "extends": "file /etc/smtpctl.toml:15",
        "host": "preset microsoft365",
        "port": "preset microsoft365",
        "tls": "preset microsoft365",
        "ca_file": "file /etc/smtpctl.toml:9",
        "password_keyring": "file /etc/smtpctl.toml:12",
        "from": "file /etc/smtpctl.toml:4",
    }
    assert found.username == "bob" and found.helo == "env.example.com"


def test_stronger_sources_win_one_by_one() -> None:
    text = '[profiles.a]\nextends = "b"\n[profiles.b]\nhelo = "parent"\nhost = "x"\n'
    steps: list[tuple[dict[str, str], dict[str, str], str]] = [
        ({}, {}, "parent"),
        ({"SMTPCTL_HELO": "environment"}, {}, "environment"),
        ({"SMTPCTL_HELO": "environment"}, {"helo": "flag"}, "flag"),
    ]
    for environ, flags, helo in steps:
        assert profile("a", text, environ, **flags).helo == helo
    assert profile("a", text.replace('"b"\n', '"b"\nhelo = "own"\n', 1)).helo == "own"
    assert profile("a", text, {"SMTPCTL_HELO": ""}).helo == "parent"


def test_an_option_may_empty_a_setting() -> None:
    assert profile("office", username="").username == ""
    assert profile("relay", pin=[]).tls.pins == ()


@pytest.mark.parametrize(
    ("flags", "port", "mode"),
    [({}, 587, "starttls"), ({"tls": "implicit"}, 465, "implicit"), ({"port": "465"}, 465, "implicit"),
     ({"port": "2525", "tls": "none"}, 2525, "none"), ({"tls": "starttls"}, 587, "starttls")],
)  # fmt: skip
def test_a_presets_port_goes_with_its_mode(flags: dict[str, Any], port: int, mode: str) -> None:
    found = profile(None, "", preset="microsoft365", **flags)
    assert (found.endpoint.host, found.endpoint.port, found.tls.mode) == ("smtp.office365.com", port, TlsMode(mode))


def test_a_preset_stands_right_behind_who_names_it() -> None:
    assert profile("office").endpoint.host == "smtp.office365.com"  # before what it extends
    assert profile("office", preset="gmail").endpoint.host == "smtp.gmail.com"
    assert profile("relay", preset="gmail").endpoint.host == "smtp.gmail.com"
    assert profile("office", host="mx.example.com").endpoint.host == "mx.example.com"


def test_a_server_that_is_named_counts_before_a_presets() -> None:
    assert str(profile("127.0.0.1:2525", preset="gmail").endpoint) == "127.0.0.1:2525"
    assert str(profile("relay.example.com", preset="gmail").endpoint) == "relay.example.com:587"
    assert profile("smtps://relay.example.com", preset="gmail").tls.mode is TlsMode.IMPLICIT


def test_extends_as_an_option() -> None:
    found = profile("relay", extends="base")
    assert (found.endpoint.host, found.helo, found.extends) == ("relay.example.com", "client.example.com", "base")
    assert profile("mail.example.com", extends="base").helo == "client.example.com"


# What the values become


def test_the_parts_that_the_engine_takes() -> None:
    found = profile("relay", family="6", source="::1", proxy="socks5://localhost:1080", insecure=True, timeout="9")
    assert str(found.endpoint) == "relay.example.com:2526"
    assert (found.route.family, found.route.source, found.route.proxy) == (6, "::1", "socks5://localhost:1080")
    assert (found.tls.mode, found.tls.verify, found.tls.pins) == (TlsMode.NONE, False, ("ab" * 32,))
    assert (found.timeouts.total, found.timeouts.of(Stage.DNS)) == (9, 2)
    assert (found.sender, found.values["from"]) == ("shop@example.com", '"Shop" <shop@example.com>')
    assert (found.priority, found.enabled, found.sites, found.delivery) == ("normal", True, (), "network")


def test_relative_files_are_meant_from_the_files_folder() -> None:
    assert profile("base").tls.ca_file == "/etc/ca.pem"
    assert profile("base", ca_file="ca.pem").tls.ca_file == "ca.pem"
    text = '[profiles.a]\nhost = "x"\npassword_file = "fd:3"\nclient_key = "~/k"\n'
    found = profile("a", text)
    assert found.secret_ref and found.secret_ref.kind is Kind.FD
    assert found.tls.client_key == str(Path("~/k").expanduser())


@pytest.mark.parametrize(
    ("host", "flags", "allowed"),
    [("localhost", {}, True), ("127.0.0.2", {}, True), ("[::1]", {}, True), ("mail.example.com", {}, False),
     ("mail.example.com", {"trusted": True}, True), ("mail.example.com", {"allow_plaintext_auth": True}, True)],
)  # fmt: skip
def test_where_credentials_may_go_in_clear(host: str, flags: dict[str, Any], allowed: bool) -> None:
    assert profile(None, "", host=host, **flags).auth.allow_plaintext is allowed


# How it logs in: R081, R082


@pytest.mark.parametrize(("token", "username", "password"), list(product([False, True], repeat=3)))
def test_oauth_then_both_halves_then_nobody(token: bool, username: bool, password: bool) -> None:
    flags = {"access_token_env": "T"} if token else {}
    flags |= {"username": "u"} if username else {}
    flags |= {"password_env": "P"} if password else {}
    expected = "oauth2" if token else "basic" if username and password else "anonymous"
    found = profile(None, "", host="m", **flags)
    assert found.method == expected
    assert found.auth.method == {"anonymous": "none"}.get(expected, expected)


@pytest.mark.parametrize(
    ("flags", "method"),
    [
        ({"auth": "none", "username": "u", "password_env": "P"}, "anonymous"),
        ({"auth": "basic", "username": "u", "access_token_env": "T"}, "anonymous"),
        ({"auth": "oauth2"}, "oauth2"),
        ({"auth_mech": "EXTERNAL"}, "external"),
        ({"auth_mech": "xoauth2", "username": "u", "password_env": "P"}, "oauth2"),
        ({"auth_mech": "PLAIN", "username": "u", "password_env": "P", "access_token_env": "T"}, "basic"),
    ],
)
def test_what_was_asked_for_by_name(flags: dict[str, Any], method: str) -> None:
    assert profile(None, "", host="m", **flags).method == method


def test_oauth_logs_in_with_the_user_name_else_the_sender() -> None:
    flags = {"host": "m", "access_token_env": "T", "from": '"Me" <me@x.example>'}
    assert profile(None, "", **flags).login == "me@x.example"
    assert profile(None, "", username="svc@x.example", **flags).login == "svc@x.example"
    assert profile(None, "", **{"host": "m", "from": "me@x.example"}).login == ""


def test_a_ready_token_of_shared_credentials() -> None:
    text = '[profiles.a]\nhost = "x"\noauth = "m"\n[oauth.m]\ngrant = "access_token"\naccess_token_env = "T"\n'
    found = profile("a", text)
    assert found.method == "oauth2" and found.oauth and found.oauth.name == "m"
    assert found.token_ref and str(found.token_ref) == "env:T"


# Secrets


def test_a_secret_comes_from_one_source_as_a_whole() -> None:
    found = profile("office")
    assert found.secret_ref and str(found.secret_ref) == "keyring:profile/base/password"  # whose keyring entry it is
    assert str(profile("office", password_env="X").secret_ref) == "env:X"
    assert str(profile("office", environ={"SMTPCTL_PASSWORD": "hunter2"}).secret_ref) == "literal:********"
    assert str(profile("office", password_stdin=True).secret_ref) == "stdin"


def test_two_places_for_one_secret_are_wrong_usage() -> None:
    with pytest.raises(UsageProblem, match="--password-file and --password-env: only one"):
        profile(None, "", host="m", password_env="X", password_file="y")


def test_a_profile_never_shows_a_secret() -> None:
    text = '[profiles.a]\nhost = "x"\npassword = "hunter2"\n'
    found = profile("a", text, {"SMTPCTL_ACCESS_TOKEN": "hunter3"})
    assert "hunter" not in repr(found) and found.secret_ref
    assert found.secret_ref.literal.reveal() == "hunter2"


# Which profile


def test_the_default_of_the_scope() -> None:
    assert profile(None).name == "office"
    assert resolve(None, {}, {}, document=document(), site="shop").name == "relay"
    with pytest.raises(UsageProblem, match='no site "unheard-of"'):
        resolve("office", {}, {}, document=document(), site="unheard-of")
    assert resolve(None, {}, {}, document=document(), site="(global)").name == "office"
    assert resolve(None, {}, {"SMTPCTL_DEFAULT_PROFILE": "base"}, document=document()).name == "base"
    assert profile(None, '[profiles.only]\nhost = "x"\n').name == "only"


def test_a_server_named_by_address_stands_alone() -> None:
    for target, flags in (("mail.example.com", {}), (None, {"host": "mail.example.com"})):
        found = profile(target, **flags)
        assert (found.name, found.username, found.secret_ref) == ("", "", None)
    assert profile(None, environ={"SMTPCTL_HOST": "mail.example.com"}).name == ""
    assert profile("office", host="mail.example.com").username == "ann@example.com"


def test_a_profile_may_be_called_like_a_server() -> None:
    assert profile("a.b", '[profiles."a.b"]\nhost = "x"\n').endpoint.host == "x"


@pytest.mark.parametrize(
    ("target", "text", "words"),
    [
        ("ofice", TEXT, 'There is no profile "ofice". Did you mean "office"?'),
        ("office", "", 'There is no profile "office"'),
        ("smtp://a:b@c", TEXT, "there is a password in the URL"),
    ],
)
def test_a_wrong_target_is_wrong_usage(target: str, text: str, words: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        profile(target, text)
    assert words in caught.value.message and caught.value.hint


# What is wrong in the file


@pytest.mark.parametrize(
    ("target", "text", "id_", "line", "words"),
    [
        (None, "", "config.no_server", 0, "no SMTP server is configured"),
        (
            None,
            '[global]\ndefault_profile = "b"\n[profiles.a]\n',
            "config.default_missing",
            2,
            'There is no profile "b"',
        ),
        (None, "[profiles.a]\n[profiles.b]\n", "config.default_missing", 0, "there are a, b"),
        ("a", '[profiles.a]\nextends = "b"\n', "config.extends_missing", 2, 'There is no profile "b" to extend'),
        ("a", '[profiles.a]\nextends = "b"\n[profiles.b]\nextends = "a"', "config.extends_cycle", 2, "a -> b -> a"),
        ("a", '[profiles.a]\nextends = "a"\n', "config.extends_cycle", 2, "a -> a"),
        ("a", '[profiles.a]\npreset = "microsft365"\n', "config.preset_missing", 2, 'Did you mean "microsoft365"?'),
        ("a", '[profiles.a]\nhost = "x"\noauth = "m"\n', "config.oauth_missing", 3, 'credentials "m"'),
        (
            "a",
            '[profiles.a]\nhost = "x"\nport = 0\n',
            "config.invalid_value",
            3,
            '[profiles.a] port: "0" is not a port',
        ),
        ("a", '[profiles.a]\nhost = "x:1"\nport = 2\n', "config.port_conflict", 3, "2 and 1 in the host differ"),
        ("a", '[profiles.a]\nhelo = "x"\n', "config.no_host", 1, 'The profile "a" names no server'),
        ("a", '[profiles.a]\nhost = "x"\noauth="m"\n[oauth.m]\ngrant = "x"', "config.invalid_value", 5, "grant"),
    ],
)
def test_what_is_wrong_has_a_place(target: str | None, text: str, id_: str, line: int, words: str) -> None:
    with pytest.raises(Problem) as caught:
        profile(target, text)
    found = caught.value.finding
    assert (found.id, caught.value.status) == (id_, ExitStatus.CONFIG)
    assert words in found.title
    assert (found.location.line if found.location else 0) == line


def test_what_is_wrong_in_the_environment_names_the_variable() -> None:
    with pytest.raises(Problem) as caught:
        profile("office", environ={"SMTPCTL_TLS": "ssl"})
    assert caught.value.finding.title.startswith('$SMTPCTL_TLS: "ssl" is not one of')
    assert caught.value.status is ExitStatus.CONFIG


@pytest.mark.parametrize(
    "flags",
    [
        {"preset": "nope"},
        {"host": "m", "oauth": "nope"},
        {"host": "m", "extends": "nope"},
        {"host": "m", "tls": "ssl"},
        {"helo": "x\ny"},
    ],
)
def test_wrong_options_are_wrong_usage(flags: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem):
        profile(None, TEXT, **flags)


def test_a_profile_for_pickup_needs_no_server() -> None:
    assert profile("p", '[profiles.p]\ndelivery = "pickup"\npickup_dir = "/srv/p"\n').pickup_dir == "/srv/p"


@pytest.mark.parametrize(
    ("tls", "auth"), list(product(["implicit", "starttls", "auto", "none"], ["none", "basic", "oauth2"]))
)
def test_connecting_and_logging_in_are_two_decisions(tls: str, auth: str) -> None:
    flags = {"tls": tls, "auth": auth, "username": "u", "password_env": "P", "access_token_env": "T"}
    found = profile(None, "", host="m", **flags)
    assert found.tls.mode == TlsMode(tls)
    assert found.method == {"none": "anonymous"}.get(auth, auth)


# Where a password may go in clear


@pytest.mark.parametrize(
    ("flags", "allowed"),
    [
        ({"host": "127.0.0.1"}, True),
        ({"host": "127.8.9.10"}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"socket": "/run/smtp.sock"}, True),
        ({"host": "relay.example.com", "trusted": True}, True),
        ({"host": "127.example.com"}, False),
        ({"host": "127.0.0.1.example.com"}, False),
        ({"host": "mail.localhost"}, False),
        ({"host": "localhost.example.com"}, False),
        ({"host": "192.0.2.127"}, False),
        ({"host": "127.0.0.1", "proxy": "socks5://proxy.example.com"}, False),
        ({"host": "localhost", "proxy": "http://proxy.example.com:3128"}, False),
    ],
)
def test_only_this_machine_gets_a_password_in_clear(flags: dict[str, Any], allowed: bool) -> None:
    assert profile("", **flags).auth.allow_plaintext is allowed
