"""`smtpctl report` as a user runs it: what the file holds, what it never holds, and how it is written."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from canaries import Canaries
from harness import Runner
from profiles import profile
from rawserver import Peer, RawServer
from smtpctl.model.report import Report
from smtpctl.model.secret import MASK
from smtpctl.model.ticket import Ticket
from smtpctl.model.transcript import Transcript
from smtpctl.ops.report import anonymised
from smtpctl.ops.schemas import of_output

SECRETS = Canaries(["password"])
# Whatever says who it is about; none may be in an anonymised report, in any case of letters.
NAMES = ("anna.zebrowski", "zebracorp", "billing", "laptop9", "zebraprof", "zebrapw", "zebrareason", "Wilhelmina", "10.11.12.13",
         "10.1.2.3", "2001:db9::7", "helpdesk7")  # fmt: skip
LINES = """
[profiles.zebraprof]
host = "localhost"
port = {port}
tls = "none"
allow_plaintext_auth = true
username = "anna.zebrowski@zebracorp.test"
from = "Wilhelmina <billing@zebracorp.test>"
password_env = "ZEBRAPW"
helo = "laptop9.zebracorp.test"
[profiles.zebraprof.ignore]
"tls.no_ems" = "zebrareason"
"""


def gossip(peer: Peer) -> None:
    """Says all it knows in every reply."""
    peer.say("220 mx9.zebracorp.test ESMTP for anna.zebrowski")
    peer.hear()
    peer.say("250-mx9.zebracorp.test Hello [10.11.12.13]", "250-SIZE 1000", "250 AUTH PLAIN LOGIN")
    line = peer.hear()[0]
    peer.say(
        "535-5.7.8 user Anna.Zebrowski@ZebraCorp.test (ANNA.ZEBROWSKI) at relay7.zebracorp.test 10.1.2.3 2001:db9::7 zebradom",
        f"535 5.7.8 ```` {line} refused: helpdesk7@zebracorp.test, https://post.zebracorp.test/billing",
    )
    peer.hear()
    peer.say("221 bye anna.zebrowski of zebracorp.test")


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that talks, and the profile for it."""
    monkeypatch.chdir(home)
    with RawServer(gossip) as running:
        path = home / "zebracorp.toml"
        path.write_text(f"version = 1\n{LINES.format(port=running.port)}")
        path.chmod(0o600)
        monkeypatch.setenv("SMTPCTL_CONFIG", str(path))
        monkeypatch.setenv("ZEBRAPW", SECRETS["password"])
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:{SECRETS['password']}@zebracorp.test:1")
        yield


def document(text: str) -> dict[str, object]:
    """The last block of the Markdown."""
    found: dict[str, object] = json.loads(
        re.findall(r"^(`{3,})json\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)[-1][1]
    )
    return found


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("more", [(), ("--anonymise",)])
def test_no_secret_is_in_it_and_all_facts_are(smtpctl_call: Runner, more: tuple[str, ...]) -> None:
    run = smtpctl_call("report", "zebraprof", "--output", "-", *more)
    assert run.code == 0, run.stderr
    assert not SECRETS.found(run.stdout + run.stderr)
    data = document(run.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output("report"))).validate(data)
    assert data["anonymised"] is bool(more)
    assert data["result"]["exit"] == 77  # type: ignore[index]
    assert data["environment"]["proxy_variables"] == ["HTTPS_PROXY"]  # type: ignore[index]
    assert data["profile"]["authentication"]["password"] == MASK  # type: ignore[index]
    assert data == json.loads(json.dumps(data))
    assert "## Dialogue" in run.stdout and "It does not hold" in run.stdout


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("form", ["text", "json"])
def test_anonymised_names_nobody(smtpctl_call: Runner, form: str) -> None:
    run = smtpctl_call("report", "zebraprof", "--output", "-", "--anonymise", "--format", form)
    assert run.code == 0, run.stderr
    text = run.stdout.lower()
    assert [name for name in NAMES if name.lower() in text] == []
    assert "user user1@domain1.example (user1) at host" in text
    assert "535" in text and "auth plain ********" in text


@pytest.mark.usefixtures("server")
def test_without_it_names_are_there(smtpctl_call: Runner) -> None:
    text = smtpctl_call("report", "zebraprof", "--output", "-").stdout.lower()
    assert [name for name in NAMES if name.lower() not in text] == []


