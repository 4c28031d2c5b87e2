"""Results for people: rows of stages, blocks of findings, one last line that says what it means.

A report is `heading`, a `stage_line` each, `conclusion`; a live run prints the same three as it goes, so what is seen
while it runs is what is seen in a file. The facts of a report that are used here: `ms` (the whole run), `round_trips`,
`scan` (what a TLS scan found), `queue_id`, and `sent` (recipients that the server took; absent where no mail was to be
sent).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignored, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import RecipientResult, Report, StageResult, combined
from smtpctl.model.transcript import Event, Kind, Stage
from smtpctl.render import listing
from smtpctl.render.base import Setting, problem_report
from smtpctl.render.blocks import block, title
from smtpctl.render.canvas import LINES, columns, duration, few, fold
from smtpctl.render.comparison import comparison
from smtpctl.render.outcomes import outcome_lines
from smtpctl.render.tables import Column, table

_NAME = 10  # columns of a stage's name
_TIME = 9  # columns of its time, with the gap before it
_BELOW = " " * (2 + 2 + _NAME + 2)  # what stands before a stage's detail: margin, mark, name
_ROW = 100  # columns of a stage's row at most: on a wide screen the eye would lose the line on the way to the time
_CALM = 2  # a row without a complaint
RECIPIENT: Mapping[str, tuple[str, str]] = {  # result: status, word
    "accepted": ("passed", "accepted"),
    "temporary": ("warning", "try later"),
    "permanent": ("failed", "refused"),
    "unknown": ("skipped", "unknown"),
}
_DIRECTION: Mapping[Kind, str] = {Kind.SENT: "C:", Kind.RECEIVED: "S:", Kind.ERROR: "!"}


class TextRenderer:
    """Text for a terminal or a file, as `Setting.canvas` says."""

    def __init__(self, setting: Setting) -> None:
        self._canvas = setting.canvas
        self._fail_on = setting.fail_on
        self._verbose = setting.verbose

    def report(self, report: Report) -> str:
        """Heading, stages, recipients, findings and the conclusion."""
        stages = "".join(map(self.stage_line, report.stages))
        return self.heading(report.target, report.headline) + stages + self.conclusion(report)

    def heading(self, target: str, headline: str = "") -> str:
        """Who is asked, and how: the first line and a blank one."""
        canvas = self._canvas
        name = canvas.text(target)
        first, *more = fold(f"{name}  {canvas.text(headline)}", canvas.width - 2) or [""]
        spaced = f"{name}  {canvas.text(headline)}".rstrip()
        if not more:
            first = spaced
        first = canvas.paint("title", name) + first[len(name) :] if first.startswith(name) else first
        return canvas.joined([first, *("  " + line for line in more), ""])

    def stage_line(self, stage: StageResult) -> str:
        """One row of the stage table; one that failed may take more lines."""
        canvas = self._canvas
        room = min(canvas.width, _ROW) - len(_BELOW) - (0 if stage.ms is None else _TIME)
        detail = canvas.text(stage.detail)
        lines = few(canvas, detail, room, _CALM if stage.status in ("passed", "skipped") else LINES)
        time = "" if stage.ms is None else canvas.paint("dim", duration(stage.ms).rjust(_TIME))
        name = canvas.pad(stage.stage.value, _NAME)
        shown = canvas.pad(lines[0], room) if time else lines[0]
        if stage.status == "skipped":
            shown = canvas.paint("dim", shown)
        first = f"  {canvas.status(stage.status)} {name}  {shown}{time}".rstrip()
        return canvas.joined([first, *(_BELOW + line for line in lines[1:])])

    def waiting_line(self, stage: Stage, seconds: float) -> str:
        """A row of the stage table that is still to come, for a terminal: no line end."""
        canvas = self._canvas
        row = f"  {canvas.mark('waiting')} {canvas.pad(stage.value, _NAME)}  waiting, {seconds:.0f} s"
        return canvas.paint("dim", row)

    def event_line(self, event: Event) -> str:
        """One event of the transcript, for -v: time since the start, direction, the text."""
        canvas = self._canvas
        direction = _DIRECTION.get(event.kind, "·")
        line = canvas.text(f"{direction:<2} {event.text}")
        lead = f"{duration(event.at * 1000):>9}  "
        word = canvas.text(event.text).strip()
        if event.kind is Kind.NOTE and " " not in word and columns(lead + line) > canvas.width:
            lead, line = "", word.rjust(canvas.width)  # whole, to be copied
        return canvas.joined([lead + canvas.paint("dim", line)])

    def conclusion(self, report: Report) -> str:
        """All that follows the stages."""
        lines: list[str] = []
        if any(recipient.reply for recipient in report.recipients):
            lines += ["", *self._recipients(report.recipients)]
        whole, short = self._by_weight(report)
        for finding in whole:
            lines += ["", *block(self._canvas, finding)]
        lines += ["", *self._short(short, report)] if short else []
        for tried in report.comparisons:
            lines += ["", *comparison(self._canvas, tried)]
        if report.ignored:
            lines += ["", *listing.ignored(self._canvas, report.ignored)]
        if self._verbose and "scan" in report.facts:
            from smtpctl.render.scan import scan_lines

            lines += ["", *scan_lines(self._canvas, report.facts["scan"])]
        checks = list(outcome_lines(self._canvas, report.outcomes, verbose=self._verbose))
        lines += ["", *checks] if checks else []
        return self._canvas.joined([*lines, "", *self._ending(report)])

    def _by_weight(self, report: Report) -> tuple[list[Finding], list[Finding]]:
        """The findings to tell whole, worst first, and those of which the title is enough: notes, unless one stopped the
        run or everything was asked for."""
        ranked = sorted(report.findings, key=lambda finding: -finding.severity)
        if self._verbose:
            return ranked, []
        lead = report.findings[:1] if report.failure else ()
        whole = [finding for finding in ranked if finding.severity > Severity.NOTE or finding in lead]
        return whole, [finding for finding in ranked if finding not in whole]

    def _short(self, notes: Sequence[Finding], report: Report) -> Iterator[str]:
        """A line each; where something stopped the run they are beside the point, and only counted."""
        if report.failure:
            yield self._canvas.paint("dim", f"{listing.counts(notes)} besides; -v tells them.")
            return
        for note in notes:
            yield from title(self._canvas, note)

    def reports(self, reports: Sequence[Report]) -> str:
        """The summary first, then every target that has something to say."""
        if len(reports) == 1:
            return self.report(reports[0])
        canvas = self._canvas
        rows = [summary(report) for report in reports]
        status = combined(reports, self._fail_on)
        first = f"{len(reports)} targets: {tally(reports)}" + (f" (exit {int(status)})" if status else "")
        marks = [canvas.status(row.state) for row in rows]
        heads = [Column("", shrink=False), Column("", right=True, shrink=False), Column("", minimum=20)]
        body = table(
            [(row.target, duration(row.ms), row.reason) for row in rows], heads, canvas.width - 4, canvas=canvas
        )
        lines = [first, "", *(f"  {mark} {line}" for mark, line in zip(marks, body.splitlines(), strict=True))]
        text = canvas.joined(lines)
        for report in reports:
            if report.findings or report.failure or report.ignored:
                text += "\n" + canvas.joined([canvas.paint("dim", canvas.mark("dash") * canvas.width)])
                text += self.report(report)
        return text

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """File by file, a row each (`validate`)."""
        return listing.findings(self._canvas, findings, subject, ignored)

    def problem(self, problem: Problem) -> str:
        """The finding and what it means for trying again."""
        report = problem_report(problem)
        return self._canvas.joined([*block(self._canvas, problem.finding, named=True), "", *self._ending(report)])

    def _recipients(self, recipients: Sequence[RecipientResult]) -> Iterator[str]:
        canvas = self._canvas
        addresses = [canvas.text(recipient.address) for recipient in recipients]
        width = min(max(map(columns, addresses)), canvas.width // 3)
        for address, recipient in zip(addresses, recipients, strict=True):
            status, word = RECIPIENT[recipient.result]
            lead = f"  {canvas.status(status)} {canvas.paint(status, f'{word:<9}')}  "
            reply = canvas.text(str(recipient.reply)) if recipient.reply else ""
            if columns(address) > width:
                yield lead + address
                lines = ["", *few(canvas, reply, canvas.width - 17 - width)] if reply else []
            else:
                lines = few(canvas, reply, canvas.width - 17 - width)
                yield (lead + canvas.pad(address, width) + "  " + lines[0]).rstrip()
            yield from (" " * (17 + width) + line for line in lines[1:])

    def _ending(self, report: Report) -> Iterator[str]:
        """What it means, and the one next command."""
        canvas = self._canvas
        status = report.status(self._fail_on)
        ending = [f"(exit {int(status)})"] if status else []
        told = canvas.text(" ".join([*sentences(report), *ending]))
        following = canvas.text(report.next_command)
        if following and columns(told) + 4 + columns(following) <= canvas.width:
            yield f"{told}    {canvas.paint('command', following)}"
            return
        yield from canvas.prose(told, "")
        if following:
            yield f"Next:  {canvas.paint('command', following)}"


class Summary(NamedTuple):
    """A report in one row: `state` is `passed`, `warning` or `failed`, `reason` the worst finding or how it was reached."""

    state: str
    target: str
    ms: float
    reason: str


def summary(report: Report) -> Summary:
    """The row for `report`."""
    return Summary(_state(report), report.target, _ms(report), _reason(report))


def _ms(report: Report) -> float:
    """The time of the whole run: told as a fact, else what the stages sum up to."""
    return float(report.facts.get("ms", sum(stage.ms or 0 for stage in report.stages)))


def _state(report: Report) -> str:
    """`failed`, `warning` or `passed`."""
    highest = max((finding.severity for finding in report.findings), default=Severity.NOTE)
    if report.failure or highest is Severity.ERROR:
        return "failed"
    return "warning" if highest is Severity.WARNING else "passed"


def _reason(report: Report) -> str:
    """The worst finding's title, or nothing."""
    if _state(report) == "passed":
        return report.headline
    if not report.findings:
        return str(report.failure.reply or report.failure.stage) if report.failure else ""
    return max(report.findings, key=lambda finding: finding.severity).title


