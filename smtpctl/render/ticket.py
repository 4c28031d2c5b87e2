"""A ticket as one file: Markdown that a person reads where it is pasted or attached, with all of it as JSON at its end.

Markdown, because every tracker shows it, it is text that can be read and cut before it is sent, and one file is never
half attached; a program takes the last block. What servers said stands in fences that are longer than any in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from smtpctl.model.ticket import Ticket
from smtpctl.render import to_json
from smtpctl.render.base import Setting
from smtpctl.render.canvas import Canvas, visible
from smtpctl.render.text import TextRenderer

SCHEMA = "smtpctl.report/1"
_WIDTH = 100
_HOLDS = (
    "**It holds** versions of software, the settings of one server and where each comes from, what was checked and found, "
    "every line of the dialogue with the server, the names of variables that are set, and the name servers."
)
_HOLDS_NOT = (
    "**It does not hold** passwords, tokens and other secrets (where one is set stands `********`), mails, other servers, "
    "or the value of any variable."
)
_NAMES = (
    "**It names** servers, mail addresses, user names and files as they are. `smtpctl report --anonymise` puts other names "
    "in their place."
)
_OTHER_NAMES = (
    "**Names are made up**: mail addresses, user names, hosts, IP addresses, profiles, files, and the organisation that the "
    "server's own certificate names; the same one stands for the same name everywhere. `localhost` and public servers of "
    "providers keep theirs. Other words are as they were: the rest of what a server wrote, and who issued certificates."
)
_FENCE = re.compile(r"`{3,}")


def data(ticket: Ticket) -> dict[str, Any]:
    """The ticket as JSON values (`smtpctl.report/1`)."""
    return {
        "schema": SCHEMA,
        "made_at": ticket.made_at,
        "anonymised": ticket.anonymised,
        "versions": dict(ticket.versions),
        "environment": dict(ticket.environment),
        "profile": dict(ticket.settings),
        "result": to_json.report_data(ticket.report),
        "transcript": [event.to_json() for event in ticket.report.transcript],
    }


def document(ticket: Ticket) -> str:
    """The ticket as JSON alone."""
    values = data(ticket)
    return to_json.document(values.pop("schema"), values)


def markdown(ticket: Ticket) -> str:
    """The ticket as one Markdown text."""
    text = TextRenderer(Setting(SCHEMA, canvas=Canvas(_WIDTH)))
    events = "".join(map(text.event_line, ticket.report.transcript))
    blocks = [
        f"# smtpctl report: {_inline(ticket.report.target)}",
        f"Made {ticket.made_at} by smtpctl {ticket.versions.get('smtpctl', '')}.",
        _HOLDS,
        _HOLDS_NOT,
        _OTHER_NAMES if ticket.anonymised else _NAMES,
        "Read it before you give it away.",
        "## Result",
        _fenced(text.report(ticket.report)),
        "## Settings",
        _fenced("".join(_settings(ticket.settings))),
        "## Environment",
        _fenced("".join(_rows(ticket.environment))),
        "## Versions",
        _fenced("".join(_rows(ticket.versions))),
        "## Dialogue",
        _fenced(events or "No dialogue.\n"),
        "## Data",
        "All of the above for programs; `smtpctl config schema --output report` describes it.",
        _fenced(document(ticket), "json"),
    ]
    return "\n\n".join(blocks) + "\n"


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """Those that somebody set, with their origins."""
    origins = settings["origins"]
    for name, origin in origins.items():
        if origin["kind"] != "default":
            yield _row(name, f"{_shown(settings[name])}  ({origin['kind']} {origin['where']})")


def _rows(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield _row(name, _shown(value))


def _row(name: str, text: str) -> str:
    return f"{visible(name):<22} {visible(text)}\n"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "-"
    return value if isinstance(value, str) and value else json.dumps(value) if value not in ("", None) else "-"


def _inline(text: str) -> str:
    """A text of a user within Markdown: nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", visible(text))


def _fenced(text: str, language: str = "text") -> str:
    longest = max((len(run) for run in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
