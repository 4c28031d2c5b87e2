"""Changes to a TOML text that leave everything else as it was: comments, order, blanks, line ends.

Edits are data. They are made in the text by replacing one value, adding or deleting whole lines, or renaming one
part of a key. The result is read again and compared with the same edits made to the plain data, so a file is never
written that says something else than was asked for.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from smtpctl.config.layout import Entry, Layout, Path
from smtpctl.model.record import NamedTuple

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_BLANK_LINE = re.compile(r"\n(\r?\n)\Z")
SECTION_DEPTH = 2  # [profiles.NAME], [sites.NAME], [oauth.NAME]: what stands deeper is written inline


class Set(NamedTuple):
    """Set a key; a table two levels deep becomes a section of its own."""

    path: Path
    value: Any


class Unset(NamedTuple):
    """Take out a key or a whole table; comments above a table stay."""

    path: Path


class Rename(NamedTuple):
    """Give the last part of a path another name, in its place."""

    path: Path
    name: str


Edit: TypeAlias = Set | Unset | Rename


class CannotEditError(Exception):
    """The text is written in a way that an edit would change more than was asked for."""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made, in order. CannotEditError when that cannot be done without side effects."""
    wanted: dict[str, Any] = tomllib.loads(text)
    for edit in edits:
        try:
            wanted = apply_data(wanted, edit)
            text = _EDITORS[type(edit)](text, edit)
        except (ValueError, IndexError, AttributeError, TypeError) as error:  # a list where a table was expected
            raise CannotEditError(".".join(edit.path)) from error
    try:
        same = _without_empty(tomllib.loads(text)) == _without_empty(wanted)
    except ValueError:
        same = False
    if not same:
        raise CannotEditError("the result would say something else")
    return text


def apply_data(data: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """A copy of plain data with one edit made."""
    result = copy.deepcopy(dict(data))
    table = result
    for part in edit.path[:-1]:
        if part not in table and not isinstance(edit, Set):
            return result
        table = table.setdefault(part, {})
    last = edit.path[-1]
    if isinstance(edit, Set):
        table[last] = _plain(edit.value)
    elif isinstance(edit, Unset):
        table.pop(last, None)
    elif last in table:
        table[edit.name] = table.pop(last)
    return result


def dump(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key(k)} = {dump(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(dump, value)) + "]"
    import tomli_w

    return tomli_w.dumps({"k": value}).removeprefix("k = ").rstrip("\n")


def key(name: str) -> str:
    """One part of a key, quoted where it must be."""
    return name if _BARE.match(name) else dump(name)


def _set(text: str, edit: Set) -> str:
    layout = Layout(text)
    if any(header.path[: len(edit.path)] == edit.path for header in layout.headers):
        text = _unset(text, Unset(edit.path))
        layout = Layout(text)
    for entry in layout.entries:
        if not entry.inline and entry.path == edit.path:
            return text[: entry.value] + dump(edit.value) + text[entry.value_end :]
    around = _inline_around(layout, edit.path)
    if around:
        return _rewrite(text, around, Set(edit.path[len(around.path) :], edit.value))
    if isinstance(edit.value, Mapping) and len(edit.path) <= SECTION_DEPTH:
        return _append_section(text, edit.path, edit.value)
    return _add_line(layout, edit)


def _add_line(layout: Layout, edit: Set) -> str:
    """A new key behind the last one of its table, or in a new section."""
    text = layout.text
    parent = edit.path[:-1]
    owners = [(i, header) for i, header in enumerate(layout.headers) if header.path == parent]
    dotted = [e for e in layout.entries if not e.inline and e.path[: len(parent)] == parent]
    if owners:
        index, header = owners[-1]
        inside = [entry for entry in layout.entries if entry.header == index and not entry.inline]
        after, base, indent = (inside[-1].value_end, header.path, _indent(layout, inside[-1])) if inside else (
            header.end, header.path, "")  # fmt: skip
    elif dotted:
        last = dotted[-1]
        base = layout.headers[last.header].path if last.header >= 0 else ()
        after, indent = last.value_end, _indent(layout, last)
    elif parent:
        return _append_section(text, parent, {edit.path[-1]: edit.value})
    else:
        return f"{key(edit.path[-1])} = {dump(edit.value)}{_newline(text)}{text}"
    line = indent + ".".join(map(key, edit.path[len(base) :])) + " = " + dump(edit.value)
    end = layout.line_end(after)
    if end == len(text):
        return text + _newline(text) + line + _newline(text)
    return text[: end + 1] + line + _newline(text) + text[end + 1 :]


def _append_section(text: str, path: Path, values: Mapping[str, Any]) -> str:
    newline = _newline(text)
    lines = [f"[{'.'.join(map(key, path))}]", *(f"{key(k)} = {dump(v)}" for k, v in values.items())]
    gap = "" if not text or text.endswith("\n\n") else newline if text.endswith("\n") else newline * 2
    return text + gap + newline.join(lines) + newline


def _unset(text: str, edit: Unset) -> str:
    layout = Layout(text)
    around = _inline_around(layout, edit.path)
    if around:
        return _rewrite(text, around, Unset(edit.path[len(around.path) :]))
    depth = len(edit.path)
    cuts = [
        (layout.line_start(e.start), layout.line_end(e.value_end) + 1)
        for e in layout.entries
        if not e.inline and e.path[:depth] == edit.path
    ]
    for header in layout.headers:
        if header.path[:depth] == edit.path:
            start = layout.line_start(header.start)
            blank = _BLANK_LINE.search(text, 0, start)  # the blank line that set it off goes with it
            cuts.append((blank.start(1) if blank else start, layout.line_end(header.end) + 1))
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    return text


def _rename(text: str, edit: Rename) -> str:
    layout = Layout(text)
    around = _inline_around(layout, edit.path)
    if around:
        return _rewrite(text, around, Rename(edit.path[len(around.path) :], edit.name))
    depth = len(edit.path)
    parts = [h.parts[depth - 1] for h in layout.headers if h.path[:depth] == edit.path]
    for entry in layout.entries:
        above = len(entry.path) - len(entry.parts)
        if not entry.inline and above < depth and entry.path[:depth] == edit.path:
            parts.append(entry.parts[depth - 1 - above])
    for part in sorted(parts, key=lambda part: part.start, reverse=True):
        text = text[: part.start] + key(edit.name) + text[part.end :]
    return text


def _inline_around(layout: Layout, path: Path) -> Entry | None:
    """The key whose inline table holds `path`, if there is one."""
    for entry in layout.entries:
        if not entry.inline and len(entry.path) < len(path) and path[: len(entry.path)] == entry.path:
            return entry
    return None


def _rewrite(text: str, entry: Entry, edit: Edit) -> str:
    """Change an inline table as a whole."""
    value = tomllib.loads("k = " + text[entry.value : entry.value_end])["k"]
    return text[: entry.value] + dump(apply_data(value, edit)) + text[entry.value_end :]


def _indent(layout: Layout, entry: Entry) -> str:
    return layout.text[layout.line_start(entry.start) : entry.start]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty tables at the top: `[sites.a]` taken away leaves no `[sites]`."""
    return {name: value for name, value in data.items() if value != {}}


def _plain(value: Any) -> Any:
    """As tomllib would give it back."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


_EDITORS: Mapping[type, Any] = {Set: _set, Unset: _unset, Rename: _rename}
