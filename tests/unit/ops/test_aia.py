"""`check --fetch-aia`: whether the certificate that is missing is where its issuer is said to be, and would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from chains import Authority, Made, made, serving
from profiles import profile
from rawserver import RawServer
from smtpctl.model.finding import Finding
from smtpctl.model.report import Report
from smtpctl.ops import check
from smtpctl.ops.aia import LINKS
from smtpctl.ops.session import Surroundings


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()
    with made.web:
        yield made


def checked(server: RawServer, folder: Path, *, fetch: bool = True, **settings: object) -> Report:
    wishes = {"tls": "implicit", "ca_file": str(folder / "ca.pem"), "seconds": 5, **settings}
    return check.check(
        profile("localhost", server.port, **wishes), Surroundings({}, others=("--fetch-aia",) if fetch else ())
    )


def told(finding: Finding) -> list[tuple[str, str]]:
    """What the proof added."""
    labels = ("fetched:", "not fetched:", "with it:", "with them:")
    return [(piece.label, piece.text) for piece in finding.evidence if piece.label in labels]


def p7c(*certificates: Made) -> bytes:
    return pkcs7.serialize_certificates([one.certificate for one in certificates], Encoding.DER)


FORMS: list[tuple[Callable[[Made], bytes], str]] = [
    (lambda one: one.der, "openssl x509 -inform der"),
    (lambda one: one.pem, "openssl x509"),
    (p7c, "openssl pkcs7 -inform der -print_certs"),
]


def appending(finding: Finding) -> list[str]:
    """The commands that append something to a chain."""
    return [line for cause in finding.causes for remedy in cause.remedies for line in remedy.commands if ">>" in line]


@pytest.mark.parametrize(("form", "reader"), FORMS)
def test_the_missing_one_makes_it_complete(
    authority: Authority, tmp_path: Path, form: Callable[[Made], bytes], reader: str
) -> None:
    between = made("Between", authority.root)
    authority.files["/b"] = form(between)
    with serving(tmp_path, authority.root, made("localhost", between, authority.url("/b"), server=True)) as server:
        report = checked(server, tmp_path)
    [finding] = report.findings
    assert finding.id == "tls.chain.missing_intermediate"
    assert told(finding) == [("fetched:", "CN=Between, issued by CN=Root"), ("with it:", "the chain is complete")]
    assert len(finding.causes) == 1
    assert appending(finding) == [f"curl -fsS {authority.url('/b')} | {reader} >> <chain file>"]
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
    assert len(appending(report.findings[0])) == 1
    assert authority.web.requests == []


def test_two_are_missing(authority: Authority, tmp_path: Path) -> None:
    upper = made("Upper", authority.root)
    lower = made("Lower", upper, authority.url("/upper"))
    authority.files |= {"/upper": upper.der, "/lower": lower.der}
    with serving(tmp_path, authority.root, made("localhost", lower, authority.url("/lower"), server=True)) as server:
        [finding] = checked(server, tmp_path).findings
    assert [label for label, _ in told(finding)] == ["fetched:", "fetched:", "with them:"]
    assert told(finding)[-1][1] == "the chain is complete"
    assert [line.split()[2] for line in appending(finding)] == [authority.url("/lower"), authority.url("/upper")]


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
    assert appending(finding) == []


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
    assert appending(report.findings[0]) == []  # what is there does not help
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
