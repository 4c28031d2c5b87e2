"""All that a TLS scan found a server to take, for `-v`: versions, cipher suites, curves, post-quantum keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smtpctl.render.canvas import Canvas

_NAME = 12  # columns of what stands before the values
_PART = "(not all could be asked)"


def scan_lines(canvas: Canvas, scan: Mapping[str, Any]) -> Iterator[str]:
    """The fact `scan` of a report: a line a suite, so that it can be searched and held against another list."""
    yield canvas.paint("title", "TLS that the server takes")
    versions: Mapping[str, Mapping[str, Any]] = scan["versions"]
    for name, version in versions.items():
        if version["ciphers"]:
            yield from _row(canvas, name, [*version["ciphers"], *[_PART] * (not version["complete"])])
    for name, told in _others(scan):
        if told:
            yield from _row(canvas, name, [told])


def _others(scan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What takes one value each; empty where there is nothing to tell."""
    versions = scan["versions"].items()
    whole = "all that TLS 1.2 and older have" if scan["curves_complete"] else "as far as seen with TLS 1.2 and older"
    yield "curves", f"{', '.join(scan['curves'])} ({whole})" if scan["curves"] else ""
    keys = scan["post_quantum"]
    yield "post-quantum", "" if keys is None else keys or "not taken"
    refused = [name for name, version in versions if not version["ciphers"] and version["complete"]]
    yield "not taken", ", ".join(refused)
    yield "not known", ", ".join(name for name, version in versions if not version["ciphers"] and name not in refused)


def _row(canvas: Canvas, name: str, values: Sequence[str]) -> Iterator[str]:
    """A name, and below each other what belongs to it."""
    indent = " " * (2 + _NAME + 2)
    first = f"  {canvas.pad(name, _NAME)}  "
    for value in values:
        yield from canvas.prose(value, indent, first=first)
        first = indent