def tally(reports: Sequence[Report]) -> str:
    """`1 works, 1 with warnings, 2 fail`."""
    states = [_state(report) for report in reports]
    passed, warned, failed = (states.count(state) for state in ("passed", "warning", "failed"))
    parts = [
        (passed, "works" if passed == 1 else "work"),
        (warned, "with warnings"),
        (failed, "fails" if failed == 1 else "fail"),
    ]
    return ", ".join(f"{number} {word}" for number, word in parts if number)


def sentences(report: Report) -> Iterator[str]:
    """What it means."""
    yield from _result(report)
    yield from _again(report)


def _result(report: Report) -> Iterator[str]:
    """What was reached, in a sentence, and what it took."""
    sent = report.facts.get("sent")
    if sent is not None:
        yield _delivery(report, int(sent))
    counts = listing.counts(report.findings)
    if report.failure:
        return
    open_ = report.facts.get("revocation", {}).get("status") == "unknown"
    works = "Works" if report.ignored or open_ or _state(report) != "passed" else "Everything works"
    if counts:
        yield f"{counts}." if sent is not None or _state(report) == "failed" else f"{works}, with {counts}."
    elif sent is None:
        yield f"{works}."
    if open_:
        yield "Whether its certificate was revoked is not known."
    if report.stages:
        yield f"{duration(_ms(report))}{_exchanges(report)}."


def _exchanges(report: Report) -> str:
    """How often the server was talked to: in one session round trips, with a scan connections."""
    scan, trips = report.facts.get("scan"), report.facts.get("round_trips")
    if scan:
        return f", {scan['connections'] + 1} connections"
    return "" if trips is None else f", {trips} round trip{'s' * (trips != 1)}"


def _delivery(report: Report, sent: int) -> str:
    """What became of the mail."""
    asked = len(report.recipients) or sent
    if not sent and report.facts.get("content_sent") and any(one.result == "unknown" for one in report.recipients):
        return "The mail left, but whether the server took it is not known."
    if not sent:
        return "Nothing was sent."
    queue_id = report.facts.get("queue_id")
    queued = f", queued as {queue_id}" if queue_id else ""
    whom = (
        f"{sent} of {asked} recipients"
        if asked != sent
        else "the recipient"
        if asked == 1
        else f"all {asked} recipients"
    )
    return f"Accepted for {whom}{queued}."


def _again(report: Report) -> Iterator[str]:
    """Whether trying again can help, where something stopped the run."""
    if report.failure:
        yield (
            "It can pass by itself: try again later."
            if report.failure.retryable
            else "Trying again will not help until this is mended."
        )
