"""What `explain` prints for people: one cause with its fixes, the meaning of a code, or a log by cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from smtpctl.model.explanation import (
    LOG_NAMES,
    Bounce,
    Bounced,
    Explained,
    Explanation,
    LogCause,
    LogShare,
    LogSummary,
    Meaning,
)
from smtpctl.model.finding import Finding
from smtpctl.render.blocks import block
from smtpctl.render.canvas import Canvas, columns

_DOMAINS = 3  # that are named beside a cause
_SHARES = 5  # rows of a table of a log
_ENTRIES = 12  # of what is known to come with a code
_DECIDING = {
    "login": "--login password|user-token|app-token",
    "provider": "--provider NAME",
    "stage": "--stage STAGE",
}
_LEAST = 8  # columns below which a name is not worth its place
_SECONDS = re.compile(r"(?<=\d\d:\d\d):\d\d$")
_ODD = re.compile(r"[^\w .,:;@/-]")  # what may mean something between quotes in a shell, and what varies begins with
_WORDS = 100  # characters of a sample that are looked up
_AGAIN = {True: "Trying again later can help.", False: "Trying again will not help until it is mended."}


def explain_text(canvas: Canvas, explained: Explained) -> str:
    """The text of any result of `ops.explain`."""
    if isinstance(explained, Explanation):
        return canvas.joined(_explanation(canvas, explained))
    if isinstance(explained, Meaning):
        return canvas.joined(_meaning(canvas, explained))
    if isinstance(explained, Bounce):
        return canvas.joined(_bounce(canvas, explained))
    return canvas.joined(_summary(canvas, explained))


def _explanation(canvas: Canvas, one: Explanation) -> Iterator[str]:
    instead = [other for other in one.alternatives if other.message]
    yield from block(canvas, one.finding, page=True, aside=_others(canvas, instead, "Otherwise"))
    others = [other for other in one.alternatives if not other.message]
    yield from _others(canvas, others, "The same words can also mean")
    if one.deciding:
        words = " ".join(_DECIDING[name] for name in one.deciding)
        yield ""
        yield from canvas.prose("More can be told from the same words with what you know besides:", "  ")
        yield f"    {canvas.paint('command', canvas.text(f'smtpctl explain {words} ...'))}"
    if one.said and one.retryable is not None:
        yield ""
        yield _AGAIN[one.retryable]


def _others(canvas: Canvas, others: Sequence[Finding], head: str) -> Iterator[str]:
    if others:
        yield ""
        yield "  " + canvas.paint("title", head)
    for other in others:
        yield from canvas.prose(f"{other.message} {other.title}.".strip(), "      ", first="    - ")
        yield f"        {canvas.paint('command', canvas.text(f'smtpctl explain {other.id}'))}"


def _meaning(canvas: Canvas, meaning: Meaning) -> Iterator[str]:
    width = max(columns(piece) for piece, _ in meaning.parts)
    for piece, words in meaning.parts:
        lead = canvas.paint("title", canvas.pad(piece, width))
        yield from canvas.prose(words, " " * (width + 2), first=f"{lead}  ")
    if meaning.fix:
        yield ""
        yield from canvas.prose(meaning.fix, "  ")
    if not meaning.entries:
        return
    yield ""
    yield "  " + canvas.paint("title", "Known to come with it")
    shown = meaning.entries[:_ENTRIES]
    room = max(columns(name) for name, _ in shown)
    for name, title in shown:
        yield "    " + canvas.clip(canvas.text(f"{name:<{room}}  {title}"), canvas.width - 4)
    if left := len(meaning.entries) - len(shown):
        yield "    " + canvas.text(f"… and {left} more; --json has them all")
    yield ""
    yield "  With the server's words it gets exact:"
    command = f'smtpctl explain "{meaning.subject} ..."'
    yield "    " + canvas.paint("command", canvas.text(command))


def _bounce(canvas: Canvas, bounce: Bounce) -> Iterator[str]:
    """Each cause once, below the recipients that it holds for."""
    tried = sum(one.action == "delayed" for one in bounce.recipients)
    failed = len(bounce.recipients) - tried
    still = f"{_many(tried, 'recipient')} still being tried" if tried else ""
    yield ", ".join(filter(None, [_many(failed, "recipient") + " failed" if failed else "", still]))
    causes: dict[str, list[Bounced]] = {}
    for one in bounce.recipients:
        causes.setdefault(one.explanation.finding.id, []).append(one)
    for held in causes.values():
        yield ""
        yield from canvas.prose(", ".join(one.recipient for one in held), "  ", first="To ")
        yield from _explanation(canvas, held[0].explanation)


def _summary(canvas: Canvas, log: LogSummary) -> Iterator[str]:
    counts = f"{_many(log.lines, 'line')}, {_many(log.failures, 'failure')}"
    if log.causes:
        yield f"{counts}, {_many(len(log.causes), 'cause')}"
        yield ""
        yield from _causes(canvas, log)
    elif log.refused:
        yield f"{counts} of this server's own mail"
    else:
        yield f"{counts}. Nothing here reports a failure of SMTP that smtpctl knows."
    yield from _refused(canvas, log.refused)
    if log.causes:
        yield ""
        yield from _to_mend(canvas, log)


def _causes(canvas: Canvas, log: LogSummary) -> Iterator[str]:
    widest = len(f"{log.causes[0].failures:,}")
    for cause in log.causes:
        yield from _row(canvas, cause, widest)
    yield from _shares(canvas, "By who answered", log.providers, widest)
    yield from _shares(canvas, "By recipient domain", log.recipients, widest)


def _to_mend(canvas: Canvas, log: LogSummary) -> Iterator[str]:
    later = sum(cause.failures for cause in log.causes if cause.retryable)
    yield f"  {later * 100 // log.failures} % can pass when tried again."
    known = [cause for cause in log.causes if not cause.finding.id.startswith("reply.")] or log.causes
    mend = next((cause for cause in known if not cause.retryable), known[0])
    about = f'"{_ODD.split(mend.sample, maxsplit=1)[0].strip()[:_WORDS]}"' if mend.others else mend.finding.id
    yield f"  First to mend:  {canvas.paint('command', canvas.text(f'smtpctl explain {about}'))}"


def _refused(canvas: Canvas, refused: Sequence[LogCause]) -> Iterator[str]:
    """What the server of the log refused to others: in short, because most of it is as it should be."""
    if not refused:
        return
    yield ""
    yield "  " + canvas.paint("title", "Refused by this server to its clients")
    widest = len(f"{refused[0].failures:,}")
    for cause in refused[:_SHARES]:
        indent = " " * (widest + 4)
        yield from canvas.prose(cause.title, indent, first=f"  {cause.failures:>{widest},}  ")
        yield indent + canvas.paint("dim", _facts(canvas, cause, canvas.width - len(indent)))
    if len(refused) > _SHARES:
        yield " " * (widest + 4) + canvas.text(f"… and {len(refused) - _SHARES} more; --json has them all")
    yield from canvas.prose(
        "No mail of its own failed by these. Mend one where the client was yours.", "  ", first="  "
    )


def _row(canvas: Canvas, cause: LogCause, widest: int) -> Iterator[str]:
    """Count, what to do about it, the title; below, who it was about, when, and one sample in its own words."""
    word = canvas.paint("warning", "retry") if cause.retryable else canvas.paint("error", "fix  ")
    lead = f"  {cause.failures:>{widest},}  {word}  "
    indent = " " * (widest + 11)
    room = canvas.width - len(indent)
    yield from canvas.prose(cause.title, indent, first=lead)
    yield indent + canvas.paint("dim", _facts(canvas, cause, room))
    yield indent + canvas.paint("dim", canvas.clip(canvas.text(cause.sample), room))


def _facts(canvas: Canvas, cause: LogCause, room: int) -> str:
    """Id, whom it is about, and at the right edge the times, in `room` columns: names give way to times."""
    times = canvas.text(_times(cause.first, cause.last))
    left = room - columns(times) - 2 if times else room
    name = cause.finding.id + (f" or {len(cause.others)} more" if cause.others else "")
    about = canvas.text(_most(cause))
    facts = f"{name}  {about}" if about and left - len(name) - 2 >= _LEAST else name
    return f"{canvas.pad(canvas.clip(facts, left), left)}  {times}" if times else canvas.clip(facts, left)


def _most(cause: LogCause) -> str:
    """Whom it is about: one name, or those with the most failures and how many those are."""
    first, *more = cause.recipients[:_DOMAINS] or (None,)
    if not first or not more:
        return first.name if first else cause.about
    left = ", …" if len(cause.recipients) > _DOMAINS else ""
    return ", ".join(f"{share.name} {share.failures:,}" for share in (first, *more)) + left


def _times(first: str, last: str) -> str:
    """From when to when, to the minute; the day once where it is the same."""
    first, last = (_SECONDS.sub("", when.replace("T", " ")) for when in (first, last))
    if first == last:
        return first
    day = first[: first.rfind(" ") + 1]
    return f"{first} – {last.removeprefix(day)}"


def _shares(canvas: Canvas, head: str, shares: Sequence[LogShare], widest: int) -> Iterator[str]:
    """A table of failures by name; none where one name has them all."""
    if len(shares) < 2:
        return
    yield ""
    yield "  " + canvas.paint("title", head)
    shown = shares[:_SHARES]
    facts = [
        f"{f'{_percent(share)} % can pass later':<20}  {_times(share.first, share.last)}".rstrip() for share in shown
    ]
    most = max(canvas.width - widest - 6 - max(map(len, facts)), _LEAST)
    names = [canvas.clip(canvas.text(share.name), most) for share in shown]
    room = max(map(columns, names))
    for share, name, fact in zip(shown, names, facts, strict=True):
        lead = f"  {share.failures:>{widest},}  {canvas.pad(name, room)}  "
        yield lead + canvas.paint("dim", canvas.clip(canvas.text(fact), canvas.width - columns(lead)))
    if left := len(shares) - len(shown):
        # A summary has no more names than that; how many there were, nobody has counted.
        more = f"{left} more; --json has them all" if len(shares) < LOG_NAMES else f"many more; --json has {LOG_NAMES}"
        yield " " * (widest + 4) + canvas.clip(canvas.text(f"… and {more}"), canvas.width - widest - 4)


def _percent(share: LogShare) -> int:
    return share.retryable * 100 // share.failures


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
