"""From what was said, and what is known besides, to what it means: entries of the catalogue, best first.

    matches = match(Context.of(reply, stage=Stage.AUTH, host="smtp.office365.com", mechanism="XOAUTH2"))
    raise problem(context, target="smtp.office365.com:587")

An entry is a candidate when its expression is found in the text or one of its numbers (errno, X509_V_ERR, OpenSSL
reason, challenge status) fits. Its score is its priority, moved by what is known: `_WEIGHTS` is the one place for
that. A text without a reply code may be a program's own: `words/` says which finding it means. A text that nobody knows
gives a finding of the family `reply`, which says so.

The score ranks; how sure a match is, is another question. Half or more is a promise: the text says so. What speaks
against a match and what nobody knows each take more than half of the likelihood of its causes; so does another entry of
the same text, which says something else. Where the text says only what happened and not why, no cause gets half
(`Said.tells`). What too much speaks against is not named at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from smtpctl.knowledge import doubt, families, wording
from smtpctl.knowledge.catalogue import GENERIC, TEXT_LIMIT, Catalogue, Provider, Said, load, near, owner
from smtpctl.knowledge.dated import told
from smtpctl.knowledge.ranking import ranked
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Cause, Evidence, Finding, Remedy, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import EnhancedCode, Reply
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
PASSWORD_MECHANISMS = ("LOGIN", "PLAIN")
APP_GRANT, USER_GRANT = "client_credentials", "authorization_code"
CLOSE = 15  # entries of the same text this near the best one are named as alternatives
TOO_MUCH = 2  # so many things against an entry, and it is no answer; the meaning of the code is
RIVAL = 25  # an entry of other words in the same text this near the best one makes that one doubtful
_NEARLY_ALL = 0.8  # a cause of our own finding this likely is what its words say
_DOUBT = _UNTOLD = 0.45  # what is left of a likelihood by each doubt; the most that a guess may have

_FIRST_OF_SEVERAL = re.compile(r"([2-5]\d\d)-([245]\.\d{1,3}\.\d{1,3}\b)?")
# What it does to a score when the context fits, does not say, or speaks against an entry's condition.
_WEIGHTS = {
    "own_server": (0, -70, -90),
    "own_stage": (5, -30, -60),
    "facts": (12, -30, -60),
    "mechanisms": (10, 0, -60),
    "grants": (5, 0, -60),
    "challenge": (15, 0, -40),
    "ports": (15, -2, -40),
    "provider": (15, -1, -40),
    "shared_words": (15, -30, -40),
    "stage": (4, 0, -3),
    "codes": (3, 0, -8),
    "enhanced": (4, 0, -6),
}
# What an unknown reply is called where the stage says more than the code does.
_STAGE_REFUSALS = {
    Stage.GREETING: "smtp.greeting_refused",
    Stage.STARTTLS: "starttls.refused",
    Stage.AUTH: "auth.refused",
}
_NO_FAILURE = {2: "reply.success", 3: "reply.go_on"}
_CODE = re.compile(r"(?<![\d.])([2-5]\d\d)(?:[ -]|$)")
_INNER = re.compile(r"(?<![\d.])([45]\d\d)[ -]#?([45]\.\d{1,3}\.\d{1,3})\b")
_TOKENS = "oauth"  # what a token endpoint says; no SMTP server answers in its words
_OF_LOGIN, _LOGIN_LATER = (530, 534, 535, 538), (454, "4.7.0")
_OF_MAIL = (Stage.MAIL, Stage.RCPT, Stage.DATA)
# Which stage of a session an entry's own word for it belongs to.
_STAGES = {"oauth": Stage.AUTH, "queue": Stage.DATA}


class Context(NamedTuple):
    """What was said and what is known besides; everything but `text` may be unknown (empty, None or 0).

    `text` is a whole reply as one line, its code included, or the text of an exception. `provider` is a preset's id
    or a provider's; `credential` is `password` or `token`; `challenge` what a server explained in a SASL challenge,
    decoded; `ssl_reason` OpenSSL's word (`WRONG_VERSION_NUMBER`), `verify_code` its X509_V_ERR number;
    `facts` are names of `replies/facts.toml` that hold, `denied` ones that do not.
    """

    text: str = ""
    reply: Reply | None = None
    stage: Stage | None = None
    provider: str = ""
    host: str = ""
    banner: str = ""
    mechanism: str = ""
    credential: str = ""
    grant: str = ""
    port: int = 0
    errno: int | None = None
    verify_code: int = 0
    ssl_reason: str = ""
    challenge: str = ""
    facts: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    @classmethod
    def of(cls, reply: Reply, **known: Any) -> Context:
        """The context of a reply."""
        return cls(text=str(reply), reply=reply, **known)

    @property
    def code(self) -> int:
        """The reply code, 0 for a text without one."""
        if self.reply:
            return self.reply.code
        found = _CODE.match(self.text)
        return int(found[1]) if found else 0

    @property
    def enhanced(self) -> str:
        """The enhanced status code, or nothing."""
        if self.reply:
            return str(self.reply.enhanced or "")
        found = EnhancedCode.at_start(re.sub(r"^[2-5]\d\d[ -]", "", self.text))
        return str(found or "")


class Login(NamedTuple):
    """A way to log in, in words after "logs in"; the `credential` it takes, and for a token the `grant` it comes from."""

    words: str = ""
    credential: str = ""
    grant: str = ""


# By the word for it. What Exchange Online answers to all three is the same.
LOGINS: Mapping[str, Login] = {
    "password": Login("with a user name and a password", "password"),
    "app-token": Login("with an OAuth token of its own (a service)", "token", APP_GRANT),
    "user-token": Login("with an OAuth token of a person who signed in", "token", USER_GRANT),
}


class Match(NamedTuple):
    """An entry that may be meant. `open` are its conditions that nobody knows, in words after "if"; `against` is what
    does not fit; `span` is where the text has it."""

    said: Said
    score: int
    open: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    span: tuple[int, int] | None = None

    @property
    def sure(self) -> float:
        """How sure it is that this is meant, 0 to 1."""
        return float(_DOUBT ** (bool(self.open) + len(self.against)))

    @property
    def reservation(self) -> str:
        """What must hold, and what does not fit, in whole sentences; empty where it is sure."""
        holds = f"This holds if {' and '.join(self.open)}." if self.open else ""
        doubt = f"The words fit, but {' and '.join(self.against)}: it may be something else." if self.against else ""
        return f"{holds} {doubt}".strip()


def match(context: Context, limit: int = 8) -> tuple[Match, ...]:
    """The entries that fit, best first, at most `limit`."""
    catalogue = load()
    known = whose(context)
    text = doubt.masked(context.text[:TEXT_LIMIT])
    lowered, unfolded = text.lower(), _unfolded(text)
    status = _challenge_status(context.challenge)
    found: list[Match] = []
    numbered = context.errno is not None or context.verify_code or context.ssl_reason or status or context.facts
    for said in catalogue.entries.values() if numbered else near(*filter(None, (lowered, unfolded.lower()))):
        if said.stage == _TOKENS and context.code >= 400 and status not in said.challenge_status:
            continue
        hit = said.search(text, lowered) or (said.search(unfolded, unfolded.lower()) if unfolded else None)
        if hit or _by_number(said, context, status):
            score, unknown = _score(said, context._replace(challenge=status), known, catalogue)
            against = (*_against(said, context, hit), *_doubts(said, hit)) if hit else ()
            span = hit.span() if hit and hit.string == text else None
            found.append(Match(said, score, unknown, against, span))
    found.sort(key=lambda one: (-one.score, one.said.id))
    return tuple(one for one in found[:limit] if one.score > -40)


def _unfolded(text: str) -> str:
    """A reply of several lines without the codes that its lines begin with, so that words are found across lines;
    empty for any other text."""
    found = _FIRST_OF_SEVERAL.match(text)
    if not found:
        return ""
    code, enhanced = found[1], re.escape(found[2] or "")
    rest = re.sub(rf"\s{code}[- ](?:{enhanced}\s+)?", " ", text[4:])
    return f"{code} {rest}"


def _by_number(said: Said, context: Context, status: str) -> bool:
    return bool(
        (context.errno is not None and context.errno in said.errno)
        or (context.verify_code and context.verify_code in said.verify_codes)
        or (context.ssl_reason and context.ssl_reason in said.ssl_reasons)
        or (status and status in said.challenge_status)
        # A setting alone explains no reply of a server: it holds whatever the server says.
        or (not said.regex and not context.reply and not context.facts.isdisjoint(said.facts))
    )


def _score(said: Said, context: Context, known: frozenset[str], catalogue: Catalogue) -> tuple[int, tuple[str, ...]]:
    score = said.priority
    unknown: list[str] = []
    for name, fits, words in _conditions(said, context, known, catalogue):
        yes, silent, no = _WEIGHTS[name]
        score += silent if fits is None else yes if fits else no
        if words and (fits is None or (name == "shared_words" and not fits)):
            unknown.append(words)
    return score, tuple(unknown)


def _conditions(
    said: Said, context: Context, known: frozenset[str], catalogue: Catalogue
) -> Iterator[tuple[str, bool | None, str]]:
    """Name, whether it fits (None: unknown), and the words for it, of each condition that an entry has."""
    provider = catalogue.providers[said.prefix]
    # A server that has greeted as none of them is most likely none of them.
    somebody = provider.provider in known if known else False if context.banner else None
    if said.own_server:
        yield "own_server", somebody or (False if context.host else somebody), f"the server is {provider.name}'s"
    if shared(said):
        yield "shared_words", somebody, f"the server is {provider.name}'s"
    elif said.prefix != GENERIC:
        yield "provider", somebody, ""
    if said.own_stage:
        yield "own_stage", _fits(context.stage, (stage_of(said),)), f"it answered {said.stage.upper()}"
    if said.facts:
        fits = (
            True if context.facts.intersection(said.facts) else False if context.denied.issuperset(said.facts) else None
        )
        yield "facts", fits, " or ".join(catalogue.facts[name] for name in said.facts)
    if said.mechanisms:
        yield "mechanisms", _login_fits(said.mechanisms, context), f"the login was {' or '.join(said.mechanisms)}"
    if said.grants:
        fits = _fits(context.grant, said.grants)
        yield "grants", fits, f"the token is {'the app' if APP_GRANT in said.grants else 'a user'}'s own"
    if said.challenge_status:
        yield "challenge", _fits(context.challenge, said.challenge_status), ""
    if said.ports:
        yield "ports", _fits(context.port, said.ports), f"the port is {' or '.join(map(str, said.ports))}"
    yield "stage", _fits(context.stage, (stage_of(said),)), ""
    yield "codes", _fits(context.code if said.codes else 0, said.codes), ""
    yield "enhanced", _fits(context.enhanced if said.enhanced else "", said.enhanced), ""


def shared(said: Said) -> bool:
    """Whether others may use these words of a provider as well, and nothing else ties the entry to its server."""
    tied = said.prefix == GENERIC or said.own_words or said.own_server or said.stage == _TOKENS
    return not tied and bool(said.regex) and not said.facts


def _against(said: Said, context: Context, hit: re.Match[str]) -> Iterator[str]:
    """What of the numbers in the text is other than this entry has it. Codes are hints where every make of server
    says it; a provider's are exact. A code of a login (RFC 4954 6) is no answer to an envelope or a message."""
    code, enhanced = context.code, context.enhanced
    inner = _INNER.search(hit.string, 4, hit.start()) if code not in said.codes else None
    if inner:  # a server that passes on what another one said: its own code comes first
        code, enhanced = int(inner[1]), inner[2]
    if said.codes and code and code not in said.codes:
        yield f"the code is usually {' or '.join(map(str, said.codes))}"
        if stage_of(said) in _OF_MAIL and (code in _OF_LOGIN or (code, enhanced) == _LOGIN_LATER):
            yield "this code is about a login"
    if said.prefix != GENERIC and said.enhanced and enhanced and enhanced not in said.enhanced:
        yield f"the enhanced code is usually {' or '.join(said.enhanced)}"


