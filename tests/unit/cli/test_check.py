"""`smtpctl check` as a user runs it."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import Run, Runner
from rawserver import Peer, RawServer
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.ops import suggest
from smtpctl.ops.schemas import of_output
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink


def valid(run: Run) -> dict[str, Any]:
    """What `--json` printed, judged by the schema that ships for it."""
    document = json.loads(run.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output("check"))).validate(document)
    return dict(document)


def test_deep_in_text_has_a_row_of_its_own(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        run = smtpctl_call("check", f"{sink.host}:{sink.port}", "--ca-file", sink.ca_file, "--deep")
    assert "takes TLS 1.2 (" in run.stdout
    assert "ciphers) · TLS 1.3 (" in " ".join(run.stdout.split())


def test_deep_as_json(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        options = ("--tls", "implicit", "--ca-file", sink.ca_file, "--deep", "--max-connections", "2", "--json")
        run = smtpctl_call("check", f"{sink.host}:{sink.port}", *options)
    scan = valid(run)["facts"]["scan"]
    assert scan["versions"]["TLS 1.2"]["ciphers"]
    assert scan["command_injection"] is None


def test_without_deep_nothing_is_scanned(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        run = smtpctl_call("check", f"{sink.host}:{sink.port}", "--ca-file", sink.ca_file, "--json")
    assert "scan" not in json.loads(run.stdout)["facts"]


def test_no_connection_is_not_enough(smtpctl_call: Runner) -> None:
    run = smtpctl_call("check", "mail.example.com", "--deep", "--max-connections", "0")
    assert run.code == 2
    assert "--max-connections" in run.stderr


def test_a_monitor_gets_its_line_and_its_state(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        target = f"{sink.host}:{sink.port}"
        fine = smtpctl_call("check", target, "--ca-file", sink.ca_file, "--format", "nagios")
        untrusted = smtpctl_call("check", target, "--format", "nagios")
    assert (fine.code, untrusted.code) == (0, 2)
    assert fine.stdout.startswith(f"SMTP OK: {target}: works in ")
    assert " certificate=" in fine.stdout.splitlines()[0]
    assert untrusted.stdout.startswith(f"SMTP CRITICAL: {target}: ")


def test_what_a_monitor_cannot_ask_is_unknown(smtpctl_call: Runner) -> None:
    for line in (
        ("--format", "nagios", "--fo"),
        ("--format=nagios", "nobody"),
        ("--format", "nagios", "--config", "none.toml"),
    ):
        run = smtpctl_call("check", *line)
        assert run.code == 3
        assert run.stdout.startswith("SMTP UNKNOWN: ")
    run = smtpctl_call("check", "nobody", env={"SMTPCTL_FORMAT": "nagios"})
    assert (run.code, run.stdout) == (3, 'SMTP UNKNOWN: There is no profile "nobody".\n')


def test_metrics_of_several_targets(smtpctl_call: Runner) -> None:
    with Sink(Setup()) as sink:
        run = smtpctl_call("check", f"{sink.host}:{sink.port}", "127.0.0.1:1", "--format", "prometheus")
    assert f'smtpctl_check_success{{target="{sink.host}:{sink.port}"}} 1\n' in run.stdout
    assert 'smtpctl_check_exit_status{target="127.0.0.1:1"} 75\n' in run.stdout
    assert run.stdout.count("# TYPE smtpctl_check_success ") == 1


@pytest.mark.parametrize(
    "more",
    [
        ("--deep", "--suggest"),
        ("--suggest", "--matrix"),
        ("--to a@b.test", "--matrix"),
        ("--matrix", "--compare x"),
        ("--save-baseline x", "--compare x"),
    ],
)
def test_one_of_them_at_a_time(smtpctl_call: Runner, more: tuple[str, ...]) -> None:
    run = smtpctl_call("check", "mail.example.com", *" ".join(more).split())
    assert run.code == 2
    assert " and ".join(option.split()[0] for option in more) in run.stderr


@pytest.fixture
def own_port_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """--suggest tries no other port of this machine."""
    whole = suggest.plan
    monkeypatch.setattr(suggest, "plan", lambda p: tuple(one for one in whole(p) if one.port == p.endpoint.port))


@pytest.mark.usefixtures("own_port_only")
def test_suggest_ends_with_the_command_that_works(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("wonderland")})) as sink:
        options = ("--ca-file", sink.ca_file, "--username", "ann", "--password-env", "OF_ANN")
        asked = ("check", f"{sink.host}:{sink.port}", "--tls", "implicit", *options, "--suggest")
        told = smtpctl_call(*asked, env={"OF_ANN": "wonderland"})
        found = valid(smtpctl_call(*asked, "--json", env={"OF_ANN": "wonderland"}))
        again = smtpctl_call(*found["next_command"].split()[1:], env={"OF_ANN": "wonderland"})
    assert told.code == found["exit"] == 69  # of the settings as they are
    assert found["next_command"] == found["facts"]["suggestion"]["command"]
    assert told.stdout.rstrip().endswith(f"Next:  {found['next_command']}")
    assert f"port {sink.port}  STARTTLS      works, login accepted (PLAIN)" in told.stdout
    assert again.code == 0
    assert told.stderr.startswith("Trying ")


def knows_no_ehlo(peer: Peer) -> None:
    """A server of before 1993, which takes HELO only."""
    peer.say("220 old.test")
    peer.hear()
    peer.say("500 5.5.1 What?")
    peer.hear()
    peer.say("250 old.test")
    peer.hear()
    peer.say("221 bye")


def test_what_is_ignored_is_shown_and_does_not_count(smtpctl_call: Runner) -> None:
    with RawServer(knows_no_ehlo) as server:
        line = ("check", f"127.0.0.1:{server.port}", "--tls", "none", "--fail-on", "note")
        counted = smtpctl_call(*line)
        ignored = smtpctl_call(*line, "--ignore", "smtp.*")
        document = json.loads(
            smtpctl_call(*line, "--ignore", "smtp.ehlo_rejected_helo_ok", "--ignore", "smtp.*", "--json").stdout
        )
    assert (counted.code, ignored.code) == (1, 0), counted.stdout
    assert "ignored[smtp.ehlo_rejected_helo_ok] " in ignored.stdout
    jsonschema.Draft202012Validator(json.loads(of_output("check"))).validate(document)
    assert {one["reason"] for one in document["ignored"]} == {"asked for with --ignore"}
    assert not document["findings"]


def test_the_matrix_of_mechanisms(smtpctl_call: Runner) -> None:
    setup = Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("wonderland")}, mechanisms=("PLAIN", "CRAM-MD5"))
    with Sink(setup) as sink:
        options = ("--ca-file", sink.ca_file, "--tls", "starttls", "--username", "ann", "--password-env", "OF_ANN")
        asked = ("check", f"{sink.host}:{sink.port}", *options, "--matrix")
        told = smtpctl_call(*asked, env={"OF_ANN": "wonderland"})
        wrong = smtpctl_call(*asked, env={"OF_ANN": "looking-glass"})
        found = valid(smtpctl_call(*asked, "--yes", "--json", env={"OF_ANN": "looking-glass"}))
    assert (told.code, wrong.code, found["exit"]) == (0, 77, 77)
    assert "CRAM-MD5 is the strongest that works. The profile logs in with it already." in told.stdout
    assert "CRAM-MD5  not tried" in wrong.stdout
    assert {one["result"] for one in found["facts"]["matrix"]["mechanisms"]} == {"refused"}


def test_the_list_of_checks(smtpctl_call: Runner) -> None:
    read, told = smtpctl_call("check", "--list"), smtpctl_call("check", "--list", "--json")
    document = json.loads(told.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output("check.list"))).validate(document)
    for check in document["checks"]:
        assert check["name"] in read.stdout
        for found in check["finds"]:
            assert found["id"] in read.stdout
            assert smtpctl_call("explain", found["id"]).code == 0
    assert read.code == told.code == 0


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--list", "mail.example.com"), "about no server"), (("--list", "--format", "junit"), "junit"),
        (("--probe", "open-relay", "--deep", "localhost"), "do not go together"),
        (("--probe", "open-relay", "--all"), "do not go together"),
        (("--matrix", "--revocation", "localhost"), "--revocation and --matrix do not go together"),
        (("--probe", "open-relay", "smtp.gmail.com"), "belongs to Google"),
        (("--probe", "bare-lf", "localhost:2525"), "--to"), (("--probe", "other", "localhost"), "'other'"),
    ],
)  # fmt: skip
def test_what_cannot_be_listed_or_probed(smtpctl_call: Runner, more: tuple[str, ...], told: str) -> None:
    run = smtpctl_call("check", *more)
    assert (run.code, run.stdout) == (2, "")
    assert told in run.stderr


def test_others_are_asked_where_they_are_named(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        server = ("check", f"localhost:{sink.port}", "--ca-file", sink.ca_file, "--tls", "implicit", "--json")
        without = smtpctl_call(*server)
        asked = smtpctl_call(*server, "--fetch-aia", "--revocation")
    assert "revocation" not in valid(without)["facts"]
    document = valid(asked)
    assert document["facts"]["revocation"]["why"] == "the certificate names nobody to ask"
    told = {one["check"]: one["reason"] for one in document["outcomes"]}
    assert told["missing certificate"] == "none is missing"


def test_how_long_a_certificate_is_to_last(smtpctl_call: Runner) -> None:
    """The sink's lasts for a week."""
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        server = ("check", f"localhost:{sink.port}", "--ca-file", sink.ca_file, "--tls", "implicit", "--json")
        usual, early = (valid(smtpctl_call(*server, *more)) for more in ((), ("--renew-before", "30")))
    assert "tls.cert.expires_soon" not in [finding["id"] for finding in usual["findings"]]
    [soon] = [finding for finding in early["findings"] if finding["id"] == "tls.cert.expires_soon"]
    assert soon["message"].startswith("It is to last 30 days or more")
    [shown] = early["facts"]["certificates"]
    assert shown["not_after"] - shown["renewal_due"] == 30 * 86400  # a monitor's threshold is the same


