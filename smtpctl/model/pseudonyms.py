"""Puts made-up names in place of people's and machines', the same one for the same name wherever it stands.

`ann@corp.test` becomes `user1@domain1.example`, `mail.corp.test` `host1.domain1.example`: so a reader still sees that two
lines speak of one mailbox. What is learned first is known everywhere, in a server's words too; mail addresses, IP addresses
and the GUIDs of tenants, applications and mailboxes are recognised by their form. The new names are those that nobody has
(RFC 2606, RFC 5737, RFC 3849).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from smtpctl.model.transcript import Transcript

# As a word of its own each of these says nothing about anybody, and stands in half of all sentences about mail.
_COMMON = frozenset({
    "account", "admin", "auth", "cert", "config", "contact", "data", "default", "example", "hello", "host", "info",
    "localhost", "login", "mail", "mailer", "no-reply", "noreply", "office", "password", "postmaster", "profile",
    "relay", "root", "sales", "sender", "server", "service", "smtp", "support", "system", "test", "tls", "user", "username",
    "webmaster", "www",
})  # fmt: skip
_SHORTEST = 3
_CODE = re.compile(r"\A\d{3}-")  # of a reply, which would be taken for the beginning of a name
# A local part is no longer than a path (RFC 5321 4.5.3.1.3): a server may write anything, as long as it likes. In a URL, in
# quoted-printable and in xtext the sign is written in octets.
_ADDRESS = re.compile(
    r"""(?<![\w.+-])("[^"]{1,256}"|[\w.!#$%&'+/=?^`{|}~-]{1,256})(?:@|[%=+]40(?=[\w-]+\.[a-zA-Z]))((?:[\w-]+\.)*[\w-]+)"""
)
# What may be a text in base64, also as URLs have it.
_BASE64 = re.compile(r"(?<![\w+/-])[\w+/-]{8,}={0,2}(?![\w+/=-])", re.ASCII)
_NAME = re.compile(
    r"(?<![\w.@-])((?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])(?![\w-]|\.\w)", re.IGNORECASE
)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?:(?<![\w:.])|(?<=IPv6:))[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?(?![\w:])", re.IGNORECASE)
_GUID = re.compile(r"(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])", re.IGNORECASE)
# Where a known name may begin, and how: with a word, or with a sign (`/home/ann`).
_HEAD = re.compile(r"(?<![\w-])(?:[\w-]+|[^\w\s-])")
_MORE = re.compile(r"[\w-]")
# Of second levels under which domains are registered.
_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
# Fields that hold words of ours, never a name.
_OURS = frozenset({"id", "knowledge", "check", "status", "result", "severity", "kind"})


class Pseudonyms:
    """What was learned, and the names that stand for it. `public` are host names that say nothing about who uses them."""

    def __init__(self, public: Iterable[str] = ()) -> None:
        self._public = frozenset(name.lower() for name in public)
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._sizes: dict[str, list[int]] = {}  # how long the names are that begin with a word, the longest first

    def learn(self, kind: str, text: str) -> str:
        """What stands for this `user`, `profile`, `tenant` ... from now on."""
        known = self._known.get(text.lower())
        if known or not text.strip() or self._stays(text):
            return known or text
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._note(text, f"{kind}{self._counts[kind]}")

    def host(self, name: str) -> str:
        """What stands for a host name or an IP address; a public name is left."""
        lowered = _bare(name)
        if not lowered or self._stays(name):
            return name
        if _is_address(lowered):
            return self._ip(lowered)
        if lowered in self._known:
            return self._known[lowered]
        domain = _domain(lowered)
        made = self._domain(domain)
        if domain == lowered:
            return made
        self._counts["host"] = self._counts.get("host", 0) + 1
        return self._note(lowered, f"host{self._counts['host']}.{made}")

    def address(self, local: str, domain: str) -> str:
        """What stands for a mail address."""
        return f"{self.learn('user', local)}@{self.host(domain) if '.' in domain else self.learn('host', domain)}"

    def hosts_in(self, text: str) -> None:
        """Learn every host name of a text that a server wrote."""
        for found in _NAME.finditer(_ADDRESS.sub("", _CODE.sub("", text, count=1))):
            self.host(found[1])

    def text(self, text: str) -> str:
        """The text with other names."""
        if text.lower() in self._known:
            return self._known[text.lower()]
        if _CODE.match(text):
            return text[:4] + self.text(text[4:])
        return "".join(self._renamed(self._forms(_BASE64.sub(self._coded, text))))

    def value(self, value: Any) -> Any:
        """The same for JSON values, and for records such as a Report, at any depth. What is recognised anywhere in it is known
        from its beginning."""
        _each(value, self._forms)
        return _each(value, self.text)

    def _forms(self, text: str) -> str:
        """With other names for what is recognised by its form."""
        text = _ADDRESS.sub(lambda found: self.address(found[1], found[2]), _CODE.sub("", text, count=1))
        text = _IPV6.sub(lambda found: self._ip(found[0]), _IPV4.sub(lambda found: self._ip(found[0]), text))
        return _GUID.sub(lambda found: self.learn("guid", found[0]), text)

    def _coded(self, found: re.Match[str]) -> str:
        """A word that is a text with names in base64, in base64 with others."""
        import base64

        octets = found[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            text = base64.b64decode(octets + "=" * (-len(octets) % 4)).decode()
        except ValueError:
            return found[0]
        told = "".join(self._renamed(self._forms(text)))
        return found[0] if told == text else base64.b64encode(told.encode()).decode()

    def _stays(self, name: str) -> bool:
        """Whether it says nothing about anybody: a public server, this machine."""
        bare = _bare(name)
        found = _is_address(bare.partition("%")[0])
        return (
            bare in self._public or bare == "localhost" or bool(found and (found.is_loopback or found.is_unspecified))
        )

    def _domain(self, name: str) -> str:
        if name not in self._known:
            self._counts["domain"] = self._counts.get("domain", 0) + 1
            self._note(name, f"domain{self._counts['domain']}.example")
        return self._known[name]

    def _ip(self, written: str) -> str:
        found = _is_address(written.partition("%")[0])
        if not found or self._stays(written):
            return written
        key = str(found)
        if key not in self._known:
            family = "192.0.2." if found.version == 4 else "2001:db8::"
            self._counts[family] = self._counts.get(family, 0) + 1
            self._note(key, f"{family}{self._counts[family]}")
        return self._known[key]

    def _note(self, text: str, made: str) -> str:
        text = text.lower()
        self._known[text] = made
        head = _HEAD.match(text)
        if head and len(text) >= _SHORTEST and text not in _COMMON:
            self._sizes[head[0]] = sorted({*self._sizes.get(head[0], ()), len(text)}, reverse=True)
        return made

    def _renamed(self, text: str) -> Iterator[str]:
        """The pieces of a text, with what stands for whatever is known and means something as a word within it, the longest
        first. It looks names up, for a server may have written so many that trying each takes for ever."""
        done = 0
        for head in _HEAD.finditer(text):
            start = head.start()
            for size in self._sizes.get(head[0].lower(), ()) if start >= done else ():
                made = self._known.get(text[start : start + size].lower())
                if made and not _MORE.match(text, start + size):
                    yield text[done:start]
                    yield made
                    done = start + size
                    break
        yield text[done:]


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """A copy with every text changed, but for ids."""
    if type(value) is str:
        return change(value)
    if isinstance(value, Transcript):
        return Transcript(_each(event, change) for event in value)
    if isinstance(value, Mapping):
        return {key: item if key in _OURS else _each(item, change) for key, item in value.items()}
    if hasattr(value, "_fields"):
        return _record(value, change)
    if isinstance(value, list | tuple):
        return type(value)(_each(item, change) for item in value)
    return value


def _record(value: Any, change: Callable[[str], str]) -> Any:
    fields = {name: getattr(value, name) for name in value._fields}
    changed = {name: item if name in _OURS else _each(item, change) for name, item in fields.items()}
    if fields.get("span") and changed["text"] != fields["text"]:
        changed["span"] = None  # what it marked stands elsewhere now
    return type(value)(**changed)


def _bare(name: str) -> str:
    """A host name or address without what it may be written with."""
    return name.lower().rstrip(".").strip("[]")


def _domain(name: str) -> str:
    """The domain that was registered, as far as the name alone tells."""
    labels = name.split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS else 2
    return ".".join(labels[-size:])


def _is_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
