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
