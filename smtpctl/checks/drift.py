"""What is different at a server since a baseline was taken.

What normally varies is none of it: ids, times and the names of single machines in greetings, the words of replies, which of
several addresses come first, how long a certificate still lasts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.baseline import Baseline, Leaf, Offer, Step
from smtpctl.model.finding import Evidence, Finding, Severity

_ORGANISATION = re.compile(r"(?:^|,)O=((?:\\.|[^,\\])*)")
_TIME = re.compile(  # words of a time: days, months, halves of a day, zones (CEST)
    r"(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?|jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|"
    r"aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?|[ap]m|utc|[a-z]{1,3}t",
    re.IGNORECASE,
)
_NOTHING = "(no further step)"


def drift(then: Baseline, now: Baseline, target: str) -> Iterator[Finding]:
    """All differences: who is asked first, then the dialogue."""
    for judge in JUDGES.values():
        yield from judge(then, now, {"day": then.day, "target": target})


def endpoint(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """Another server, port or TLS mode is asked."""
    if then.server != now.server:
        seen = [Evidence(then.server, "then:"), Evidence(now.server, "now:")]
        yield entry("drift.endpoint").finding(evidence=seen, **values)


def dialogue(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """The first step at which the session went another way."""
    before: tuple[Evidence, ...] = ()
    for was, is_ in zip_longest(then.dialogue, now.dialogue):
        if was is None or is_ is None or was.what != is_.what:
            seen = [*before, Evidence(was.said if was else _NOTHING, "then:")]
            seen.append(Evidence(is_.said if is_ else _NOTHING, "now:"))
            stage = (is_ or was).stage
            yield entry("drift.dialogue").finding(evidence=seen, stage=stage, at=stage.value, **values)
            return
        before = _alike(was, is_)


def _alike(was: Step, is_: Step) -> tuple[Evidence, ...]:
    """A step that counts as the same: once where its words are the same, too."""
    if was.said == is_.said:
        return (Evidence(was.said, "both:"),)
    return Evidence(was.said, "then, same code:"), Evidence(is_.said, "now, same code:")


def extensions(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """Extensions that are gone, new, or offered with other parameters. Those of AUTH are told as mechanisms."""
    before, after = _offers(then, now)
    changes = [(True, f"no {keyword} any more") for keyword in before if keyword not in after]
    if "STARTTLS" in (then.clear or {}) and now.clear is not None and "STARTTLS" not in now.clear:
        changes = [(True, "no STARTTLS any more"), *(one for one in changes if one[1] != "no STARTTLS any more")]
    for keyword, words in before.items():
        if keyword != "AUTH" and sorted(words) != sorted(after.get(keyword, words)):
            was, is_ = (" ".join(parameters) or "nothing" for parameters in (words, after[keyword]))
            changes.append((False, f"{keyword}: {is_}, and it was {was}"))
    changes += [(False, f"{keyword} is new") for keyword in after if keyword not in before]
    yield from _changed("drift.extensions", changes, values)


def mechanisms(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """Login mechanisms that are gone or new."""
    before, after = (tuple(map(str.upper, offer.get("AUTH", ()))) for offer in _offers(then, now))
    changes = [(True, f"no {name} any more") for name in dict.fromkeys(before) if name not in after]
    changes += [(False, f"{name} is new") for name in dict.fromkeys(after) if name not in before]
    yield from _changed("drift.mechanisms", changes, values)


def certificate(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """Another certificate: a note where it looks like a renewal (same organisation, no name lost)."""
    was, is_ = then.certificate, now.certificate
    if was is None or is_ is None or was.sha256 == is_.sha256:
        return
    lost = [name for name in was.names if name not in is_.names]
    other = _organisation(was.issuer) != _organisation(is_.issuer)
    what = [word for word, holds in (("another issuer", other), (f"without {', '.join(lost)}", bool(lost))) if holds]
    yield entry("drift.certificate").finding(
        severity=Severity.WARNING if what else None,
        evidence=[Evidence(_shown(was), "then:"), Evidence(_shown(is_), "now:")],
        **(values | ({"what": " and ".join(what)} if what else {})),
    )


def tls(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """Another version or cipher suite was negotiated."""
    was, is_ = (f"{one.tls} {one.cipher}".strip() for one in (then, now))
    if was and is_ and was != is_:
        yield entry("drift.tls").finding(
            severity=Severity.WARNING if now.tls < then.tls else None,
            evidence=[Evidence(was, "then:"), Evidence(is_, "now:")],
            **values,
        )


def suites(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """TLS versions and cipher suites that are gone or new, where both were scanned."""
    before, after = then.suites or {}, now.suites or {}
    changes = []
    for version in (version for version in before if version in after):
        was, is_ = before[version], after[version]
        gone, new = ([suite for suite in one if suite not in other] for one, other in ((was, is_), (is_, was)))
        if gone:
            changes.append((True, f"{version}: no {', '.join(gone)} any more" if is_ else f"no {version} any more"))
        if new:
            named = ", ".join(new)
            changes.append((False, f"{version}: {named} new" if was else f"{version} is new: {named}"))
    yield from _changed("drift.suites", sorted(changes, key=lambda change: not change[0]), values)


def addresses(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """None of the addresses of then is one of now: with some in common it may be turns that they take."""
    if then.addresses and now.addresses and not set(then.addresses) & set(now.addresses):
        seen = [Evidence(" ".join(one.addresses[:8]), label) for one, label in ((then, "then:"), (now, "now:"))]
        yield entry("drift.addresses").finding(evidence=seen, **values)


def server(then: Baseline, now: Baseline, values: dict[str, Any]) -> Iterator[Finding]:
    """The greeting is another program's or another organisation's."""
    if then.greeting and now.greeting and lasting(then.greeting) != lasting(now.greeting):
        seen = [Evidence(then.greeting, "then:"), Evidence(now.greeting, "now:")]
        yield entry("drift.server").finding(evidence=seen, **values)


def lasting(greeting: str) -> str:
    """What of a greeting stays the same from one session to the next: code, the domain of the host's name, and the words in
    which there is no digit and that tell no time."""
    host, _, rest = greeting[4:].partition(" ")
    domain = ".".join(host.lower().split(".")[-2:])
    words = (word.strip(",.;()[]") for word in rest.split() if not any(char.isdigit() for char in word))
    return " ".join([greeting[:3], domain, *(word for word in words if not _TIME.fullmatch(word))])


# By what each finds, in the order of a report.
JUDGES: Mapping[str, Callable[[Baseline, Baseline, dict[str, Any]], Iterable[Finding]]] = {
    "drift.endpoint": endpoint,
    "drift.dialogue": dialogue,
    "drift.extensions": extensions,
    "drift.mechanisms": mechanisms,
    "drift.certificate": certificate,
    "drift.tls": tls,
    "drift.suites": suites,
    "drift.addresses": addresses,
    "drift.server": server,
}


def _offers(then: Baseline, now: Baseline) -> tuple[Offer, Offer]:
    """What both sessions were offered at last: inside TLS where both have it."""
    if then.secured is not None and now.secured is not None:
        return then.secured, now.secured
    if then.clear is not None and now.clear is not None:
        return then.clear, now.clear
    return {}, {}


def _changed(id: str, changes: list[tuple[bool, str]], values: dict[str, Any]) -> Iterator[Finding]:
    if changes:
        lost = any(lost for lost, _ in changes)
        yield entry(id).finding(
            severity=Severity.WARNING if lost else None, evidence=[text for _, text in changes], **values
        )


def _organisation(name: str) -> str:
    """Who issued: authorities take turns with their intermediates, so it is not the common name that counts."""
    found = _ORGANISATION.search(name)
    return found[1] if found else name


def _shown(leaf: Leaf) -> str:
    day = datetime.fromtimestamp(leaf.not_after, UTC).strftime("%Y-%m-%d")
    return f"{', '.join(leaf.names)}, until {day}, issued by {leaf.issuer}, SHA-256 {leaf.sha256}"
