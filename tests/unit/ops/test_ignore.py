"""Findings that are not to count: what is passed over, what never is, and what is wrong with an ignore itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import profiles
from harness import Runner
from smtpctl.config import values
from smtpctl.config.fields import BY_NAME
from smtpctl.config.store import Document
from smtpctl.knowledge import families
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Finding, Ignore, Severity
from smtpctl.model.report import ExitStatus, Failure, Report
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.ops import explain, ignore

TODAY = "2026-11-21"
EXPIRED = Finding("tls.cert.expired", Severity.ERROR, Stage.TLS, "It has expired")
OLD = Finding("tls.version.tls10", Severity.WARNING, Stage.TLS, "It takes TLS 1.0")
BANNER = Finding("smtp.banner_no_fqdn", Severity.NOTE, Stage.GREETING, "It has no full name")


def judged(*findings: Finding, ignores: dict[str, Any], failure: Failure | None = None) -> Report:
    profile = profiles.profile("mail.test", 587, ignore=ignores)
    report = Report("office", Transcript(), findings=findings, failure=failure)
    return ignore.applied(report, profile, today=TODAY)


@pytest.mark.parametrize("name", families.ALIASES)
def test_a_name_of_the_catalogue_of_checks_is_as_good_as_the_id(name: str) -> None:
    meant = Finding(families.ALIASES[name], Severity.ERROR, Stage.EHLO, "Refused")
    assert ignore.given([name])
    assert [one.ignore.id for one in judged(meant, ignores={name: "known"}).ignored] == [name]
    page = explain.by_id(name)
    assert page is not None
    assert page.finding.id == meant.id


def test_what_is_ignored_is_told_and_does_not_count() -> None:
    report = judged(EXPIRED, OLD, ignores={"tls.cert.expired": "known"})
    assert report.findings == (OLD,)
    assert [(one.finding, one.ignore.reason) for one in report.ignored] == [(EXPIRED, "known")]
    assert report.status(Severity.ERROR) is ExitStatus.OK
    assert report.status(Severity.WARNING) is ExitStatus.FINDINGS


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [("tls.cert.*", {"tls.cert.expired"}), ("tls.*", {"tls.cert.expired", "tls.version.tls10"}), ("tls.cert", set()), ("*", set())],
)  # fmt: skip
def test_a_family_is_meant_by_a_star_at_its_end(pattern: str, covered: set[str]) -> None:
    assert {finding.id for finding in (EXPIRED, OLD, BANNER) if Ignore(pattern, "x").covers(finding.id)} == covered


def test_what_stopped_the_run_cannot_be_ignored() -> None:
    stopped = Failure(ExitStatus.UNAVAILABLE, Stage.TLS, False)
    report = judged(EXPIRED, OLD, BANNER, ignores={"tls.*": "x", "smtp.*": "x"}, failure=stopped)
    assert report.findings == (EXPIRED,)
    assert report.status() is ExitStatus.UNAVAILABLE


@pytest.mark.parametrize(("until", "ids"), [(TODAY, []), ("2026-11-20", ["tls.cert.expired", "config.ignore_expired"])])
def test_an_ignore_ends_after_its_last_day(until: str, ids: list[str]) -> None:
    report = judged(EXPIRED, ignores={"tls.cert.expired": {"reason": "ordered", "until": until}})
    assert [finding.id for finding in report.findings] == ids
    if ids:
        assert report.findings[1].severity is Severity.WARNING
        assert "2026-11-20: ordered" in report.findings[1].title


def test_an_id_that_no_finding_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageProblem) as error:
        ignore.given(["tls.cert.expird"])
    assert 'Did you mean "tls.cert.expired"?' in error.value.message
    for wrong in ("tls.nothing.*", "*", ""):
        with pytest.raises(UsageProblem):
            ignore.given([wrong])
    assert [one.id for one in ignore.given(["tls.*", "m365.535-5-7-3-password"])]


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("tls.no_ems", "a table is needed"),
        (7, "a table is needed"),
        ({"tls": {"no_ems": "x"}}, 'in quotes: "tls.no_ems"'),
        ({"tls.no_ems": ""}, "needs a reason"),
        ({"tls.no_ems": {"until": "2027-01-01"}}, "needs a reason"),
        ({"tls.no_ems": {"reason": "x", "until": "2027-02-30"}}, "is a day"),
        ({"tls.no_ems": {"reason": "x", "until": "soon"}}, "is a day"),
        ({"tls.no_ems": {"reason": "x", "untill": "2027-01-01"}}, 'has no "untill"'),
    ],
)
def test_what_an_ignore_must_say(written: object, complaint: str) -> None:
    with pytest.raises(values.BadValueError, match=complaint.replace(".", r"\.")):
        values.parse(BY_NAME["ignore"], written)


CONFIG = """
version = 1
[profiles.office]
host = "mail.test"
port = 465
tls = "starttls"
[profiles.office.ignore]
"config.port_tls_mismatch" = { reason = "a proxy in between", until = 2999-12-31 }
"config.port_tls_mismach" = "misspelt"
"tls.no_ems" = { reason = "last year", until = 2025-12-31 }
[profiles.shop]
extends = "office"
"""


def test_what_is_wrong_with_written_ignores_is_told_at_their_line(tmp_path: Path) -> None:
    found = list(ignore.of_file(Document(tmp_path, CONFIG), "office", TODAY))
    places = {finding.id: finding.location.line for finding in found if finding.location}
    assert places == {"config.ignore_unknown": 9, "config.ignore_expired": 10}
    assert 'Did you mean "config.port_tls_mismatch"?' in found[0].title
    assert not list(ignore.of_file(Document(tmp_path, CONFIG), "shop", TODAY))


def test_validate_passes_over_what_profiles_and_what_they_extend_ignore(home: Path, smtpctl_call: Runner) -> None:
    path = home / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    run = smtpctl_call("validate", "--config", str(path), "--json")
    document = json.loads(run.stdout)
    assert {one["finding"]["target"] for one in document["ignored"]} == {"office", "shop"}
    assert {one["reason"] for one in document["ignored"]} == {"a proxy in between"}
    assert [one["id"] for one in document["findings"]] == ["config.ignore_unknown", "config.ignore_expired"]
    assert run.code == 1
    both = ("--ignore", "config.ignore_unknown", "--ignore", "config.ignore_expired", "--fail-on", "note")
    assert smtpctl_call("validate", "--config", str(path), *both).code == 0


def test_validate_does_not_pass_over_what_no_run_begins_with(smtpctl_call: Runner) -> None:
    line = ("--host", "mail.test", "--tls", "none", "--username", "ann", "--password-env", "PW")
    run = smtpctl_call("validate", *line, "--ignore", "config.*", env={"PW": "x"})
    assert run.code == 1
    assert "config.plaintext_credentials" in run.stdout
    assert "ignored[config.plaintext_credentials]" not in run.stdout


def test_ids_are_completed(smtpctl_call: Runner) -> None:
    run = smtpctl_call("__complete", "check", "--ignore", "tls.cert.expi")
    assert run.stdout.split()[:2] == ["tls.cert.expired", "tls.cert.expires_soon"]


def test_without_findings_there_are_no_annotations(smtpctl_call: Runner) -> None:
    run = smtpctl_call("validate", "--host", "mail.example.com", "--port", "587", "--format", "github")
    assert (run.code, run.stdout) == (0, "")
