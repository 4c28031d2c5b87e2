"""The TLS scan against servers whose TLS is known: Postfix at several settings, and OpenSSL's own server."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bed.pki import Pki
from bed.ports import Ports
from bed.postfix import Postfix
from bed.process import wait_until
from harness import Requires
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.knowledge import ciphers, groups
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Obstacle
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus, Report
from smtpctl.model.tlsscan import TlsScan
from smtpctl.model.transcript import Transcript
from smtpctl.net.connection import Log
from smtpctl.net.scan import scan
from smtpctl.ops.deep import check_deep
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.tls.hello import TLS10, TLS11, TLS12, TLS13

OpenSsl = Callable[..., AbstractContextManager[int]]


def look(port: int, mode: TlsMode = TlsMode.STARTTLS, host: str = "localhost") -> TlsScan:
    endpoint = Endpoint(host, port)
    return scan(endpoint, Route(family=4), TlsPolicy(mode=mode), Timeouts(60), "client.bed.test", Log(Transcript()), 5)


def versions(found: TlsScan) -> set[int]:
    return {version.version for version in found.accepted}


@pytest.fixture
def openssl(pki: Pki, ports: Ports, requires: Requires) -> OpenSsl:
    """`with openssl("-tls1_2") as port`: OpenSSL's server, TLS from the first octet."""
    program = requires("openssl")

    @contextmanager
    def start(*options: str) -> Iterator[int]:
        port = ports[f"openssl {options}"]
        chain, key = pki.chain("good-rsa"), pki.key("good-rsa")
        argv = [program, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", chain, "-key", key, "-quiet", *options]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: _listens(port) or None, "openssl s_server")
            yield port
        finally:
            process.kill()
            process.wait()

    return start


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_of_today(postfix: Postfix) -> None:
    found = look(postfix.port("submission"))
    assert {TLS12, TLS13} <= versions(found)
    assert found.finished and not found.untested
    assert all(version.complete for version in found.versions)
    assert (found.usual, found.compression, found.injection) == ("", 0, "ignored")
    assert found.extended_master_secret and found.secure_renegotiation and found.resumption
    assert min(bits for suite, bits in found.dh if not ciphers.anonymous(suite)) >= 2048


def test_the_curves_come_with_the_suites(postfix: Postfix) -> None:
    """Those that Postfix has by default."""
    found = look(postfix.port("submission"))
    names = {groups.name(group) for group in found.curves}
    assert (names, found.curves_complete) == ({"x25519", "x448", "secp256r1", "secp384r1", "secp521r1"}, True)
    assert found.hybrid is not None


@pytest.mark.parametrize("order", [(), ("-serverpref",)])
def test_short_curves(openssl: OpenSsl, order: tuple[str, ...]) -> None:
    with openssl("-tls1_2", "-cipher", "ECDHE:@SECLEVEL=0", "-curves", "secp192r1:secp160k1:P-256", *order) as port:
        found = look(port, TlsMode.IMPLICIT)
    assert {groups.name(group) for group in found.curves} == {"secp192r1", "secp160k1", "secp256r1"}
    assert found.curves_complete


def test_implicit_tls_and_starttls_are_the_same_server(postfix: Postfix) -> None:
    behind, first = look(postfix.port("submission")), look(postfix.port("smtps"), TlsMode.IMPLICIT)
    assert versions(first) == versions(behind)
    assert set(first.version(TLS13).suites) == set(behind.version(TLS13).suites)
    assert first.injection is None


@pytest.mark.parametrize(
    ("listener", "expected"), [("tls_1_0_1_1", {TLS10, TLS11}), ("tls_1_2", {TLS12}), ("tls_1_3", {TLS13})]
)
def test_only_the_versions_that_are_on(postfix: Postfix, listener: str, expected: set[int]) -> None:
    assert versions(look(postfix.port(listener))) == expected


def test_a_server_that_knows_one_cipher_for_each_of_its_keys(postfix: Postfix) -> None:
    found = look(postfix.port("odd_ciphers"))
    names = {ciphers.name(suite) for suite in found.version(TLS12).suites}
    assert names == {"TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384"}


def test_an_old_server_answers_a_new_hello(postfix: Postfix) -> None:
    assert look(postfix.port("tls_1_0_1_1")).usual == ""


def test_no_starttls_ends_the_scan(postfix: Postfix) -> None:
    with pytest.raises(Obstacle, match=r"starttls\.not_offered"):
        look(postfix.port("no_starttls"))


def test_every_suite_that_the_library_has(openssl: OpenSsl, requires: Requires) -> None:
    listed = subprocess.run(
        [requires("openssl"), "ciphers", "-s", "-tls1_2", "-stdname", "aRSA:aNULL:@SECLEVEL=0"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    expected = {line.split()[0] for line in listed.stdout.splitlines()}
    with openssl("-tls1_2", "-cipher", "aRSA:aNULL:@SECLEVEL=0") as port:
        found = look(port, TlsMode.IMPLICIT)
    assert {ciphers.name(suite) for suite in found.version(TLS12).suites} == expected
    assert versions(found) == {TLS12}


def test_short_diffie_hellman_parameters(openssl: OpenSsl, requires: Requires, tmp_path: Path) -> None:
    parameters = tmp_path / "dh.pem"
    subprocess.run([requires("openssl"), "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:modp_1536", "-out", parameters],
                   check=True, capture_output=True)  # fmt: skip
    with openssl("-tls1_2", "-cipher", "DHE:@SECLEVEL=0", "-dhparam", str(parameters)) as port:
        found = look(port, TlsMode.IMPLICIT)
    assert {bits for _, bits in found.dh} == {1536}


def test_a_server_that_asks_for_a_certificate(openssl: OpenSsl) -> None:
    with openssl("-tls1_2", "-verify", "1") as port:
        assert look(port, TlsMode.IMPLICIT).asks_certificate


@pytest.mark.parametrize(
    ("version", "verify", "demanded"),
    [("-tls1_2", "-verify", False), ("-tls1_2", "-Verify", True), ("-tls1_3", "-Verify", True)],
)
def test_asking_for_a_certificate_is_not_demanding_it(
    openssl: OpenSsl, version: str, verify: str, demanded: bool
) -> None:
    with openssl(version, verify, "1") as port:
        found = look(port, TlsMode.IMPLICIT)
    # This server says nothing inside TLS: that it took the handshake does not come out.
    assert bool(found.demands_certificate) is demanded
    assert ("tls.client_cert_required" in dict(found.untested)) is not demanded


def test_postfix_demands_a_certificate_inside_tls(postfix: Postfix, pki: Pki) -> None:
    found = look(postfix.port("client_certificate"))
    assert found.demands_certificate == "421 4.7.1 mail.bed.test Error: No client certificate presented"
    assert not look(postfix.port("submission")).demands_certificate
    assert (found.injection, "starttls.command_injection" in dict(found.untested)) == (None, True)
    report = judged(postfix, "client_certificate", pki)
    assert report.failure
    ids = [finding.id for finding in report.findings if finding.severity is Severity.ERROR]
    assert ids == ["generic.tls-client-cert-not-presented"], "told once"
    assert (report.failure.retryable, report.status()) == (False, ExitStatus.UNAVAILABLE)


def test_resumption_switched_off(openssl: OpenSsl) -> None:
    with openssl("-tls1_2", "-no_ticket", "-no_cache") as port:
        found = look(port, TlsMode.IMPLICIT)
    assert found.version(TLS12).accepted
    assert not found.resumption


def test_another_certificate_for_the_name(openssl: OpenSsl, pki: Pki) -> None:
    named = ["-servername", "localhost", "-cert2", str(pki.chain("expired")), "-key2", str(pki.key("expired"))]
    with openssl("-tls1_2", *named) as port:
        found = look(port, TlsMode.IMPLICIT)
    assert found.certificates is not None
    assert found.certificates[0] != found.certificates[1]


def judged(postfix: Postfix, listener: str, pki: Pki) -> Report:
    given = {"host": "localhost", "port": str(postfix.port(listener)), "tls": "starttls", "ca_file": str(pki.ca_file)}
    return check_deep(resolve(None, given, {}, document=Document(Path("none.toml"))), Surroundings({}), (), 5)


def test_a_retired_server_is_judged_although_no_session_comes_about(postfix: Postfix, pki: Pki) -> None:
    report = judged(postfix, "tls_1_0_1_1", pki)
    assert report.failure
    assert report.findings[0].id == "tls.version.no_tls12"
    assert report.findings[0].evidence[0].text == "TLS 1.0, TLS 1.1"
    assert {"tls.version.tls10", "tls.version.tls11"} <= {finding.id for finding in report.findings}


def test_what_the_texts_tell_postfix_to_set_is_enough(postfix: Postfix, pki: Pki) -> None:
    before = {finding.id for finding in judged(postfix, "mx", pki).findings}
    assert {"tls.version.tls10", "tls.version.tls11", "tls.cipher.null_anon_export"} <= before
    after = {finding.id for finding in judged(postfix, "as_told", pki).findings if finding.severity > Severity.NOTE}
    assert after == set()


def test_no_common_cipher_is_told_with_both_lists(postfix: Postfix, pki: Pki) -> None:
    finding = judged(postfix, "odd_ciphers", pki).findings[0]
    assert finding.id == "tls.cipher.no_overlap"
    server, ours = finding.evidence
    assert (server.label, ours.label) == ("server:", "this side:")
    assert "CAMELLIA" in server.text and "CAMELLIA" not in ours.text


def test_one_version_of_today_is_enough(postfix: Postfix, pki: Pki) -> None:
    report = judged(postfix, "tls_1_2", pki)
    assert not report.failure
    assert [f.id for f in report.findings if f.id.startswith("tls.version.")] == ["tls.version.no_tls13"]
