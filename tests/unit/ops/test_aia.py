"""`check --fetch-aia`: whether the certificate that is missing is where its issuer is said to be, and would do."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import NameOID

from profiles import profile
from rawserver import Peer, RawServer
from smtpctl.model.finding import Finding
from smtpctl.model.report import Report
from smtpctl.ops import check
from smtpctl.ops.aia import LINKS
from smtpctl.ops.session import Surroundings
from webserver import Request, Response, WebServer

NOW = datetime.now(UTC)


class Made(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def made(name: str, issuer: Made | None = None, url: str = "", *, ends: int = 9, server: bool = False) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = named(name)
    own_name = issuer.certificate.subject if issuer else subject
    begins, end = NOW - timedelta(9), NOW + timedelta(ends)
    builder = x509.CertificateBuilder(own_name, subject, key.public_key(), x509.random_serial_number(), begins, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=not server, path_length=None), critical=True)
    if server:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    if url:
        place = x509.AccessDescription(Access.CA_ISSUERS, x509.UniformResourceIdentifier(url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    return Made(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class Authority:
    """A root and a web server that has what certificates name, by path."""

    def __init__(self) -> None:
        self.root = made("Root")
        self.files: dict[str, bytes] = {}
        self.web = WebServer(self._answer, secure=False)

    def _answer(self, asked: Request) -> Response | None:
        found = self.files.get(asked.path)
        if found is None:
            return Response("", 404)
        asked.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(found)}\r\n\r\n".encode() + found)
        return None

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.web.port}{path}"


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()
    with made.web:
        yield made


@contextmanager
def serving(folder: Path, root: Made, leaf: Made, *above: Made) -> Iterator[RawServer]:
    """A server that shows the leaf and those above it; the root is in `ca.pem`."""
    (folder / "ca.pem").write_bytes(root.pem)
    (folder / "chain.pem").write_bytes(leaf.pem + b"".join(one.pem for one in above))
    (folder / "key.pem").write_bytes(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as peer.sock:
            peer.say("220 localhost")
            peer.hear()
            peer.say("250 localhost")
            peer.hear()
            peer.say("221 Bye")

    with RawServer(script) as server:
        yield server


def checked(server: RawServer, folder: Path, *, fetch: bool = True, **settings: object) -> Report:
    wishes = {"tls": "implicit", "ca_file": str(folder / "ca.pem"), "seconds": 5, **settings}
    return check.check(profile("localhost", server.port, **wishes), Surroundings({}, fetch_aia=fetch))


def told(finding: Finding) -> list[tuple[str, str]]:
    """What the proof added."""
    labels = ("fetched:", "not fetched:", "with it:", "with them:")
    return [(piece.label, piece.text) for piece in finding.evidence if piece.label in labels]


def p7c(*certificates: Made) -> bytes:
    return pkcs7.serialize_certificates([one.certificate for one in certificates], Encoding.DER)


FORMS: list[Callable[[Made], bytes]] = [lambda one: one.der, lambda one: one.pem, p7c]


@pytest.mark.parametrize("form", FORMS)
def test_the_missing_one_makes_it_complete(authority: Authority, tmp_path: Path, form: Callable[[Made], bytes]) -> None:
    between = made("Between", authority.root)
    authority.files["/b"] = form(between)
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        report = checked(server, tmp_path)
    [finding] = report.findings
    assert finding.id == "tls.chain.missing_intermediate"
    assert told(finding) == [("fetched:", "CN=Between, issued by CN=Root"), ("with it:", "the chain is complete")]
    assert len(finding.causes) == 1
    assert [outcome.result for outcome in report.outcomes if outcome.check == "missing certificate"] == ["passed"]
    assert "with it: the chain is complete" in [event.text for event in report.transcript]
    assert report.failure  # the session did not trust it
    assert not any("--fetch-aia" in line for cause in finding.causes for r in cause.remedies for line in r.commands)


def test_nobody_is_asked_without_the_option(authority: Authority, tmp_path: Path) -> None:
    between = made("Between", authority.root)
    authority.files["/b"] = between.der
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        report = checked(server, tmp_path, fetch=False)
    assert told(report.findings[0]) == []
    assert "fetch-aia" in report.next_command
    assert authority.web.requests == []


def test_two_are_missing(authority: Authority, tmp_path: Path) -> None:
    upper = made("Upper", authority.root)
    lower = made("Lower", upper, authority.url("/upper"))
    authority.files |= {"/upper": upper.der, "/lower": lower.der}
    with serving(tmp_path, authority.root, made("localhost", lower, authority.url("/lower"), server=True)) as server:
        [finding] = checked(server, tmp_path).findings
    assert [label for label, _ in told(finding)] == ["fetched:", "fetched:", "with them:"]
    assert told(finding)[-1][1] == "the chain is complete"


def test_an_endless_chain_is_left(authority: Authority, tmp_path: Path) -> None:
    above = authority.root
    for number in range(2 * LINKS):
        above = made(f"Number {number}", above, authority.url(f"/{number - 1}"))
        authority.files[f"/{number}"] = above.der
    leaf = made("localhost", above, authority.url(f"/{2 * LINKS - 1}"), server=True)
    with serving(tmp_path, authority.root, leaf) as server:
        [finding] = checked(server, tmp_path).findings
    assert len(authority.web.requests) == LINKS
    assert "does not send the certificate" in told(finding)[-1][1]


def test_it_leads_to_a_root_that_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    own = made("Private root")
    authority.files["/r"] = own.der
    with serving(tmp_path, authority.root, made("localhost", own, authority.url("/r"), server=True)) as server:
        [finding] = checked(server, tmp_path).findings
    assert told(finding)[0] == ("fetched:", "CN=Private root, issued by CN=Private root")
    assert "does not trust" in told(finding)[1][1]
    assert [cause.facts for cause in finding.causes] == [("private_authority",)]


def test_it_has_expired(authority: Authority, tmp_path: Path) -> None:
    between = made("Between", authority.root, ends=-1)
    authority.files["/b"] = between.der
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        [finding] = checked(server, tmp_path).findings
    assert "expired" in told(finding)[1][1]


def test_the_right_one_where_another_of_its_name_is_sent(authority: Authority, tmp_path: Path) -> None:
    between, namesake = made("Between", authority.root), made("Between", authority.root)
    authority.files["/b"] = between.der
    leaf = made("localhost", between, authority.url("/b"), server=True)
    with serving(tmp_path, authority.root, leaf, namesake) as server:
        finding = checked(server, tmp_path).findings[0]
    assert finding.id == "tls.chain.bad_signature"
    assert told(finding)[-1] == ("with it:", "the chain is complete")


WRONG: list[tuple[Callable[[Made], bytes], str]] = [
    (lambda root: made("Between", root).der, "the one that is there has the right name, but its key did not sign"),
    (lambda root: made("Somebody", root).der, "the one that is there is another: CN=Somebody"),
    (lambda _: b"<html>not here</html>", "what is there is no certificate"),
    (lambda _: b"", "what is there is no certificate"),
    (lambda _: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "what is there is no certificate"),
    (lambda _: b"\x30\x80" * 1000, "what is there is no certificate"),
]


@pytest.mark.parametrize(("there", "why"), WRONG)
def test_what_is_there_is_not_it(
    authority: Authority, tmp_path: Path, there: Callable[[Made], bytes], why: str
) -> None:
    authority.files["/b"] = there(authority.root)
    between = made("Between", authority.root)
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        report = checked(server, tmp_path)
    assert told(report.findings[0]) == [("not fetched:", why)]
    assert [(o.result, o.reason) for o in report.outcomes if o.check == "missing certificate"] == [("skipped", why)]


def test_it_is_not_there(authority: Authority, tmp_path: Path) -> None:
    between = made("Between", authority.root)
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        [finding] = checked(server, tmp_path).findings
    assert told(finding) == [("not fetched:", "127.0.0.1 answered with status 404")]


def test_also_where_nothing_is_verified(authority: Authority, tmp_path: Path) -> None:
    between = made("Between", authority.root)
    authority.files["/b"] = between.der
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        report = checked(server, tmp_path, insecure=True)
    assert report.failure is None
    assert told(next(f for f in report.findings if f.id == "tls.chain.missing_intermediate"))[-1][0] == "with it:"


def skipped(report: Report) -> Sequence[str]:
    return [outcome.reason for outcome in report.outcomes if outcome.check == "missing certificate"]


def test_nothing_is_missing(authority: Authority, tmp_path: Path) -> None:
    between = made("Between", authority.root)
    leaf = made("localhost", between, authority.url("/b"), server=True)
    with serving(tmp_path, authority.root, leaf, between) as server:
        assert skipped(checked(server, tmp_path)) == ["none is missing"]
    assert skipped(checked(server, tmp_path)) == ["the session did not get to tls"]
    assert authority.web.requests == []
