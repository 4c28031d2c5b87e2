"""Who else is asked about a certificate: together, in the time of the run, and seen by who waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from chains import NOW, Authority, Made, made, serving
from profiles import profile
from rawserver import Peer, RawServer
from smtpctl.model.report import StageResult
from smtpctl.model.transcript import Event, Kind, Stage
from smtpctl.net import within
from smtpctl.ops import check, others
from smtpctl.ops.session import Surroundings, converse
from smtpctl.render.text import sentences
from webserver import Request, Response

BOTH = ("--revocation", "--fetch-aia")


@pytest.fixture
def authority() -> Iterator[Authority]:
    """With an intermediate that its server leaves out, and that one's list."""
    made_ = Authority()
    with made_.web:
        yield made_


def leaf(authority: Authority) -> Made:
    between = made("Between", authority.root)
    revoked = x509.CertificateRevocationListBuilder().issuer_name(between.certificate.subject)
    revoked = revoked.last_update(NOW).next_update(NOW.replace(year=NOW.year + 1))
    authority.files["/between"] = between.der
    authority.files["/list"] = revoked.sign(between.key, hashes.SHA256()).public_bytes(Encoding.DER)
    place = [x509.UniformResourceIdentifier(authority.url("/list"))]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)])
    return made("localhost", between, authority.url("/between"), server=True, more=[points])


def test_an_answer_is_held_against_what_was_fetched(authority: Authority, tmp_path: Path) -> None:
    rows: list[StageResult] = []
    with serving(tmp_path, authority.root, leaf(authority)) as server:
        chosen = profile("localhost", server.port, tls="implicit", ca_file=str(tmp_path / "ca.pem"))
        report = check.check(chosen, Surroundings({}, show=rows.append, others=BOTH))
    assert report.facts["revocation"]["status"] == "good", report.facts["revocation"]
    assert [asked.path for asked in authority.web.requests] == ["/between", "/list"]
    assert rows[-1] == report.stages[-1]
    assert rows[-1].detail.startswith("not revoked")


def test_nobody_is_asked_when_the_time_of_the_run_is_over(authority: Authority, tmp_path: Path) -> None:
    around = Surroundings({}, others=BOTH)
    with serving(tmp_path, authority.root, leaf(authority)) as server:
        chosen = profile("localhost", server.port, tls="implicit", ca_file=str(tmp_path / "ca.pem"), timeout=60)
        talked = converse(chosen, around)
    talked.transcript.add(Event(60, Stage.TLS, Kind.NOTE, "a long wait"))
    now = NOW.timestamp()
    report = others.asked(check.judged(chosen, talked, now), chosen, check.facts_of(chosen, talked, now), around)
    assert "the time for the whole run is over" in [outcome.reason for outcome in report.outcomes]
    assert authority.web.requests == []


def in_clear(peer: Peer) -> None:
    for line in ("220 localhost", "250 localhost", "221 Bye"):
        peer.say(line)
        peer.hear()


def test_who_looks_on_sees_the_wait(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "TICK", 0.01)
    waited, seen = list[Stage](), threading.Event()
    answering = authority.web.answering

    def wait(stage: Stage, seconds: float) -> None:
        waited.append(stage)
        seen.set()

    def late(asked: Request) -> Response | None:
        seen.wait()
        return answering(asked)

    authority.web.answering = late
    with serving(tmp_path, authority.root, leaf(authority)) as server:
        chosen = profile("localhost", server.port, tls="implicit", ca_file=str(tmp_path / "ca.pem"))
        check.check(chosen, Surroundings({}, wait=wait, others=BOTH))
    assert waited[0] is Stage.TLS


def test_what_is_not_known_is_said_with_each_reason(authority: Authority, tmp_path: Path) -> None:
    shown = leaf(authority)
    authority.files["/list"] = b""
    with serving(tmp_path, authority.root, shown) as server:
        chosen = profile("localhost", server.port, tls="implicit", ca_file=str(tmp_path / "ca.pem"))
        report = check.check(chosen, Surroundings({}, others=BOTH))
    why = "what is there is no list of revoked certificates"
    assert report.stages[-1].detail == f"not known whether the certificate was revoked: CRL: {why}"
    assert report.facts["revocation"]["silent"] == [{"source": "CRL", "url": authority.url("/list"), "why": why}]


def test_a_session_without_tls_has_nothing_to_ask_about() -> None:
    with RawServer(in_clear) as server:
        chosen = profile("localhost", server.port, tls="none")
        report = check.check(chosen, Surroundings({}, others=BOTH))
    assert report.failure is None
    assert report.facts["revocation"]["why"] == "the server showed none"
    assert "Whether its certificate was revoked is not known." in sentences(report)
