"""One session with one server, from a resolved profile to a report: what `check`, `test-send` and `demo` share."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from smtpctl.config import secrets
from smtpctl.config.profile import Profile
from smtpctl.config.secrets.refs import Kind, SecretRef
from smtpctl.model.endpoint import Credentials, TlsMode
from smtpctl.model.errors import Obstacle, Problem, Refused
from smtpctl.model.finding import Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.redaction import Redactor
from smtpctl.model.reply import Reply
from smtpctl.model.report import StageResult
from smtpctl.model.secret import Secret
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Kind as EventKind
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net.connect import connect
from smtpctl.net.connection import Connection, Log
from smtpctl.net.runner import run
from smtpctl.oauth import claims
from smtpctl.ops import static
from smtpctl.ops.refused import UNKNOWN, Known, as_problem, claims_against, heard
from smtpctl.ops.stages import Rows
from smtpctl.protocol import ehlo
from smtpctl.protocol.dialogue import Login, Session, log_in
from smtpctl.protocol.ehlo import Capabilities
from smtpctl.protocol.steps import Dialogue
from smtpctl.protocol.submit import leave

T = TypeVar("T")
GREETED_BY = 3.0  # seconds; nearly every server has said its first word by then


class Surroundings(NamedTuple):
    """What a use case takes from the command line's world.

    `environ` for secrets; `prompt` asks for a password (None: nobody there); `show` gets each stage row as it is
    complete; `watch` every event; `warn` findings that stop nothing; `say` what is done now, where it takes a while;
    `wait` is told each second in which nothing came, at which stage and for how long; `others` are those besides the
    server who may be asked, by option (`ops.others`).
    """

    environ: Mapping[str, str]
    prompt: Callable[[str], str] | None = None
    show: Callable[[StageResult], None] | None = None
    watch: Callable[[Any], None] | None = None
    warn: Callable[[Finding], None] | None = None
    say: Callable[[str], None] | None = None
    wait: Callable[[Stage, float], None] | None = None
    others: tuple[str, ...] = ()


class Conversation(NamedTuple):
    """What came out of a session: `session` and `result` as far as it got, `problem` what stopped it, `settings` what
    the static rules say about the profile, `known` what the session found out for explaining a refusal."""

    transcript: Transcript
    rows: Sequence[StageResult]
    ms: float
    round_trips: int
    session: Session | None = None
    result: Any = None
    problem: Problem | None = None
    tls: TlsSession | None = None
    settings: tuple[Finding, ...] = ()
    known: Known = UNKNOWN


def tls_facts(conversation: Conversation) -> dict[str, Any]:
    """Whether TLS was used, and how, as JSON values; a handshake that was refused counts as used."""
    return {"used": conversation.tls is not None, **(conversation.tls.facts() if conversation.tls else {})}


def credentials(profile: Profile, around: Surroundings, *, renew: bool = False) -> Credentials:
    """Who logs in, and with what; the secret is fetched here, a token obtained (with `renew` a new one). Problem of the
    families `secret` and `oauth`."""
    token = password = Secret("")
    hidden = profile.secret_variables
    if profile.method == "oauth2":
        if profile.token_ref:
            token = secrets.fetch(
                profile.token_ref,
                around.environ,
                around.prompt,
                label="Access token: ",
                warn=around.warn,
                hidden=hidden,
            )
        elif profile.oauth and not profile.oauth.static:
            from smtpctl.ops import tokens

            token = tokens.token(profile.oauth, profile.login, around, hidden=hidden, renew=renew).access
    elif profile.method != "anonymous" and profile.secret_ref:
        label = f"Password of {profile.username} at {profile.endpoint.host}: "
        password = secrets.fetch(
            profile.secret_ref, around.environ, around.prompt, label=label, warn=around.warn, hidden=hidden
        )
    return Credentials(profile.login if password or token else profile.username, password, token)


def holding(profile: Profile, around: Surroundings) -> Profile:
    """The same profile with its secrets at hand, so that several sessions fetch them, or ask for them, once. Problem of
    the family `secret`."""
    who = credentials(profile, around)
    held = profile._replace(secret_ref=SecretRef(Kind.LITERAL, literal=who.password)) if who.password else profile
    return held._replace(token_ref=SecretRef(Kind.LITERAL, literal=who.token)) if who.token else held


def prepared(profile: Profile, around: Surroundings) -> Profile:
    """As `holding`; the same profile where a secret cannot be had, for a check says so, as one of its stages."""
    try:
        return holding(profile, around)
    except Problem:
        return profile


def login(profile: Profile, who: Credentials, address: str = "") -> Login:
    """The profile as a dialogue wants it; `address` is the one we connect from."""
    return Login(
        helo=profile.helo or own_name(address),
        mode=profile.tls.mode,
        auth=profile.auth._replace(method="none") if profile.method == "anonymous" else profile.auth,
        credentials=who,
        host=profile.endpoint.host,
        port=profile.endpoint.port,
        lmtp=profile.endpoint.lmtp,
        loopback=profile.trusted or bool(profile.endpoint.path),
        client_certificate=bool(profile.tls.client_cert),
    )


def own_name(address: str = "") -> str:
    """How to introduce this machine: its host name where that is a full one, else the address it connects from, as a
    literal (RFC 5321 4.1.3, 4.1.4)."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = address.partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address or '127.0.0.1'}]"