def test_a_probe_has_a_line_of_its_own(smtpctl_call: Runner) -> None:
    with Sink(Setup(open_relay=True)) as sink:
        target = (f"{sink.host}:{sink.port}", "--tls", "none", "--trusted", "--probe", "open-relay")
        read, told = smtpctl_call("check", *target), smtpctl_call("check", *target, "--json")
    assert "Probes\n  ✗ open-relay  250 " in read.stdout
    assert "error[smtp.open_relay]" in read.stdout
    document = json.loads(told.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output("check"))).validate(document)
    assert document["facts"]["probes"][0]["finding"] == "smtp.open_relay"
    assert read.code == told.code == 1


def test_a_baseline_is_saved_and_compared_with(smtpctl_call: Runner, tmp_path: Path) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        asked = ("check", f"{sink.host}:{sink.port}", "--ca-file", sink.ca_file)
        saved = smtpctl_call(*asked, "--save-baseline", tmp_path / "b.json")
        same = smtpctl_call(*saved.stdout.rstrip().rpartition("smtpctl ")[2].split())
        sink.setup = sink.setup._replace(extensions=("STARTTLS", "SIZE"))
        other = smtpctl_call(*asked, "--compare", tmp_path / "b.json")
        strict = valid(smtpctl_call(*asked, "--compare", tmp_path / "b.json", "--json", "--fail-on", "warning"))
    assert (saved.code, same.code, other.code, strict["exit"]) == (0, 0, 0, 1)
    assert f"The baseline is in {tmp_path / 'b.json'}." in " ".join(saved.stdout.split())
    assert "Nothing has changed since " in same.stdout
    assert "warning[drift.extensions]" in other.stdout
    assert strict["facts"]["baseline"]["drift"] == ["drift.extensions"]
    assert strict["next_command"] in " ".join(other.stdout.split())