def _doubts(said: Said, hit: re.Match[str]) -> Iterator[str]:
    """What around the words keeps them from saying what this entry means."""
    yield from doubt.doubts(hit.string, hit.span())
    if said.of_recipient and doubt.of_sender(hit.string, hit.span()):
        yield "the text speaks of the sender"
    if said.of_message and doubt.of_client(hit.string, hit.span()):
        yield "the text speaks of who sends"


def _fits(value: object, allowed: Iterable[object]) -> bool | None:
    return value in tuple(allowed) if value else None


def _login_fits(mechanisms: tuple[str, ...], context: Context) -> bool | None:
    if context.mechanism:
        return context.mechanism.upper() in mechanisms
    kinds = {"token": TOKEN_MECHANISMS, "password": PASSWORD_MECHANISMS}.get(context.credential)
    return bool(set(kinds) & set(mechanisms)) if kinds else None


@lru_cache(maxsize=8)  # what is asked of a text begins with it
def whose(context: Context) -> frozenset[str]:
    """Whose server it is, as far as the host, the preset and the text give it away; where they do not, the banner."""
    lowered = context.text[:TEXT_LIMIT].lower()
    known = {provider for sign, provider in _signs() if sign in lowered}
    if context.provider:
        known |= {one.provider for prefix, one in load().providers.items() if _named(one, prefix, context.provider)}
    if host := owner(context.host):
        known.add(host.provider)
    return frozenset(known or (by_banner(load(), context.banner.lower()) if context.banner else ()))


