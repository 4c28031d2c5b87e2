"""The metrics, read with the parser of the Prometheus client library, by the rules of node_exporter's collector."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from smtpctl.model.finding import Finding, Severity
from smtpctl.model.report import Report, StageResult
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.render import renderer

cases = runpy.run_path(str(Path(__file__).parents[2] / "golden" / "cases.py"))
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    """Every sample. As the collector demands: a help and a type for each, none twice, no time of its own."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            assert sample.timestamp is None
            found[key] = sample.value
    return found


def drawn(*reports: Report, schema: str = "smtpctl.check/1") -> Samples:
    return read(renderer("prometheus", schema=schema).reports(reports))


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"smtpctl_check_{name}", frozenset(labels.items())]


@pytest.mark.parametrize("name", cases["NAMES"])
def test_the_parser_takes_it(name: str) -> None:
    assert read(cases["draw"](name, renderer("prometheus", schema=cases["schema"](name))))


def test_what_is_told_of_a_target() -> None:
    samples = drawn(cases["PASSED"])
    assert value(samples, "success", target="office") == 1
    assert value(samples, "duration_seconds", target="office") == 0.265
    assert value(samples, "stage_duration_seconds", target="office", stage="tls") == 0.064
    assert value(samples, "certificate_expiry_timestamp_seconds", target="office") == 1794225600
    assert value(samples, "chain_expiry_timestamp_seconds", target="office") == 1794225600
    assert value(samples, "timestamp_seconds", target="office") == 1781870400
    assert value(samples, "findings", target="office", severity="error") == 0
    labels = {"target": "office", "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "verified": "true"}
    assert value(samples, "tls_info", **labels) == 1


def test_what_is_told_of_a_failure() -> None:
    samples = drawn(cases["AUTH_REFUSED"])
    assert value(samples, "success", target="office") == 0
    assert value(samples, "exit_status", target="office") == 77
    assert value(samples, "stage_success", target="office", stage="auth") == 0
    assert value(samples, "finding", target="office", id="m365.auth-unsuccessful", severity="error", stage="auth") == 1


def test_a_handshake_that_came_to_no_end_is_no_session() -> None:
    tls = {"used": True, "version": "", "cipher": "TLS_AES_256_GCM_SHA384", "verified": False}
    for facts, there in (({"tls": tls}, False), ({"tls": {**tls, "version": "TLSv1.3"}}, True)):
        text = renderer("prometheus", schema="check/1").report(Report("office", Transcript(), facts=facts))
        assert ("tls_info{" in text) is there


def test_labels_come_back_as_they_were() -> None:
    target = 'back\\slash "quoted" {x="y"} #\N{SNOWMAN}'
    assert value(drawn(Report(target, Transcript())), "success", target=target) == 1


def test_nothing_stands_twice() -> None:
    finding = Finding("tls.x", Severity.ERROR, Stage.TLS, "one")
    stages = (StageResult(Stage.EHLO, "failed", "", 10), StageResult(Stage.EHLO, "passed", "", 5))
    report = Report("a", Transcript(), findings=(finding, finding._replace(title="two")), stages=stages)
    samples = drawn(report, report)
    assert value(samples, "findings", target="a", severity="error") == 2
    assert value(samples, "stage_success", target="a", stage="ehlo") == 0
    assert value(samples, "stage_duration_seconds", target="a", stage="ehlo") == 0.015


def test_the_end_of_a_certificate_is_known_without_its_chain() -> None:
    tls = {"used": True, "version": "TLSv1.3", "cipher": "X", "verified": True, "expires": 1794225600.0}
    samples = drawn(cases["SENT"]._replace(facts={"tls": tls}))
    assert value(samples, "certificate_expiry_timestamp_seconds", target="relay") == 1794225600
    assert not [name for name, _ in samples if name.startswith("smtpctl_check_chain")]


def test_each_command_has_names_of_its_own() -> None:
    samples = drawn(cases["SENT"], schema="smtpctl.test-send/1")
    assert all(name.startswith("smtpctl_test_send_") for name, _ in samples)
