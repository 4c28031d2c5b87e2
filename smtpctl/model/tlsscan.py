"""What a TLS scan found out about one server, as facts. Numbers are those of the protocol; `knowledge.ciphers` has names."""

from __future__ import annotations

from smtpctl.model.record import NamedTuple

VERSION_NAMES = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}


class VersionScan(NamedTuple):
    """One version: `suites` that the server takes with it, in the order found; `told` what it answered where it takes
    none; `complete` False where not every suite could be asked for."""

    version: int
    suites: tuple[int, ...] = ()
    told: str = ""
    complete: bool = True

    @property
    def name(self) -> str:
        """As people write it: `TLS 1.2`."""
        return VERSION_NAMES[self.version]

    @property
    def accepted(self) -> bool:
        """Whether a handshake with this version can begin."""
        return bool(self.suites)


class AddressScan(NamedTuple):
    """What one address of a server showed in a handshake: the version as OpenSSL names it and the leaf (DER), or why there
    was none; `silent` where it gave no connection or no greeting."""

    address: str
    protocol: str = ""
    certificate: bytes = b""
    failure: str = ""
    silent: bool = False


class TlsScan(NamedTuple):
    """One server.

    Facts that could not be learnt are None. `dh` holds suite and bits of each DHE key exchange seen; `curves` are the groups
    of ECDHE with TLS 1.2 and older, as far as they were seen (all of them if `curves_complete`); `hybrid` is the group with
    post-quantum keys that was chosen for TLS 1.3 where such were offered first, 0 for none; `usual` is what a hello
    of all versions together was answered where that failed, else empty. `extended_master_secret` and
    `secure_renegotiation` concern TLS 1.2 and older, and so does `compression` (the version that took it, else 0).
    `asks_certificate` says whether the server asks for a client certificate, `demands_certificate` what it says to who has
    none (empty where that is no matter). `certificates` are the leaves (DER) presented with and without SNI, `leaf` the one of
    a whole handshake, `addresses` what each address showed where the name has several. `injection` is a value of
    `protocol.tls.dialogues.Injection`. `untested` says what could not be found out, and why.
    """

    versions: tuple[VersionScan, ...] = ()
    usual: str = ""
    dh: tuple[tuple[int, int], ...] = ()
    curves: tuple[int, ...] = ()
    curves_complete: bool = False
    hybrid: int | None = None
    extended_master_secret: bool | None = None
    secure_renegotiation: bool | None = None
    compression: int | None = None
    asks_certificate: bool | None = None
    demands_certificate: str | None = None
    leaf: bytes = b""
    addresses: tuple[AddressScan, ...] = ()
    certificates: tuple[bytes, bytes] | None = None
    resumption: bool | None = None
    injection: str | None = None
    connections: int = 0
    ms: float = 0.0
    finished: bool = True
    untested: tuple[tuple[str, str], ...] = ()

    def version(self, number: int) -> VersionScan:
        """The facts of one version."""
        return next((scan for scan in self.versions if scan.version == number), VersionScan(number))

    @property
    def accepted(self) -> tuple[VersionScan, ...]:
        """The versions that the server takes, oldest first."""
        return tuple(scan for scan in self.versions if scan.accepted)