def converse(
    profile: Profile,
    around: Surroundings,
    body: Callable[[Session], Dialogue[T]] | None = None,
    *,
    now: float | None = None,
    transcript: Transcript | None = None,
) -> Conversation:
    """Connect, log in, do `body`, leave. Never raises a Problem: it is in the result, with the transcript so far.

    Settings with which nothing may be sent, or nothing can be, end it before a secret is fetched or a name looked up.
    """
    transcript = Transcript() if transcript is None else transcript
    if around.watch:
        transcript.subscribe(around.watch)
    rows = Rows(transcript, time.time() if now is None else now, around.show)
    judged = static.judge(profile)
    problem = static.stopper(profile, judged)
    if problem is None:
        rows.add(_config_row(profile, around.environ))
    began = time.monotonic()
    found = _Found()
    try:
        if problem:
            raise problem
        _talk(profile, around, body, transcript, found)
    except (Problem, Refused, Obstacle) as error:
        problem = as_problem(error, profile, heard(found.known, transcript, found.session))
    conversation = Conversation(
        transcript,
        (),
        (time.monotonic() - began) * 1000,
        found.connection.round_trips if found.connection else 0,
        found.session,
        found.result,
        problem,
        (found.connection.tls or found.connection.tls_failure) if found.connection else None,
        judged,
        heard(found.known, transcript, found.session),
    )
    stopped = problem.finding.stage if problem else None
    return conversation._replace(rows=tuple(rows.finish(stopped, _told(profile, conversation, now))))


def _told(profile: Profile, conversation: Conversation, now: float | None) -> str:
    """What the row of the stage says at which a problem ended it all."""
    problem = conversation.problem
    if problem is None or problem.reply:
        return str(problem.reply) if problem else ""
    if problem.finding.id.startswith(("tls.cert.", "tls.chain.")):
        from smtpctl.ops.check import refused_certificate

        return refused_certificate(profile, conversation, time.time() if now is None else now)
    return problem.finding.title


class _Found:
    """What a session gave so far; it may end anywhere."""

    connection: Connection | None = None
    session: Session | None = None
    result: Any = None
    known: Known = UNKNOWN


def _talk(
    profile: Profile,
    around: Surroundings,
    body: Callable[[Session], Dialogue[Any]] | None,
    transcript: Transcript,
    found: _Found,
) -> None:
    """Connect, log in, do `body`, leave; once more with a new token where the server says that it was the token."""
    # A token that was refused is one still, and what another session of this run has said the server knows.
    spoken = [held.literal for held in (profile.secret_ref, profile.token_ref) if held]
    log: Log | None = None
    for renew in (False, True):
        who = credentials(profile, around, renew=renew)
        log = log or Log(transcript)  # it begins here: the time for a token is none of the server's
        log.idle = _Patience(profile, around)
        if renew:
            log.add(EventKind.NOTE, Stage.AUTH, "a new token has come", _RENEWED)
        spoken += (who.password, who.token)
        found.known = Known(claims.told(who.token, who.username, time.time())) if who.token else UNKNOWN
        log.redactor = Redactor(tuple(spoken))
        found.connection = connect(profile.endpoint, profile.route, profile.tls, profile.timeouts, log)
        try:
            with found.connection as connection:
                run(_whole(login(profile, who, connection.local_address), body, found, log.redactor), connection)
            return
        except Refused as refused:
            if renew or not _wants_another(refused, profile):
                if who.token and refused.stage is Stage.AUTH:
                    found.known = found.known._replace(against=claims_against(who.token, who.username, profile))
                raise
            log.add(EventKind.NOTE, Stage.AUTH, "the token was refused: a new one is asked for", _RENEWED)


