from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.protocol.tls.answer import LIMIT, Answer, AnswerReader, Ending, key_exchange, server_hello
from smtpctl.protocol.tls.hello import TLS10, TLS12, TLS13

CORPUS = Path(__file__).parents[3] / "corpus" / "tls"  # recorded from OpenSSL 3.0 (openssl s_server)
RECORDINGS = sorted(CORPUS.glob("*.hex"))


def recording(name: str) -> bytes:
    return bytes.fromhex((CORPUS / f"{name}.hex").read_text())


def whole(octets: bytes) -> Answer | None:
    return AnswerReader().take(bytearray(octets))


def octet_by_octet(octets: bytes) -> Answer | None:
    reader, buffer = AnswerReader(), bytearray()
    for octet in octets:
        buffer.append(octet)
        answer = reader.take(buffer)
        if answer:
            return answer
    return None


def trailing(octets: bytes) -> Answer | None:
    return AnswerReader().take(bytearray(octets + b"\x17\x03\x03\x00\x02hi"))


WAYS = pytest.mark.parametrize("read", [whole, octet_by_octet, trailing], ids=lambda way: way.__name__)
Read = Callable[[bytes], Answer | None]


def read_recording(name: str) -> Answer:
    answer = whole(recording(name))
    assert answer is not None
    return answer


@WAYS
def test_a_whole_flight_of_tls_1_2(read: Read) -> None:
    answer = read(recording("tls12-ecdhe"))
    assert answer is not None
    assert (answer.ending, answer.version, answer.suite) == (Ending.HELLO, TLS12, 0xC02B)
    assert answer.group == 29 and answer.certificate[:1] == b"\x30"
    assert answer.extended_master_secret and answer.secure_renegotiation
    assert not (answer.compression or answer.asks_certificate or answer.retry or answer.dh_bits)


def test_diffie_hellman_without_a_certificate() -> None:
    answer = read_recording("tls12-dh-anon")
    assert (answer.suite, answer.dh_bits, answer.certificate) == (0x0034, 1024, b"")


def test_an_old_version() -> None:
    answer = read_recording("tls10-ecdhe")
    assert (answer.version, answer.group) == (TLS10, 29)


@WAYS
def test_tls_1_3_tells_its_version_in_an_extension(read: Read) -> None:
    answer = read(recording("tls13"))
    assert answer is not None
    assert (answer.version, answer.suite, answer.group, answer.retry) == (TLS13, 0x1301, 29, False)


def test_a_retry_names_the_group_it_wants() -> None:
    answer = read_recording("tls13-retry")
    assert (answer.version, answer.suite, answer.group, answer.retry) == (TLS13, 0x1301, 24, True)


def test_a_server_that_asks_for_a_certificate() -> None:
    assert read_recording("tls12-asks-certificate").asks_certificate


@pytest.mark.parametrize(
    ("name", "alert"), [("tls12-no-shared-cipher", "handshake_failure"), ("tls13-too-new", "protocol_version")]
)
@WAYS
def test_an_alert(read: Read, name: str, alert: str) -> None:
    answer = read(recording(name))
    assert answer is not None
    assert (answer.ending, answer.alert) == (Ending.ALERT, alert)


@WAYS
@pytest.mark.parametrize(
    "octets", [b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16HTTP"]
)
def test_what_is_no_tls_is_shown(read: Read, octets: bytes) -> None:
    answer = read(octets)
    assert answer is not None
    assert answer.ending is Ending.NOT_TLS
    assert answer.octets and octets.startswith(answer.octets[:1])


def test_a_warning_about_the_name_is_not_the_end() -> None:
    warning = b"\x15\x03\x01\x00\x02\x01\x70"
    answer = whole(warning + recording("tls12-ecdhe"))
    assert answer is not None
    assert answer.ending is Ending.HELLO


def test_what_came_before_a_hang_up_counts() -> None:
    reader = AnswerReader()
    octets = bytearray(recording("tls12-ecdhe")[:-9])
    assert reader.take(octets) is None
    assert reader.so_far(Ending.CLOSED).suite == 0xC02B
    assert AnswerReader().so_far(Ending.SILENT) == Answer(Ending.SILENT)


def test_a_hello_in_two_records() -> None:
    flight = recording("tls13-retry")
    body = flight[5 : 5 + int.from_bytes(flight[3:5], "big")]
    pieces = b"".join(b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part for part in (body[:7], body[7:]))
    assert whole(pieces) == whole(flight)


def test_compression_is_a_fact() -> None:
    body = b"\x03\x01" + bytes(32) + b"\x00" + b"\x00\x2f" + b"\x01"
    assert server_hello(body).compression == 1


@pytest.mark.parametrize(("bits", "octets"), [(1024, 128), (2048, 256), (6144, 768)])
def test_the_size_of_a_prime(bits: int, octets: int) -> None:
    """6144 bits begin with 3, as a named curve does."""
    number = (0xFF << (bits - 8) | 1).to_bytes(octets, "big")
    body = octets.to_bytes(2, "big") + number + b"\x00\x01\x02" + octets.to_bytes(2, "big") + number + b"signature"
    assert key_exchange(body).dh_bits == bits


def test_a_message_without_end_is_given_up() -> None:
    record = b"\x16\x03\x03\x40\x00" + b"\x02\x01\x00\x00" + bytes(0x4000 - 4)
    more = b"\x16\x03\x03\x40\x00" + bytes(0x4000)
    reader, buffer, fed = AnswerReader(), bytearray(record), 1
    while (answer := reader.take(buffer)) is None:
        buffer += more
        fed += 1
        assert fed < 20
    assert answer.ending is Ending.NOT_TLS
    assert fed * 0x4000 <= LIMIT + 0x8000


@given(st.binary(max_size=400))
def test_any_octets_are_an_answer_or_not_enough(octets: bytes) -> None:
    reader = AnswerReader()
    answer = reader.take(bytearray(octets))
    assert answer is None or answer.ending in (Ending.HELLO, Ending.ALERT, Ending.NOT_TLS)
    assert str(reader.so_far(Ending.CLOSED))


@given(st.sampled_from(RECORDINGS), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=6))
def test_a_damaged_flight_never_raises(path: Path, damage: list[tuple[int, int]]) -> None:
    octets = bytearray.fromhex(path.read_text())
    for at, value in damage:
        octets[at % len(octets)] = value
    AnswerReader().take(octets)


@given(st.binary(max_size=200))
def test_any_key_exchange_is_read_without_an_error(body: bytes) -> None:
    found = key_exchange(body)
    assert found.dh_bits == 0 or found.curve == 0


@given(st.sampled_from(RECORDINGS), st.data())
def test_how_the_octets_arrive_changes_nothing(path: Path, data: st.DataObject) -> None:
    octets = bytes.fromhex(path.read_text())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=5)))
    reader, buffer, answer = AnswerReader(), bytearray(), None
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        buffer += octets[start:end]
        answer = answer or reader.take(buffer)
    assert (answer or reader.so_far(Ending.CLOSED)) == (whole(octets) or answer or reader.so_far(Ending.CLOSED))
