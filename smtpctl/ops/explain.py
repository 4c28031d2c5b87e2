"""`explain`: what a reply, an error text, a finding id, a code or a log full of errors means. No network.

An argument is, in this order: a file, an id, a code, a text. A file or a stream with one cause is explained, with
several it is summarised; it is read once, line by line, and no more is kept of it than one record for each cause.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING

from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import Said, load
from smtpctl.knowledge.match import Context, Match, alternatives, deciding, finding, match, page, recognised, retryable
from smtpctl.knowledge.match import by_id as by_finding_id
from smtpctl.model.errors import UsageProblem
from smtpctl.model.explanation import Bounce, Bounced, Explained, Explanation, LogCause, LogSummary, Meaning
from smtpctl.model.finding import Finding
from smtpctl.model.foreign import FOREIGN
from smtpctl.ops import own_output
from smtpctl.ops.extract import Failure, failures, first
from smtpctl.ops.hints import NO_HINTS, Hints

if TYPE_CHECKING:
    from smtpctl.ops import bounce

_ID = re.compile(r"[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*\.(?=[^.]*[a-z_])[a-z0-9_-]+", re.IGNORECASE)
_PAGES = 500  # recipients of a bounce that are explained one by one
_NOT_AGAIN = ("reply.unknown", "reply.success", "reply.go_on")  # of which nobody asks whether to try again
_CODE = re.compile(r"(?:([2-5]\d\d)[ -]?)?(?:([245X])\.(\d{1,3})\.(\d{1,3}))?", re.IGNORECASE)
_CLASSES = {
    "2": "done",
    "3": "go on",
    "4": "refused for now: the same request may pass later",
    "5": "refused for good: the same request will be refused again",
    "X": "the class: 2 done, 4 refused for now, 5 refused for good",
}
_SUBJECTS = {
    0: "nothing in particular",
    1: "an address",
    2: "a mailbox",
    3: "the mail system",
    4: "network and routing",
    5: "the protocol",
    6: "the content",
    7: "security and policy",
}


def explain(words: str, known: Hints = NO_HINTS) -> Explained:
    """What `words` mean: an id, a code or a text. UsageProblem for an id or a code that does not exist."""
    words = FOREIGN.text(words.strip())
    if not words:
        raise _nothing()
    page_of_id = by_id(words)
    if page_of_id:
        return page_of_id
    if _ID.fullmatch(words) and not match(Context(words)):
        raise _unknown_id(words)
    code = _CODE.fullmatch(words)
    return _meaning(words, code) if code else _text(words, known)


def explain_lines(lines: Iterable[str], known: Hints = NO_HINTS) -> Explained:
    """What a file or a stream is about: a single line or failure explained, or a summary of several (or of none)."""
    stream = iter(lines)
    start = list(islice(stream, 2))
    if own_output.ours("".join(start)):
        kept = list(own_output.bounded(stream))
        if recalled := _recalled("".join(start + kept)):
            return recalled
        stream = chain(kept, stream)
    if len(start) < 2:
        return explain("".join(start), known)
    from smtpctl.ops import bounce

    head = bounce.header(start, stream)
    if bounce.looks_like_mail(head):
        return _mails(chain(head, stream), known)
    return _log(chain(head, stream), known)


def _mails(lines: Iterable[str], known: Hints) -> Explained:
    """A bounce; the bounces of a mailbox, or one to very many, summed up."""
    from smtpctl.ops import bounce
    from smtpctl.ops.log import Log

    log = Log(known)
    mails = bounce.mails(log.counted(lines))
    start = list(islice(mails, 2))
    only = bounce.read("".join(start)) if len(start) < 2 else None
    if only and len(only.recipients) <= _PAGES:
        return _mail(only, known)
    for told in [only] if only else map(bounce.read, chain(start, mails)):
        for failure in dict.fromkeys([one.failure for one in told.recipients] or failures(told.lines)):
            log.add(failure if failure.when else failure._replace(when=told.when))
    return log.summary()


def _mail(told: bounce.Notification, known: Hints) -> Explained:
    """A bounce, recipient by recipient; one without their fields by its text."""
    failed = [Bounced(one.address, one.action, _explained(one.failure, known)) for one in told.recipients]
    if len(failed) > 1:
        return Bounce(tuple(failed))
    return failed[0].explanation if failed else _log(told.lines, known)


def _log(lines: Iterable[str], known: Hints) -> Explained:
    from smtpctl.ops.log import Log

    log = Log(known)
    for failure in failures(log.counted(lines)):
        log.add(failure)
    only = log.only()
    return _explained(only, known) if only else log.summary()


def _recalled(text: str) -> Explained | None:
    """Our own output: what it found is known, and need not be guessed from its words."""
    found = found_in(text)
    pages = {finding.id: Explanation(finding, retryable=_later(finding.id)) for finding in found}
    if len(pages) < 2:
        return next(iter(pages.values()), None)
    counts = Counter(finding.id for finding in found)
    causes = tuple(
        LogCause(pages[name].finding, pages[name].finding.title, count, bool(pages[name].retryable))
        for name, count in counts.most_common()
    )
    return LogSummary(text.count("\n"), len(found), causes)


def found_in(text: str) -> tuple[Finding, ...]:
    """What our own output says was found; empty where nothing was, or the text is something else."""
    found = own_output.findings(text, lambda name: known.finding if (known := by_id(name)) else None)
    return tuple(
        one._replace(
            title=FOREIGN.text(one.title),
            evidence=tuple(piece._replace(text=FOREIGN.text(piece.text)) for piece in one.evidence),
        )
        for one in found
    )


def _later(name: str) -> bool | None:
    """Whether trying again can help, as the page of this id says."""
    known = by_id(name)
    return known.retryable if known else None


def by_id(name: str) -> Explanation | None:
    """The page of a finding id, or None where there is none."""
    name = families.ALIASES.get(name.lower(), name.lower())
    said = load().entries.get(name)
    if said:
        return Explanation(page(said), retryable=said.later)
    try:
        entry = families.entry(name)
    except KeyError:
        return None
    return Explanation(entry.finding(), retryable=entry.retryable)


def ids() -> tuple[str, ...]:
    """Every id that has a page."""
    return tuple(sorted([*(entry.id for entry in families.all_entries()), *load().entries]))


def _nothing() -> UsageProblem:
    return UsageProblem("There is nothing to explain.", 'Try: smtpctl explain "535 5.7.8 Authentication failed"')


def _unknown_id(name: str) -> UsageProblem:
    near = families.similar(name, ids())
    hint = f"Did you mean {', '.join(near)}?" if near else "Put a text in quotes to have it looked up."
    return UsageProblem(f"There is no finding {name}.", hint)


def _text(words: str, known: Hints) -> Explanation:
    """One reply or error text."""
    return _own_text(words) or _explained(first(words), known)


def _explained(failure: Failure, known: Hints) -> Explanation:
    context = known.context(failure)
    matches = match(context)
    found = finding(context, matches=matches)
    worded = recognised(context, matches)
    if worded:
        meant = (by_finding_id(name, target=worded.target) for name in worded.worded.also)
        others = tuple(other._replace(message="") for other in meant)
    else:
        others = tuple(_alternative(one) for one in alternatives(matches)[:3])
    return Explanation(
        found,
        said=failure.text,
        retryable=None if found.id in _NOT_AGAIN else retryable(context, found.id),
        alternatives=others,
        deciding=() if worded else deciding(context, matches),
    )


def _own_text(words: str) -> Explanation | None:
    """The page of one of smtpctl's own texts, where `words` hold its fixed title."""
    lowered = words.lower()
    for entry in families.all_entries():
        if "{" not in entry.title and len(entry.title) > 20 and entry.title.lower() in lowered:
            return Explanation(entry.finding(evidence=[words]), said=words, retryable=entry.retryable)
    return None


