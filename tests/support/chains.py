"""Certificates made for one test, a web server that has what they name, and a server that shows them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import NameOID

from rawserver import Peer, RawServer
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


def made(
    name: str,
    issuer: Made | None = None,
    url: str = "",
    *,
    ends: int = 9,
    server: bool = False,
    subject: x509.Name | None = None,
    more: Sequence[x509.ExtensionType] = (),
) -> Made:
    """One that `issuer` signed, itself without; `url` is where its issuer is to be had."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = subject or named(name)
    own_name = issuer.certificate.subject if issuer else subject
    begins, end = NOW - timedelta(9), NOW + timedelta(ends)
    builder = x509.CertificateBuilder(own_name, subject, key.public_key(), x509.random_serial_number(), begins, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=not server, path_length=None), critical=True)
    if server:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    if url:
        place = x509.AccessDescription(Access.CA_ISSUERS, x509.UniformResourceIdentifier(url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
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