@cache
def _signs() -> tuple[tuple[str, str], ...]:
    return tuple((sign.lower(), known.provider) for known in load().providers.values() for sign in known.signs)


def by_banner(catalogue: Catalogue, banner: str) -> tuple[str, ...]:
    """The provider whose sign comes first: a banner begins with the host's name, the program's comes later."""
    places = ((_signed(provider, banner), provider.provider) for provider in catalogue.providers.values())
    return tuple(name for _, name in sorted(place for place in places if place[0] >= 0)[:1])


def _named(provider: Provider, prefix: str, name: str) -> bool:
    return name in provider.presets or name in (prefix, provider.provider)


def _signed(provider: Provider, words: str) -> int:
    """Where the words first have a sign of the provider; -1 for nowhere."""
    return min((place for sign in provider.signs if (place := words.find(sign.lower())) >= 0), default=-1)


def _challenge_status(challenge: str) -> str:
    """The `status` of an OAuth error challenge (RFC 7628 3.2.2), or the text itself when it is no JSON."""
    if not challenge:
        return ""
    try:
        value = json.loads(challenge)
    except (ValueError, RecursionError):
        return challenge.strip()
    return str(value.get("status", "")) if isinstance(value, dict) else challenge.strip()


def stage_of(said: Said) -> Stage:
    """The stage of a session that an entry belongs to."""
    return _STAGES.get(said.stage) or Stage(said.stage)


