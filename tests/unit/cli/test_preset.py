"""`smtpctl preset`, through the program."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import harness
import smtpctl
from harness import Runner

SCHEMAS = Path(smtpctl.__file__).parent / "schemas"

LISTINGS = {
    "m365-oauth2": """\
EmailSMTPHost                  = smtp.office365.com
EmailSmtpPort                  = 587
EmailSmtpUseSSL                = true
EmailSmtpUseImplicitSSL        = false
EmailSmtpUseOAuth2             = true
EmailSmtpOAuth2AzureTenantId   = <your tenant ID>
EmailSmtpOAuth2ClientId        = <your client ID>
EmailSmtpOAuth2ClientSecret    = <your client secret>
""",
    "relay-starttls": """\
EmailSMTPHost                  = smtp.example.com
EmailSmtpPort                  = 587
EmailSmtpUseSSL                = true
EmailSmtpUsername              = <username>
EmailSmtpPassword              = <password>
EmailSmtpUseOAuth2             = false
""",
    "relay-implicit": """\
EmailSMTPHost                  = smtp.example.com
EmailSmtpPort                  = 465
EmailSmtpUseImplicitSSL        = true
EmailSmtpUsername              = <username>
EmailSmtpPassword              = <password>
EmailSmtpUseOAuth2             = false
""",
    "internal-relay": """\
EmailSMTPHost                  = mailrelay.internal.example.com
EmailSmtpPort                  = 25
EmailSmtpUseSSL                = false
EmailSmtpUseImplicitSSL        = false
EmailSmtpUsername              = (empty)
EmailSmtpPassword              = (empty)
EmailSmtpUseOAuth2             = false
""",
}


def valid(text: str, name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(text)
    jsonschema.validate(document, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    return document


@pytest.mark.parametrize(("name", "listing"), LISTINGS.items())
def test_the_common_configurations_as_contensis_lists_them(smtpctl_call: Runner, name: str, listing: str) -> None:
    assert smtpctl_call("preset", "show", name, "--format", "contensis").stdout == listing


@pytest.mark.parametrize("form", ["contensis", "kentico"])
def test_every_preset_can_be_written_in_every_format(smtpctl_call: Runner, form: str) -> None:
    for name in ("gmail", "sendgrid", "outlook-com", "mailpit", "generic"):
        done = smtpctl_call("preset", "show", name, "--format", form)
        assert (done.code, done.stderr) == (0, "")


def test_list(smtpctl_call: Runner) -> None:
    done = smtpctl_call("preset", "list", "google", "relay")
    assert done.code == 0
    assert done.stdout.splitlines()[1:] == [
        "google-workspace-relay  Google Workspace SMTP relay  smtp-relay.gmail.com:587  starttls"
    ]
    presets = valid(smtpctl_call("preset", "list", "--json").stdout, "preset.list")["presets"]
    assert isinstance(presets, list)
    assert len(presets) == 125


def test_a_server_is_never_cut(smtpctl_call: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    presets = json.loads(smtpctl_call("preset", "list", "--json").stdout)["presets"]
    servers = [f"{end['host']}:{end['port']}" for end in (preset["endpoints"][0] for preset in presets)]
    monkeypatch.setattr(harness.Stream, "isatty", lambda stream: True)
    shown = smtpctl_call("preset", "list", env={"COLUMNS": "80", "NO_COLOR": "1"}).stdout
    assert [server for server in servers if server not in shown] == []
    assert max(map(len, shown.splitlines())) <= 80


def test_show(smtpctl_call: Runner) -> None:
    done = smtpctl_call("preset", "show", "microsoft365")
    assert "smtp.office365.com:587  starttls" in done.stdout
    assert "30 messages a minute" in done.stdout
    assert "Not confirmed" in smtpctl_call("preset", "show", "mailpit").stdout
    valid(smtpctl_call("preset", "show", "fastmail", "--json").stdout, "preset")


def test_an_unknown_preset(smtpctl_call: Runner) -> None:
    done = smtpctl_call("preset", "show", "gmial")
    assert done.code == 2
    assert 'Did you mean "gmail"?' in done.stderr


def test_suggest(smtpctl_call: Runner) -> None:
    mx = ("--mx", "example-com.mail.protection.outlook.com")
    found = valid(smtpctl_call("preset", "suggest", "me@example.com", *mx, "--json").stdout, "preset.suggest")[
        "presets"
    ]
    assert isinstance(found, list)
    assert found[0]["id"] == "m365-oauth2"
    done = smtpctl_call("preset", "suggest", "me@example.com")
    assert "relay-starttls" in done.stdout
    assert "Next: smtpctl profile add NAME --preset relay-starttls" in done.stderr
    assert smtpctl_call("preset", "suggest").code == 2
