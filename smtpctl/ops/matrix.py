"""`check --matrix`: which of the offered login mechanisms work with the stored credential, one connection each.

Each refusal counts towards a lock-out, so the order is one of caution: first what shows the password as it is, which works
however the server keeps it. If that is refused, the password is wrong for all of them and no other is tried; if it is
accepted, others may be refused up to `MOST_REFUSED` times. Who knows better says `--yes`. A server that asks to wait is
left alone in any case.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from smtpctl.config.profile import Profile
from smtpctl.knowledge import families
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Comparison, Failure, Line, Report
from smtpctl.model.transcript import Stage
from smtpctl.ops import advice, session, static
from smtpctl.ops.check import check, judged
from smtpctl.ops.session import Conversation, Surroundings
from smtpctl.protocol.auth import MECHANISM_UNKNOWN, means
from smtpctl.protocol.dialogue import Login
from smtpctl.protocol.sasl import MECHANISMS, Choice, Reason

MOST_REFUSED = 3  # after one was accepted
ACCEPTED, REFUSED, UNKNOWN, FAILED, SKIPPED, LEFT = "accepted", "refused", "unknown", "failed", "skipped", "not_tried"
_STATUS = {ACCEPTED: "passed", REFUSED: "failed", UNKNOWN: "failed", FAILED: "failed"}
_WAIT = re.compile(r"\block|too many|blocked|rate.?limit|try (again )?later", re.IGNORECASE)


class Trial(NamedTuple):
    """What came of one mechanism.

    `result`: `accepted`, `refused` (the server judged the credential), `unknown` (it does not know the mechanism after all),
    `failed` (anything else), `skipped` (it cannot be tried here), `not_tried` (the run was stopped before). `detail` says
    it in words, `problem` has what stopped it.
    """

    mechanism: str
    result: str
    detail: str
    ms: float | None = None
    problem: Problem | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "mechanism": self.mechanism,
            "result": self.result,
            "detail": self.detail,
            "reply": str(self.problem.reply) if self.problem and self.problem.reply else None,
            "finding": self.problem.finding.id if self.problem else None,
            "ms": None if self.ms is None else round(self.ms, 1),
        }


class Matrix(NamedTuple):
    """All offered mechanisms, strongest first. `current` is what the profile logs in with now, `strongest` the strongest
    that works (each empty where there is none), `command` sets it where that is another, `stopped` is why the run ended
    early."""

    trials: tuple[Trial, ...]
    current: str = ""
    strongest: str = ""
    command: str = ""
    stopped: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON values: what stands in `facts.matrix` of a report."""
        data: dict[str, Any] = {"mechanisms": [trial.to_json() for trial in self.trials]}
        return {**data, **{name: getattr(self, name) for name in ("current", "strongest", "command", "stopped")}}

    def comparison(self) -> Comparison:
        """The same for people."""
        lines = [
            Line(_STATUS.get(trial.result, "skipped"), (trial.mechanism, trial.detail), trial.ms)
            for trial in self.trials
        ]
        return Comparison("Login mechanisms", tuple(lines), _note(self))


def check_matrix(profile: Profile, around: Surroundings, go_on: bool = False) -> Report:
    """As `check` without its login, then each mechanism; `go_on`: a refusal stops nothing. What the profile logs in with
    now decides how the report ends."""
    settings, now = static.judge(profile), time.time()
    try:
        if static.stopper(profile, settings):
            return check(profile, around)
        held = session.holding(profile, around)
        who = session.credentials(held, around)
    except Problem:
        return check(profile, around)  # it says which secret cannot be had, and why
    nobody = profile._replace(method="anonymous")
    begun = session.converse(nobody, around, now=now)._replace(settings=settings)
    report = judged(profile, begun, now)
    if begun.session is None:
        return advice.advised(report, profile)
    login = session.login(held, who)
    found = tried(held, login, begun, around, go_on)
    verdict, failure = _verdict(held, found)
    whole = report._replace(
        findings=(*verdict, *report.findings),
        failure=failure,
        comparisons=(found.comparison(),),
        facts={**report.facts, "matrix": found.to_json()},
    )
    whole = advice.advised(whole, profile)
    return whole._replace(next_command=found.command or whole.next_command)


def tried(profile: Profile, login: Login, begun: Conversation, around: Surroundings, go_on: bool) -> Matrix:
    """Try what the session that was `begun` offers. `profile` has its secrets at hand."""
    assert begun.session is not None
    opened = begun.session
    own = means(login, opened.capabilities, opened.tls).choice
    policy = login.auth._replace(method="auto", mechanism="")
    every = means(login._replace(auth=policy), opened.capabilities, opened.tls).choice
    current = profile.auth.mechanism.upper() or next(iter(own.candidates), "")
    candidates = [name for name in _names(every) if name in every.candidates or name in own.candidates]
    if around.say and candidates:
        around.say(f"Logging in with each of {len(candidates)} mechanisms, one after the other ...")
    trials, stopped = _run(profile, sorted(candidates, key=_caution), around, go_on)
    objections = dict(every.rejected)
    for name in _names(every):
        trials.setdefault(name, Trial(name, SKIPPED, _skipped(objections.get(name))))
    ranked = sorted(trials.values(), key=lambda trial: -_strength(trial.mechanism))
    strongest = next((trial.mechanism for trial in ranked if trial.result == ACCEPTED), "")
    command = advice.setting(profile, {"auth_mech": strongest}) if strongest and strongest != current else ""
    return Matrix(tuple(ranked), current, strongest, command, stopped)


