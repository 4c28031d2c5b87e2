"""Settings of a scope: what inherits from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpctl.config.scope import resolve_scope, site_name, sites
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem, UsageProblem

DOCUMENT = Document(
    Path("/c"),
    "[global]\nemails_enabled = false\nbatch_size = 7\n[sites.a]\nemails_enabled = true\nbatch_size = 9\n[sites.b]\n",
)


def test_a_site_overrides_and_inherits() -> None:
    everywhere, here, there = (resolve_scope(DOCUMENT, site, {}) for site in ("", "a", "b"))
    assert (everywhere.emails_enabled, here.emails_enabled, there.emails_enabled) == (False, True, False)
    assert str(here.origins["emails_enabled"]) == "file /c:5" and here.origins["emails_enabled"].scope == "site"
    assert there.origins["emails_enabled"].scope == "global"
    assert here.origins["interval"].kind == "default" and here.interval == 60


def test_a_site_that_only_profiles_name_is_one() -> None:
    text = '[profiles.p]\nsites = ["d", "c"]\n[profiles.q]\nsites = "c"\n[sites.e]\n'
    document = Document(Path("/c"), text)
    assert sites(document) == ["e", "c", "d"]
    assert resolve_scope(document, "d", {}).interval == 60
    with pytest.raises(UsageProblem, match='There is no site "f"'):
        resolve_scope(document, "f", {})


def test_what_is_global_only_is_read_from_global_only() -> None:
    assert resolve_scope(DOCUMENT, "a", {}).batch_size == 7


def test_the_defaults() -> None:
    scope = resolve_scope(Document(Path("/c")), "", {})
    assert (scope.batch_size, scope.interval, scope.archive_days) == (50, 60, 0)
    assert (scope.emails_enabled, scope.queue_enabled, scope.log_emails, scope.debug_emails) == (
        True,
        True,
        False,
        False,
    )
    assert (scope.debug_failure_rate, scope.queue_url, scope.default_profile) == (0.01, "sqlite", "")


def test_the_environment_wins() -> None:
    scope = resolve_scope(DOCUMENT, "a", {"SMTPCTL_EMAILS_ENABLED": "no", "SMTPCTL_INTERVAL": ""})
    assert (scope.emails_enabled, scope.interval) == (False, 60)
    assert str(scope.origins["emails_enabled"]) == "environment $SMTPCTL_EMAILS_ENABLED"


def test_a_wrong_value_has_a_place() -> None:
    with pytest.raises(Problem) as caught:
        resolve_scope(Document(Path("/c"), "[sites.a]\n\ninterval = 1\narchive_days = -1"), "a", {})
    found = caught.value.finding
    assert found.title == '[sites.a] archive_days: "-1" is not a whole number from 0'
    assert found.location and found.location.line == 4
    with pytest.raises(Problem, match=r"config\.invalid_value: \$SMTPCTL_BATCH_SIZE"):
        resolve_scope(DOCUMENT, "", {"SMTPCTL_BATCH_SIZE": "x"})


@pytest.mark.parametrize(("written", "name"), [(None, ""), ("", ""), ("(global)", ""), ("shop", "shop")])
def test_names_of_sites(written: str | None, name: str) -> None:
    assert site_name(written) == name


def test_no_name_of_a_site() -> None:
    with pytest.raises(UsageProblem, match="--site: "):
        site_name("a b")
