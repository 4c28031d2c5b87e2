"""The harness keeps its word: no test sees its runner's machine, and what is missing is never silent."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from harness import NEEDS, ROOT, Requires, Runner, clean_environment, read_needs

FOREIGN = {
    "https_proxy": "http://proxy.invalid",
    "NO_PROXY": "*",
    "SMTPCTL_PASSWORD": "secret",
    "XDG_CONFIG_HOME": "/home/someone/.config",
    "REQUESTS_CA_BUNDLE": "/some/roots.pem",
    "SSL_CERT_FILE": "/some/roots.pem",
    "NO_COLOR": "1",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    "LC_ALL": "de_DE.UTF-8",
    "CI": "true",
}


def test_foreign_variables_are_dropped_and_the_others_kept(tmp_path: Path) -> None:
    after = clean_environment({**FOREIGN, "PATH": "/bin", "HOME": "/home/someone"}, tmp_path)
    assert not set(FOREIGN) & set(after)
    assert after["PATH"] == "/bin"
    assert after["HOME"] == str(tmp_path)


def test_each_test_has_an_empty_home(home: Path) -> None:
    assert Path.home() == home
    assert not list(home.iterdir())
    assert not {name for name in os.environ if name.startswith(("SMTPCTL_", "XDG_"))}


def test_both_ways_to_run_the_program_agree(smtpctl_run: Runner, smtpctl_call: Runner) -> None:
    assert smtpctl_run("--version") == smtpctl_call("--version")
    assert smtpctl_call("--version").code == 0


def test_needs_are_read_with_spaces_in_the_last_column() -> None:
    needs = read_needs("# comment\n\ninstall  swaks  swaks   a second client\n")
    assert needs["swaks"].use == "a second client"


def test_a_need_that_is_missing_ends_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = NEEDS["swaks"]._replace(probe="no-such-program")
    monkeypatch.setitem(NEEDS, "swaks", absent)
    for in_ci, outcome in ((False, pytest.skip.Exception), (True, pytest.fail.Exception)):
        monkeypatch.setattr("harness.IN_CI", in_ci)
        with pytest.raises(outcome, match="needs swaks"):
            Requires()("swaks")


@pytest.mark.parametrize("script", ["scripts/test", "scripts/check", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    assert (ROOT / script).stat().st_mode & stat.S_IXUSR
