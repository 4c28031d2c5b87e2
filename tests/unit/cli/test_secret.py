"""`smtpctl secret`, through the program, with files as the store: the keyring is in tests/servers."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import smtpctl
from harness import Runner

CANARY = "hunter2-canary"
SCHEMA = Path(smtpctl.__file__).parent / "schemas" / "secret.status.schema.json"
CONFIG = """\
version = 1

[profiles.work]  # ours
host = "mail.example.com"
username = "ann"

[oauth.m365]
tenant_id = "t"
client_id = "c"
"""


@pytest.fixture(autouse=True)
def config(home: Path) -> Path:
    path = home / ".config" / "smtpctl" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def status(call: Runner, **environ: str) -> dict[str, tuple[str, str]]:
    done = call("secret", "status", "--json", env=environ)
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert CANARY not in done.stdout
    return {one["name"]: (one["place"], one["state"]) for one in document["secrets"]}


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("work", "profile/work/password"),
        ("profile/work", "profile/work/password"),
        ("profile/work/access_token", "profile/work/access_token"),
        ("oauth/m365", "oauth/m365/client_secret"),
        ("oauth/m365/refresh_token", "oauth/m365/refresh_token"),
    ],
)
def test_set_and_remove(smtpctl_call: Runner, config: Path, tmp_path: Path, name: str, entry: str) -> None:
    store = f"file:{tmp_path}/"
    done = smtpctl_call("secret", "set", name, "--stdin", "--store", store, stdin=f"{CANARY}\nrest")
    assert done.code == 0
    path = tmp_path / entry.replace("/", ".")
    assert path.read_text() == f"{CANARY}\n"
    assert status(smtpctl_call) == {entry: (str(path), "there")}
    assert CANARY not in config.read_text()
    assert "# ours" in config.read_text()
    assert smtpctl_call("secret", "remove", name, "--yes").code == 0
    assert not path.exists()
    assert config.read_text() == CONFIG


def test_the_other_ways_to_say_where_it_is_go_away(smtpctl_call: Runner, config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace('"ann"\n', '"ann"\npassword_env = "MAIL"\npassword_command = ["x"]\n'))
    smtpctl_call("secret", "set", "work", "--stdin", "--store", f"file:{tmp_path}/s", stdin=CANARY)
    assert "password_env" not in config.read_text()
    assert "password_command" not in config.read_text()


def test_a_password_in_plain_text_moves_out_of_the_file(smtpctl_call: Runner, config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace('"ann"\n', f'"ann"\npassword = "{CANARY}"\n'))
    assert status(smtpctl_call)["profile/work/password"] == ("the configuration file", "there")
    done = smtpctl_call("secret", "move", "work", "--to", f"file:{tmp_path}/s")
    assert done.code == 0
    assert CANARY not in config.read_text() + done.stdout + done.stderr
    assert (tmp_path / "s").read_text() == f"{CANARY}\n"


def test_status_of_other_places(smtpctl_call: Runner, config: Path) -> None:
    config.write_text(CONFIG.replace('"ann"\n', '"ann"\npassword_env = "MAIL"\naccess_token_command = ["false"]\n'))
    assert status(smtpctl_call) == {
        "profile/work/password": ("$MAIL", "missing"),
        "profile/work/access_token": ("command:false", "not looked at"),
    }
    assert status(smtpctl_call, MAIL=CANARY)["profile/work/password"] == ("$MAIL", "there")


def test_a_relative_file_is_beside_the_configuration(smtpctl_call: Runner, config: Path) -> None:
    config.write_text(CONFIG.replace('"ann"\n', '"ann"\npassword_file = "secret"\n'))
    secret = config.parent / "secret"
    secret.write_text(CANARY)
    secret.chmod(0o600)
    assert status(smtpctl_call) == {"profile/work/password": (str(secret), "there")}
    assert smtpctl_call("secret", "remove", "work", "--yes").code == 0
    assert not secret.exists()


def test_what_cannot_be_removed_is_said(smtpctl_call: Runner, config: Path) -> None:
    config.write_text(CONFIG.replace('"ann"\n', '"ann"\npassword_command = ["pass", "show", "x"]\n'))
    done = smtpctl_call("secret", "remove", "work", "--yes")
    assert done.code == 0
    assert "command:pass show x still has it" in done.stderr
    assert config.read_text() == CONFIG


def test_a_moved_variable_stays(smtpctl_call: Runner, config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace('"ann"\n', '"ann"\npassword_env = "MAIL"\n'))
    done = smtpctl_call("secret", "move", "work", "--to", f"file:{tmp_path}/s", env={"MAIL": CANARY})
    assert done.code == 0
    assert "$MAIL still has it" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["secret", "set", "nobody", "--stdin"], 2, 'There is no profile "nobody"'),
        (["secret", "set", "nobody"], 2, 'There is no profile "nobody"'),
        (["secret", "set", "work/x", "--stdin"], 2, "names no secret"),
        (["secret", "set", "oauth/m365/password", "--stdin"], 2, "names no secret"),
        (["secret", "set", "work"], 2, "--stdin"),
        (["secret", "set", "work", "--stdin", "--file", "x"], 2, "only one"),
        (["secret", "set", "work", "--stdin", "--store", CANARY], 2, "not a place for a secret"),
        (["secret", "set", "work", "--stdin", "--store", "env:X"], 73, "secret.not_writable"),
        (["secret", "set", "work", "--stdin"], 78, "secret.no_keyring"),
        (["secret", "move", "work", "--to", "keyring"], 2, "is not set"),
        (["secret", "remove", "work"], 2, "--yes"),
        (["secret", "remove", "work", "--yes"], 2, "is not set"),
    ],
)
def test_what_cannot_be_done(smtpctl_call: Runner, config: Path, args: list[str], code: int, words: str) -> None:
    done = smtpctl_call(*args, stdin="s3cret")
    assert done.code == code
    assert words in done.stderr
    assert CANARY not in done.stderr
    assert "s3cret" not in done.stderr
    assert config.read_text() == CONFIG


def test_an_empty_secret_is_refused(smtpctl_call: Runner, tmp_path: Path) -> None:
    done = smtpctl_call("secret", "set", "work", "--stdin", "--store", f"file:{tmp_path}/s", stdin="\n")
    assert done.code == 78
    assert "secret.empty" in done.stderr
