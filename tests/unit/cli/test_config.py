"""`smtpctl config` and `smtpctl site`, as a user types them."""

from __future__ import annotations

import json
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


def get(call: Runner, *args: str, **more: Any) -> str:
    run = call("config", "get", *args, **more)
    assert run.code == 0, run.stderr
    return run.stdout.rstrip("\n")


def set_(call: Runner, *args: str) -> str:
    run = call("config", "set", *args)
    assert run.code == 0, run.stderr
    return run.stderr


# R003 to R006: the default server of a scope, and what a site inherits


def test_the_default_server_under_kenticos_name(smtpctl_call: Runner, file: Path) -> None:
    set_(smtpctl_call, "SMTPServer=127.0.0.1:2525", "--global")
    assert get(smtpctl_call, "SMTPServer", "--global") == "127.0.0.1:2525"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_site_has_its_own_server_and_inherits_the_rest(smtpctl_call: Runner) -> None:
    set_(smtpctl_call, "SMTPServer=127.0.0.1:2602", "SMTPServerUser=ann")
    set_(smtpctl_call, "SMTPServer=127.0.0.1:2601", "--site", "A")
    assert smtpctl_call("site", "add", "B").code == 0

    def server(site: str, name: str = "SMTPServer") -> tuple[str, str]:
        found = document(smtpctl_call, "config", "get", name, "--site", site)["settings"][name]
        return found["value"], found["source"]

    assert server("A") == ("127.0.0.1:2601", "site")
    assert server("B") == server("(global)") == ("127.0.0.1:2602", "global")
    assert server("A", "SMTPServerUser") == ("ann", "global")
    assert server("A", "ServerPriority") == ("normal", "default")
    assert smtpctl_call("config", "unset", "SMTPServer", "--site", "A").code == 0
    assert server("A") == ("127.0.0.1:2602", "global")


def test_the_port_is_part_of_the_name_of_kenticos_server(smtpctl_call: Runner) -> None:
    set_(smtpctl_call, "SMTPServer=127.0.0.1:2602")
    set_(smtpctl_call, "SMTPServer=mail.example.com", "--site", "A")
    assert get(smtpctl_call, "SMTPServer", "--site", "A") == "mail.example.com:25"
    set_(smtpctl_call, "SMTPServer=mail.example.com")
    assert get(smtpctl_call, "SMTPServer") == "mail.example.com:25"
    set_(smtpctl_call, "EmailSmtpPort=587", "SMTPServer=mail.example.com")
    assert get(smtpctl_call, "EmailSMTPHost") == "mail.example.com"
    assert get(smtpctl_call, "EmailSmtpPort") == "587"


def test_settings_inherit_and_unset_restores_it(smtpctl_call: Runner) -> None:
    assert smtpctl_call("site", "add", "A").code == 0

    def source(name: str) -> tuple[bool, str]:
        found = document(smtpctl_call, "config", "list", "--site", "A")["settings"][name]
        return found["value"], found["source"]

    assert source("emails_enabled") == (True, "default")
    set_(smtpctl_call, "EmailsEnabled=false")
    assert source("emails_enabled") == (False, "global")
    set_(smtpctl_call, "CMSEmailsEnabled=true", "--site", "A")
    assert source("emails_enabled") == (True, "site")
    assert smtpctl_call("config", "unset", "emails_enabled", "--site", "A").code == 0
    assert source("emails_enabled") == (False, "global")
    assert document(smtpctl_call, "config", "list", env={"SMTPCTL_EMAILS_ENABLED": "1"})["settings"][
        "emails_enabled"
    ] == {
        "value": True,
        "origin": {"kind": "environment", "where": "$SMTPCTL_EMAILS_ENABLED"},
        "source": "environment",
    }


def test_the_scope_of_the_environment_and_back(smtpctl_call: Runner) -> None:
    set_(smtpctl_call, "archive_days=3", "--site", "A")
    assert get(smtpctl_call, "archive_days", env={"SMTPCTL_SITE": "A"}) == "3"
    assert get(smtpctl_call, "archive_days", "--global", env={"SMTPCTL_SITE": "A"}) == "0"


# R012, R013, R028, R050, R051


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("BatchSize=10", "--site", "A"), "only (global)"),
        (("BatchSize=x",), "is not a whole number from 1"),
        (("BatchSize=0",), "is not a whole number from 1"),
        (("BatchSize=-1",), "is not a whole number from 1"),
        (("BatchSize=",), "the value is empty"),
        (("AuthenticationType=foo",), "is not one of auto, oauth2, basic, none"),
        (("DeliveryMethod=pickup",), "the default server delivers by network only"),
        (("SMTPServerPassword=canary",), "does not belong on the command line"),
        (("default_profile=nope",), 'There is no profile "nope"'),
        (("host=x",), "smtpctl profile set"),
        (("EmialsEnabled=true",), 'Did you mean "EmailsEnabled"?'),
        (("EmailsEnabled",), "is not NAME=VALUE"),
        (("SMTPServer=a b",), "has a blank in it"),
        (("SMTPServerUser=ann", "--site", "other"), ""),
    ],
)
def test_what_is_refused(smtpctl_call: Runner, file: Path, args: tuple[str, ...], words: str) -> None:
    if words:
        set_(smtpctl_call, "SMTPServer=127.0.0.1:2525")
        before = file.read_text()
    run = smtpctl_call("config", "set", *args)
    assert run.code == 2 and words in run.stderr and "canary" not in run.stderr
    assert not words or file.read_text() == before


