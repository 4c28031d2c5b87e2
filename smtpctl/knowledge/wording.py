"""How programs word a failure that no server spoke of: connection, name, TLS, login. The data is `words.json`.

    worded = recognise("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message")
    worded.finding                     # conn.port_is_plaintext

Texts of programs nest: a frame that says "could not connect" around the words of a library around those of the
system. So of everything that is found the highest priority counts, and of several the first in the text.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from pathlib import Path

from smtpctl.knowledge.catalogue import TEXT_LIMIT
from smtpctl.model.record import NamedTuple

_TYPOGRAPHIC = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2026": "..."})
# A host and a port, as programs write them; a file and its line look the same.
_PLACE = re.compile(
    r"(?<![\w@/.-])(?P<host>(?=[\w-]*[a-z]|\d+\.\d+\.\d+\.\d)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})\]?"
    r"(?:[:#]|,? \(?port:? |, )(?P<port>\d{2,5})\b(?!\.\d)",
    re.IGNORECASE,
)
# Where a text names the server by itself: a name that was looked up, the far end of a connection. Before these words
# stands what is somebody else: the resolver, this machine. The first that fits counts.
_HOST = r"(?P<host>[a-z\d_-]{1,63}(?:\.[a-z\d_-]{1,63}){0,8})\.?(?![\w.-])"
_DOTTED = r"(?P<host>[a-z\d_-]{1,63}(?:\.[a-z\d_-]{1,63}){1,8})\.?(?![\w-])"
_FAR = r"(?P<host>(?:\d{1,3}\.){3}\d{1,3}|\[[\da-f:.]{2,45}\]):(?P<port>\d{1,5})\b"
_NAMED = tuple(
    re.compile(regex, re.IGNORECASE)
    for regex in (
        rf"\blookup {_HOST}(?= on |: )",  # Go
        rf"->{_FAR}",  # Go: here->there
        rf"\b(?:ENOTFOUND|EAI_AGAIN|ESERVFAIL|ENODATA|EREFUSED) {_HOST}",  # Node
        rf"UnknownHostException: {_HOST}",  # Java
        rf"resolve host:? [\"']?{_HOST}",  # curl, Android
        rf"getaddrinfo for {_DOTTED} failed",  # PHP
        rf"Name service error for name={_DOTTED}",  # Postfix
        rf"(?:locate|find|resolve|resolving|look up|unknown) (?:(?:remote|mail|the) )?(?:(?:host ?name|host|server|name) )?"
        rf"[\"']?{_DOTTED}",
    )
)
_FILE = re.compile(r"\.(?:java|py|rb|go|[jt]s|php|cs|kt|rs|scala|cpp|p[lm]|exs?|[ch])$", re.IGNORECASE)


class Worded(NamedTuple):
    """One way to say it. The fields are explained in `words/README.md`."""

    finding: str
    regex: str
    needles: tuple[str, ...]
    library: str
    source: str
    priority: int
    also: tuple[str, ...] = ()
    verified: bool = True


class Recognised(NamedTuple):
    """What a text says; `target` is the `host:port` or host it names, if it does."""

    worded: Worded
    words: str
    target: str = ""


@cache
def load() -> tuple[Worded, ...]:
    """Everything that is known, highest priority first."""
    data = json.loads(Path(__file__).with_name("words.json").read_bytes())
    made = (Worded(**{**text, "needles": tuple(text["needles"]), "also": tuple(text.get("also", ()))}) for text in data)
    return tuple(sorted(made, key=lambda worded: -worded.priority))


def recognise(text: str) -> Recognised | None:
    """What the text says, or None where no program that is known says it so."""
    text = " ".join(text[: TEXT_LIMIT * 2].split()).translate(_TYPOGRAPHIC)[:TEXT_LIMIT]
    lowered = text.lower()
    best: tuple[Worded, re.Match[str]] | None = None
    for worded in load():
        if best and worded.priority < best[0].priority:
            break
        if any(word in lowered for word in worded.needles) and (hit := _expression(worded.regex).search(text)):
            best = min(best, (worded, hit), key=lambda one: one[1].start()) if best else (worded, hit)
    return Recognised(best[0], best[1][0], _place(text)) if best else None


def _place(text: str) -> str:
    """The `host:port` that a text is about, or the host alone; empty where it names none."""
    named = next((found for place in _NAMED if (found := place.search(text))), None)
    host = named["host"] if named else ""
    if named and "port" in named.re.groupindex:
        return f"{host}:{named['port']}"
    for found in _PLACE.finditer(text):
        if (
            not _FILE.search(found["host"])
            and 0 < int(found["port"]) < 65536
            and host.lower() in ("", found["host"].lower())
        ):
            return f"{found['host']}:{found['port']}"
    return host


@lru_cache(maxsize=1024)
def _expression(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE | re.DOTALL)