def page(said: Said, context: Context | None = None, **about: Any) -> Finding:
    """An entry of the catalogue as a finding, its causes in the order that the context gives them; `about` replaces
    fields (target, evidence, stage ...)."""
    catalogue = load()
    finding = Finding(
        id=said.id,
        severity=Severity.ERROR,
        stage=stage_of(said),
        title=said.title,
        message=told(said.dated),
        causes=_causes(said),
        source=catalogue.source_of(said),
        verified=said.verified,
        as_of=catalogue.as_of(said),
    )
    return (in_order(finding, context) if context else finding)._replace(**about)


def _causes(said: Said) -> tuple[Cause, ...]:
    """Likelihoods from the order alone: each cause half as likely as the one before. They sum up to one where the text
    tells the first; where it does not, there may be causes that nobody has named."""
    first = 1 / sum(0.5**rank for rank in range(len(said.causes))) if said.tells else _UNTOLD
    return tuple(
        Cause(reason.why, first * 0.5**rank, (Remedy(reason.fix, reason.commands),), reason.facts)
        for rank, reason in enumerate(said.causes)
    )


def in_order(found: Finding, context: Context) -> Finding:
    """The finding with its causes as what is known has them."""
    return found._replace(causes=ranked(found.causes, context.facts, context.denied))