def _run(profile: Profile, names: Sequence[str], around: Surroundings, go_on: bool) -> tuple[dict[str, Trial], str]:
    """Each in turn, until there is a reason to stop."""
    trials: dict[str, Trial] = {}
    stopped = ""
    for name in names:
        stopped = stopped or _reason_to_stop(list(trials.values()), go_on)
        trials[name] = Trial(name, LEFT, "not tried") if stopped else _trial(profile, name, around)
    return trials, stopped


def _trial(profile: Profile, name: str, around: Surroundings) -> Trial:
    policy = profile.auth._replace(mechanism=name, requirement="required")
    found = session.converse(profile._replace(auth=policy), Surroundings(around.environ, watch=around.watch))
    problem = found.problem
    if problem is None:
        return Trial(name, ACCEPTED, "works", found.ms)
    reply = problem.reply
    if problem.finding.stage is not Stage.AUTH or reply is None:
        return Trial(name, FAILED, problem.finding.title, found.ms, problem)
    if reply.code in MECHANISM_UNKNOWN:
        return Trial(name, UNKNOWN, f"offered, but not known: {reply}", found.ms, problem)
    return Trial(name, REFUSED, f"refused: {reply}", found.ms, problem)


def _reason_to_stop(trials: Sequence[Trial], go_on: bool) -> str:
    """Why nothing more is tried after the last of `trials`; empty where the next one may be."""
    problem = trials[-1].problem if trials else None
    if problem is None:
        return ""
    own = problem.finding.id.startswith(("auth.", "config."))  # what smtpctl itself found unusable
    if problem.finding.stage is not Stage.AUTH or not (problem.reply or own):
        return "The server does not go on with it, so nothing more was tried."
    if problem.reply and (problem.reply.transient or _WAIT.search(problem.reply.text)):
        return "The server asks to wait, or has locked the account, so nothing more was tried."
    if go_on or trials[-1].result != REFUSED:
        return ""
    results = [trial.result for trial in trials]
    if ACCEPTED not in results:
        return (
            "What is refused here may be refused everywhere, and some servers lock an account after a few wrong logins, so "
            "nothing more was tried. --yes tries all."
        )
    if results.count(REFUSED) >= MOST_REFUSED:
        return f"{MOST_REFUSED} refusals are enough: some servers lock an account then. --yes tries all."
    return ""


def _verdict(profile: Profile, found: Matrix) -> tuple[tuple[Finding, ...], Failure | None]:
    """What there is to say, and what a check of the profile as it is would end with."""
    now = next((trial for trial in found.trials if trial.mechanism == found.current), None)
    refused = [trial for trial in found.trials if trial.result == REFUSED]
    works = now is not None and now.result == ACCEPTED
    defective = _defective(profile, found, refused, stops=now in refused) if refused and found.strongest else ()
    if works or profile.method == "anonymous":
        return defective, None
    if defective and now in refused and now.problem:
        return defective, now.problem.failure
    problems = [trial.problem for trial in (*((now,) if now else ()), *found.trials) if trial.problem]
    # Without any there was nothing that could be tried: ask what is missing. No credential is sent for that.
    problem = problems[0] if problems else session.converse(profile, Surroundings({})).problem
    return ((problem.finding, *defective), problem.failure) if problem else (defective, None)


def _defective(profile: Profile, found: Matrix, refused: Sequence[Trial], *, stops: bool) -> tuple[Finding, ...]:
    """Mechanisms that refuse what another one accepts; `stops`: the profile logs in with one of them."""
    entry = families.entry("auth.mechanism_defective")
    finding = entry.finding(
        target=str(profile.endpoint),
        host=profile.endpoint.host,
        severity=Severity.ERROR if stops else None,
        mechanisms=", ".join(trial.mechanism for trial in refused),
        works=found.strongest,
        evidence=[piece for trial in refused if trial.problem for piece in trial.problem.finding.evidence],
    )
    return (finding,)


def _names(choice: Choice) -> list[str]:
    return [*choice.candidates, *(name for name, _ in choice.rejected)]


def _caution(name: str) -> tuple[bool, int]:
    """First those that show the password or token as it is, then the strongest."""
    return not MECHANISMS[name].reveals, -_strength(name)


def _strength(name: str) -> int:
    return MECHANISMS[name].strength if name in MECHANISMS else 0


def _skipped(reason: Reason | None) -> str:
    return f"skipped: {reason.value}" if reason else "skipped"


def _note(matrix: Matrix) -> str:
    if not matrix.trials:
        return "The server offers no login."
    parts = [f"{matrix.strongest} is the strongest that works."] if matrix.strongest else []
    if matrix.strongest and not matrix.command:
        parts.append("The profile logs in with it already.")
    return " ".join([*parts, matrix.stopped]).strip()
