"""The presets: the data is well formed, one preset is read as all are, and suggestions fit."""

from __future__ import annotations

import re
from datetime import date

import pytest

from smtpctl.config import presets
from smtpctl.config.fields import OAUTH_BY_NAME
from smtpctl.config.values import parse
from smtpctl.model.endpoint import TlsMode

ALL = presets.load()
KINDS = {"common", "mailbox", "business", "relay", "hosting", "test", "direct", "generic"}
HOST = re.compile(r"(?:[a-z0-9-]+|\{[a-z]+\})(?:\.(?:[a-z0-9-]+|\{[a-z]+\}))*")


def ids(**question: object) -> list[str]:
    return [suggestion.preset.id for suggestion in presets.suggest(**question)]  # type: ignore[arg-type]


def test_one_preset_reads_as_all_do() -> None:
    assert [presets.get(preset.id) for preset in ALL] == list(ALL)


def test_names_are_the_tables() -> None:
    assert presets.names() == tuple(preset.id for preset in ALL)


@pytest.mark.parametrize("name", ["", "nowhere", "gmail.oauth", "gmail]\n[aol"])
def test_unknown_preset(name: str) -> None:
    with pytest.raises(KeyError):
        presets.get(name)


@pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.id)
def test_data(preset: presets.Preset) -> None:
    assert preset.kind in KINDS
    assert preset.name
    assert preset.endpoints
    assert preset.username
    assert preset.credential
    for endpoint in preset.endpoints:
        assert HOST.fullmatch(endpoint.host), endpoint.host
        assert 1 <= endpoint.port <= 65535
        assert set(re.findall(r"\{(\w+)\}", endpoint.host)) <= set(preset.variables)
        if preset.hosts and "{" not in endpoint.host:
            assert re.fullmatch(preset.hosts, endpoint.host)
        assert (endpoint.port, endpoint.tls) not in ((465, TlsMode.STARTTLS), (25, TlsMode.IMPLICIT))
    assert all(domain == domain.lower() for domain in preset.domains)
    assert not any("memory" in note or "seen" in note.lower() for note in preset.notes)
    if preset.oauth:
        oauth = preset.oauth
        assert oauth.flows
        assert set(oauth.flows) <= set(OAUTH_BY_NAME["grant"].choices)
        for field, address in (("token_endpoint", oauth.token), ("authorization_endpoint", oauth.authorize)):
            assert parse(OAUTH_BY_NAME[field], address.replace("{tenant}", "t"))
        assert ("device_code" in oauth.flows) == bool(oauth.device)
        assert oauth.scopes
        assert oauth.source
        assert date.fromisoformat(oauth.as_of)


def test_a_domain_belongs_to_one_provider() -> None:
    domains = [domain for preset in ALL for domain in preset.domains]
    assert len(domains) == len(set(domains))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("m365-oauth2", {"host": "smtp.office365.com", "port": 587, "tls": "starttls", "auth": "oauth2"}),
        ("relay-starttls", {"host": "smtp.example.com", "port": 587, "tls": "starttls", "auth": "basic"}),
        ("relay-implicit", {"host": "smtp.example.com", "port": 465, "tls": "implicit", "auth": "basic"}),
        ("internal-relay", {"host": "mailrelay.internal.example.com", "port": 25, "tls": "none", "auth": "none"}),
        ("sendgrid", {"host": "smtp.sendgrid.net", "port": 587, "tls": "starttls", "username": "apikey"}),
        ("gmail", {"host": "smtp.gmail.com", "port": 587, "tls": "starttls"}),
        ("amazon-ses", {"port": 587, "tls": "starttls"}),
        ("outlook-com", {"host": "smtp-mail.outlook.com", "port": 587, "tls": "starttls", "auth": "oauth2"}),
    ],
)
def test_settings(name: str, expected: dict[str, object]) -> None:
    assert presets.get(name).settings() == expected


def test_suggest_by_domain() -> None:
    assert ids(domain="GMail.com.")[0] == "gmail"
    assert ids(domain="contoso.onmicrosoft.com")[0] == "microsoft365"


def test_suggest_by_host() -> None:
    assert ids(host="email-smtp.eu-west-1.amazonaws.com") == ["amazon-ses"]
    assert ids(host="smtp.gmail.com") == ["gmail", "google-workspace"]


def test_suggest_by_mx() -> None:
    assert ids(domain="contoso.test", mx=["contoso-test.mail.protection.outlook.com."])[0] == "m365-oauth2"
    assert ids(domain="contoso.test", mx=["alt1.aspmx.l.google.com"]) == ["google-workspace"]


@pytest.mark.parametrize(
    ("mx", "name"),
    [
        ("aspmx2.googlemail.com", "google-workspace"),
        ("smtp.google.com", "google-workspace"),
        ("mx.zoho.eu", "zoho-eu"),
        ("mx2.zoho.com", "zoho-us"),
        ("in1-smtp.messagingengine.com", "fastmail"),
        ("mailsec.protonmail.ch", "proton"),
        ("mx01.mail.icloud.com", "icloud"),
        ("mx.yandex.net", "yandex"),
        ("emx.mail.ru", "mailru"),
        ("mx00.kundenserver.de", "ionos"),
        ("mx00.ionos.co.uk", "ionos"),
        ("smtpin.rzone.de", "strato"),
        ("mx1.mail.ovh.net", "ovh"),
        ("spool.mail.gandi.net", "gandi"),
        ("mta-gw.infomaniak.ch", "infomaniak"),
        ("mx1.emailsrvr.com", "rackspace"),
        ("mailstore1.secureserver.net", "godaddy"),
        ("mx1.hostinger.com", "hostinger"),
        ("mx1.privateemail.com", "namecheap"),
        ("mxbiz1.qq.com", "qq-exmail"),
    ],
)
def test_the_mx_hosts_of_providers(mx: str, name: str) -> None:
    assert ids(domain="contoso.test", mx=[mx]) == [name]


def test_suggest_a_relay_where_nothing_fits() -> None:
    assert ids(domain="contoso.test", mx=["mx.contoso.test"]) == ["relay-starttls", "relay-implicit"]
    assert ids(domain="notgmail.com") == ["relay-starttls", "relay-implicit"]


def test_json_leaves_out_what_is_empty() -> None:
    data = presets.get("mailpit").to_json()
    assert data["verified"] is False
    assert data["endpoints"] == [{"host": "localhost", "port": 1025, "tls": "none"}]
    assert "oauth" not in data
    assert "domains" not in data
