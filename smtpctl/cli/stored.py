"""What the commands about stored settings share: the file they work on, and how they say what they did."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smtpctl.cli.terminal import Terminal
from smtpctl.config import store
from smtpctl.config.profile import Origin
from smtpctl.config.scope import site_name
from smtpctl.config.store import Document
from smtpctl.model.command import sourced
from smtpctl.ops.settings import Change


def path(terminal: Terminal) -> Path:
    """The configuration file, whether it is there or not."""
    return terminal.config or store.default_path(terminal.environ)


def document(terminal: Terminal) -> Document:
    """The configuration as it is; what is odd about the file itself is said."""
    found = store.read(terminal.config, terminal.environ)
    for finding in found.warnings:
        terminal.warn(finding.title)
    return found


def site(terminal: Terminal, everywhere: bool = False) -> str:
    """The site that `--site` names, empty for `(global)` (and for `--global`)."""
    return "" if everywhere else site_name(terminal.site)


def done(terminal: Terminal, change: Change) -> None:
    """Say what was done, or print it as a document (`smtpctl.change/1`); warn in both cases."""
    sources = store.sources(terminal.config, terminal.environ)
    for warning in change.warnings:
        terminal.warn(_sourced(warning, sources))
    notes = [_sourced(note, sources) for note in change.notes]
    if terminal.format == "json":
        terminal.document("change/1", {"done": change.text, "notes": notes})
        return
    terminal.say(change.text)
    for note in notes:
        terminal.say(f"  {note}")


def _sourced(note: str, sources: Mapping[str, str]) -> str:
    """A note whose command, with which it ends, is about the same file."""
    before, program, command = note.partition("smtpctl ")
    return before + sourced(program + command, sources)


def columns(terminal: Terminal) -> int | None:
    """The width lists must fit into; None where they are not for a screen."""
    return terminal.width if terminal.is_tty else None


def shown(value: Any) -> str:
    """A JSON value as one would type it; empty ones as a dash."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "-"
    if isinstance(value, list):
        rows = (" ".join(filter(None, item.values())) if isinstance(item, dict) else str(item) for item in value)
        return ", ".join(rows) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value) if value not in ("", None) else "-"


def text(value: Any) -> str:
    """A JSON value as it is printed alone: emptiness is an empty line."""
    return "" if value in ("", None) or value == [] or value == {} else shown(value)


def origin(terminal: Terminal, value: Origin) -> str:
    """Where a value comes from, in few words: a file of the user's own begins with `~`."""
    home = terminal.environ.get("HOME", "").rstrip("/")
    where = value.where
    if home and where.startswith(f"{home}/"):
        where = f"~{where.removeprefix(home)}"
    return where if value.kind in ("flag", "environment", "file") else f"{value.kind} {where}".rstrip()
