"""Small aligned tables for the commands that list things.

Columns are as wide as their content. Where the screen is too narrow the widest column that may shrink gives way first,
down to its minimum, and cut cells end in an ellipsis; a column that may not shrink (a name that is typed again) is
never cut. One that can be spared is left out where not even its minimum fits. Without a width (a pipe) nothing is cut,
so `| grep` and `| awk` see everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smtpctl.model.record import NamedTuple
from smtpctl.render.canvas import PLAIN, Canvas, columns

_GAP = 2


class Column(NamedTuple):
    """One column. `minimum` columns stay when it shrinks; `right` aligns numbers; `spare` says that it can be left out."""

    title: str
    right: bool = False
    shrink: bool = True
    minimum: int = 8
    spare: bool = False


def table(
    rows: Iterable[Sequence[str]],
    heads: Sequence[Column | str],
    width: int | None = None,
    *,
    canvas: Canvas = PLAIN,
    indent: str = "",
) -> str:
    """`rows` of as many cells as `heads` (a text stands for a plain Column) as lines; header only when a title is set.

    Cells hold any text: it is made safe here. An empty column is left out. No rows give an empty text.
    """
    cells = [[canvas.text(cell) for cell in row] for row in rows]
    shown = [Column(head) if isinstance(head, str) else head for head in heads]
    sizes = [max([columns(row[at]) for row in cells], default=0) for at in range(len(shown))]
    used = [at for at in range(len(shown)) if sizes[at]]
    if not used:
        return ""
    sizes = [max(columns(head.title), size) for head, size in zip(shown, sizes, strict=True)]
    if width is not None:
        used = _spared(used, sizes, shown, width - len(indent))
    shown, sizes = [shown[at] for at in used], [sizes[at] for at in used]
    cells = [[row[at] for at in used] for row in cells]
    if width is not None:
        _shrink(sizes, shown, width - len(indent) - _GAP * (len(shown) - 1))
    lines = [_line(canvas, row, shown, sizes, indent) for row in cells]
    if any(head.title for head in shown):
        titles = _line(canvas, [head.title for head in shown], shown, sizes, indent)
        lines.insert(0, canvas.paint("dim", titles))
    return canvas.joined(lines)


def _spared(used: list[int], sizes: Sequence[int], heads: Sequence[Column], room: int) -> list[int]:
    """The columns that stay: all, or all but those that can be spared where the least that they need is too wide."""
    least = [min(sizes[at], heads[at].minimum) if heads[at].shrink else sizes[at] for at in used]
    fits = sum(least) + _GAP * (len(used) - 1) <= room
    return used if fits else [at for at in used if not heads[at].spare]


def _shrink(sizes: list[int], heads: Sequence[Column], room: int) -> None:
    """Take columns away from the widest until all fit or none may give more."""
    while sum(sizes) > room:
        able = [at for at, head in enumerate(heads) if head.shrink and sizes[at] > head.minimum]
        if not able:
            return
        sizes[max(able, key=sizes.__getitem__)] -= 1


def _line(canvas: Canvas, row: Sequence[str], heads: Sequence[Column], sizes: Sequence[int], indent: str) -> str:
    cells = (canvas.pad(cell, size, right=head.right) for cell, head, size in zip(row, heads, sizes, strict=True))
    return (indent + (" " * _GAP).join(cells)).rstrip()
