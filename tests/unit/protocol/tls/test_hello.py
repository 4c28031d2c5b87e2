from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.protocol.tls.hello import SSL3, TLS10, TLS12, TLS13, VERSIONS, ClientHello, farewell


def extensions(record: bytes) -> dict[int, bytes]:
    """The extensions of a ClientHello, read the long way round."""
    body = record[9:]
    at = 34
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    found: dict[int, bytes] = {}
    rest = body[at + 2 :]
    assert len(rest) == int.from_bytes(body[at : at + 2], "big")
    while rest:
        length = int.from_bytes(rest[2:4], "big")
        found[int.from_bytes(rest[:2], "big")] = rest[4 : 4 + length]
        rest = rest[4 + length :]
    return found


def test_lengths_and_versions_are_where_they_belong() -> None:
    record = ClientHello(TLS12, (0xC02F, 0xC030), "mail.example.com").record()
    assert record[:3] == b"\x16\x03\x01"
    assert int.from_bytes(record[3:5], "big") == len(record) - 5
    assert record[5] == 1
    assert int.from_bytes(record[6:9], "big") == len(record) - 9
    assert record[9:11] == b"\x03\x03"
    assert b"\x00\x04\xc0\x2f\xc0\x30\x02\x01\x00" in record


def test_ssl_3_has_no_extensions() -> None:
    record = ClientHello(SSL3, (5,), "mail.example.com").record()
    assert record[:3] == b"\x16\x03\x00"
    assert record.endswith(b"\x00\x02\x00\x05\x02\x01\x00")


def test_tls_1_3_says_so_in_an_extension_and_offers_no_compression() -> None:
    record = ClientHello(TLS13, (0x1301,), "mail.example.com").record()
    found = extensions(record)
    assert record[9:11] == b"\x03\x03"
    assert found[43] == b"\x02\x03\x04"
    assert found[51][:6] == b"\x00\x24\x00\x1d\x00\x20"
    assert b"\x00\x02\x13\x01\x01\x00" in record
    assert not {23, 0xFF01} & found.keys()


def test_a_hello_of_all_versions_is_one_of_tls_1_2_too() -> None:
    found = extensions(ClientHello(TLS13, (0x1301, 0xC02F), older=True).record())
    assert found[43] == b"\x08\x03\x04\x03\x03\x03\x02\x03\x01"
    assert found[23] == b"" and found[0xFF01] == b"\x00"


def test_the_name_is_sent_only_where_there_is_one() -> None:
    assert b"mail.example.com" in extensions(ClientHello(TLS12, (5,), "mail.example.com").record())[0]
    assert 0 not in extensions(ClientHello(TLS12, (5,)).record())


def test_equal_hellos_are_equal_octets_and_seeds_differ() -> None:
    hello = ClientHello(TLS12, (5,))
    assert hello.record() == hello.record()
    assert hello.record() != hello._replace(seed=b"1").record()


def test_a_hello_that_does_not_fit_is_not_made() -> None:
    with pytest.raises(ValueError, match="too many"):
        ClientHello(TLS12, tuple(range(5000))).record()


@given(st.sampled_from(VERSIONS[1:]), st.lists(st.integers(0, 0xFFFF), max_size=400), st.booleans())
def test_whatever_is_offered_can_be_read(version: int, suites: list[int], older: bool) -> None:
    hello = ClientHello(version, tuple(suites), "mail.example.com", older=older)
    assert 10 in extensions(hello.record())


def test_openssl_understands_it() -> None:
    """The library that most servers use reads the hello and begins to answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    received: list[str | None] = []
    context.sni_callback = lambda sock, name, ctx: received.append(name)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(ClientHello(TLS12, (0xC018,), "mail.example.com").record())
    with pytest.raises(ssl.SSLError):
        server.do_handshake()
    assert received == ["mail.example.com"]


def test_the_farewell_is_an_alert() -> None:
    assert farewell(TLS13) == b"\x15\x03\x03\x00\x02\x01\x00"
    assert farewell(TLS10)[:3] == b"\x15\x03\x01"