def test_the_chain_is_written_as_it_was_shown_trusted_or_not(smtpctl_call: Runner, tmp_path: Path) -> None:
    file = tmp_path / "chain.pem"
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        asked = ("check", f"{sink.host}:{sink.port}", "--save-chain", file)
        refused = smtpctl_call(*asked)
        kept = file.read_text()
        document = valid(smtpctl_call(*asked, "--ca-file", sink.ca_file, "--json"))
        file.unlink()
        clear = smtpctl_call(*asked, "--tls", "none", "--trusted")
        silent = smtpctl_call(*asked, "--tls", "none", "--trusted", "--json")
        both = smtpctl_call(*asked, "b.example.com")
    blocks = re.findall("-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n", kept)
    assert "".join(blocks) == kept
    digests = [hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest() for block in blocks]
    assert digests == [one["sha256"] for one in document["facts"]["certificates"]]
    assert refused.code != 0
    assert f"in {file}" in " ".join(refused.stdout.split())
    assert "was not written: the server showed no certificate." in " ".join(clear.stdout.split())
    assert not file.exists()
    assert valid(silent)["facts"]["saved"][0] == {
        "option": "--save-chain", "file": str(file), "written": False, "reason": "the server showed no certificate",
    }  # fmt: skip
    assert "was not written" in silent.stderr
    assert document["facts"]["saved"][0]["written"] is True
    assert (both.code, "--save-chain is about one server" in both.stderr) == (2, True)


