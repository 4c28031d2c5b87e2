"""`smtpctl profile`, as a user types it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import Runner

SCHEMAS = Path(__file__).parents[3] / "smtpctl" / "schemas"


@pytest.fixture
def file(home: Path) -> Path:
    return home / ".config" / "smtpctl" / "config.toml"


def document(call: Runner, *args: str, **more: Any) -> Any:
    run = call(*args, "--json", **more)
    assert run.code == 0, run.stderr
    data = json.loads(run.stdout)
    name = data["schema"].removeprefix("smtpctl.").partition("/")[0]
    jsonschema.validate(data, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    return data


def resolved(call: Runner, *args: str, **more: Any) -> Any:
    return document(call, "profile", "show", "--resolved", *args, **more)


def add(call: Runner, name: str, *args: str) -> None:
    run = call("profile", "add", name, *args)
    assert run.code == 0, run.stderr


# R010, R011, R073, R074, R081, R082


def test_a_server_without_a_file(smtpctl_call: Runner, file: Path) -> None:
    data = resolved(smtpctl_call, "--host", "mail.example.com")
    assert (data["port"], data["tls"], data["delivery"], data["priority"]) == (25, "auto", "network", "normal")
    assert data["connection"]["endpoint"] == "mail.example.com:25"
    assert data["authentication"]["method"] == "anonymous"
    assert data["origins"]["host"] == {"kind": "flag", "where": "--host"}
    assert not file.exists()


@pytest.mark.parametrize(("mode", "port"), [("implicit", 465), ("starttls", 587), ("none", 25)])
def test_the_port_follows_the_mode(smtpctl_call: Runner, mode: str, port: int) -> None:
    assert resolved(smtpctl_call, "--host", "m.example", "--tls", mode)["port"] == port


@pytest.mark.parametrize(
    "args",
    [("--host", "a:587", "--port", "25"), ("--host", "a:0"), ("--host", "a:70000"), ("--host", "a:x"),
     ("--host", "https://x"), ("--host", "a", "--tls", "ssl"), ("nowhere",)],
)  # fmt: skip
def test_wrong_usage_exits_2(smtpctl_call: Runner, args: tuple[str, ...]) -> None:
    run = smtpctl_call("profile", "show", *args)
    assert run.code == 2 and run.stderr.startswith("error: ") and run.stdout == ""


def test_half_a_login_is_said(smtpctl_call: Runner) -> None:
    data = resolved(smtpctl_call, "--host", "m.example", "--username", "u")
    assert (data["authentication"]["method"], data["authentication"]["missing"]) == ("anonymous", "password")
    assert "the password is not set" in smtpctl_call("profile", "show", "m.example", "--username", "u").stderr


@pytest.mark.parametrize(
    ("settings", "shown", "missing"),
    [
        ('auth = "basic"\nusername = "ann"\n', "basic ann (no password)", "password"),
        ('password_env = "MAIL"\n', "basic (no username)", "username"),
        ('auth = "none"\nusername = "ann"\n', "none", ""),
        ('username = "ann"\npassword_env = "MAIL"\n', "basic ann", ""),
    ],
)
def test_half_a_login_is_listed_as_one(
    smtpctl_call: Runner, file: Path, settings: str, shown: str, missing: str
) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(f'[profiles.a]\nhost = "m.example"\n{settings}')
    (row,) = document(smtpctl_call, "profile", "list")["profiles"]
    assert row["missing"] == missing
    assert re.search(rf"  {re.escape(shown)}  ", smtpctl_call("profile", "list").stdout)


def test_oauth_shows_its_effective_endpoint(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "a", "--host", "smtp.office365.com:587")
    with file.open("a") as stream:
        stream.write('\n[oauth.m]\ntenant_id = "T"\nclient_id = "c"\nclient_secret = "canary"\n')
    assert smtpctl_call("profile", "set", "a", "oauth=m").code == 0
    data = resolved(smtpctl_call, "a")
    assert data["oauth"]["token_endpoint"] == "https://login.microsoftonline.com/T/oauth2/v2.0/token"
    assert data["oauth"]["client_secret"] == "********" and data["authentication"]["method"] == "oauth2"


# Life of a profile: R003, R023 to R029, R033, R034


def test_the_life_of_a_profile(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "office", "--preset", "microsoft365", "--username", "ann@example.com")
    add(smtpctl_call, "backup", "--host", "127.0.0.1:2602", "--extends", "office")
    assert file.stat().st_mode & 0o777 == 0o600
    assert smtpctl_call("profile", "set", "backup", "priority=low", "sites=A,B").code == 0
    rows = {row["name"]: row for row in document(smtpctl_call, "profile", "list")["profiles"]}
    assert (rows["office"]["default"], rows["backup"]["default"]) == (True, False)
    assert (rows["backup"]["priority"], rows["backup"]["sites"], rows["backup"]["port"]) == ("low", ["A", "B"], 2602)
    assert smtpctl_call("profile", "set", "backup", "sites=").code == 0
    assert document(smtpctl_call, "profile", "show", "backup")["sites"] == []
    assert smtpctl_call("profile", "rename", "office", "m365").code == 0
    assert 'extends = "m365"' in file.read_text() and 'default_profile = "m365"' in file.read_text()
    assert smtpctl_call("profile", "copy", "backup", "second").code == 0
    assert smtpctl_call("profile", "disable", "backup", "second").code == 0
    assert document(smtpctl_call, "profile", "show", "second")["enabled"] is False
    assert smtpctl_call("profile", "enable", "backup").code == 0
    assert smtpctl_call("profile", "unset", "backup", "priority").code == 0
    assert document(smtpctl_call, "profile", "show", "backup")["priority"] == "normal"
    assert smtpctl_call("profile", "default", "backup").code == 0
    assert smtpctl_call("profile", "remove", "m365", "--yes").code == 2  # others extend it
    assert smtpctl_call("profile", "remove", "m365", "backup", "second", "--yes").code == 0
    assert document(smtpctl_call, "profile", "list") == {"schema": "smtpctl.profile.list/1", "profiles": []}
    assert "default_profile" not in file.read_text()


def test_many_profiles(smtpctl_call: Runner, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("".join(f'[profiles.p{n}]\nhost = "h{n}.example"\n' for n in range(25)))
    assert len(document(smtpctl_call, "profile", "list")["profiles"]) == 25


def test_removing_asks_and_without_a_terminal_does_nothing(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "a", "--host", "x")
    before = file.read_text()
    run = smtpctl_call("profile", "remove", "a")
    assert run.code == 2 and "--yes" in run.stderr and file.read_text() == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("add", "x"), "No server is named"),
        (("add", "x", "--priority", "urgent", "--host", "h"), "urgent"),
        (("add", "x", "--delivery", "pickup"), "needs the folder"),
        (("add", "x", "--delivery", "pickup", "--pickup-dir", "relative"), "is not an absolute path"),
        (("add", "a b", "--host", "h"), '"a b" is not a name for a profile'),
        (("add", "a", "--host", "h"), 'There is a profile "a" already'),
        (("add", "x", "--host", "h", "--oauth", "m"), 'there are no OAuth 2.0 credentials "m"'),
        (("add", "x", "--preset", "nope"), 'there is no preset "nope"'),
        (("add", "x", "--host", "h", "--extends", "nope"), 'There is no profile "nope"'),
        (("set", "a", "port"), '"port" is not NAME=VALUE'),
        (("set", "a", "prot=25"), 'Did you mean "port"?'),
        (("set", "a", "port=x"), 'port: "x" is not a port'),
        (("set", "a", "password=canary"), "does not belong on the command line"),
        (("set", "a", "extends=a"), "a -> a"),
        (("set", "a", "delivery=pickup", "pickup_dir=/srv/p"), "The default profile delivers by network only"),
        (("set", "b", "port=25"), 'There is no profile "b"'),
        (("unset", "a", "prot"), 'There is no setting "prot"'),
        (("rename", "a", "a"), 'There is a profile "a" already'),
        (("copy", "b", "c"), 'There is no profile "b"'),
        (("remove", "b", "--yes"), 'There is no profile "b"'),
        (("default", "b"), 'There is no profile "b"'),
        (("enable", "b"), 'There is no profile "b"'),
    ],
)
def test_what_is_refused_changes_nothing(smtpctl_call: Runner, file: Path, args: tuple[str, ...], words: str) -> None:
    add(smtpctl_call, "a", "--host", "x")
    before = file.read_text()
    run = smtpctl_call("profile", *args)
    assert run.code == 2 and words in run.stderr
    assert "canary" not in run.stderr and file.read_text() == before


def test_a_pickup_folder(smtpctl_call: Runner) -> None:
    add(smtpctl_call, "p", "--delivery", "pickup", "--pickup-dir", "/srv/p")
    data = document(smtpctl_call, "profile", "show", "p")
    assert (data["delivery"], data["pickup_dir"], data["connection"]["endpoint"]) == ("pickup", "/srv/p", "")
    assert smtpctl_call("profile", "default", "p").code == 2


def test_setting_a_host_with_a_port_sets_both(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "a", "--host", "x:25")
    assert smtpctl_call("profile", "set", "a", "SMTPServer=y:587", "EmailSmtpUsername=u").code == 0
    assert '[profiles.a]\nhost = "y"\nport = 587\nusername = "u"\n' in file.read_text()


def test_a_new_place_for_a_secret_replaces_the_old_one(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "a", "--host", "x", "--username", "u", "--password-env", "X")
    assert smtpctl_call("profile", "set", "a", "password_command=pass show 'my mail'").code == 0
    assert (
        'password_command = ["pass", "show", "my mail"]' in file.read_text() and "password_env" not in file.read_text()
    )


def test_a_broken_file_is_said_with_line_and_column_and_left_alone(smtpctl_call: Runner, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('[profiles.a]\nhost = "x\n')
    for args in (("list",), ("show", "a"), ("set", "a", "port=25"), ("add", "b", "--host", "h")):
        run = smtpctl_call("profile", *args)
        assert run.code == 78 and "config.syntax" in run.stderr and "config.toml:2:" in run.stderr
    assert file.read_text() == '[profiles.a]\nhost = "x\n'


def test_a_profile_that_is_wrong_does_not_hide_the_others(smtpctl_call: Runner, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('[profiles.a]\nhost = "a b"\n[profiles.c]\nhost = "ok.example"\n')
    rows = document(smtpctl_call, "profile", "list")["profiles"]
    assert "has a blank in it" in rows[0]["error"] and rows[1]["error"] is None
    assert "ok.example:25" in smtpctl_call("profile", "list").stdout


# R017: masks


@pytest.mark.parametrize("password", ["x", "canary" * 7])
def test_a_secret_is_eight_stars_whatever_its_length(smtpctl_call: Runner, file: Path, password: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(f'[profiles.a]\nhost = "h"\nusername = "u"\npassword = "{password}"\n')
    data = resolved(smtpctl_call, "a")
    assert data["password"] == data["authentication"]["password"] == "********"
    assert data["access_token"] == ""
    text = smtpctl_call("profile", "show", "a", "--resolved").stdout
    assert "********" in text and "canary" not in text + json.dumps(data)


def test_every_value_is_shown_with_its_origin(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "a", "--preset", "gmail", "--username", "u@gmail.com")
    text = smtpctl_call("profile", "show", "a", "--resolved", "--tls-min", "1.3", env={"SMTPCTL_HELO": "me"}).stdout
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.startswith("  ")}
    assert rows["host"] == ["smtp.gmail.com", "preset", "gmail"]
    assert rows["username"][0] == "u@gmail.com" and rows["username"][1].startswith("~/.config/smtpctl/config.toml:")
    assert rows["tls_min"] == ["1.3", "--tls-min"] and rows["helo"] == ["me", "$SMTPCTL_HELO"]
    assert rows["timeout"] == ["300", "default"]


def test_a_change_as_a_document(smtpctl_call: Runner) -> None:
    data = document(smtpctl_call, "profile", "add", "a", "--host", "x")
    assert data["done"].startswith('Added the profile "a"') and "default" in data["notes"][0]


def test_a_fresh_file_where_it_was_asked_for(smtpctl_call: Runner, tmp_path: Path) -> None:
    path = tmp_path / "ci.toml"
    assert smtpctl_call("profile", "add", "a", "--host", "x", "--config", str(path)).code == 0
    assert path.exists()
    assert smtpctl_call("profile", "list", "--config", str(tmp_path / "none.toml")).code == 78


def test_a_password_that_cannot_be_kept_is_said_after_the_profile_is(smtpctl_run: Runner, file: Path) -> None:
    args = ("profile", "add", "a", "--host", "x", "--username", "u", "--password-stdin")
    run = smtpctl_run(*args, stdin="canary\n", env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    assert run.code == 78 and "The profile is stored" in run.stderr and "secret." in run.stderr
    assert "canary" not in run.stdout + run.stderr + file.read_text()


def test_settings_are_changed_by_options_too(smtpctl_call: Runner, home: Path) -> None:
    path = str(home / "c.toml")
    assert smtpctl_call("--config", path, "profile", "add", "backup", "--host", "mail.example.com").code == 0
    run = smtpctl_call(
        "--config", path, "profile", "set", "backup", "--priority", "low", "--tls", "starttls", "sites=a,b"
    )
    assert run.code == 0, run.stderr
    data = json.loads(smtpctl_call("--config", path, "profile", "show", "backup", "--json").stdout)
    assert data["priority"] == "low"
    assert data["tls"] == "starttls"
    assert data["sites"] == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup",), "Nothing is said to change"),
        (("backup", "tls=none", "--tls", "auto"), "tls is given twice"),
        (("bakup", "--password-stdin"), 'There is no profile "bakup"'),
    ],
)
def test_a_change_that_is_none(words: tuple[str, ...], said: str, smtpctl_call: Runner, home: Path) -> None:
    path = home / "c.toml"
    smtpctl_call("--config", str(path), "profile", "add", "backup", "--host", "mail.example.com")
    before = path.read_text()
    run = smtpctl_call("--config", str(path), "profile", "set", *words, stdin="secret\n")
    assert run.code == 2
    assert said in run.stderr
    assert path.read_text() == before


@pytest.mark.parametrize(
    "line",
    ["profile show --host a.test --proxy {url}", "check a.test --proxy {url}", "validate a.test --proxy {url}",
     "profile add a --host a.test --proxy {url}", "profile set own proxy={url}", "profile set own --proxy {url}",
     "oauth add a --proxy {url}", "oauth set m365 proxy={url}"],
)  # fmt: skip
def test_a_proxys_password_is_not_taken_from_a_command_line(smtpctl_call: Runner, file: Path, line: str) -> None:
    text = '[profiles.own]\nhost = "a.test"\n[oauth.m365]\nclient_id = "x"\n'
    file.parent.mkdir(parents=True)
    file.write_text(text)
    run = smtpctl_call(*line.format(url="http://u:S3cretPass@127.0.0.1:1").split())
    assert run.code == 2
    assert "a password in the URL" in run.stderr and "the configuration file" in run.stderr
    assert "S3cretPass" not in run.stdout + run.stderr
    assert file.read_text() == text


def test_a_proxys_password_is_taken_from_a_variable(smtpctl_call: Runner) -> None:
    env = {"SMTPCTL_PROXY": "http://u:S3cretPass@127.0.0.1:1"}
    assert resolved(smtpctl_call, "--host", "a.test", env=env)["connection"]["proxy"] == "http://u:********@127.0.0.1:1"


def test_what_makes_a_profile_less_safe_is_warned_of_once(smtpctl_call: Runner, file: Path) -> None:
    add(smtpctl_call, "a", "--host", "a.test", "--tls", "starttls", "--username", "ann", "--password-env", "PW")

    def warned(*args: str) -> str:
        run = smtpctl_call("profile", *args, "--quiet")
        assert run.code == 0
        return run.stderr

    assert "certificate is not verified. See: smtpctl validate a" in warned("set", "a", "insecure=true")
    assert warned("set", "a", "port=2525") == ""
    assert "without encryption" in warned("set", "a", "--tls", "none", "--no-insecure")
    assert warned("set", "a", "trusted=true") == ""
    assert "without encryption" in warned("unset", "a", "trusted")
    assert warned("set", "a", "host=127.0.0.1") == ""
    assert "certificate is not verified" in warned("add", "b", "--host", "b.test", "--insecure")
    assert "without encryption" in smtpctl_call("profile", "set", "a", "host=a.test", "--json").stderr
