"""Others than the server, asked about its certificate: the authority's web server, and OpenSSL's OCSP responder."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bed.pki import Pki
from bed.ports import Ports
from bed.postfix import Postfix
from bed.process import Daemon, wait_until
from chains import made
from profiles import profile
from rawserver import Peer, RawServer
from smtpctl.model.endpoint import TlsPolicy
from smtpctl.model.finding import Finding
from smtpctl.model.report import ExitStatus, Report
from smtpctl.net import revocation
from smtpctl.net.plainhttp import Errand
from smtpctl.ops import check
from smtpctl.ops.session import Surroundings
from webserver import Request, Response, WebServer


@pytest.fixture
def web(pki: Pki, ports: Ports) -> Iterator[WebServer]:
    """The authority's web server."""
    intermediate = x509.load_pem_x509_certificate((pki.folder / "intermediate.crt").read_bytes())
    revoked = x509.load_pem_x509_crl((pki.folder / "intermediate.crl.pem").read_bytes())
    files = {
        "/intermediate.crt": intermediate.public_bytes(Encoding.DER),
        "/intermediate.crl": revoked.public_bytes(Encoding.DER),
    }

    def answer(asked: Request) -> Response | None:
        found = files.get(asked.path)
        if found is None:
            return Response("", 404)
        asked.write(f"HTTP/1.0 200 OK\r\nContent-Length: {len(found)}\r\n\r\n".encode() + found)
        return None

    with WebServer(answer, secure=False, port=ports["authority/web"]) as serving:
        yield serving


@pytest.fixture
def responder(pki: Pki, ports: Ports, tmp_path: Path) -> Iterator[Daemon]:
    """OpenSSL's, with the data base of an authority that has revoked one."""
    lines = []
    for chain, state in (("good", "V\t{ends}\t"), ("revoked", "R\t{ends}\t{begins},keyCompromise")):
        one = x509.load_pem_x509_certificates(pki.chain(chain).read_bytes())[0]
        ends, begins = (f"{at:%y%m%d%H%M%SZ}" for at in (one.not_valid_after_utc, one.not_valid_before_utc))
        serial = f"{one.serial_number:X}"
        lines.append(
            f"{state.format(ends=ends, begins=begins)}\t{serial:0>{len(serial) + len(serial) % 2}}\tunknown\t/CN=localhost\n"
        )
    (tmp_path / "index").write_text("".join(lines))
    issuer, port = pki.folder / "intermediate.crt", ports["authority/responder"]
    own: list[str | Path] = ["-CA", issuer, "-rsigner", issuer, "-rkey", pki.folder / "intermediate.key", "-ndays", "1"]
    daemon = Daemon(["openssl", "ocsp", "-index", tmp_path / "index", "-port", str(port), *own], tmp_path / "ocsp.out")
    try:
        # A connection without a request would keep it: it takes one after the other.
        wait_until(lambda: "waiting" in daemon.output.read_text() or None, "OpenSSL's responder")
        yield daemon
    finally:
        daemon.stop()


def checked(postfix: Postfix, pki: Pki, chain: str, *others: str) -> Report:
    made = profile("localhost", postfix.certificate_port(chain), tls="starttls", ca_file=str(pki.ca_file))
    return check.check(made, Surroundings({}, others=others or ("--fetch-aia",)))


def told(finding: Finding) -> str:
    return f"{finding.evidence[-1].label} {finding.evidence[-1].text}"


@pytest.mark.parametrize("chain", ["missing-int", "wrong-int"])
def test_the_authority_has_the_missing_one(postfix: Postfix, pki: Pki, web: WebServer, chain: str) -> None:
    assert told(checked(postfix, pki, chain).findings[0]) == "with it: the chain is complete"
    assert [asked.path for asked in web.requests] == ["/intermediate.crt"]


def test_the_authority_does_not_answer(postfix: Postfix, pki: Pki) -> None:
    assert "refused the connection" in told(checked(postfix, pki, "missing-int").findings[0])


def test_the_server_sends_all(postfix: Postfix, pki: Pki, web: WebServer) -> None:
    assert [finding.id for finding in checked(postfix, pki, "good").findings if finding.id.startswith("tls.")] == []
    assert web.requests == []


def said(report: Report) -> tuple[str, str, str]:
    found = report.facts["revocation"]
    return found["status"], found["source"], found["reason"] or ""


def ids(report: Report) -> list[str]:
    return [finding.id for finding in report.findings if finding.id.startswith("tls.")]


def test_the_responder_is_asked(postfix: Postfix, pki: Pki, responder: Daemon) -> None:
    report = checked(postfix, pki, "revoked", "--revocation")
    assert said(report) == ("revoked", "OCSP", "keyCompromise"), responder.output.read_text()
    [revoked] = [finding for finding in report.findings if finding.id.startswith("tls.")]
    assert revoked.id == "tls.cert.revoked"
    assert revoked.causes[0].text.startswith("Its key got into other hands")
    assert report.stages[-1].status == "failed"
    assert report.status() is ExitStatus.FINDINGS
    report = checked(postfix, pki, "good", "--revocation")
    assert said(report) == ("good", "OCSP", "")
    assert ids(report) == []
    assert report.stages[-1].detail.startswith("not revoked · OCSP of ")
    assert report.status() is ExitStatus.OK
    report = checked(postfix, pki, "good-rsa", "--revocation")  # the responder does not know it, and there is no list
    assert said(report)[0] == "unknown"
    assert report.facts["revocation"]["why"].startswith("OCSP: the responder does not know the certificate; CRL: ")
    assert report.stages[-1].status == "warning"
    assert report.status() is ExitStatus.OK


@pytest.mark.parametrize(("chain", "status", "reason"), [("revoked", "revoked", "keyCompromise"), ("good", "good", "")])
def test_the_list_is_asked(postfix: Postfix, pki: Pki, web: WebServer, chain: str, status: str, reason: str) -> None:
    assert said(checked(postfix, pki, chain, "--revocation")) == (status, "CRL", reason)


def test_a_session_that_was_stopped_is_asked_about_too(postfix: Postfix, pki: Pki, web: WebServer) -> None:
    report = checked(postfix, pki, "expired", "--revocation")
    assert said(report) == ("good", "CRL", "")
    assert report.findings[0].id == "tls.cert.expired"
    report = checked(postfix, pki, "missing-int", "--revocation")
    assert said(report)[0] == "unknown"  # there is no issuer to hold an answer against


def test_a_signature_that_proves_nothing(pki: Pki, web: WebServer) -> None:
    """Of a weak one the name is all that is left, and anybody can have that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pki.folder / "sha1.crt", pki.key("sha1"))

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as peer.sock:
            peer.until_gone()

    with RawServer(script) as server:
        made = profile("localhost", server.port, tls="implicit", ca_file=str(pki.ca_file), seconds=2)
        report = check.check(made, Surroundings({}, others=("--fetch-aia",)))
    [missing] = [finding for finding in report.findings if finding.id == "tls.chain.missing_intermediate"]
    assert "a signature with SHA1 proves nothing" in told(missing)
    assert web.requests


def test_nobody_answers_for_a_weak_signature(pki: Pki) -> None:
    """Whoever shows it could show an issuer of that name with it, whose key then signs the answer."""
    leaf = x509.load_pem_x509_certificates((pki.folder / "sha1.crt").read_bytes())[0]
    namesake = made("x", subject=leaf.issuer)
    asked = revocation.ask(
        (leaf.public_bytes(Encoding.DER), namesake.der), TlsPolicy(), Errand("127.0.0.1"), time.time()
    )
    assert asked.why.startswith("the certificate of its issuer is not at hand")
