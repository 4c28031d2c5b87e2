"""`smtpctl profile import` and `export`, through the program."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import smtpctl
from harness import Runner

CANARY = "hunter2-canary"
SCHEMAS = Path(smtpctl.__file__).parent / "schemas"
FULL = f"""\
EmailSMTPHost                  = smtp.example.com
EmailSmtpPort                  = 587
EmailSmtpUseImplicitSSL        = false
EmailSmtpUseSSL                = true
EmailSmtpUsername              = cms@example.com
EmailSmtpPassword              = {CANARY}
EmailSmtpUseOAuth2             = true
EmailSmtpOAuth2AzureTenantId   = 11111111-2222
EmailSmtpOAuth2TokenEndpoint   = https://login.example.com/token
EmailSmtpOAuth2ClientId        = 33333333-4444
EmailSmtpOAuth2ClientSecret    = {CANARY}-2
EmailSmtpOAuth2Scope           = mail.send offline
"""
DEBUG = """\
<configuration><appSettings>
  <add key="CMSLogEmails" value="true"/>
  <add key="CMSDebugEmails" value="true"/>
</appSettings></configuration>
"""


def config(home: Path) -> dict[str, Any]:
    return tomllib.loads((home / ".config" / "smtpctl" / "config.toml").read_text())


def ids(text: str, name: str) -> list[str]:
    document = json.loads(text)
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    return [finding["id"] for finding in document["findings"]]


@pytest.fixture
def store(home: Path) -> tuple[str, str]:
    return "--secret-store", f"file:{home}/secrets/"


def test_all_twelve_contensis_settings_survive(smtpctl_call: Runner, home: Path, store: tuple[str, str]) -> None:
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", *store, stdin=FULL)
    assert done.code == 0
    assert done.stderr.endswith("Imported the profile contensis.\n")
    assert "config.password_ignored" in done.stderr
    assert CANARY not in str(config(home))
    shown = smtpctl_call("profile", "export", "--to", "contensis")
    assert shown.stdout == FULL.replace(f"{CANARY}-2", "********").replace(CANARY, "********")
    assert smtpctl_call("profile", "export", "--to", "contensis", "--reveal").stdout == FULL


def test_secrets_show_as_masks(smtpctl_call: Runner, store: tuple[str, str]) -> None:
    smtpctl_call("profile", "import", "--from", "contensis", "-", *store, stdin=FULL)
    for args in (["profile", "show", "--resolved", "--json"], ["profile", "list", "--json"], ["secret", "status"]):
        assert CANARY not in smtpctl_call(*args).stdout


def test_the_defaults_of_contensis(smtpctl_call: Runner) -> None:
    assert smtpctl_call("profile", "import", "--from", "contensis", "-").code == 0
    shown = json.loads(smtpctl_call("profile", "show", "--resolved", "--json").stdout)
    assert (shown["host"], shown["port"]) == ("smtp.zengenti.com", 25)


def test_implicit_tls_on_the_default_port_is_kept_and_said(smtpctl_call: Runner, home: Path) -> None:
    text = "EmailSmtpUseImplicitSSL = true\n"
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", "--json", stdin=text)
    assert ids(done.stdout, "profile.import") == ["config.port_tls_mismatch"]
    assert config(home)["profiles"]["contensis"]["port"] == 25


def test_both_kinds_of_tls(smtpctl_call: Runner, home: Path) -> None:
    text = "EmailSmtpUseImplicitSSL = true\nEmailSmtpUseSSL = true\nEmailSmtpPort = 465\n"
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", "--json", stdin=text)
    assert ids(done.stdout, "profile.import") == ["config.implicit_wins"]
    assert config(home)["profiles"]["contensis"]["tls"] == "implicit"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("EmailSmtpUsername = u\n", ["config.half_credentials"]),
        ("EmailSmtpUsername = u\nEmailSmtpPassword = ********\n", ["format.masked", "config.half_credentials"]),
    ],
)
def test_half_a_login_is_told_and_can_be_completed(
    smtpctl_call: Runner, home: Path, text: str, found: list[str]
) -> None:
    text = f"EmailSMTPHost = mail.example.com\nEmailSmtpUseSSL = true\nEmailSmtpPort = 587\n{text}"
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", "--json", stdin=text)
    assert ids(done.stdout, "profile.import") == found
    shown = smtpctl_call("profile", "show", "contensis", "--resolved", "--json", env={"SMTPCTL_PASSWORD_ENV": "PW"})
    assert json.loads(shown.stdout)["authentication"]["method"] == "basic"


def test_placeholders_refuse_and_are_all_named(smtpctl_call: Runner, home: Path) -> None:
    listing = smtpctl_call("preset", "show", "m365-oauth2", "--format", "contensis").stdout
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", stdin=listing)
    assert done.code == 78
    assert "config.placeholder_left" in done.stderr
    for placeholder in ("<your tenant ID>", "<your client ID>", "<your client secret>"):
        assert placeholder in done.stderr
    assert not (home / ".config").exists()


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("https://x", "is a URL"),
        ("a b", "has a blank in it"),
        ("a:x", '"x" is not a port'),
        ("mail.example.com:587", "25 and 587 in the host differ"),
    ],
)
def test_a_host_that_is_none_refuses(smtpctl_call: Runner, home: Path, host: str, why: str) -> None:
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", stdin=f"EmailSMTPHost = {host}\n")
    assert done.code == 65
    assert why in " ".join(done.stderr.split())
    assert not (home / ".config").exists()


def test_debug_keys_of_a_web_config(smtpctl_call: Runner, home: Path) -> None:
    path = home / "web.config"
    path.write_text(DEBUG, encoding="utf-16")
    assert smtpctl_call("profile", "import", "--from", "kentico", path).code == 0
    assert smtpctl_call("config", "get", "log_emails", "debug_emails").stdout.count("true") == 2
    exported = smtpctl_call("profile", "export", "--to", "kentico").stdout
    assert '<add key="CMSLogEmails" value="true"/>' in exported
    assert '<add key="CMSDebugEmails" value="true"/>' in exported


def test_settings_for_a_site(smtpctl_call: Runner, home: Path) -> None:
    text = "CMSSMTPServer = mail.example.com\nCMSEmailsEnabled = false\nCMSEmailBatchSize = 9\n"
    assert smtpctl_call("profile", "import", "--from", "kentico", "-", "--site", "shop", stdin=text).code == 0
    stored = config(home)
    assert stored["sites"]["shop"] == {"emails_enabled": False, "default_profile": "kentico"}
    assert stored["global"] == {"batch_size": 9}
    assert stored["profiles"]["kentico"]["sites"] == ["shop"]


def test_several_servers(smtpctl_call: Runner, home: Path) -> None:
    text = "CMSSMTPServer = a.example\nServerName = b.example:587\nServerPriority = 1\nServerName = c.example\n"
    assert smtpctl_call("profile", "import", "--from", "kentico", "-", "--name", "cms", stdin=text).code == 0
    assert list(config(home)["profiles"]) == ["cms", "cms-2", "cms-3"]
    assert config(home)["global"]["default_profile"] == "cms"
    assert config(home)["profiles"]["cms-2"]["priority"] == "high"
    assert smtpctl_call("profile", "export", "--to", "kentico").stdout.count("<CMS_SMTPServer>") == 2


def test_names_that_are_taken(smtpctl_call: Runner, home: Path) -> None:
    text = "EmailSMTPHost = {}.example\n"
    smtpctl_call("profile", "import", "--from", "contensis", "-", stdin=text.format("one"))
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", stdin=text.format("two"))
    assert done.code == 2
    assert "--replace" in done.stderr
    assert config(home)["profiles"]["contensis"]["host"] == "one.example"
    replaced = smtpctl_call("profile", "import", "--from", "contensis", "-", "--replace", stdin=text.format("two"))
    assert replaced.code == 0
    assert config(home)["profiles"]["contensis"]["host"] == "two.example"


def test_without_a_keyring_nothing_is_imported(smtpctl_call: Runner, home: Path) -> None:
    done = smtpctl_call("profile", "import", "--from", "contensis", "-", stdin=FULL)
    assert done.code == 78
    assert "secret.no_keyring" in done.stderr
    assert "--secret-store file:" in done.stderr
    assert CANARY not in done.stderr
    assert not (home / ".config").exists()


def test_what_is_not_exported_is_said(smtpctl_call: Runner) -> None:
    smtpctl_call("profile", "add", "work", "--host", "mail.example.com", "--tls", "auto", "--helo", "me.example")
    done = smtpctl_call("profile", "export", "--to", "contensis", "work", "--strict")
    assert done.code == 1
    assert "helo" in done.stderr
    assert "EmailSmtpUseSSL                = true" in done.stdout
    exported = smtpctl_call("profile", "export", "--to", "contensis", "work", "--json")
    assert exported.code == 0
    assert ids(exported.stdout, "profile.export") == ["format.not_carried", "format.changed"]


def test_the_settings_of_a_dialect(smtpctl_call: Runner) -> None:
    schema = json.loads(smtpctl_call("config", "schema", "--dialect", "contensis", "--json").stdout)
    assert len(schema) == 12
    assert {name: default for name, default in schema.items() if default} == {
        "EmailSMTPHost": "smtp.zengenti.com",
        "EmailSmtpPort": "25",
        "EmailSmtpUseImplicitSSL": "false",
        "EmailSmtpUseSSL": "false",
        "EmailSmtpUseOAuth2": "false",
    }


@pytest.mark.parametrize(
    ("args", "stdin", "code", "words"),
    [
        (["import", "--from", "contensis", "-"], "EmailSmtpPort = x\n", 65, "format.invalid"),
        (["import", "--from", "contensis", "-"], b"\xff\xfe\x00", 65, "UTF-8 text"),
        (["import", "--from", "kentico", "-"], "<a", 65, "format.invalid"),
        (["import", "--from", "contensis", "no-such-file"], "", 2, "No such file"),
        (["import", "--from", "nothing", "-"], "", 2, "contensis"),
        (["import", "--from", "contensis", "-", "--name", "a b"], "", 2, "name for a profile"),
        (["export", "--to", "contensis"], "", 2, "There is no profile"),
        (["export", "--to", "contensis", "x"], "", 2, "There is no profile"),
    ],
)
def test_what_cannot_be_done(smtpctl_call: Runner, args: list[str], stdin: str | bytes, code: int, words: str) -> None:
    done = smtpctl_call("profile", *args, stdin=stdin)
    assert done.code == code
    assert words in done.stderr
