"""Results as one HTML page that holds all it needs: no script, nothing loaded from elsewhere, light, dark and on paper.

What a peer said can be anything, so text goes in as text only (the serializer escapes it), and the page forbids by its
own policy whatever could be loaded or run. Characters above ASCII are references: the page is right in any encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smtpctl import __version__
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Cause, Evidence, Finding, Ignored, Severity
from smtpctl.model.report import Comparison, RecipientResult, Report, StageResult, combined
from smtpctl.render import listing
from smtpctl.render.base import Setting, problem_report
from smtpctl.render.canvas import Canvas, duration, visible
from smtpctl.render.text import RECIPIENT, sentences, summary, tally

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MARK = Canvas().mark


class HtmlRenderer:
    """One document."""

    def __init__(self, setting: Setting) -> None:
        self._name = f"smtpctl {setting.command}"
        self._fail_on = setting.fail_on

    def report(self, report: Report) -> str:
        """One target."""
        return self.reports([report])

    def reports(self, reports: Sequence[Report]) -> str:
        """All targets: a table of them first where they are several."""
        root, main = self._page(reports[0].target if len(reports) == 1 else f"{len(reports)} targets")
        if len(reports) > 1:
            self._overview(main, reports)
        for number, report in enumerate(reports, 1):
            self._target(main, report, number)
        return _text(root)

    def findings(self, findings: Sequence[Finding], *, subject: str = "", ignored: Sequence[Ignored] = ()) -> str:
        """Findings under the file they are in."""
        root, main = self._page(subject)
        counted = listing.counts(findings) or "nothing to mend"
        worst = max((finding.severity for finding in findings), default=Severity.NOTE)
        state = {Severity.ERROR: "failed", Severity.WARNING: "warning"}.get(worst, "passed")
        _add(main, "p", f"{_MARK(state)} {subject}: {counted}", f"verdict {state}")
        for finding in findings:
            _finding(main, finding)
        _ignored(main, ignored)
        return _text(root)

    def problem(self, problem: Problem) -> str:
        """What ended the run before there was a report."""
        return self.report(problem_report(problem))

    def _page(self, about: str) -> tuple[Element, Element]:
        from xml.etree import ElementTree as Xml

        root = Xml.Element("html", lang="en")
        head = _add(root, "head")
        Xml.SubElement(head, "meta", charset="utf-8")
        Xml.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
        Xml.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
        _add(head, "title", f"{self._name}: {about}" if about else self._name)
        _add(head, "style").text = Path(__file__).with_name("page.css").read_text("utf-8")
        main = _add(_add(root, "body"), "main")
        _add(main, "h1", self._name)
        return root, main

    def _overview(self, main: Element, reports: Sequence[Report]) -> None:
        status = combined(reports, self._fail_on)
        state = "failed" if status else "passed"
        ending = f" (exit {int(status)})" if status else ""
        _add(main, "p", f"{_MARK(state)} {len(reports)} targets: {tally(reports)}{ending}", f"verdict {state}")
        body = _add(_add(main, "table"), "tbody")
        for number, row in enumerate(map(summary, reports), 1):
            line = _row(body, row.state, "", row.reason, row.ms)
            _add(line[1], "a", row.target).set("href", f"#target-{number}")

    def _target(self, main: Element, report: Report, number: int) -> None:
        section = _add(main, "section")
        _add(section, "h2", report.target).set("id", f"target-{number}")
        if report.headline:
            _add(section, "p", report.headline, "quiet")
        status = report.status(self._fail_on)
        state = "failed" if status else summary(report).state
        ending = f" (exit {int(status)})" if status else ""
        _add(section, "p", f"{_MARK(state)} {' '.join(sentences(report))}{ending}", f"verdict {state}")
        if report.next_command:
            _add(_add(section, "p", "Next: "), "code", report.next_command)
        _stages(section, report.stages)
        _recipients(section, report.recipients)
        for finding in sorted(report.findings, key=lambda finding: -finding.severity):
            _finding(section, finding)
        for tried in report.comparisons:
            _comparison(section, tried)
        _ignored(section, report.ignored)


def _stages(section: Element, stages: Sequence[StageResult]) -> None:
    if stages:
        body = _add(_add(section, "table"), "tbody")
        for stage in stages:
            _row(body, stage.status, stage.stage.value, stage.detail, stage.ms)


def _recipients(section: Element, recipients: Sequence[RecipientResult]) -> None:
    told = [recipient for recipient in recipients if recipient.reply]
    if told:
        _add(section, "h4", "Recipients")
        body = _add(_add(section, "table"), "tbody")
        for recipient in recipients:
            _row(body, RECIPIENT[recipient.result][0], recipient.address, str(recipient.reply or recipient.result))


def _comparison(section: Element, tried: Comparison) -> None:
    if tried.title:
        _add(section, "h4", tried.title)
    if tried.lines:
        body = _add(_add(section, "table"), "tbody")
        for line in tried.lines:
            *heads, words = line.cells
            _row(body, line.status, "  ".join(heads), words, line.ms)
    if tried.note:
        _add(section, "p", tried.note)


def _row(body: Element, status: str, head: str, detail: str, ms: float | None = None) -> Element:
    """A line of a table: mark, name, words, time."""
    row = _add(body, "tr")
    _add(row, "td", _MARK(status), status).set("title", status)
    _add(row, "th", head).set("scope", "row")
    _add(row, "td", detail)
    _add(row, "td", "" if ms is None else duration(ms), "time")
    return row


def _finding(parent: Element, finding: Finding) -> None:
    label = finding.severity.label
    article = _add(parent, "article", kind=label)
    head = _add(article, "h3")
    _add(head, "b", label).tail = f" {visible(finding.title)}"
    place = finding.location
    where = f"{place.path}:{place.line}:{place.column}" if place else finding.target
    about = _add(article, "p", kind="quiet")
    _add(about, "code", finding.id).tail = f" {visible(where)}".rstrip()
    if finding.evidence:
        quote = _add(article, "pre")
        for number, evidence in enumerate(finding.evidence):
            _quoted(quote, evidence, first=not number)
    for paragraph in filter(None, finding.message.split("\n")):
        _add(article, "p", paragraph)
    _causes(article, finding.causes)
    if finding.source:
        _add(article, "p", f"Source: {finding.source}", "quiet")


def _quoted(quote: Element, evidence: Evidence, *, first: bool) -> None:
    """One piece of evidence, the part that matters marked."""
    start, end = evidence.span or (0, 0)
    before = "" if first else "\n"
    label = f"{visible(evidence.label)} " if evidence.label else ""
    lead = f"{before}{label}{visible(evidence.text[:start])}"
    if len(quote):
        quote[-1].tail = f"{quote[-1].tail or ''}{lead}"
    else:
        quote.text = f"{quote.text or ''}{lead}"
    _add(quote, "mark" if evidence.span else "span", evidence.text[start:end]).tail = visible(evidence.text[end:])


def _causes(article: Element, causes: Iterable[Cause]) -> None:
    causes = sorted(causes, key=lambda cause: -cause.likelihood)
    if not causes:
        return
    _add(article, "h4", "Most likely first" if len(causes) > 1 else "What to do")
    steps = _add(article, "ol" if len(causes) > 1 else "div")
    for cause in causes:
        step = _add(steps, "li" if len(causes) > 1 else "div")
        if cause.text:
            _add(step, "p", cause.text)
        for remedy in cause.remedies:
            if remedy.text:
                _add(step, "p", remedy.text)
            if remedy.commands:
                _add(_add(step, "pre"), "code", "\n".join(map(visible, remedy.commands)), lines=True)


def _ignored(parent: Element, ignored: Sequence[Ignored]) -> None:
    if ignored:
        _add(parent, "h4", "Ignored")
        items = _add(parent, "ul")
        for one in ignored:
            item = _add(items, "li", kind="quiet")
            _add(item, "code", one.finding.id).tail = f" {visible(one.finding.title)} ({visible(one.why)})"


def _add(parent: Element, tag: str, text: str = "", kind: str = "", *, lines: bool = False) -> Element:
    """A child with a safe text; `kind` is its class, with `lines` the text may have several."""
    from xml.etree import ElementTree as Xml

    element = Xml.SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = (text if lines else visible(text)) or None
    return element


def _text(root: Element) -> str:
    from xml.etree import ElementTree as Xml

    main = root.find("body/main")
    assert main is not None
    _add(main, "p", f"smtpctl {__version__}", "quiet")
    body: bytes = Xml.tostring(root, encoding="us-ascii", method="html")
    return f"<!DOCTYPE html>\n{body.decode()}\n"
