from __future__ import annotations

import pytest

from smtpctl.knowledge.catalogue import GENERIC, load, owner


def test_the_catalogue_is_loaded_once() -> None:
    assert load() is load()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("email-smtp.eu-west-1.amazonaws.com", "ses"),
        ("Email-SMTP.eu-west-1.AmazonAWS.com", "ses"),
        ("email-smtp.amazonaws.com", None),  # the pattern has a star between two dots
        ("amazonaws.com", None),
        ("smtp.gmail.com", "google"),
        ("smtp.gmail.com.example.org", None),
    ],
)
def test_hosts_are_patterns(host: str, name: str | None) -> None:
    known = owner(host)
    assert (known and known.provider) == name


def test_every_provider_has_entries_and_a_name() -> None:
    catalogue = load()
    prefixes = {said.prefix for said in catalogue.entries.values()}
    assert prefixes == catalogue.providers.keys()
    assert all(provider.name for provider in catalogue.providers.values())
    assert GENERIC in prefixes


def test_presets_belong_to_one_provider() -> None:
    presets = [name for provider in load().providers.values() for name in provider.presets]
    assert len(presets) == len(set(presets))


def test_presets_exist() -> None:
    from smtpctl.config import presets

    known = set(presets.names())
    assert {name for provider in load().providers.values() for name in provider.presets} <= known


def test_a_source_is_one_line() -> None:
    catalogue = load()
    said = catalogue.entries["m365.535-5-7-3-app-token"]
    assert "https://learn.microsoft.com/" in catalogue.source_of(said)
    assert catalogue.as_of(said) >= "2026-06"
