"""Contexts from policies, and what is checked besides OpenSSL."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from smtpctl.model.endpoint import TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.net import tls
from smtpctl.sink.authority import create
from transcripts import SECURED


@pytest.mark.parametrize(
    ("policy", "mode", "hostname"),
    [
        (TlsPolicy(), ssl.CERT_REQUIRED, True),
        (TlsPolicy(verify=False), ssl.CERT_NONE, False),
        (TlsPolicy(pins=("ab",)), ssl.CERT_NONE, False),
        (TlsPolicy(verify_name="x.test"), ssl.CERT_REQUIRED, False),
        (TlsPolicy(sni="x.test"), ssl.CERT_REQUIRED, False),
    ],
)
def test_who_judges(policy: TlsPolicy, mode: ssl.VerifyMode, hostname: bool) -> None:
    made = tls.context(policy)
    assert (made.verify_mode, made.check_hostname) == (mode, hostname)
    assert tls.context(policy) is made


@pytest.mark.parametrize(("minimum", "version"), [("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3)])
def test_minimum(minimum: str, version: ssl.TLSVersion) -> None:
    assert tls.context(TlsPolicy(minimum=minimum)).minimum_version is version


@pytest.mark.parametrize("setting", ["ca_file", "client_cert"])
def test_files_that_cannot_be_used(setting: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(Problem) as told:
            tls.context(TlsPolicy(**{setting: str(path)}))
        assert told.value.finding.id == "local.tls_file_unusable"
        assert str(path) in told.value.finding.title + told.value.finding.message + repr(told.value.finding.evidence)


def test_pins(tmp_path: Path) -> None:
    files = create(tmp_path, ["localhost"], ())
    leaf = ssl.PEM_cert_to_DER_cert(
        Path(files.certificate).read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    )
    certificate, key = tls.fingerprints(leaf)
    seen = SECURED._replace(chain=(leaf,))
    for pins in ((certificate,), (key,), ("00", key), ()):
        tls.check_pins(TlsPolicy(pins=pins), seen, "mx:25")
    for chain in ((leaf,), ()):
        with pytest.raises(Problem) as told:
            tls.check_pins(TlsPolicy(pins=("00",)), seen._replace(chain=chain), "mx:25")
        assert told.value.finding.id == "tls.pin_mismatch"
