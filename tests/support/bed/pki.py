"""A root, an intermediate, other authorities that are not as they should be, and one server chain for each fault that a
certificate or a chain can have.

`NAME.pem` is what a server sends (leaf first), `NAME.crt` the leaf alone, `NAME.key` its key. Also a client
certificate (`client`), a CRL that lists `revoked`, and OCSP responses (`good`, `revoked`, `muststaple`).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from bed.process import run

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

NAMES = ("localhost", "mail.bed.test", "127.0.0.1", "::1")
DISCARD = 9  # the port where nothing answers
DAY = dt.timedelta(days=1)


class Leaf(NamedTuple):
    """What one server certificate differs in. Days count from now."""

    names: Sequence[str] = NAMES
    common_name: str = "localhost"
    key: str = "ec"
    begins: int = -1
    ends: int = 365
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH
    issuer: str = "intermediate"
    sent: Sequence[str] = ("intermediate",)
    must_staple: bool = False
    ca: bool = False
    issuer_url: bool = True


class Authority(NamedTuple):
    """One that issues. `key_of` names another with the same key; `issuer` is the one that signed it, empty for itself."""

    common_name: str
    issuer: str = ""
    key: str = "ec"
    key_of: str = ""
    begins: int = -60
    ends: int = 365
    path_length: int | None = None


AUTHORITIES = {
    "ca": Authority("smtpctl bed root", key="rsa2048", ends=3650),
    "intermediate": Authority("smtpctl bed intermediate", "ca", key="rsa2048"),
    "expired-intermediate": Authority("smtpctl bed intermediate", "ca", key_of="intermediate", ends=-2),
    "namesake": Authority("smtpctl bed intermediate", "ca"),
    "weak": Authority("smtpctl bed weak intermediate", "ca", key="rsa1024"),
    "last": Authority("smtpctl bed last intermediate", "ca", path_length=0),
    "beyond": Authority("smtpctl bed one too many", "last"),
    "other": Authority("some other root"),
    "anew": Authority("smtpctl bed root"),
}
LEAVES = {
    "good": Leaf(),
    "good-rsa": Leaf(key="rsa2048"),
    "expired": Leaf(begins=-30, ends=-1),
    "notyet": Leaf(begins=10, ends=30),
    "soon": Leaf(ends=3),
    "wronghost": Leaf(names=("other.example",), common_name="other.example"),
    "nosan": Leaf(names=()),
    "missing-int": Leaf(sent=()),
    "wildcard": Leaf(names=("*.bed.test",), common_name="*.bed.test"),
    "ipsan": Leaf(names=("127.0.0.1",), common_name="127.0.0.1"),
    "rsa1024": Leaf(key="rsa1024"),
    "clientonly": Leaf(usage=ExtendedKeyUsageOID.CLIENT_AUTH),
    "muststaple": Leaf(must_staple=True),
    "revoked": Leaf(),
    "idn": Leaf(names=("xn--bcher-kva.example",), common_name="xn--bcher-kva.example"),
    "is-ca": Leaf(ca=True),
    "unknownca": Leaf(issuer="other", sent=("other",)),
    "root-unsent": Leaf(issuer="other", sent=(), issuer_url=False),
    "root-anew": Leaf(issuer="anew", sent=()),
    "three-faults": Leaf(names=("other.example",), common_name="other.example", begins=-30, ends=-1, sent=()),
    "expired-int": Leaf(sent=("expired-intermediate",)),
    "two-ints": Leaf(sent=("expired-intermediate", "intermediate")),  # the same key: the newer one will do
    "wrong-int": Leaf(sent=("namesake",)),
    "weak-int": Leaf(issuer="weak", sent=("weak",)),
    "too-deep": Leaf(issuer="beyond", sent=("beyond", "last")),
    "disordered": Leaf(sent=("ca", "intermediate")),
    "with-root": Leaf(sent=("intermediate", "ca")),
    "twice": Leaf(sent=("intermediate", "intermediate")),
    "stranger": Leaf(sent=("intermediate", "other")),
}
# Made in a way of their own: nobody else signed it, or the signature is another.
SPECIAL = ("selfsigned", "sha1")
CHAINS = (*LEAVES, *SPECIAL)


class Pki:
    """The folder with all of it. `web` and `responder` are the ports of the places that certificates name."""

    def __init__(self, folder: Path, web: int = DISCARD, responder: int = DISCARD) -> None:
        self.folder = folder
        self.issuer_url = f"http://127.0.0.1:{web}/intermediate.crt"
        self.crl_url = f"http://127.0.0.1:{web}/intermediate.crl"
        self.ocsp_url = f"http://127.0.0.1:{responder}/"
        folder.mkdir(parents=True, exist_ok=True)
        self._now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self._keys: dict[str, Key] = {}
        self._authorities: dict[str, x509.Certificate] = {}
        for name, authority in AUTHORITIES.items():
            self._make_authority(name, authority)
        self._leaves = {name: self._make_leaf(name, leaf) for name, leaf in LEAVES.items()}
        self._make_special()
        self._make_revocation()

    @property
    def ca_file(self) -> Path:
        """The root that a client must trust."""
        return self.folder / "ca.crt"

    def chain(self, name: str) -> Path:
        """What the server sends."""
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        """The private key of a chain."""
        return self.folder / f"{name}.key"

    def _make_authority(self, name: str, authority: Authority) -> None:
        key = self._keys[authority.key_of] if authority.key_of else new_key(authority.key)
        leaf = Leaf(common_name=authority.common_name, begins=authority.begins, ends=authority.ends, ca=True)
        made = self._sign(leaf, key, issuer=self._issuer(authority.issuer), path_length=authority.path_length)
        self._keys[name], self._authorities[name] = key, made
        self._write(name, key, [made])

    def _issuer(self, name: str) -> tuple[x509.Certificate, Key] | None:
        return (self._authorities[name], self._keys[name]) if name else None

    def _make_leaf(self, name: str, leaf: Leaf) -> x509.Certificate:
        key = new_key(leaf.key)
        certificate = self._sign(leaf, key, issuer=self._issuer(leaf.issuer))
        self._write(name, key, [certificate, *(self._authorities[other] for other in leaf.sent)])
        return certificate

    def _make_special(self) -> None:
        own_key = new_key("rsa2048")
        self._write("selfsigned", own_key, [self._sign(Leaf(), own_key)])

        client_key = new_key("rsa2048")
        client = Leaf(names=("client",), common_name="client", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        self._write("client", client_key, [self._sign(client, client_key, issuer=self._issuer("ca"))])
        self._make_sha1()

    def _make_sha1(self) -> None:
        """cryptography refuses to sign with SHA-1; the openssl program does not."""
        path = self.folder / "sha1"
        extensions = path.with_suffix(".ext")
        extensions.write_text(
            "subjectAltName=DNS:localhost,DNS:mail.bed.test,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
            f"authorityInfoAccess=caIssuers;URI:{self.issuer_url}\n"
        )
        request = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=smtpctl bed/CN=localhost"]
        run([*request, "-keyout", path.with_suffix(".key"), "-out", path.with_suffix(".csr")])
        issuer: list[str | Path] = ["-CA", self.folder / "intermediate.crt", "-CAkey", self.folder / "intermediate.key"]
        sign: list[str | Path] = ["openssl", "x509", "-req", "-sha1", "-days", "300", "-set_serial", "777", *issuer]
        files: list[str | Path] = [
            "-in",
            path.with_suffix(".csr"),
            "-extfile",
            extensions,
            "-out",
            path.with_suffix(".crt"),
        ]
        run([*sign, *files])
        path.with_suffix(".pem").write_bytes(
            path.with_suffix(".crt").read_bytes() + (self.folder / "intermediate.crt").read_bytes()
        )

    def _make_revocation(self) -> None:
        revoked = (
            x509.RevokedCertificateBuilder()
            .serial_number(self._leaves["revoked"].serial_number)
            .revocation_date(self._now - DAY)
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            .build()
        )
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._authorities["intermediate"].subject)
            .last_update(self._now - DAY)
            .next_update(self._now + 7 * DAY)
            .add_revoked_certificate(revoked)
            .sign(self._keys["intermediate"], hashes.SHA256())
        )
        (self.folder / "intermediate.crl.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
        for name in ("good", "revoked", "muststaple"):
            (self.folder / f"{name}.ocsp").write_bytes(self._ocsp_response(name))

    def _ocsp_response(self, name: str) -> bytes:
        is_revoked = name == "revoked"
        response = ocsp.OCSPResponseBuilder().add_response(
            cert=self._leaves[name],
            issuer=self._authorities["intermediate"],
            algorithm=hashes.SHA1(),  # of names only: what RFC 6960 clients understand
            cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=self._now,
            next_update=self._now + DAY,
            revocation_time=self._now - DAY if is_revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if is_revoked else None,
        )
        response = response.responder_id(ocsp.OCSPResponderEncoding.HASH, self._authorities["intermediate"])
        signed = response.sign(self._keys["intermediate"], hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)

    def _sign(
        self,
        leaf: Leaf,
        key: Key,
        issuer: tuple[x509.Certificate, Key] | None = None,
        *,
        path_length: int | None = None,
    ) -> x509.Certificate:
        issuer_name = issuer[0].subject if issuer else _name(leaf.common_name)
        signing_key = issuer[1] if issuer else key
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(leaf.common_name))
            .issuer_name(issuer_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + leaf.begins * DAY)
            .not_valid_after(self._now + leaf.ends * DAY)
        )
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
        own = leaf.common_name in {made.common_name for made in AUTHORITIES.values()}
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=leaf.ca, path_length=path_length), True),
            (_key_usage(key, ca=own), True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (authority, False),
        ]
        for extension, critical in [*extensions, *(() if own else self._leaf_extensions(leaf))]:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(signing_key, hashes.SHA256())

    def _leaf_extensions(self, leaf: Leaf) -> list[tuple[x509.ExtensionType, bool]]:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(self.crl_url)], None, None, None)
        responder = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(self.ocsp_url)
        )
        issuer = x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(self.issuer_url)
        )
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.ExtendedKeyUsage([leaf.usage]), False),
            (x509.CRLDistributionPoints([point]), False),
            (x509.AuthorityInformationAccess([responder, issuer] if leaf.issuer_url else [responder]), False),
        ]
        if leaf.names:
            extensions.append((x509.SubjectAlternativeName([_alternative(name) for name in leaf.names]), False))
        if leaf.must_staple:
            extensions.append((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
        return extensions

    def _write(self, name: str, key: Key, chain: Sequence[x509.Certificate]) -> None:
        encoding = serialization.Encoding.PEM
        octets = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path = self.key(name)
        path.write_bytes(octets)
        path.chmod(0o600)
        certificates = [certificate.public_bytes(encoding) for certificate in chain]
        (self.folder / f"{name}.crt").write_bytes(certificates[0])
        self.chain(name).write_bytes(b"".join(certificates))


NEW_KEY: dict[str, Callable[[], Key]] = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
}


def new_key(kind: str) -> Key:
    """`ec`, `rsa2048` or, too short on purpose, `rsa1024`."""
    return NEW_KEY[kind]()


def _name(common_name: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "smtpctl bed", NameOID.COMMON_NAME: common_name}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(key: Key, *, ca: bool) -> x509.KeyUsage:
    uses: dict[str, Any] = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    rsa_leaf = not ca and isinstance(key, rsa.RSAPrivateKey)
    return x509.KeyUsage(digital_signature=not ca, key_encipherment=rsa_leaf, key_cert_sign=ca, crl_sign=ca, **uses)
