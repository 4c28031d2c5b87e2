"""The guides themselves: whole, every command understood, every finding there, scripts that a shell can read."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from powershell import words
from smtpctl.cli.group import read
from smtpctl.config import store
from smtpctl.config.profile import Profile
from smtpctl.knowledge import guides
from smtpctl.model.guide import Commands, Guide
from smtpctl.ops import explain
from smtpctl.ops.guide import SHELLS, guide, stored
from smtpctl.ops.guide_values import names
from smtpctl.render.guide_script import guide_script

WAYS = [(topic, way["name"]) for topic in guides.TOPICS for way in guides.load(topic)["way"]]
GUID = "6f1c0000-1111-4222-8333-444455556666"
GIVEN: Mapping[str, Mapping[str, str]] = {
    "m365": {"tenant_id": "contoso.com", "client_id": GUID, "object_id": GUID, "mailbox": "o'brien@contoso.com",
             "group": "mailers@contoso.com"},
    "google-workspace": {"client_id": "1038283663", "mailbox": "o'brien@example.com"},
    "relay": {"host": "mx.example.com", "network": "192.0.2.10", "mailbox": "o'brien@example.com"},
}  # fmt: skip
CONFIG = """
version = 1
[oauth.mine]
tenant_id = "contoso.com"
[profiles.web]
host = "mx.example.com"
username = "web@contoso.com"
from = "info@contoso.com"
oauth = "mine"
client_cert = "/etc/ssl/web's own.pem"
"""


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    file.chmod(0o600)
    found = stored(store.read(file, {}), "web", {})
    assert found
    return found


def made(topic: str, way: str, profile: Profile) -> Iterator[Guide]:
    """With nothing known, with all that options give, and with a profile."""
    yield guide(topic, None, {}, way)
    yield guide(topic, None, GIVEN[topic], way)
    yield guide(topic, profile, GIVEN[topic], way)


def commands(one: Guide) -> Iterator[Commands]:
    for step in one.steps:
        yield from step.commands
        yield from step.check.commands if step.check else ()


def lines(one: Guide, shell: str) -> list[str]:
    return [line for command in commands(one) if command.shell == shell for line in command.lines]


@pytest.mark.parametrize("topic", guides.TOPICS)
def test_a_topic_is_whole(topic: str) -> None:
    data = guides.load(topic)
    ways = {way["name"] for way in data["way"]}
    assert data["sources"]
    for step in data["step"]:
        assert set(step) <= {"ways", "when", "unless", "title", "text", "place", "check", "wrong", *SHELLS}
        assert set(step.get("ways", ())) <= ways
        assert {*step.get("when", ()), *step.get("unless", ())} <= set(data["values"])
        assert step.keys() & {"place", "check", *SHELLS}, f"{step['title']}: nothing to do"
    written = (Path(guides.__file__).parent / "guides" / f"{topic}.toml").read_text("utf-8")
    assert set(names(written)) <= set(data["values"])
    assert written.isascii(), "Windows PowerShell 5.1 would read it as another encoding"
    assert data["values"].keys() <= set(names(written)), "a value that nothing names"


def test_a_value_in_powershell_is_a_word_of_its_own() -> None:
    for topic in guides.TOPICS:
        for step in guides.load(topic)["step"]:
            for line in (step.get("powershell", ""), step.get("check", {}).get("powershell", "")):
                assert not re.search(r"[^ ]\{[a-z_]+\}|\{[a-z_]+\}[^ )\n]", line), line


@pytest.mark.parametrize(("topic", "way"), WAYS)
def test_what_goes_wrong_is_told_by_a_finding_there_is(topic: str, way: str) -> None:
    told = [trouble.finding for step in guide(topic, None, {}, way).steps for trouble in step.wrong]
    assert told
    assert not [name for name in told if explain.by_id(name) is None]


@pytest.mark.parametrize(("topic", "way"), WAYS)
def test_our_commands_are_understood(topic: str, way: str, profile: Profile) -> None:
    for one in made(topic, way, profile):
        found = lines(one, "smtpctl")
        assert found
        assert read(shlex.split(one.command)[1:]), one.command
        for line in found:
            program, *rest = shlex.split(line)
            assert program == "smtpctl"
            assert read(rest), line


@pytest.mark.parametrize(("topic", "way"), WAYS)
def test_what_is_known_is_filled_in_and_what_is_not_is_listed(topic: str, way: str, profile: Profile) -> None:
    for one in made(topic, way, profile):
        open_ = set(re.findall(r"<([A-Z_]+)>", repr(one.steps)))
        assert open_ == {blank.name for blank in one.blanks}
        assert not open_ & {name.upper() for name in one.values}
        assert not open_ & {name.upper() for name in GIVEN[topic]} or not one.values
    assert not {"TENANT_ID", "CLIENT_CERT"} & open_, "the profile has them"


@pytest.mark.parametrize(("topic", "way"), WAYS)
def test_a_script_can_be_read_by_its_shell(topic: str, way: str, profile: Profile) -> None:
    for one in made(topic, way, profile):
        if not one.shell:
            assert not lines(one, "powershell") + lines(one, "sh")
            continue
        text = guide_script(one)
        run = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert [line for line in run if line in lines(one, one.shell)] == lines(one, one.shell)
        if one.shell == "sh":
            subprocess.run(["sh", "-n"], input=text.encode(), check=True)
        else:
            assert all(starts_a_command(words(line)) for line in run), run


def starts_a_command(found: list[str]) -> bool:
    """An assignment, `throw`, or a cmdlet with its parameters."""
    return bool(re.fullmatch(r"\$\w+|throw|[A-Z][a-z]+-[A-Z]\w+", found[0]))


@pytest.mark.parametrize("way", ["postfix", "postfix-certificate"])
def test_a_script_with_something_missing_runs_nothing(way: str, tmp_path: Path) -> None:
    """The commands it would run are not to be found; it stops before it looks for them."""
    text = guide_script(guide("relay", None, {}, way))
    done = subprocess.run(
        ["/bin/sh"], input=text, text=True, capture_output=True, env={"PATH": str(tmp_path)}, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Fill in first")
