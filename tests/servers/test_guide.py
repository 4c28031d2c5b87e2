"""What the scripts of `smtpctl guide relay` do to the settings of a real Postfix."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bed.pki import Pki
from harness import SEARCH_PATH, Requires, Runner

PROFILE = """
version = 1
[profiles.web]
host = "mx.example.com"
client_cert = "{certificate}"
"""


@pytest.fixture
def settings(tmp_path: Path, requires: Requires) -> Path:
    """A folder of settings; `postfix` itself only says what it was called with."""
    requires("postfix")
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "main.cf").write_text("compatibility_level = 3.6\nmynetworks = 127.0.0.0/8\n")
    (folder / "master.cf").touch()
    stub = tmp_path / "bin" / "postfix"
    stub.parent.mkdir()
    stub.write_text('#!/bin/sh\necho "called: $*"\n')
    stub.chmod(0o755)
    return folder


def run(settings: Path, script: str) -> str:
    path = os.pathsep.join([str(settings.parent / "bin"), SEARCH_PATH])
    script = script.replace("/etc/postfix/", f"{settings}/")
    done = subprocess.run(
        ["/bin/sh"], input=script, text=True, capture_output=True, env={"PATH": path, "MAIL_CONFIG": str(settings)},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("called: check\ncalled: reload\n")
    return (settings / "main.cf").read_text()


def script(smtpctl_call: Runner, *words: str) -> str:
    return smtpctl_call("guide", "relay", *words, "--script", "-").stdout


def test_an_address_is_added_to_those_that_were_let_in(settings: Path, smtpctl_call: Runner) -> None:
    for network, known in (("192.0.2.10", "192.0.2.10/32"), ("2001:db8::/48", "192.0.2.10/32 [2001:db8::]/48")):
        text = script(smtpctl_call, "--way", "postfix", "--network", network)
        assert f"\nmynetworks = 127.0.0.0/8 {known}\n" in run(settings, text)


def test_a_certificate_is_let_in_before_what_was_there(
    settings: Path, pki: Pki, smtpctl_call: Runner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = home / "client's own.pem"
    certificate.write_bytes(pki.chain("good").read_bytes())
    config = home / "config.toml"
    config.write_text(PROFILE.format(certificate=certificate))
    config.chmod(0o600)
    monkeypatch.setenv("SMTPCTL_CONFIG", str(config))
    written = run(settings, script(smtpctl_call, "web", "--way", "postfix-certificate"))
    assert "\nsmtpd_tls_ask_ccert = yes\n" in written
    assert "\nsmtpd_relay_restrictions = permit_tls_clientcerts, " in written
    fingerprint, word = (settings / "relay_clientcerts").read_text().split()
    assert word == "smtpctl"
    assert len(fingerprint.split(":")) == 32
