"""Probes of Postfix with each fault and without. (Its postmaster cannot be switched off.)"""

from __future__ import annotations

from typing import Any

import pytest

from bed.pki import Pki
from bed.postfix import Postfix
from profiles import profile
from smtpctl.knowledge.families import MX
from smtpctl.ops import probes
from smtpctl.ops.session import Surroundings
from smtpctl.protocol import smuggle


def probed(port: int, name: str, monkeypatch: pytest.MonkeyPatch, pki: Pki) -> dict[str, Any]:
    """What the probe found, of a server that counts as an MX whatever its port is."""
    monkeypatch.setattr(probes.checks_facts, "role", lambda *_, **__: MX)
    monkeypatch.setattr(smuggle, "PATIENCE", 0.5)
    made = profile("localhost", port, tls="starttls", ca_file=str(pki.ca_file), **{"from": "ann@ext.test"})
    report = probes.check_and_probe(made, Surroundings({}), ["alice@bed.test"], [name])
    (found,) = report.facts["probes"]
    return dict(found)


@pytest.mark.parametrize(
    ("listener", "name", "finding"),
    [
        ("bare_newline", "bare-lf", "smtp.bare_lf_accepted"),
        ("no_bare_newline", "bare-lf", None),
        ("reject_bare_newline", "bare-lf", None),
        ("mx", "open-relay", None),
        ("open_relay", "open-relay", "smtp.open_relay"),
        ("mx", "postmaster", None),
    ],
)
def test_postfix(
    postfix: Postfix, pki: Pki, monkeypatch: pytest.MonkeyPatch, listener: str, name: str, finding: str | None
) -> None:
    found = probed(postfix.port(listener), name, monkeypatch, pki)
    assert found["finding"] == finding, found
    assert found["result"] == ("found" if finding else "passed"), found
