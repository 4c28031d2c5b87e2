"""The list of checks says all there is, and nothing else."""

from __future__ import annotations

from smtpctl.checks.registry import CHECKS, SESSION, deep_checks
from smtpctl.knowledge import families
from smtpctl.ops import checklist
from smtpctl.ops.probes import PROBES
from smtpctl.ops.second import LOOKS

FAMILIES = ("auth", "conn", "drift", "local", "smtp", "starttls", "tls")
DECLARED_ONLY = {"auth.no_credentials"}  # for what is to come (tests/test_knowledge.py)


def test_every_finding_of_a_check_is_listed() -> None:
    listed = {one.id for check in checklist.listing() for one in check.finds}
    declared = {entry.id for entry in families.all_entries() if entry.id.split(".")[0] in FAMILIES}
    assert listed == declared - DECLARED_ONLY


def test_every_check_has_a_name_of_its_own() -> None:
    names = [check.name for check in checklist.listing()]
    assert len(names) == len(set(names))
    assert len(names) == len(SESSION) + len(CHECKS) + len(LOOKS) + len(deep_checks()) + len(PROBES) + len(
        ("login mechanisms", "changes", "missing certificate", "revocation", "the mail")
    )


def test_what_does_more_than_look_is_asked_for_by_name() -> None:
    for check in checklist.listing():
        assert check.intrusive == check.when.startswith("--probe ")
        assert not check.intrusive or check.does


def test_severities_by_role() -> None:
    found = {one.id: (one.submission, one.mx) for check in checklist.listing() for one in check.finds}
    assert found["conn.private_address"] == ("warning", "error")
    assert found["smtp.bare_lf_accepted"] == ("note", "warning")
    assert found["smtp.postmaster_missing"] == ("", "warning")
    assert found["starttls.not_offered"] == ("error", "warning")
