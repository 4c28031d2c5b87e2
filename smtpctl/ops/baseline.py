"""`check --save-baseline` and `--compare`: what a server was like when all was well, and what is different since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smtpctl import __version__
from smtpctl.checks import drift
from smtpctl.checks.facts import offered
from smtpctl.config.profile import Profile
from smtpctl.model.baseline import SCHEMA, Baseline, Leaf, Offer, steps
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Severity
from smtpctl.model.report import Comparison, Outcome, Report
from smtpctl.model.transcript import Kind, Stage
from smtpctl.ops import advice, files
from smtpctl.ops.files import Put

OPTION = "--save-baseline"
LIMIT = 1 << 20  # octets of a file; a baseline has a few thousand
_SCANNED_ONCE = {  # then, now: what is not compared
    (True, False): " With --deep what its TLS takes is compared, too.",
    (False, True): " What its TLS takes is not compared: the baseline was saved without --deep.",
}


def saved(report: Report, profile: Profile, path: Path, options: Sequence[str] = (), put: Put = files.put) -> Report:
    """The report; what it saw is written to `path`, unless something stopped it. `options` are those of `check` that it was
    made with besides settings. Problem where it cannot be written."""
    if report.failure:
        return files.noted(report, OPTION, path, "", "what fails is nothing to compare with later.")
    document = {"schema": SCHEMA, **taken(report, profile).to_json()}
    put(path, json.dumps(document, indent=2) + "\n", OPTION)
    whole = files.noted(report, OPTION, path, f"The baseline is {files.told(path)}.")
    if str(path) == files.STDOUT:
        return whole
    return whole._replace(next_command=advice.checking(profile, *options, "--compare", str(path)))


def compared(report: Report, profile: Profile, path: Path, then: Baseline, options: Sequence[str] = ()) -> Report:
    """The report, and what is different since the baseline `then`, which was read from `path`; `options` as in `saved`."""
    now = taken(report, profile)
    found = [advice.personal(one, profile) for one in drift.drift(then, now, str(profile.endpoint))]
    ids = [finding.id for finding in found]
    since = f"since {then.taken[:16].replace('T', ' ')} UTC ({path})"
    note = f"{len(ids)} difference{'s' * (len(ids) != 1)} {since}." if ids else f"Nothing has changed {since}."
    note += _SCANNED_ONCE.get((then.suites is not None, now.suites is not None), "") if not report.failure else ""
    slight = all(finding.severity is Severity.NOTE for finding in found)
    save_anew = advice.checking(profile, *options, OPTION, str(path)) if ids and slight and not report.failure else ""
    first = report.findings[:1] if report.failure else ()
    rest = sorted((*found, *report.findings[len(first) :]), key=lambda finding: -finding.severity)
    return _with_note(report, note)._replace(
        findings=(*first, *rest),
        outcomes=(*report.outcomes, Outcome("drift", "found" if ids else "passed", " ".join(ids))),
        facts={**report.facts, "baseline": {"taken": then.taken, "version": then.version, "drift": ids}},
        next_command=save_anew or ("" if ids and not report.failure else report.next_command),
    )


def taken(report: Report, profile: Profile) -> Baseline:
    """What a check saw, as a baseline."""
    transcript = report.transcript
    names = [event.facts for _, event in transcript.at_stage(Stage.DNS) if "addresses" in event.facts]
    greeting = [event.text for _, event in transcript.at_stage(Stage.GREETING) if event.kind is Kind.RECEIVED]
    tls: Mapping[str, Any] = report.facts.get("tls", {})
    leaf: Mapping[str, Any] | None = next(iter(report.facts.get("certificates", ())), None)
    return Baseline(
        taken=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        server=_server(profile),
        addresses=tuple(sorted(names[0]["addresses"])) if names else (),
        greeting=greeting[0] if greeting else "",
        clear=_offer(report, secured=False),
        secured=_offer(report, secured=True),
        tls=str(tls.get("version", "")),
        cipher=str(tls.get("cipher", "")),
        suites=_suites(report.facts.get("scan")),
        certificate=_leaf(leaf) if leaf else None,
        dialogue=tuple(steps(transcript)),
    )


def _suites(scan: Mapping[str, Any] | None) -> Offer | None:
    """What was taken with each version; one of which not all could be asked would seem to have lost the rest."""
    versions = scan["versions"].items() if scan else ()
    found = {name: tuple(sorted(version["ciphers"])) for name, version in versions if version["complete"]}
    return found if scan else None


def _leaf(facts: Mapping[str, Any]) -> Leaf:
    return Leaf(facts["issuer"], facts["sha256"], facts["pin"], facts["not_after"], tuple(facts["names"]))


def read(path: Path, profile: Profile, options: Sequence[str] = ()) -> Baseline:
    """The baseline in a file; UsageProblem where there is none. It may be of another server, port or TLS mode: that is a
    difference, too. `options` as in `saved`."""
    make = f"Make one while all is well: {advice.checking(profile, *options, '--save-baseline', str(path))}"
    try:
        with path.open("rb") as file:
            octets = file.read(LIMIT + 1)
    except OSError as error:
        raise UsageProblem(f"--compare {path}: {error.strerror}", make) from error
    try:
        document: dict[str, Any] = json.loads(octets if len(octets) <= LIMIT else b"")
        schema = document["schema"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise UsageProblem(f"--compare {path}: it is no baseline of smtpctl", make) from None
    if schema != SCHEMA:
        raise UsageProblem(f"--compare {path}: it is {schema}; {SCHEMA} is needed", make)
    try:
        return Baseline.from_json(document)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UsageProblem(f"--compare {path}: the baseline in it is damaged", make) from None


def _server(profile: Profile) -> str:
    protocol = "lmtp" if profile.endpoint.lmtp else "smtp"
    return f"{protocol} {profile.endpoint} tls={profile.tls.mode.value}"


def _offer(report: Report, *, secured: bool) -> Offer | None:
    found = offered(report.transcript, secured=secured)
    return found.keywords if found else None


def _with_note(report: Report, note: str) -> Report:
    return report._replace(comparisons=(*report.comparisons, Comparison("", (), note)))