@pytest.mark.usefixtures("server")
def test_the_file_is_private_and_named_by_the_time(smtpctl_call: Runner, home: Path) -> None:
    run = smtpctl_call("report", "zebraprof")
    (path,) = home.glob("smtpctl-report-*.md")
    assert (run.code, run.stdout.strip()) == (0, path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(home.glob("*.tmp"))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("form", ["text", "json"])
def test_explain_reads_it(smtpctl_call: Runner, form: str) -> None:
    smtpctl_call("report", "zebraprof", "--output", "ticket", "--format", form)
    run = smtpctl_call("explain", "ticket", "--json")
    assert [one["id"] for one in json.loads(run.stdout)["findings"]] == ["auth.refused"]


@pytest.mark.usefixtures("server")
def test_a_file_that_is_there_is_kept(smtpctl_call: Runner, home: Path) -> None:
    (home / "ticket.md").write_text("mine")
    run = smtpctl_call("report", "zebraprof", "--output", "ticket.md")
    assert (run.code, (home / "ticket.md").read_text()) == (2, "mine")
    assert "--yes" in run.stderr
    assert smtpctl_call("report", "zebraprof", "--output", "ticket.md", "--yes").code == 0
    assert (home / "ticket.md").read_text().startswith("# smtpctl report: zebraprof\n")


@pytest.mark.usefixtures("server")
def test_a_folder_that_is_not_there_is_told_before_anybody_is_asked(smtpctl_call: Runner) -> None:
    run = smtpctl_call("report", "zebraprof", "--output", "nowhere/ticket.md")
    assert run.code == 2
    assert "nowhere/ticket.md: No such file" in run.stderr
    run = smtpctl_call("report", "zebraprof", "--output", ".")
    assert run.code == 2
    assert "--output .: it is a folder" in run.stderr


@pytest.mark.usefixtures("server")
def test_a_user_of_windows_is_two_names(smtpctl_call: Runner) -> None:
    user = ("--username", "ZEBRADOM\\anna.zebrowski", "--from", "")
    run = smtpctl_call("report", "zebraprof", *user, "--output", "-", "--anonymise")
    assert "relay7" not in run.stdout
    assert [name for name in ("zebradom", "anna.zebrowski") if name in run.stdout.lower()] == []


def test_a_certificate_without_a_domain_names_a_host() -> None:
    certificate = {"names": [], "subject": "CN=zebrahost,O=Zebra Inc.", "sha256": "", "pin": "", "serial": ""}
    seen = Report("x", Transcript(), facts={"certificates": [certificate]}, headline="zebrahost of Zebra Inc.")
    told = anonymised(Ticket("", {}, {}, {}, seen), profile("localhost", 25), {})
    assert "zebra" not in str(told.report.facts | {"headline": told.report.headline}).lower()


def test_a_certificate_of_this_machine_takes_no_name_from_it() -> None:
    certificate = {
        "names": ["localhost"],
        "subject": "CN=localhost,OU=::1,O=Zebra",
        "sha256": "",
        "pin": "",
        "serial": "",
    }
    seen = Report("localhost:25", Transcript(), facts={"certificates": [certificate]})
    told = anonymised(Ticket("", {}, {}, {"host": "localhost"}, seen), profile("localhost", 25), {})
    assert (told.settings["host"], told.report.target) == ("localhost", "localhost:25")
    assert told.report.facts["certificates"][0]["subject"] == "CN=localhost,OU=::1,O=organisation1"


@pytest.mark.usefixtures("server")
def test_a_session_of_before(smtpctl_call: Runner, home: Path) -> None:
    smtpctl_call("check", "zebraprof", "--transcript", "session.jsonl")
    run = smtpctl_call("report", "zebraprof", "--transcript", "session.jsonl", "--output", "-", "--anonymise")
    data = document(run.stdout)
    assert [one["id"] for one in data["result"]["findings"]] == ["auth.refused"]  # type: ignore[index]
    assert len(data["transcript"]) == (home / "session.jsonl").read_text().count("\n")  # type: ignore[arg-type]
    assert [name for name in NAMES if name.lower() in run.stdout.lower()] == []
    (home / "other.txt").write_text("no transcript")
    wrong = smtpctl_call("report", "zebraprof", "--transcript", "other.txt", "--output", "-")
    assert (wrong.code, "no transcript" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("at", "facts"),
    [("0", "[" * 100_000), ("0", "[1]"), ("NaN", "{}"), ("1e999", "{}")],
    ids=["deep", "list", "nan", "inf"],
)
def test_a_hostile_transcript_is_none(smtpctl_call: Runner, home: Path, at: str, facts: str) -> None:
    said = f'{{"at": {at}, "stage": "ehlo", "kind": "received", "text": "250 x", "tls": false, "facts": {facts}}}'
    (home / "hostile.jsonl").write_text(f"{said}\n")
    run = smtpctl_call("report", "mail.test:25", "--transcript", "hostile.jsonl", "--output", "-", "--json")
    assert (run.code, "no transcript" in run.stderr) == (2, True), run.stderr


@pytest.mark.usefixtures("server")
def test_a_session_of_somebody_else_needs_no_server_of_ours(smtpctl_call: Runner) -> None:
    smtpctl_call("check", "zebraprof", "--transcript", "session.jsonl")
    alone = {"SMTPCTL_CONFIG": "/dev/null", "ZEBRAPW": ""}
    run = smtpctl_call("report", "--transcript", "session.jsonl", "--output", "-", env=alone)
    data = document(run.stdout)
    assert [one["id"] for one in data["result"]["findings"]] == ["auth.refused"]  # type: ignore[index]
    whole = json.loads(smtpctl_call("profile", "show", "zebraprof", "--json").stdout)
    assert [data["profile"][key] for key in ("host", "port")] == [whole[key] for key in ("host", "port")]  # type: ignore[index]
    assert not data["profile"]["username"]  # type: ignore[index]


def test_a_session_that_never_began_names_no_server(smtpctl_call: Runner, home: Path) -> None:
    said = '{"at": 0, "stage": "ehlo", "kind": "received", "text": "250 x", "tls": false}'
    (home / "session.jsonl").write_text(f"{said}\n")
    run = smtpctl_call("report", "--transcript", "session.jsonl", "--output", "-")
    assert (run.code, "does not say which server" in run.stderr) == (2, True)
