"""What every text screen is drawn with: safe characters, columns, wrapping, marks and colours.

Rules: nothing that came from outside reaches the terminal raw (control and format characters, so also escape
sequences and bidirectional overrides, are written as visible escapes); only the 16 base colours, so that dark and
light themes both stay readable; without colour or Unicode nothing is lost. Standard library only: reports are
drawn without rich, which alone would cost as much start-up as all the rest of a check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from smtpctl.model.record import NamedTuple

# SGR parameters by role. Yellow is poor on white, so it colours marks and single words only, never sentences.
_STYLES: Mapping[str, str] = {
    "passed": "32",
    "failed": "1;31",
    "warning": "33",
    "skipped": "2",
    "error": "1;31",
    "note": "36",
    "caret": "31",
    "dim": "2",
    "title": "1",
    "command": "1",
}

_MARKS: Mapping[str, tuple[str, str]] = {  # status: Unicode, ASCII
    "passed": ("✓", "+"),
    "failed": ("✗", "x"),
    "warning": ("!", "!"),
    "skipped": ("–", "-"),
    "waiting": ("…", "."),
    "gutter": ("│", "|"),
    "ellipsis": ("…", "..."),
    "dash": ("─", "-"),
}

# Punctuation of our own texts that has an ASCII spelling; anything else becomes an escape on an ASCII terminal.
_ASCII = str.maketrans({
    "–": "-", "—": "-", "…": "...", "·": "-", "•": "*", "→": "->", "←": "<-", "×": "x", "≥": ">=", "≤": "<=",
    "‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "✓": "+", "✗": "x", "│": "|", "\xa0": " ",
})  # fmt: skip


def visible(text: str) -> str:
    """`text` on one line with every character that prints nothing, or moves others, as `\\x1b`, `\\u202e`, `\\n`.

    Blanks other than U+0020 become one blank. Lone surrogates are escaped too, so the result always encodes.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    if ord(char) > 0x7F and char.isspace() and char not in "\x85\u2028\u2029":
        return " "
    return char.encode("unicode_escape").decode("ascii")


def _no_command(text: str) -> str:
    """`text` without a word that a CI job takes for a command to itself: `::name ...::` where it begins a line, and where
    text is wrapped any word may; the others wherever they stand (GitHub's older form, Azure Pipelines, TeamCity)."""
    if "##" in text:
        for command in ("##[", "##vso[", "##teamcity["):
            text = text.replace(command, f"\\x23{command[1:]}")
    if "::" in text:
        words = text.split(" ")
        text = " ".join(f"\\x3a{word[1:]}" if word.startswith("::") and word[2:3].isalpha() else word for word in words)
    return text


LINES = 4  # a row of a table may take; the evidence below has all of it


def to_ascii(text: str) -> str:
    """`text` in ASCII: known punctuation by its look, the rest as escapes."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def columns(text: str) -> int:
    """How many terminal columns `text` (already visible) takes: 2 for East Asian wide, 0 for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_char_columns, text))


def _char_columns(char: str) -> int:
    if char.isascii():
        return 1
    import unicodedata

    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def chunks(text: str, width: int) -> Iterator[str]:
    """`text` cut hard into pieces of at most `width` columns; nothing is lost."""
    if text.isascii():
        yield from (text[at : at + width] for at in range(0, len(text), width))
        return
    piece, used = "", 0
    for char in text:
        size = _char_columns(char)
        if used + size > width and piece:
            yield piece
            piece, used = "", 0
        piece, used = piece + char, used + size
    if piece:
        yield piece


def broken(text: str, width: int) -> Iterator[str]:
    """`text` in lines of at most `width` columns, broken after a blank where one is near, or where the word behind it fits
    on a line of its own: a fingerprint is whole. No character is lost."""
    while len(piece := next(chunks(text, width), "")) < len(text):  # never measures the rest: it may be long
        blank = piece.rfind(" ") + 1
        word = text[blank : blank + width + 1].partition(" ")[0]
        if blank * 2 > len(piece) or (blank and columns(word) <= width):
            piece = piece[:blank]
        yield piece
        text = text[len(piece) :]
    yield text


def fold(text: str, width: int) -> list[str]:
    """`text` wrapped at blanks. A word longer than `width` keeps its own line whole: URLs stay copyable."""
    lines, line, used = [], "", 0
    for word in text.split():
        size = columns(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = word, size
        else:
            line, used = (f"{line} {word}", used + 1 + size) if line else (word, size)
    return [*lines, line] if line else lines


def duration(ms: float) -> str:
    """Milliseconds as people read them, in at most 7 columns up to days: `12 ms`, `12.5 s`, `300 s`."""
    if ms < 9_999.5:
        return "<1 ms" if 0 < ms < 0.5 else f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 99_950 else f"{ms / 1000:.0f} s"


class Canvas(NamedTuple):
    """How the screen is: `width` in columns, whether it shows `colour` and more than ASCII (`unicode`)."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    def text(self, raw: str) -> str:
        """Any text made safe for one line of this screen."""
        text = _no_command(visible(raw))
        return text if self.unicode else to_ascii(text)

    def paint(self, role: str, text: str) -> str:
        """`text` in the colour of `role`; unchanged where there is no colour."""
        return f"\x1b[{_STYLES[role]}m{text}\x1b[0m" if self.colour and text else text

    def mark(self, name: str) -> str:
        """The sign for a status (`passed`, `failed`, `warning`, `skipped`, `waiting`), `gutter`, `ellipsis` or `dash`,
        uncoloured."""
        return _MARKS[name][0 if self.unicode else 1]

    def status(self, name: str) -> str:
        """The coloured sign for a status."""
        return self.paint(name, self.mark(name))

    def clip(self, text: str, width: int) -> str:
        """Safe `text` cut to `width` columns with an ellipsis."""
        if columns(text) <= width:
            return text
        end = self.mark("ellipsis") if width > 3 else ""
        return next(chunks(text, max(width - len(end), 1)), "").rstrip() + end

    def pad(self, text: str, width: int, *, right: bool = False) -> str:
        """Safe `text` clipped and filled with blanks to exactly `width` columns."""
        text = self.clip(text, width)
        blanks = " " * (width - columns(text))
        return blanks + text if right else text + blanks

    def prose(self, raw: str, indent: str, *, first: str | None = None) -> Iterator[str]:
        """`raw` wrapped below `indent`; the first line begins with `first` where given (`  1. `).

        Line ends in `raw` start a new line and blank lines between are kept.
        """
        lead = indent if first is None else first
        for paragraph in raw.strip().split("\n"):
            for line in fold(self.text(paragraph), max(self.width - len(indent), 20)) or [""]:
                yield (lead + line).rstrip()
                lead = indent

    def joined(self, lines: Iterable[str]) -> str:
        """Lines as the text of a screen, with a line end after each."""
        return "".join(f"{line}\n" for line in lines)


def few(canvas: Canvas, text: str, room: int, most: int = LINES) -> list[str]:
    """`text` on as many lines as it takes, but not more than `most`."""
    lines = list(broken(text, room))
    if len(lines) > most:
        lines[most - 1 :] = [canvas.clip(lines[most - 1] + lines[most], room)]
    return [line.rstrip() for line in lines]


PLAIN = Canvas()
