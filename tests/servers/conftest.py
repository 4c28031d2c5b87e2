"""The servers of the bed as fixtures: started when first asked for, shared by the whole run, ended with it."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bed.aio import Aiosmtpd
from bed.dovecot import Dovecot
from bed.exim import Exim
from bed.kerberos import Realm
from bed.oidc import OidcProvider
from bed.opensmtpd import OpenSmtpd
from bed.pki import Pki
from bed.ports import Ports
from bed.postfix import Postfix
from bed.tokens import TokenIssuer
from browser import Browser, chromium
from harness import Requires

POSTFIX_AND_DOVECOT = (
    "postfix",
    "dovecot-core",
    "dovecot-lmtpd",
    "dovecot-submissiond",
    "sasl2-bin",
    "libsasl2-modules",
)
KERBEROS = ("krb5-kdc", "krb5-admin-server", "krb5-user", "dovecot-gssapi", "libsasl2-modules-gssapi-mit")


@pytest.fixture(scope="session")
def bed_folder() -> Iterator[Path]:
    """A folder that the servers' own users can reach: pytest's are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="smtpctl-bed-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def ports() -> Iterator[Ports]:
    """The ports of this run."""
    given = Ports()
    yield given
    given.close()


@pytest.fixture(scope="session")
def pki(bed_folder: Path, requires: Requires, ports: Ports) -> Pki:
    """Certificates, good and bad."""
    requires("openssl")
    return Pki(bed_folder / "pki", ports["authority/web"], ports["authority/responder"])


@pytest.fixture(scope="session")
def trusting(pki: Pki) -> ssl.SSLContext:
    """A client's context that trusts the bed's root."""
    return ssl.create_default_context(cafile=str(pki.ca_file))


@pytest.fixture(scope="session")
def realm(bed_folder: Path, ports: Ports, requires: Requires) -> Iterator[Realm]:
    """The Kerberos realm."""
    for package in KERBEROS:
        requires(package, root=True)
    yield from _running(Realm(bed_folder / "kerberos", ports))


class Pair(NamedTuple):
    """Postfix asks Dovecot who may log in, Dovecot hands its mail to Postfix: one does not go without the other."""

    postfix: Postfix
    dovecot: Dovecot


@pytest.fixture(scope="session")
def postfix_and_dovecot(
    bed_folder: Path, ports: Ports, pki: Pki, requires: Requires, request: pytest.FixtureRequest
) -> Iterator[Pair]:
    for package in POSTFIX_AND_DOVECOT:
        requires(package, root=True)
    realm: Realm = request.getfixturevalue("realm")
    dovecot = Dovecot(bed_folder / "dovecot", ports, pki, realm.keytab, realm.environment)
    try:
        postfix = Postfix(bed_folder / "postfix", ports, pki, realm.environment)
        try:
            dovecot.ready()
            postfix.ready()
            yield Pair(postfix, dovecot)
        finally:
            postfix.stop()
    finally:
        dovecot.stop()


@pytest.fixture(scope="session")
def postfix(postfix_and_dovecot: Pair) -> Postfix:
    """`postfix.port("submission")`; its listeners are named in bed/templates/postfix-master.cf."""
    return postfix_and_dovecot.postfix


@pytest.fixture(scope="session")
def dovecot(postfix_and_dovecot: Pair) -> Dovecot:
    """`dovecot.port("submission")`, `dovecot.lmtp_socket`, `dovecot.wait_for_mail(address, subject)`."""
    return postfix_and_dovecot.dovecot


@pytest.fixture(scope="session")
def tokens(dovecot: Dovecot) -> TokenIssuer:
    """`tokens.token("alice@bed.test")`: a bearer token that Dovecot and Postfix accept."""
    return TokenIssuer(dovecot.token_keys)


@pytest.fixture(scope="session")
def oidc(bed_folder: Path, ports: Ports, pki: Pki, tokens: TokenIssuer, requires: Requires) -> Iterator[OidcProvider]:
    """`oidc.issuer`; its clients are in bed/oidc.py."""
    requires("nodejs")
    yield from _running(OidcProvider(requires("oidc-provider"), bed_folder / "oidc", ports, pki, tokens))


@pytest.fixture
def browser(requires: Requires) -> Iterator[Browser]:
    """A browser that has never been anywhere."""
    with chromium(requires("chromium")) as opened:
        yield opened


@pytest.fixture(scope="session")
def exim(bed_folder: Path, ports: Ports, pki: Pki, requires: Requires) -> Iterator[Exim]:
    """`exim.port("submission")`."""
    yield from _running(Exim(requires("exim4-daemon-light", root=True), bed_folder / "exim", ports, pki))


@pytest.fixture(scope="session")
def opensmtpd(bed_folder: Path, ports: Ports, pki: Pki, postfix: Postfix, requires: Requires) -> Iterator[OpenSmtpd]:
    """`opensmtpd.port("plain")`."""
    yield from _running(OpenSmtpd(requires("opensmtpd", root=True), bed_folder / "opensmtpd", ports, pki))


@pytest.fixture
def aiosmtpd(ports: Ports, pki: Pki) -> Iterator[Aiosmtpd]:
    """A new aiosmtpd for each test; `aiosmtpd.mails` is what it got."""
    server = Aiosmtpd(ports["aiosmtpd"], pki)
    yield server
    server.stop()


def _running(server: Any) -> Iterator[Any]:
    try:
        server.ready()
        yield server
    finally:
        server.stop()
