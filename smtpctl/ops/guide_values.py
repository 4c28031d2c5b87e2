"""The values that a guide is filled with: what they must look like, where a profile has them, how a shell reads them.

A value goes into lines that somebody pastes into an administrator's shell. So each is of a kind that is checked, and is
quoted for the shell it stands in.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping

from smtpctl.config.profile import Profile
from smtpctl.model import address

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# PowerShell takes all of these for the same quote (about_Quoting_Rules); inside of them each is written twice.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
_SMALLEST_CONNECTOR = 24  # New-InboundConnector -SenderIPAddresses: /24 to /32


def checked(kind: str, text: str) -> str:
    """The value as it is written. ValueError with what is wrong with it."""
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("is empty, or has characters that cannot be seen")
    return _KINDS[kind](text)


def quoted(shell: str, value: str) -> str:
    """The value as one word of that shell, whatever is in it."""
    if shell == "powershell":
        return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", value) + "'"
    return shlex.quote(value)


def of_profile(profile: Profile) -> Mapping[str, str]:
    """What a profile and its credentials say, by the names that guides use; nothing of it is checked yet."""
    oauth, login = profile.oauth, profile.login
    mailbox = login if "@" in login else profile.sender
    found = {
        "profile": profile.name,
        "mailbox": mailbox,
        "sender": profile.sender if profile.sender.lower() != mailbox.lower() else "",
        "domain": mailbox,
        "host": profile.endpoint.host,
        "client_cert": profile.values["client_cert"],
    }
    if oauth:
        found |= {"oauth": oauth.name, "tenant_id": oauth.tenant_id, "client_id": oauth.client_id}
        found["key_file"] = oauth.values["key_file"]
    return {name: str(value) for name, value in found.items() if value}


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise ValueError("is no id of the form 00000000-0000-0000-0000-000000000000")
    return text.lower()


def _tenant(text: str) -> str:
    if _GUID.fullmatch(text):
        return text.lower()
    if "." not in text:
        raise ValueError("is neither a tenant's id nor one of its domains")
    return _domain(text)


def _address(text: str) -> str:
    try:
        return address.parse(text).address
    except address.AddressProblem as problem:
        raise ValueError(f"is no mail address: {problem.reason}") from None


def _domain(text: str) -> str:
    return _address(text if "@" in text else f"postmaster@{text}").rpartition("@")[2]


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is no number")
    return text


def _network(text: str) -> str:
    """As Postfix writes it: IPv6 in brackets (postconf(5), mynetworks)."""
    import ipaddress

    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is no IP address or network") from None
    written = str(found.network_address)
    return f"[{written}]/{found.prefixlen}" if found.version == 6 else f"{written}/{found.prefixlen}"


def _ipv4(text: str) -> str:
    import ipaddress

    try:
        found = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise ValueError("is no IPv4 address or network") from None
    if found.prefixlen < _SMALLEST_CONNECTOR:
        raise ValueError(f"is a larger network than /{_SMALLEST_CONNECTOR}")
    return str(found.network_address) if found.prefixlen == 32 else str(found)


def _name(text: str) -> str:
    return text


_KINDS: Mapping[str, Callable[[str], str]] = {
    "guid": _guid,
    "tenant": _tenant,
    "address": _address,
    "domain": _domain,
    "digits": _digits,
    "network": _network,
    "ipv4": _ipv4,
    "name": _name,
}


def names(template: str) -> Iterator[str]:
    """The values that a template names."""
    return (found[1] for found in PLACE.finditer(template))


PLACE = re.compile(r"\{([a-z_]+)\}")