class _Patience:
    """Waiting, as a session does it: who looks on is told, and where no greeting comes another connection finds out whether
    the port is one for TLS. On the one that waits nothing is said: a server may make clients wait to see who speaks first."""

    def __init__(self, profile: Profile, around: Surroundings) -> None:
        self._profile = profile
        self._tell = around.wait
        self._in_clear = not profile.endpoint.path and profile.tls.mode is not TlsMode.IMPLICIT
        self._looking = False
        self._seen: Problem | None = None

    def __call__(self, stage: Stage, seconds: float) -> Problem | None:
        if self._tell:
            self._tell(stage, seconds)
        if stage is not Stage.GREETING or not self._in_clear or seconds < GREETED_BY:
            return None
        if not self._looking:
            self._looking = True
            import threading

            threading.Thread(target=self._look, daemon=True).start()
        return self._seen

    def _look(self) -> None:
        from smtpctl.ops import second

        seen = second.tls_first(self._profile)
        self._seen = seen if isinstance(seen, Problem) else None


_RENEWED = {"observed": "token_renewed"}
_STALE = ("401", "invalid_token")  # XOAUTH2; RFC 7628 3.2.2


def _wants_another(refused: Refused, profile: Profile) -> bool:
    """Whether the server said that it was the token, and there is a way to another one."""
    said = refused.facts.get("challenge", {}).get("oauth", {})
    ours = bool(profile.oauth and not profile.oauth.static and not profile.token_ref)
    return ours and refused.stage is Stage.AUTH and str(said.get("status", "")) in _STALE


def _whole(
    plan: Login, body: Callable[[Session], Dialogue[Any]] | None, found: _Found, redactor: Redactor
) -> Dialogue[None]:
    """The session from greeting to QUIT, also after a refusal; what it gave is put into `found` on the way.

    Replies to EHLO and challenges decide what is done, so a dialogue reads them as they are; what leaves it is redacted.
    """
    try:
        session = yield from log_in(plan)
        found.session = _shown(session, redactor)
        if body:
            found.result = yield from body(session)
    except (Refused, Obstacle) as error:
        ended = error.reply.code == 421 if isinstance(error, Refused) else error.stage is Stage.GREETING
        if not ended:  # nor is there anybody to say QUIT to where another protocol greets
            yield from leave()
        error.facts = redactor.facts(error.facts)
        if isinstance(error, Refused):
            error.reply = error.reply._replace(lines=tuple(map(redactor.text, error.reply.lines)))
        raise
    if not getattr(found.result, "left", False):
        yield from leave()


def _shown(session: Session, redactor: Redactor) -> Session:
    """The session for a report: a server may know the secret from another session, and say it as a keyword."""

    def clean(offered: Capabilities) -> Capabilities:
        lines = tuple(map(redactor.text, offered.lines))
        return offered if lines == offered.lines else ehlo.parse(Reply(250, lines), extended=offered.extended)

    before = session.before_tls
    return session._replace(capabilities=clean(session.capabilities), before_tls=clean(before) if before else None)


def _config_row(profile: Profile, environ: Mapping[str, str]) -> StageResult:
    """Where the settings came from, counted; a file of the user's own begins with `~`."""
    home = f"{environ.get('HOME', '').rstrip('/')}/"
    counts: dict[str, int] = {}
    for origin in profile.origins.values():
        if origin.kind == "default":
            continue
        where = {"flag": "options", "preset": f"preset {origin.where}"}.get(origin.kind, origin.kind)
        if origin.kind == "file":
            path = origin.where.rpartition(":")[0]
            where = f"~/{path.removeprefix(home)}" if len(home) > 1 and path.startswith(home) else path
        counts[where] = counts.get(where, 0) + 1
    parts = [
        f"{number} {'setting' if i == 0 and number == 1 else 'settings' if i == 0 else ''}".strip() + f" from {where}"
        for i, (where, number) in enumerate(counts.items())
    ]
    return StageResult(Stage.CONFIG, "passed", ", ".join(parts) or "all settings are defaults")
