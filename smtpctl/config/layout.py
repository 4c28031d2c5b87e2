"""Where things stand in a TOML text: every table header, every key, every value, as offsets into the text.

The text must be valid TOML already (tomllib has read it); this only finds places in it, so that messages can name
line and column and an edit can replace one value and touch nothing else. Newlines may be LF or CRLF.
"""

from __future__ import annotations

import re
import tomllib

from smtpctl.model.finding import Location
from smtpctl.model.record import NamedTuple

Path = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
# Compiled when they are tried, which is seldom.
_LONG = {
    '"""': r'(?s:"""(?:[^\\]|\\.)*?"""(?:"{1,2}(?!"))?)',
    "'''": r"(?s:'''.*?'''(?:'{1,2}(?!'))?)",
}
_SCALAR = re.compile(r"[^,\]}#\r\n]*[^,\]}#\r\n\t ]")
_STRINGS = {'"': _BASIC, "'": _LITERAL}


class Part(NamedTuple):
    """One part of a dotted key and where it is written."""

    name: str
    start: int
    end: int


class Header(NamedTuple):
    """`[a.b]` or `[[a.b]]`: `start` to `end` are its line without the line end."""

    path: Path
    parts: tuple[Part, ...]
    start: int
    end: int


class Entry(NamedTuple):
    """`key = value`. `path` is the whole path, `header` an index into the headers or -1, `inline` whether it stands
    inside a value; `start` is where the key begins, `value` to `value_end` what it is set to."""

    path: Path
    parts: tuple[Part, ...]
    header: int
    inline: bool
    start: int
    value: int
    value_end: int


class Layout:
    """The places of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.headers: list[Header] = []
        self.entries: list[Entry] = []
        self._places: dict[Path, int] = {}
        self._read()
        written: list[Header | Entry] = [*self.headers, *self.entries]
        for item in written:
            self._places.setdefault(item.path, item.start)
        for item in written:
            for depth in range(1, len(item.path)):
                self._places.setdefault(item.path[:depth], item.start)

    def offset(self, path: Path) -> int:
        """Where `path` is written, or the nearest table around it; 0 where nothing is."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, 0)

    def line_end(self, offset: int) -> int:
        """The offset of the line end (or the end of the text) at or after `offset`."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def line_start(self, offset: int) -> int:
        """The offset where the line of `offset` begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def _read(self) -> None:
        at = self._skip(_BLANK, 0)
        while at < len(self.text):
            at = self._header(at) if self.text[at] == "[" else self._entry((), at, inline=False)
            at = self._skip(_BLANK, at)

    def _header(self, at: int) -> int:
        brackets = 2 if self.text.startswith("[[", at) else 1
        parts, end = self._key(at + brackets)
        end = self._skip(_SPACE, end) + brackets
        self.headers.append(Header(tuple(part.name for part in parts), parts, at, end))
        return end

    def _entry(self, above: Path, at: int, *, inline: bool) -> int:
        parts, end = self._key(at)
        value = self._skip(_SPACE, self._skip(_SPACE, end) + 1)
        header = len(self.headers) - 1
        base = above if inline else (self.headers[header].path if self.headers else ())
        path = (*base, *(part.name for part in parts))
        slot = len(self.entries)
        value_end = self._value(path, value)
        self.entries.insert(slot, Entry(path, parts, header, inline, at, value, value_end))
        return value_end

    def _key(self, at: int) -> tuple[tuple[Part, ...], int]:
        parts = []
        while True:
            start = self._skip(_SPACE, at)
            end, name = self._key_part(start)
            parts.append(Part(name, start, end))
            at = self._skip(_SPACE, end)
            if self.text[at] != ".":
                return tuple(parts), end
            at += 1

    def _key_part(self, at: int) -> tuple[int, str]:
        quote = self.text[at]
        pattern = _STRINGS.get(quote, _BARE_KEY)
        written = self._match(pattern, at)
        if quote == '"':
            return at + len(written), str(tomllib.loads(f"k = {written}")["k"])
        return at + len(written), written.strip("'") if quote == "'" else written

    def _value(self, path: Path, at: int) -> int:
        opening = self.text[at]
        if opening == "[":
            return self._items(path, at + 1)
        if opening == "{":
            return self._inline_table(path, at + 1)
        long = _LONG.get(self.text[at : at + 3])
        pattern = re.compile(long) if long else _STRINGS.get(opening, _SCALAR)
        return at + len(self._match(pattern, at))

    def _items(self, path: Path, at: int) -> int:
        at = self._skip(_BLANK, at)
        while self.text[at] != "]":
            at = self._skip(_BLANK, self._value((*path, "[]"), at))
            if self.text[at] == ",":
                at = self._skip(_BLANK, at + 1)
        return at + 1

    def _inline_table(self, path: Path, at: int) -> int:
        at = self._skip(_BLANK, at)
        while self.text[at] != "}":
            at = self._skip(_BLANK, self._entry(path, at, inline=True))
            if self.text[at] == ",":
                at = self._skip(_BLANK, at + 1)
        return at + 1

    def _skip(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self.text, at)
        return found.end() if found else at

    def _match(self, pattern: re.Pattern[str], at: int) -> str:
        found = pattern.match(self.text, at)
        if not found:  # not TOML, which the caller has ruled out
            raise ValueError(f"no TOML at offset {at}")
        return found[0]


def place(text: str, offset: int, path: str) -> Location:
    """The 1-based line and column of an offset."""
    before = text[:offset]
    return Location(path, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
