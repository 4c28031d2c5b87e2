"""Findings as rows under the file they are in: what `validate` prints, for people and for the log of a CI run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.model.finding import Finding, Ignored, Severity
from smtpctl.render.blocks import evidence_lines
from smtpctl.render.canvas import Canvas, columns

_SIDE_BY_SIDE = 48  # columns the texts need to stand beside the ids; below that they go underneath


def findings(canvas: Canvas, findings: Sequence[Finding], subject: str, passed_over: Sequence[Ignored] = ()) -> str:
    """All findings, and last how many; `subject` says of what (`2 profiles`)."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.location.path if finding.location else finding.target, []).append(finding)
    layout = _Layout(canvas, findings)
    lines: list[str] = []
    for name, group in groups.items():
        lines += [canvas.paint("title", canvas.text(name))] if name else []
        for finding in sorted(group, key=lambda finding: finding.location or ("", 0, 0)):
            lines += layout.row(finding)
    state = "failed" if any(finding.severity is Severity.ERROR for finding in findings) else "passed"
    total = ", ".join(part for part in (canvas.text(subject), counts(findings) or "nothing to mend") if part)
    aside = [*([""] if lines else []), *ignored(canvas, passed_over), ""] if passed_over else []
    if not findings:
        return canvas.joined([*aside, f"{canvas.status(state)} {total}"])
    worst = max(findings, key=lambda finding: finding.severity)
    why = f"Why, and what else it may be:  {canvas.paint('command', f'smtpctl explain {canvas.text(worst.id)}')}"
    return canvas.joined([*lines, *aside, total, why])


def ignored(canvas: Canvas, passed_over: Sequence[Ignored]) -> Iterator[str]:
    """What does not count: a line each, with the reason."""
    for one in passed_over:
        about = f"{one.finding.target}: " if one.finding.target and not one.finding.title.startswith("[") else ""
        yield from (
            canvas.paint("dim", line)
            for line in canvas.prose(
                f"ignored[{one.finding.id}] {about}{one.finding.title} ({one.why})", "  ", first=""
            )
        )


def counts(findings: Sequence[Finding]) -> str:
    """`1 error, 2 warnings`; empty without findings."""
    severities = [finding.severity for finding in findings]
    parts = [(severities.count(severity), severity.label) for severity in sorted(Severity, reverse=True)]
    return ", ".join(f"{number} {label}{'s' * (number != 1)}" for number, label in parts if number)


class _Layout:
    """Where the columns of one listing stand."""

    def __init__(self, canvas: Canvas, findings: Sequence[Finding]) -> None:
        self._canvas = canvas
        self._place = max((len(_place(finding)) for finding in findings), default=0)
        self._label = max((len(finding.severity.label) for finding in findings), default=0)
        self._id = max((columns(canvas.text(finding.id)) for finding in findings), default=0)
        self._ids_at = 2 + (self._place + 2 if self._place else 0) + self._label + 2
        beside = self._ids_at + self._id + 2
        self._beside = canvas.width - beside >= _SIDE_BY_SIDE
        self._text_at = " " * (beside if self._beside else self._ids_at)

    def row(self, finding: Finding) -> Iterator[str]:
        """One finding: its place, severity and id, then what is wrong and what to do."""
        canvas = self._canvas
        place = f"{_place(finding):<{self._place}}  " if self._place else ""
        label = finding.severity.label
        severity = canvas.paint(label, label) + " " * (self._label - len(label))
        first = f"  {canvas.paint('dim', place)}{severity}  {canvas.pad(canvas.text(finding.id), self._id)}"
        body = list(self._body(finding))
        if self._beside:
            first, body = f"{first}  {body[0].lstrip()}", body[1:]
        yield first.rstrip()
        yield from body

    def _body(self, finding: Finding) -> Iterator[str]:
        """What is wrong and the likeliest fix; why, and what else it may be, is on the finding's page."""
        canvas, at = self._canvas, self._text_at
        yield from canvas.prose(finding.title, at)
        yield from evidence_lines(canvas, finding.evidence, at)
        remedies = finding.causes[0].remedies if finding.causes else ()
        for remedy in remedies:
            if remedy.text:
                yield from canvas.prose(remedy.text, at + "     ", first=at + "fix: ")
            lead = "     " if remedy.text else "fix: "
            for command in remedy.commands:
                yield f"{at}{lead}{canvas.paint('command', canvas.text(command))}"
                lead = "     "


def _place(finding: Finding) -> str:
    return f"{finding.location.line}:{finding.location.column}" if finding.location else ""