def test_where_the_chain_cannot_be_written_nobody_is_asked(smtpctl_call: Runner, tmp_path: Path) -> None:
    run = smtpctl_call("check", "localhost:1", "--save-chain", tmp_path)
    assert (run.code, run.stdout) == (2, "")
    assert "it is a folder" in run.stderr


@pytest.mark.parametrize("option", ["--save-chain", "--save-baseline", "--transcript"])
def test_a_file_for_stdout_has_it_alone(smtpctl_call: Runner, option: str, tmp_path: Path) -> None:
    begins = {"--save-chain": "-----BEGIN CERTIFICATE-----\n", "--save-baseline": "{\n", "--transcript": '{"at": '}
    ends = {"--save-chain": "-----END CERTIFICATE-----\n", "--save-baseline": "\n}\n", "--transcript": "}\n"}
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        asked = ("check", f"{sink.host}:{sink.port}", "--ca-file", sink.ca_file, option, "-")
        run = smtpctl_call(*asked)
        document = smtpctl_call(*asked, "--json")
    assert (run.stdout.startswith(begins[option]), run.stdout.endswith(ends[option])) == (True, True)
    assert "Everything works" in run.stderr or "Works" in run.stderr
    assert (document.code, document.stdout) == (2, "") or "Leave out the format json" in document.stdout
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--save-chain", "x.pem", "--save-baseline", "x.pem"), "name the same file"),
        (("--save-chain", "x.pem", "--transcript", "./x.pem"), "name the same file"),
        (("--save-chain", "trust.pem", "--ca-file", "trust.pem"), "this file is the ca_file of the run"),
        (("--compare", "b.json", "--transcript", "b.json"), "this file is the --compare of the run"),
    ],
)
def test_a_file_has_one_use(
    smtpctl_call: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trust.pem").write_text("")
    run = smtpctl_call("check", "localhost:1", *options)
    assert (run.code, run.stdout) == (2, "")
    assert words in " ".join(run.stderr.split())


def test_a_scan_is_told_whole_with_v_and_kept_in_a_baseline(smtpctl_call: Runner, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        asked = ("check", f"{sink.host}:{sink.port}", "--ca-file", sink.ca_file, "--deep")
        document = valid(smtpctl_call(*asked, "--json"))
        told = smtpctl_call(*asked, "-v", "--save-baseline", file)
        same = valid(smtpctl_call(*asked, "--compare", file, "--json"))
    scan = document["facts"]["scan"]
    lines = list(map(str.split, told.stdout.splitlines()))
    for name, version in scan["versions"].items():
        for suite in version["ciphers"]:
            assert [suite] in [line[-1:] for line in lines]
        assert json.loads(file.read_text())["suites"][name] == sorted(version["ciphers"])
    assert f"  curves        {', '.join(scan['curves'])} (" in told.stdout
    assert document["facts"]["ms"] > scan["ms"]
    assert re.search(r"\d m?s, \d+ connections\.", " ".join(told.stdout.split()))
    assert same["facts"]["baseline"]["drift"] == []


@pytest.mark.parametrize("more", ["--save-baseline", "--compare"])
def test_a_baseline_is_of_one_server(smtpctl_call: Runner, more: str) -> None:
    run = smtpctl_call("check", "a.example.com", "b.example.com", more, "x.json")
    assert (run.code, "Name one target." in run.stderr) == (2, True)


def test_without_a_baseline_it_says_how_to_make_one(smtpctl_call: Runner) -> None:
    run = smtpctl_call("check", "mail.example.com", "--compare", "none.json")
    assert run.code == 2
    assert "smtpctl check mail.example.com:25 --save-baseline none.json" in " ".join(run.stderr.split())
