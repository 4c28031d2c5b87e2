"""What the server says before anything else is done, and how it says it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtpctl.checks.facts import Facts
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.reply import Oddity
from smtpctl.model.transcript import Kind, Stage

LATE = 5.0  # seconds; more is a greet delay or a name look-up that fails
# A full name or an address literal; the last label of a name is never a number, so an address without brackets is none.
_FULL_NAME = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?!\d+$)[a-z0-9-]{2,63}|\[(?:IPv6:)?[0-9a-f:.]+\]", re.IGNORECASE
)
_MASKED_GREETING = re.compile(r"220[ -].*\*{5,}")

# How an oddity is called in a title. The others have a finding of their own or are none.
_ODD = {
    Oddity.BARE_LF: "a line that ends without CR",
    Oddity.NO_SPACE: "no blank after the code",
    Oddity.MIXED_CODES: "different codes in one reply",
    Oddity.LONG_LINE: "a line of more than 512 octets",
    Oddity.UNDECODABLE: "octets that are no UTF-8",
    Oddity.CONTROL: "control characters",
}


def greeting(facts: Facts) -> Iterator[Finding]:
    """The first line: when it came, and whose name is in it."""
    index, event = next(
        ((i, e) for i, e in facts.transcript.at_stage(Stage.GREETING) if e.kind is Kind.RECEIVED), (None, None)
    )
    if event is None:
        return
    seen = [Evidence(event.text, "S:", index)]
    waited = event.at - facts.transcript[index - 1].at if index else 0.0
    if waited >= LATE:
        yield facts.finding("smtp.greeting_delay", seen, seconds=f"{waited:.0f}")
    name = event.text[4:].split(" ")[0]
    if event.text.startswith("220") and not _FULL_NAME.fullmatch(name):
        yield facts.finding("smtp.banner_no_fqdn", seen, name=name)


def own_name(facts: Facts) -> Iterator[Finding]:
    """The name we gave: RFC 5321 4.1.4 wants a full name or an address literal."""
    if not _FULL_NAME.fullmatch(facts.helo):
        yield facts.finding("smtp.helo_name_bad", [Evidence(f"EHLO {facts.helo}", "C:")], name=facts.helo)


def hello(facts: Facts) -> Iterator[Finding]:
    """EHLO refused, or its answer or the greeting overwritten on the way."""
    for index, event in facts.transcript.at_stage(Stage.EHLO):
        if event.facts.get("observed") == "helo_fallback":
            reply = Evidence(str(event.facts["reply"]), "S:", index)
            yield facts.finding("smtp.ehlo_rejected_helo_ok", [reply])
    for capabilities in (facts.offered(secured=False), facts.offered(secured=True)):
        if capabilities and capabilities.masked:
            lines = [
                Evidence(line, "S:") for line in capabilities.lines if line.split(" ")[0].upper() in capabilities.masked
            ]
            yield facts.finding("smtp.ehlo_masked", lines)
            return
    for index, event in facts.transcript.at_stage(Stage.GREETING):
        if event.kind is Kind.RECEIVED and _MASKED_GREETING.match(event.text):
            yield facts.finding("smtp.ehlo_masked", [Evidence(event.text, "S:", index)])
            return


def replies(facts: Facts) -> Iterator[Finding]:
    """Oddities of how replies were written, each kind once, with the line that has it: its event comes before the note."""
    told: dict[str, Evidence] = {}
    last = Evidence("", "S:")
    for index, event in enumerate(facts.transcript):
        if event.kind is Kind.RECEIVED:
            last = Evidence(event.text, "S:", index)
        if oddity := event.facts.get("oddity"):
            told.setdefault(oddity, last)
    unasked = told.get(Oddity.UNSOLICITED)
    if unasked and not unasked.text.startswith("421"):  # which may come at any time (RFC 5321 3.8)
        yield facts.finding("smtp.unsolicited", [unasked])
    odd = {words: told[oddity] for oddity, words in _ODD.items() if oddity in told}
    if odd:
        yield facts.finding("smtp.reply_oddity", list(dict.fromkeys(odd.values())), oddity=", ".join(odd))
