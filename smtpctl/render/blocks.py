"""A finding as a block: what is wrong, the evidence in the peer's own words, the causes and what to do.

Prose wraps. Evidence wraps inside its gutter, with carets under the part that matters. A command is always one line
of its own, however long: what the terminal wraps softly still copies as one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from smtpctl.model.finding import Cause, Evidence, Finding, Remedy
from smtpctl.render.canvas import Canvas, broken, columns, fold

_EVIDENCE_LINES = 8  # of one piece of evidence; a peer may send a line of any length
_LABEL = 20  # columns a label may take before its text starts on the next line
_BELOW = 2  # columns before a text that stands below its label, because a word of it would be cut beside it


def block(
    canvas: Canvas, finding: Finding, *, named: bool = False, page: bool = False, aside: Iterable[str] = ()
) -> Iterator[str]:
    """The lines of one finding, without a blank line around them; `named` says also whom it is about.
    `page`: this is all there is to say, so nothing points further. `aside`: lines to read before the causes."""
    yield from title(canvas, finding)
    if where := _where(finding, named):
        yield from ("  " + canvas.paint("dim", line) for line in fold(canvas.text(f"--> {where}"), canvas.width - 2))
    yield from evidence_lines(canvas, finding.evidence)
    if finding.message:
        yield from canvas.prose(finding.message, "  ")
    yield from aside
    if finding.causes:
        yield ""
        yield from _causes(canvas, finding.causes)
    yield from _footer(canvas, finding, page)


def title(canvas: Canvas, finding: Finding) -> Iterator[str]:
    """`error[tls.expired] The certificate has expired`."""
    label = finding.severity.label
    prefix = canvas.text(f"{label}[{finding.id}]")
    first, *more = fold(f"{prefix} {canvas.text(finding.title)}", canvas.width - 2)
    rest = first[len(prefix) :]
    yield canvas.paint(label, prefix) + canvas.paint("title", rest)
    yield from ("  " + canvas.paint("title", line) for line in more)


def _where(finding: Finding, named: bool) -> str:
    """The place in a file, else the target where it is asked for and the title does not say it."""
    if place := finding.location:
        return f"{place.path}:{place.line}:{place.column}"
    return finding.target if named and finding.target not in finding.title else ""


def evidence_lines(canvas: Canvas, evidence: Sequence[Evidence], indent: str = "   ") -> Iterator[str]:
    """Every piece of evidence behind the gutter, labels aligned."""
    labels = [canvas.text(piece.label) for piece in evidence]
    room = max((columns(label) for label in labels if columns(label) <= _LABEL), default=0)
    gutter = indent + canvas.paint("dim", canvas.mark("gutter")) + " "
    whole = canvas.width - len(indent) - 2
    for label, piece in zip(labels, evidence, strict=True):
        lead = canvas.pad(label, room) + " " if room and columns(label) <= room else label + " " * bool(label)
        if _cut(canvas, piece.text, whole - columns(lead), whole - _BELOW):
            yield (gutter + label).rstrip()
            lead = " " * _BELOW
        elif columns(lead) > room + 1:
            yield gutter + label
            lead = " " * (room + bool(room))
        for line in _quote(canvas, piece, whole - columns(lead)):
            yield (gutter + lead + line).rstrip()
            lead = " " * columns(lead)


def _cut(canvas: Canvas, text: str, beside: int, below: int) -> bool:
    """Whether a word of the text would be cut beside the label and would not be below it: a fingerprint, as a rule."""
    words = canvas.text(text[: 2 * below]).split() if below > beside else ()
    return beside < max(map(columns, words), default=0) <= below


def _quote(canvas: Canvas, piece: Evidence, room: int) -> Iterator[str]:
    """The text of one piece in lines of `room` columns, each followed by carets where its span is."""
    start, end = piece.span or (0, 0)
    before, marked, after = (
        canvas.text(piece.text[part]) for part in (slice(start), slice(start, end), slice(end, None))
    )
    carets = " " * columns(before) + "^" * columns(marked)
    lines = list(broken(before + marked + after, max(room, 20)))
    for line in lines[:_EVIDENCE_LINES]:
        yield line
        here, carets = carets[: columns(line)], carets[columns(line) :]
        if "^" in here:
            blank = here.index("^")
            yield " " * blank + canvas.paint("caret", here[blank:])
    left = sum(map(len, lines[_EVIDENCE_LINES:]))
    if left:
        yield canvas.paint("dim", canvas.text(f"… {left} more characters"))


def _causes(canvas: Canvas, causes: Sequence[Cause]) -> Iterator[str]:
    """The causes, most likely first, numbered when there are several."""
    ranked = sorted(causes, key=lambda cause: -cause.likelihood)
    several = len(ranked) > 1
    named = any(cause.text for cause in ranked)
    yield "  " + canvas.paint("title", "Most likely first" if several else "Likely cause" if named else "What to do")
    for number, cause in enumerate(ranked, 1):
        first = f"{number:>5}. " if several else "    "
        indent = " " * len(first)
        if cause.text:
            yield from canvas.prose(cause.text, indent, first=first)
            first = indent
        for remedy in cause.remedies:
            yield from remedy_lines(canvas, remedy, indent, first)
            first = indent


def remedy_lines(canvas: Canvas, remedy: Remedy, indent: str, first: str) -> Iterator[str]:
    if remedy.text:
        yield from canvas.prose(remedy.text, indent, first=first)
    for command in remedy.commands:
        for line in command.splitlines():
            yield f"{indent}  {canvas.paint('command', canvas.text(line))}"


def _date(as_of: str) -> str:
    return f"as of {as_of}" if as_of[:1].isdigit() else as_of


def _footer(canvas: Canvas, finding: Finding, page: bool) -> Iterator[str]:
    """Where more is; on a page, which has it all, where it is written."""
    doubt = "" if finding.verified else "not verified yet"
    lines = [canvas.text(f"More:  smtpctl explain {finding.id}" + (f"  ({doubt})" if doubt else ""))]
    if page:
        known = ", ".join(filter(None, [finding.source, _date(finding.as_of), doubt]))
        lines = fold(f"Source: {canvas.text(known)}", canvas.width - 2) if known else []
    if lines and finding.causes:
        yield ""
    yield from ("  " + canvas.paint("dim", line) for line in lines)
