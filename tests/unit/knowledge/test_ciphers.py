from __future__ import annotations

import pytest

from smtpctl.knowledge import ciphers


def test_every_suite_has_a_number_and_a_name_of_its_own() -> None:
    names = ciphers.names()
    assert len(names) > 300
    assert len(set(names.values())) == len(names)
    assert all(name.startswith("TLS_") for name in names.values())
    assert 0 not in names and 0xFF not in names and 0x5600 not in names, "no suite, and two signals"


def test_tls_1_3_has_suites_of_its_own() -> None:
    assert [ciphers.name(suite) for suite in ciphers.for_version(0x0304)][:2] == [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
    ]
    assert not set(ciphers.for_version(0x0303)) & set(ciphers.for_version(0x0304))
    assert ciphers.for_version(0x0300) == ciphers.for_version(0x0303)


def test_an_unknown_suite_is_its_number() -> None:
    assert ciphers.name(0xFEFE) == "0xfefe"


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        ("TLS_RSA_WITH_NULL_SHA", {"unprotected"}),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", {"unprotected"}),
        ("TLS_DHE_RSA_WITH_DES_CBC_SHA", {"unprotected", "forward_secret"}),
        ("TLS_DH_anon_WITH_AES_256_CBC_SHA", {"anonymous", "forward_secret"}),
        ("TLS_RSA_WITH_RC4_128_SHA", {"outdated"}),
        ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", {"outdated", "forward_secret"}),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", set()),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", {"forward_secret"}),
        ("TLS_AES_128_GCM_SHA256", {"forward_secret"}),
        ("TLS_DH_RSA_WITH_AES_128_GCM_SHA256", set()),
    ],
)
def test_what_a_name_says(name: str, traits: set[str]) -> None:
    suite = next(number for number, known in ciphers.names().items() if known == name)
    judges = (ciphers.unprotected, ciphers.anonymous, ciphers.outdated, ciphers.forward_secret)
    assert {judge.__name__ for judge in judges if judge(suite)} == traits