def _alternative(other: Match) -> Finding:
    return page(other.said, message=f"If {' and '.join(other.open)}." if other.open else "")


def _meaning(words: str, found: re.Match[str]) -> Meaning:
    """A bare code, an enhanced code, or both."""
    catalogue = load()
    code, enhanced = found[1] or "", ".".join(filter(None, found.groups()[1:])).upper()
    parts = [(code, _code_meaning(int(code)))] if code else []
    if enhanced:
        kind, subject, _ = enhanced.split(".")
        general = catalogue.enhanced.get(f"X{enhanced[1:]}", "")
        parts += [(enhanced, general or "not a registered code")]
        parts += [(f"class {kind}", _CLASSES[kind]), (f"subject {subject}", _SUBJECTS.get(int(subject), "unknown"))]
    known = catalogue.codes.get(int(code)) if code else None
    entries = [said for said in catalogue.entries.values() if _comes_with(said, code, enhanced)]
    entries.sort(key=lambda said: (said.prefix != "generic", said.id))
    return Meaning(
        words,
        tuple(parts),
        fix=known.fix if known else "",
        retryable={"4": True, "5": False}.get((code or enhanced)[0]),
        entries=tuple((said.id, said.title) for said in entries),
    )


def _code_meaning(code: int) -> str:
    known = load().codes.get(code)
    return known.meaning if known else _CLASSES[str(code)[0]]


def _comes_with(said: Said, code: str, enhanced: str) -> bool:
    if enhanced and not any(value.endswith(enhanced.lstrip("X")) for value in said.enhanced):
        return False
    return not code or int(code) in said.codes
