"""The list of checks for people: a heading each, below it what it can find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.model.checklist import Findable, Listed
from smtpctl.render.canvas import Canvas
from smtpctl.render.tables import Column, table


def checklist(canvas: Canvas, checks: Sequence[Listed], width: int | None) -> str:
    """All of them; `width` None where the lines are not for a screen."""
    room = max((len(one.id) for check in checks for one in check.finds), default=0)
    return "\n".join(canvas.joined(list(_head(canvas, check))) + _finds(canvas, check, room, width) for check in checks)


def _head(canvas: Canvas, check: Listed) -> Iterator[str]:
    words = [check.when, f"from {check.needs} on" if check.needs else ""]
    words += ["slow"] * check.slow + ["intrusive"] * check.intrusive
    yield f"{canvas.paint('title', canvas.text(check.name))}  {', '.join(filter(None, words))}"
    if check.does:
        yield from canvas.prose(check.does, "  ")


def _finds(canvas: Canvas, check: Listed, room: int, width: int | None) -> str:
    rows = [(one.id.ljust(room), f"{_severity(one):<14}", one.title) for one in check.finds]
    heads: list[Column | str] = [Column("", shrink=False), Column("", shrink=False), Column("", minimum=20)]
    return table(rows, heads, width, canvas=canvas, indent="  ")


def _severity(found: Findable) -> str:
    """`error`, `warning, MX error`, `MX note`: where they differ, or one is left out."""
    if found.submission == found.mx:
        return found.submission
    return ", ".join(filter(None, [found.submission, f"MX {found.mx}" if found.mx else ""]))
