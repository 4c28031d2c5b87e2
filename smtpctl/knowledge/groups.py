"""Groups for the key exchange (RFC 8446 4.2.7): curves, primes, and hybrids with post-quantum keys. Numbers and names are
IANA's ("TLS Supported Groups")."""

from __future__ import annotations

_NAMES = {
    1: "sect163k1", 2: "sect163r1", 3: "sect163r2", 4: "sect193r1", 5: "sect193r2", 6: "sect233k1", 7: "sect233r1",
    8: "sect239k1", 9: "sect283k1", 10: "sect283r1", 11: "sect409k1", 12: "sect409r1", 13: "sect571k1", 14: "sect571r1",
    15: "secp160k1", 16: "secp160r1", 17: "secp160r2", 18: "secp192k1", 19: "secp192r1", 20: "secp224k1", 21: "secp224r1",
    22: "secp256k1", 23: "secp256r1", 24: "secp384r1", 25: "secp521r1", 26: "brainpoolP256r1", 27: "brainpoolP384r1",
    28: "brainpoolP512r1", 29: "x25519", 30: "x448", 0x11EB: "SecP256r1MLKEM768", 0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024", 0x6399: "X25519Kyber768Draft00",
}  # fmt: skip
# The rarest first, and last what servers like best: so it shows who goes by the client's order.
CURVES = (*range(1, 23), 26, 27, 28, 30, 25, 24, 23, 29)
PRIMES = (256, 257)  # ffdhe2048 and ffdhe3072; offered where DHE is (RFC 7919)
HYBRIDS = (0x11EC, 0x11EB, 0x11ED, 0x6399)
_SHORT = (1, 2, 3, 4, 5, 15, 16, 17, 18, 19)


def name(group: int) -> str:
    """The name of a group; its number in hexadecimal where it has none here."""
    return _NAMES.get(group, f"{group:#06x}")


def short(group: int) -> bool:
    """Whether a curve has less than 224 bits, about the strength of RSA with 1024 bits (NIST SP 800-57 part 1, table 2)."""
    return group in _SHORT