def weighed(found: Finding, sure: float) -> Finding:
    """The finding with causes that are together no likelier than it is sure that it is meant."""
    return found._replace(causes=tuple(cause._replace(likelihood=cause.likelihood * sure) for cause in found.causes))


def finding(
    context: Context,
    *,
    target: str = "",
    evidence: Iterable[Evidence] = (),
    matches: tuple[Match, ...] | None = None,
) -> Finding:
    """What a reply or an error text means; `matches` are those of the context, where they are known already. Its id is an entry's, our own finding's where a program worded it, or
    `reply.NNN` where the text is unknown."""
    matches = match(context) if matches is None else matches
    worded = recognised(context, matches)
    if worded:
        return _worded(context, worded, target, tuple(evidence))
    best = _answer(matches)
    if not best:
        return _unknown(context, target, tuple(evidence))
    best = _with_rivals(best, matches)
    meant = page(
        best.said,
        context,
        stage=context.stage or stage_of(best.said),
        title=(best.said.open_title if best.open else "") or best.said.title,
        message=f"{best.reservation} {told(best.said.dated)}".strip(),
        target=target,
        evidence=_marked(tuple(evidence), best.said)
        or (Evidence(context.text, "S:" if context.code else "", span=best.span),),
        knowledge=tuple(other.said.id for other in alternatives(matches)),
    )
    return weighed(meant, best.sure)


def _answer(matches: tuple[Match, ...]) -> Match | None:
    """The match that is an answer: the best one, if it is sure enough."""
    return next((one for one in matches if one.score >= 0 and len(one.against) < TOO_MUCH), None)


def _with_rivals(best: Match, matches: tuple[Match, ...]) -> Match:
    """The answer, with what speaks against it in the rest of the text: other words there that say something else."""
    rivals = (one for one in matches if one is not best and best.score - one.score <= RIVAL and _apart(one, best))
    rival = next((one for one in rivals if one.said.tells and not one.open and not one.against), None)
    if not rival or best.said.prefix != GENERIC != rival.said.prefix:
        return best
    return best._replace(against=(*best.against, "the text has other words that say something else"))


def _apart(one: Match, other: Match) -> bool:
    """Whether two entries were found in different words of a text."""
    if not one.span or not other.span:
        return False
    return one.span[1] <= other.span[0] or other.span[1] <= one.span[0]