@pytest.mark.parametrize("method", ["basic", "oauth2", "Basic"])
def test_the_ways_to_log_in(smtpctl_call: Runner, method: str) -> None:
    set_(smtpctl_call, "SMTPServer=127.0.0.1:2525")
    set_(smtpctl_call, f"AuthenticationType={method}")
    assert get(smtpctl_call, "AuthenticationType") == method.lower()


def test_contensis_switches(smtpctl_call: Runner) -> None:
    set_(smtpctl_call, "EmailSMTPHost=smtp.example.com", "EmailSmtpUseSSL=true", "EmailSmtpPort=587")
    assert get(smtpctl_call, "EmailSmtpUseSSL", "EmailSmtpUseImplicitSSL", "EmailSmtpPort") == (
        "EmailSmtpUseSSL = true\nEmailSmtpUseImplicitSSL = false\nEmailSmtpPort = 587"
    )


@pytest.mark.parametrize(("size", "word"), [("100000", "large"), ("1", "small"), ("50", "")])
def test_a_batch_size_outside_the_band_is_said(smtpctl_call: Runner, size: str, word: str) -> None:
    said = set_(smtpctl_call, f"batch_size={size}")
    assert (word in said) if word else "warning" not in said
    assert get(smtpctl_call, "BatchSize") == size


def test_a_password_is_masked(smtpctl_call: Runner, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('[profiles.a]\nhost = "h"\nusername = "u"\npassword = "canary"\n')
    assert get(smtpctl_call, "SMTPServerPassword") == "********"


def test_no_server_yet(smtpctl_call: Runner) -> None:
    run = smtpctl_call("config", "get", "SMTPServer")
    assert run.code == 78 and "no SMTP server is configured" in run.stderr


# Sites


def test_the_life_of_a_site(smtpctl_call: Runner) -> None:
    assert smtpctl_call("profile", "add", "p", "--host", "x", "--sites", "shop").code == 0
    assert smtpctl_call("site", "add", "blog").code == 0
    assert smtpctl_call("site", "add", "blog").code == 2
    assert smtpctl_call("profile", "default", "p", "--site", "blog").code == 0
    assert document(smtpctl_call, "site", "list")["sites"] == [
        {"name": "blog", "settings": {"default_profile": "p"}, "profiles": []},
        {"name": "shop", "settings": {}, "profiles": ["p"]},
    ]
    assert "--yes" in smtpctl_call("site", "remove", "blog").stderr
    for unknown in ("blok", "(global)"):
        refused = smtpctl_call("site", "remove", unknown)
        assert refused.code == 2 and "--yes" not in refused.stderr
    assert smtpctl_call("site", "remove", "shop", "--yes").code == 2
    assert smtpctl_call("site", "remove", "blog", "--yes").code == 0
    assert [row["name"] for row in document(smtpctl_call, "site", "list")["sites"]] == ["shop"]


@pytest.mark.parametrize(
    "line",
    ["check office", "check a.test", "validate", "validate office", "profile list", "profile show office", "config list",
     "config get interval", "config unset interval", "profile export --to kentico", "report office"],
)  # fmt: skip
@pytest.mark.parametrize("env", [False, True])
def test_a_site_that_is_not_there_is_no_other_one(smtpctl_call: Runner, line: str, env: bool) -> None:
    assert smtpctl_call("profile", "add", "office", "--host", "127.0.0.1:1", "--sites", "shop").code == 0
    words = line.split()
    run = smtpctl_call(*words, env={"SMTPCTL_SITE": "shap"}) if env else smtpctl_call(*words, "--site", "shap")
    assert run.code == 2 and 'There is no site "shap". Did you mean "shop"?' in run.stderr
    assert "smtpctl site add shap" in run.stderr


def test_a_site_in_use_is_not_removed(smtpctl_call: Runner) -> None:
    assert smtpctl_call("site", "add", "shop").code == 0
    assert smtpctl_call("profile", "add", "p", "--host", "x", "--sites", "shop").code == 0
    run = smtpctl_call("site", "remove", "shop", "--yes")
    assert run.code == 2 and "smtpctl profile set p sites=" in run.stderr


# The file and its schema


def test_the_path(smtpctl_call: Runner, file: Path) -> None:
    assert smtpctl_call("config", "path").stdout == f"{file}\n"
    assert document(smtpctl_call, "config", "path")["exists"] is False


def test_the_schemas(smtpctl_call: Runner) -> None:
    assert json.loads(smtpctl_call("config", "schema").stdout)["properties"]["profiles"]
    for name in ("check", "profile", "profile.list", "smtpctl.profile/1"):
        assert json.loads(smtpctl_call("config", "schema", "--output", name).stdout)["title"]
    run = smtpctl_call("config", "schema", "--output", "chekc")
    assert run.code == 2 and 'Did you mean "check"?' in run.stderr
