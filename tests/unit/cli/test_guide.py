"""`smtpctl guide`, through the program."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest

from harness import Runner
from smtpctl.ops.guide import TOPICS
from smtpctl.ops.schemas import of_output

CLIENT, OBJECT = "6f1c0000-1111-4222-8333-444455556666", "9a41c0de-1111-4222-8333-444455556666"
CONFIG = """
version = 1
[oauth.m365]
tenant_id = "contoso.com"
client_id = "{client}"
grant = "{grant}"
[profiles.office]
preset = "m365-oauth2"
username = "noreply@contoso.com"
from = "Shop <shop@contoso.com>"
oauth = "m365"
"""


@pytest.fixture
def config(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(home)
    path = home / "config.toml"
    monkeypatch.setenv("SMTPCTL_CONFIG", str(path))
    write(path)
    return path


def write(path: Path, client: str = CLIENT, grant: str = "client_credentials") -> None:
    path.write_text(CONFIG.format(client=client, grant=grant))
    path.chmod(0o600)


def promised(text: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(text)
    name = str(document["schema"]).removeprefix("smtpctl.").partition("/")[0]
    jsonschema.validate(document, json.loads(of_output(name)))
    return document


def test_the_topics_are_listed(smtpctl_call: Runner) -> None:
    run = smtpctl_call("guide")
    assert run.code == 0
    assert all(f"{topic}  " in run.stdout for topic in TOPICS)
    listed = promised(smtpctl_call("guide", "--json").stdout)["topics"]
    assert [one["topic"] for one in listed] == list(TOPICS)  # type: ignore[attr-defined]


def test_the_steps_of_microsoft_without_any_profile(smtpctl_call: Runner) -> None:
    run = smtpctl_call("guide", "m365", "--client-id", CLIENT, "--mailbox", "m@x.org")
    assert run.code == 0
    for words in (
        "SMTP.SendAsApp",
        "New-ServicePrincipal",
        "Add-MailboxPermission",
        "admin consent",
        CLIENT,
        "'m@x.org'",
    ):
        assert words in run.stdout
    assert "<TENANT_ID>  --tenant-id" in run.stdout
    assert "<CLIENT_ID>" not in run.stdout


def test_a_profile_and_its_credentials_fill_the_steps(config: Path, smtpctl_call: Runner) -> None:
    run = smtpctl_call("guide", "m365", "office", "--object-id", OBJECT)
    assert "Still to be filled in" not in run.stdout
    assert f"New-ServicePrincipal -AppId '{CLIENT}' -ObjectId '{OBJECT}'" in run.stdout
    assert f"Add-RecipientPermission -Identity 'shop@contoso.com' -Trustee '{OBJECT}'" in run.stdout
    assert "smtpctl oauth set m365 tenant_id=contoso.com" in run.stdout
    assert "smtpctl profile set office auth=oauth2 oauth=m365 username=noreply@contoso.com" in run.stdout


VALUES = {
    "m365": [
        "--tenant-id",
        "contoso.com",
        "--client-id",
        CLIENT,
        "--object-id",
        OBJECT,
        "--mailbox",
        "o'brien@contoso.com",
    ],
    "google-workspace": ["--client-id", "1038283663", "--mailbox", "o'brien@example.com"],
    "relay": ["--host", "mx.example.com", "--network", "192.0.2.10", "--mailbox", "o'brien@example.com"],
}
# What no option gives: a client secret, a password, the file with a client certificate.
STILL_MISSING = {"config.oauth_incomplete", "config.half_credentials", "config.placeholder_left"}


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("profile", ["", "office"])
def test_the_settings_that_a_guide_makes_are_right(
    topic: str, profile: str, config: Path, smtpctl_call: Runner
) -> None:
    listed = promised(smtpctl_call("guide", "--json").stdout)["topics"]
    ways = next([way["name"] for way in one["ways"]] for one in listed if one["topic"] == topic)  # type: ignore[attr-defined]
    for way in ways:
        write(config)
        if not profile:
            config.write_text("version = 1\n")
        words = ["guide", topic, *filter(None, [profile]), "--way", way, *VALUES[topic], "--json"]
        steps = promised(smtpctl_call(*words).stdout)["steps"]
        lines = [line for step in steps for command in step["commands"] for line in command["lines"]]  # type: ignore[attr-defined]
        settings = [shlex.split(line)[1:] for line in lines if re.match(r"smtpctl (oauth|profile) (add|set) ", line)]
        for line in settings:
            run = smtpctl_call(*line)
            assert run.code == 0, f"{line}: {run.stderr}"
        found = json.loads(smtpctl_call("validate", "--json").stdout)["findings"]
        assert {one["id"] for one in found if one["severity"] == "error"} <= STILL_MISSING, found


@pytest.mark.parametrize(("grant", "way"), [("client_credentials", "app"), ("device_code", "delegated")])
def test_the_way_is_the_one_the_profile_goes(grant: str, way: str, config: Path, smtpctl_call: Runner) -> None:
    write(config, grant=grant)
    document = promised(smtpctl_call("guide", "m365", "office", "--json").stdout)
    assert document["way"] == way


def test_a_wrong_value_of_the_file_is_asked_for_again(config: Path, smtpctl_call: Runner) -> None:
    write(config, client="'; Remove-Mailbox x; '")
    run = smtpctl_call("guide", "m365", "office", "--json")
    missing = {one["name"]: one for one in promised(run.stdout)["missing"]}  # type: ignore[attr-defined]
    assert "which is no id" in missing["CLIENT_ID"]["note"]
    script = smtpctl_call("guide", "m365", "office", "--script", "-").stdout
    assert "Remove-Mailbox" not in script


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["m365", "--client-id", "x'; rm"], "--client-id"),
        (["m365", "--mailbox", "ann"], "--mailbox"),
        (["relay", "--network", "example.com"], "--network"),
        (["relay", "--client-id", CLIENT], "--client-id has no place"),
        (["m365", "--way", "sideways"], "app, rbac, delegated"),
        (["m365", "nobody"], 'no profile "nobody"'),
        (["--mailbox", "m@x.org"], "need a topic"),
        (["relay", "--way", "google", "--script", "x.sh"], "nothing to run"),
        (["m365", "--script", "-", "--json"], "--script -"),
        (["m365", "--script", "missing/x.ps1"], "--script missing"),
        (["m365", "--script", "."], "--script .: it is a folder"),
        (["m365", "--script", "a" * 300], "File name too long"),
    ],
)
def test_wrong_usage(words: list[str], said: str, config: Path, smtpctl_call: Runner) -> None:
    run = smtpctl_call("guide", *words)
    assert run.code == 2
    assert said in run.stderr + run.stdout


def test_a_script_is_written_once(config: Path, smtpctl_call: Runner) -> None:
    words = ("guide", "m365", "office", "--script", "setup.ps1")
    run = smtpctl_call(*words)
    assert (run.code, run.stdout) == (0, "setup.ps1\n")
    assert "<OBJECT_ID>" in run.stderr
    first = Path("setup.ps1").read_text("utf-8")
    assert "throw 'Fill in first, then remove this line: <OBJECT_ID>'" in first
    assert smtpctl_call(*words).code == 2
    assert Path("setup.ps1").read_text("utf-8") == first
    again = smtpctl_call(*words, "--object-id", OBJECT, "--yes", "--json")
    assert promised(again.stdout)["notes"] == []
    assert "throw" not in Path("setup.ps1").read_text("utf-8")
    assert {path.name for path in Path().iterdir()} >= {"setup.ps1"}
    assert not list(Path().glob(".setup*"))


def test_other_characters_are_marked_for_windows(smtpctl_call: Runner) -> None:
    """Without the mark Windows PowerShell 5.1 reads octets as characters of which some are quotes."""
    plain = smtpctl_call("guide", "m365", "--mailbox", "m@x.org", "--script", "-").stdout
    other = smtpctl_call("guide", "m365", "--mailbox", "jos\u00e9@x.org", "--script", "-").stdout
    assert plain.isascii()
    assert other.startswith("\ufeff")