def alternatives(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """What the same words may mean as well: what comes close to the answer."""
    best = _answer(matches)
    return tuple(one for one in matches if one is not best and best.score - one.score <= CLOSE) if best else ()


def deciding(context: Context, matches: tuple[Match, ...]) -> tuple[str, ...]:
    """What would tell entries of these words apart if somebody knew it: `login`, `provider` or `stage`. Nothing where the
    words are one provider's alone."""
    best = _answer(matches)
    if best and best.said.prefix != GENERIC and not best.open and not alternatives(matches):
        return ()
    open_ = [one.said for one in matches if one.open and len(one.against) < TOO_MUCH]
    wanted = {
        "login": not context.credential
        and any(said.mechanisms or said.grants for said in open_ if not said.own_server),
        "provider": not context.provider and any(said.own_server for said in open_),
        "stage": context.stage is None and any(said.own_stage for said in open_),
    }
    return tuple(name for name, would_tell in wanted.items() if would_tell)


def recognised(context: Context, matches: tuple[Match, ...]) -> wording.Recognised | None:
    """What a program says in this text; None for a server's reply, or where a provider's own entry fits better."""
    found = None if context.code else wording.recognise(context.text)
    own = next((one for one in matches if one.said.prefix != GENERIC), None)
    return None if found and own and own.score > found.worded.priority else found


def _worded(context: Context, found: wording.Recognised, target: str, evidence: tuple[Evidence, ...]) -> Finding:
    start = context.text.find(found.words)
    span = (start, start + len(found.words)) if start >= 0 else None
    meant = by_id(
        found.worded.finding,
        target=target or found.target,
        evidence=evidence or (Evidence(context.text, span=span),),
        verified=found.worded.verified,
    )
    # Whatever it weighs elsewhere, it has stopped that program; and that was not smtpctl.
    meant = meant._replace(severity=Severity.ERROR, title=meant.title.replace(" and smtpctl ", " and the client "))
    # A program tells what failed. Where one cause is not nearly all that it can be, its words do not tell which it was.
    first = meant.causes[0].likelihood
    sure = 1.0 if first >= _NEARLY_ALL else min(1.0, _UNTOLD / first)
    return in_order(weighed(meant, sure), context)


def by_id(name: str, *, target: str = "", evidence: tuple[Evidence, ...] = (), verified: bool = True) -> Finding:
    """The finding of an id, our own or an entry's of the catalogue. KeyError for one that does not exist."""
    said = load().entries.get(name)
    if said:
        return page(said, target=target, evidence=evidence, verified=said.verified and verified)
    made = families.entry(name).finding(target=target, evidence=evidence)
    made = made._replace(title=_of_some_server(made.title), message=_of_some_server(made.message))
    return made._replace(verified=made.verified and verified)


def _of_some_server(text: str) -> str:
    """A text of an entry where not all is known of the server that it was."""
    text = text.replace("port <port>", "that port").replace("name <host>", "name of the server")
    text = re.sub(r"^<(?:host|target)>", "The server", text)
    return re.sub(r"<(?:host|target)>", "the server", text)


def _marked(evidence: tuple[Evidence, ...], said: Said) -> tuple[Evidence, ...]:
    """The evidence with the words marked that were recognised, where one line has them all."""
    hits = [said.search(piece.text, piece.text.lower()) if not piece.span else None for piece in evidence]
    return tuple(piece._replace(span=hit.span()) if hit else piece for piece, hit in zip(evidence, hits, strict=True))


def _unknown(context: Context, target: str, evidence: tuple[Evidence, ...]) -> Finding:
    """A reply that no entry knows: what its stage or its code says in general."""
    number = context.code
    name = f"reply.{number}" if number >= 400 else _NO_FAILURE.get(number // 100, "reply.unknown")
    if number >= 400 and context.stage and (number >= 500 or context.stage is not Stage.AUTH):
        name = _STAGE_REFUSALS.get(context.stage, name)
    values: dict[str, Any] = {"reply_text": context.text}
    meaning = load().enhanced.get(re.sub(r"^\d", "X", context.enhanced), "") if context.enhanced else ""
    if meaning:
        values |= {"enhanced": context.enhanced, "enhanced_meaning": meaning}
    if context.host:
        values["host"] = context.host
    shown = evidence or (Evidence(context.text, "S:" if number else ""),)
    return in_order(families.entry(name).finding(target=target, evidence=shown, stage=context.stage, **values), context)


def problem(context: Context, *, target: str = "", evidence: Iterable[Evidence] = ()) -> Problem:
    """The finding as an exception, with what a run ends with."""
    found = finding(context, target=target, evidence=evidence)
    later = retryable(context, found.id)
    ends = status(context, found.stage, later=later)
    return Problem(found, ends, retryable=later, reply=context.reply, lookup=context)


def retryable(context: Context, finding_id: str) -> bool:
    """Whether trying again can help: the class of the code says so (RFC 5321 4.2.1), without one the entry. An entry that
    has codes for now only, and says that it does not pass, knows better."""
    said = load().entries.get(finding_id)
    if context.code >= 400 and not (said and said.codes and max(said.codes) < 500):
        return context.code < 500
    if said:
        return said.later
    try:
        return families.entry(finding_id).retryable
    except KeyError:
        return False


def status(context: Context, stage: Stage, *, later: bool) -> ExitStatus:
    """What a run ends with that is stopped by this at that stage."""
    if later:
        return ExitStatus.TEMPORARY
    if stage is Stage.AUTH or context.code in (530, 534, 535):
        return ExitStatus.AUTH
    return ExitStatus.DATA if stage in (Stage.MAIL, Stage.RCPT, Stage.DATA) else ExitStatus.UNAVAILABLE
