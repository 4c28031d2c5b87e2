"""Others than the server, asked about its certificate: the authority that has what the server leaves out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bed.pki import Pki
from bed.ports import Ports
from bed.postfix import Postfix
from profiles import profile
from smtpctl.model.finding import Finding
from smtpctl.model.report import Report
from smtpctl.ops import check
from smtpctl.ops.session import Surroundings
from webserver import Request, Response, WebServer


@pytest.fixture
def web(pki: Pki, ports: Ports) -> Iterator[WebServer]:
    """The authority's web server."""
    intermediate = x509.load_pem_x509_certificate((pki.folder / "intermediate.crt").read_bytes())
    files = {"/intermediate.crt": intermediate.public_bytes(Encoding.DER)}

    def answer(asked: Request) -> Response | None:
        found = files.get(asked.path)
        if found is None:
            return Response("", 404)
        asked.write(f"HTTP/1.0 200 OK\r\nContent-Length: {len(found)}\r\n\r\n".encode() + found)
        return None

    with WebServer(answer, secure=False, port=ports["authority/web"]) as serving:
        yield serving


def checked(postfix: Postfix, pki: Pki, chain: str) -> Report:
    made = profile("localhost", postfix.certificate_port(chain), tls="starttls", ca_file=str(pki.ca_file))
    return check.check(made, Surroundings({}, fetch_aia=True))


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
