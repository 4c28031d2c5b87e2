"""`smtpctl check` as a user runs it."""

from __future__ import annotations

import json

import jsonschema

from harness import Runner
from smtpctl.model.endpoint import TlsMode
from smtpctl.ops.schemas import of_output
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink


def test_deep_in_text_has_a_row_of_its_own(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.STARTTLS)) as sink:
        run = smtpctl_call("check", f"{sink.host}:{sink.port}", "--ca-file", sink.ca_file, "--deep")
    assert "takes TLS 1.2 (" in run.stdout
    assert "ciphers) · TLS 1.3 (" in " ".join(run.stdout.split())


def test_deep_as_json(smtpctl_call: Runner) -> None:
    with Sink(Setup(tls=TlsMode.IMPLICIT)) as sink:
        options = ("--tls", "implicit", "--ca-file", sink.ca_file, "--deep", "--max-connections", "2", "--json")
        run = smtpctl_call("check", f"{sink.host}:{sink.port}", *options)
    document = json.loads(run.stdout)
    jsonschema.Draft202012Validator(json.loads(of_output("check"))).validate(document)
    scan = document["facts"]["scan"]
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
