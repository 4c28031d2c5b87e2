"""The talk of `diagnose`: rounds of check, questions, fix and check, with one person at a terminal, or with nobody.

A change of a profile is tried before it is written: the next check runs with it, and only what helped is kept.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from smtpctl.cli import live, quick
from smtpctl.cli.command import Call
from smtpctl.cli.terminal import Terminal
from smtpctl.config.profile import Profile
from smtpctl.model.errors import SmtpctlError
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import ExitStatus, Report
from smtpctl.ops import advice, diagnose
from smtpctl.ops.check import check
from smtpctl.ops.diagnose import Candidate, Case, Diagnosis, Question
from smtpctl.render import diagnosis_text
from smtpctl.render.text import TextRenderer

QUESTIONS = 4  # asked in a row; whoever is asked more stops answering
APPLY, TRY, TEST, NEXT, LEAVE = "a", "c", "t", "n", "q"
_NEXT = "next cause, it is not that"


class LeaveError(SmtpctlError):
    """Somebody left instead of answering."""


class Wishes(NamedTuple):
    """The options: recipients to ask about, what an application shows, answers by name, and whether to carry out what is
    safe without asking."""

    recipients: tuple[str, ...] = ()
    said: str = ""
    answers: Mapping[str, str] = {}
    yes: bool = False


class Step(NamedTuple):
    """What was done about a cause: the command that was carried out, or nothing where the user did it elsewhere. `trial`
    are settings that the next check runs with."""

    candidate: Candidate
    command: str = ""
    trial: Mapping[str, Any] = {}


def of_words(terminal: Terminal, words: str, wishes: Wishes, profile: Profile | None = None) -> int:
    """The diagnosis of a pasted text. UsageProblem for an empty one."""
    case = diagnose.case_of_words(words, profile)
    stand = diagnose.stand(case, wishes.answers, profile, said=words.strip())
    if terminal.format == "json":
        terminal.document("diagnose/1", stand.to_json())
        return ExitStatus.OK
    assert stand.finding is not None
    terminal.out(diagnosis_text.seen(terminal.canvas, stand.finding))
    if terminal.no_input:
        _concluded(terminal, stand, profile)
        return ExitStatus.OK
    said = words.strip()
    stand, gone = asked(terminal, stand, lambda answers: diagnose.stand(case, answers, profile, said=said))
    _one_by_one(terminal, stand, profile, lambda candidate: LEAVE if gone else _agreed(terminal, stand))
    return ExitStatus.OK


def _agreed(terminal: Terminal, stand: Diagnosis) -> str:
    """Whether somebody takes a cause of a pasted text for the right one; of a single one nobody is asked."""
    if len(stand.candidates) < 2:
        return LEAVE
    return _picked(terminal, {LEAVE: "leave, it can be that", NEXT: _NEXT}, "What now?")


def _one_by_one(
    terminal: Terminal,
    stand: Diagnosis,
    profile: Profile | None,
    choose: Callable[[Candidate], str],
    tried: Collection[str] = (),
) -> tuple[Candidate, str] | None:
    """Causes, but for the texts in `tried`, until `choose` wants something done about one; that one and what. None where
    somebody left, or none is left; then the two closing lines stand there."""
    count = len(stand.candidates)
    left = [candidate for candidate in stand.candidates if candidate.cause.text not in tried]
    for number, candidate in enumerate(left, count - len(left) + 1):
        terminal.out(diagnosis_text.likely(terminal.canvas, candidate.cause, number, count))
        choice = choose(candidate)
        if choice == LEAVE:
            terminal.out(diagnosis_text.ending(terminal.canvas, _two_lines(candidate, profile)))
            return None
        if choice != NEXT:
            return candidate, choice
    terminal.out(diagnosis_text.ending(terminal.canvas, _nothing_left(stand, profile)))
    return None


class Talk:
    """The diagnosis of a server. `words` and `overrides` are the target as a command line gives it."""

    def __init__(self, terminal: Terminal, words: Sequence[str], overrides: dict[str, Any], wishes: Wishes) -> None:
        self.terminal = terminal
        self.words = list(words)
        self.overrides = overrides
        self.wishes = wishes
        self.recipients = wishes.recipients
        self.answers = wishes.answers
        self.silent = terminal.no_input or terminal.format == "json"
        self.profile = live.profiles(terminal, self.words, overrides, False)[0]

    def run(self) -> int:
        """Rounds, until nothing is wrong, nothing is left to try, or the user leaves."""
        step: Step | None = None
        report, tried, mended = self._checked({}), set[str](), list[Step]()
        known: Case | None = None
        while True:
            case = diagnose.case_of(report)
            if case is None:
                again = None if mended else self._what_fails(report)
                if not again:
                    return self._works(report, mended)
                self.recipients = again
                report = self._checked({})
                continue
            known = known if tried and known else self._with_evidence(case, report)
            step = self._round(known, report, tried)
            if step is None:
                return report.status()
            before, report = report, self._checked(step.trial)
            proven = diagnose.understood(report) if step.trial else True
            if not (proven and diagnose.helped(before, report)):
                tried.add(step.candidate.cause.text)
                self._say("That does not help. Nothing was changed." if step.trial else "Still the same.")
                report = before
                continue
            if step.trial:
                self._keep(step)
            mended.append(step)
            tried = set()

    def _checked(self, trial: Mapping[str, Any]) -> Report:
        """A check of the profile as it is now, with the settings on trial, shown row by row."""
        terminal = self.terminal
        self.profile = live.profiles(terminal, self.words, {**self.overrides, **trial}, False)[0]
        if terminal.format == "json":
            return check(self.profile, live.surroundings(terminal), self.recipients)
        renderer = self._renderer
        terminal.out("\n" * bool(trial) + renderer.heading(self.profile.label, self.profile.headline))
        with live.followed(terminal, renderer) as around:
            return check(self.profile, around, self.recipients)

    @property
    def _renderer(self) -> TextRenderer:
        renderer = self.terminal.renderer("diagnose/1")
        assert isinstance(renderer, TextRenderer)
        return renderer

    def _say(self, words: str) -> None:
        if self.terminal.format != "json":
            self.terminal.out(f"\n{words}")

    def _round(self, case: Case, report: Report, tried: set[str]) -> Step | None:
        """Questions, then causes one by one until something is done about one of them. None at the end of the talk."""
        terminal = self.terminal
        stand = diagnose.stand(case, self.answers, self.profile, report)
        if not self.silent:
            stand, gone = asked(terminal, stand, lambda answers: diagnose.stand(case, answers, self.profile, report))
            self.answers = stand.answers
            if gone:
                first = stand.candidates[:1]
                last = _two_lines(first[0], self.profile) if first else _nothing_left(stand, self.profile)
                terminal.out(diagnosis_text.ending(terminal.canvas, last))
                return None
        if self.silent:
            left = [candidate for candidate in stand.candidates if candidate.cause.text not in tried]
            return self._unasked(stand, left)

        def choose(candidate: Candidate) -> str:
            choice = self._choose(candidate)
            if choice == NEXT:
                tried.add(candidate.cause.text)
            return choice

        chosen = _one_by_one(terminal, stand, self.profile, choose, tuple(tried))
        return self._done(*chosen) if chosen else None

    def _with_evidence(self, case: Case, report: Report) -> Case:
        """The case with a port and mode that were found to work, where the server was not understood as it was asked. What
        stopped it is shown first."""
        if self.terminal.format != "json":
            self.terminal.out(diagnosis_text.seen(self.terminal.canvas, report.findings[0]))
        if not diagnose.reachable_otherwise(report, self.profile):
            return case
        from smtpctl.ops.suggest import suggest

        self.terminal.say("")
        found = suggest(self.profile, live.surroundings(self.terminal), report)
        if found.best and advice.sound(found.command, self.profile):
            words = f"{found.best.candidate.named} {found.best.detail}."
            return diagnose.with_suggestion(case, report, words, found.command)
        return case

    def _choose(self, candidate: Candidate) -> str:
        """What the user wants to do about a cause."""
        apply, attempt = diagnose.to_apply(candidate, self.profile), diagnose.to_try(candidate, self.profile)
        if apply and self.wishes.yes and not diagnose.elsewhere(apply):
            return APPLY
        offers = {
            **({APPLY: apply} if apply else {}),
            **({TRY: attempt} if attempt and not apply else {}),
            TEST: "test again, I have done it",
            NEXT: _NEXT,
            LEAVE: "leave",
        }
        return _picked(self.terminal, offers, "What now?")

    def _done(self, candidate: Candidate, choice: str) -> Step:
        """What was chosen, carried out. A change of settings is only on trial; a check with other settings makes them
        those of this talk."""
        if choice == TEST:
            return Step(candidate)
        line = (diagnose.to_apply if choice == APPLY else diagnose.to_try)(candidate, self.profile)
        call = _understood(line)
        if choice == TRY:
            self.words, self.overrides = list(call.values.get("targets") or ()), dict(call.values["overrides"])
            return Step(candidate, line)
        if call.command == "profile.set":
            return Step(candidate, line, diagnose.trial(call.values.get("words") or (), call.values["settings"]))
        call.verb.function(self.terminal, **call.values)
        return Step(candidate, line)

    def _keep(self, step: Step) -> None:
        """Write what was on trial and has helped."""
        self.terminal.say("")
        call = _understood(step.command)
        call.verb.function(self.terminal, **call.values)

    def _what_fails(self, report: Report) -> tuple[str, ...]:
        """Nothing is wrong as far as a check goes: the recipient that is refused, as the user says; else nothing."""
        terminal = self.terminal
        if terminal.format == "json":
            return ()
        terminal.out(self._renderer.conclusion(report))
        words = self.wishes.said
        if not (words or self.silent or self.recipients):
            terminal.say("")
            words = terminal.ask(
                "What fails, then? A recipient that is refused, or the text your application shows (Enter: nothing)",
                option="--to or --said",
            )
            words = "" if words.lower() == LEAVE else words
        if "@" in words and " " not in words:
            return (words,)
        if words:
            of_words(terminal, words, self.wishes, self.profile)
        return ()

    def _works(self, report: Report, mended: Sequence[Step]) -> int:
        """The end of a talk after which nothing is wrong."""
        if self.terminal.format == "json":
            nothing = Diagnosis(None, (), None, self.answers, report.target, status=report.status())
            self.terminal.document("diagnose/1", nothing.to_json())
        elif mended:
            how = "; ".join(step.command or "what you did" for step in mended)
            told = {"What was wrong": diagnose.in_a_word(mended[-1].candidate), "What mended it": how}
            self.terminal.out(self._renderer.conclusion(report))
            self.terminal.out(diagnosis_text.ending(self.terminal.canvas, told))
        return report.status()

    def _unasked(self, stand: Diagnosis, left: Sequence[Candidate]) -> Step | None:
        """Nobody is there: say the best there is; with --yes do what is safe."""
        if left and self.wishes.yes and diagnose.asks_nothing(diagnose.to_apply(left[0], self.profile)):
            if self.terminal.format != "json":
                count = len(stand.candidates)
                self.terminal.out(diagnosis_text.likely(self.terminal.canvas, left[0].cause, 1, count))
            return self._done(left[0], APPLY)
        if self.terminal.format == "json":
            self.terminal.document("diagnose/1", stand.to_json())
        else:
            _concluded(self.terminal, stand, self.profile)
        return None


def asked(terminal: Terminal, stand: Diagnosis, after: Any) -> tuple[Diagnosis, bool]:
    """Where it stands after the questions that decide, and whether somebody left instead of answering; `after` gives the
    stand with more answers."""
    for _ in range(QUESTIONS):
        if not stand.question:
            break
        question = stand.question
        terminal.say("")
        try:
            stand = after({**stand.answers, question.name: _answer(terminal, question)})
        except LeaveError:
            return stand, True
    return stand, False


def _answer(terminal: Terminal, question: Question) -> str:
    """The name of the answer to a question; empty where it is not known."""
    names = list(question.answers)
    if any(question.answers.values()):
        offers = {str(number): words for number, words in enumerate(question.answers.values(), 1)}
        picked = _picked(terminal, offers, "Number (Enter: not known)", heading=question.ask)
        return names[int(picked) - 1] if picked else ""
    terminal.say("\n".join(terminal.canvas.prose(question.ask, "")))
    while True:
        typed = terminal.ask("[y/n, Enter: not known]", option=f"--answer {question.name}=yes").lower()
        found = [name for name in names if typed and name.startswith(typed)]
        if found or not typed:
            return found[0] if found else ""
        if typed == LEAVE:
            raise LeaveError
        terminal.say("Answer y or n, press Enter, or q to leave.")


def _picked(terminal: Terminal, offers: Mapping[str, str], prompt: str, heading: str = "") -> str:
    """The key of what the user picks. With a heading nothing is an answer too; without, the first is the default."""
    canvas = terminal.canvas
    terminal.say("\n".join([heading, *(f"    {key}  {canvas.text(words)}" for key, words in offers.items())]))
    while True:
        default = "" if heading else next(iter(offers))
        typed = terminal.ask(prompt, option="--answer" if heading else "--yes", default=default).lower()
        if typed in offers or (heading and not typed):
            return typed
        if typed == LEAVE:
            raise LeaveError
        terminal.say(f"There is {', '.join(offers)}.")


def _understood(line: str) -> Call:
    """A command line of smtpctl's own as a call."""
    words = shlex.split(line)[1:]
    call = quick.read(words)
    if call is None:
        from smtpctl.cli import group

        call = group.read(words)
    assert call is not None
    return call


def _concluded(terminal: Terminal, stand: Diagnosis, profile: Profile | None) -> None:
    """The best there is, what else it may be, the question that would tell more, and two lines."""
    canvas, found = terminal.canvas, stand.candidates
    if not found:
        terminal.out(diagnosis_text.ending(canvas, _nothing_left(stand, profile)))
        return
    terminal.out(diagnosis_text.likely(canvas, found[0].cause, 1, len(found)))
    if len(found) > 1:
        terminal.out(diagnosis_text.others(canvas, [candidate.cause for candidate in found[1:]]))
    if question := stand.question:
        terminal.out(diagnosis_text.open_question(canvas, question.name, question.ask, question.answers))
    terminal.out(diagnosis_text.ending(canvas, _two_lines(found[0], profile)))


def _nothing_left(stand: Diagnosis, profile: Profile | None) -> dict[str, str]:
    """The closing lines where every known cause was ruled out or refused."""
    assert stand.finding is not None
    lines = {
        "What is wrong": f"none of the known causes; {diagnose.words_of(stand.finding)}",
        "What to do": "Show these words to whoever runs the server.",
    }
    return {**lines, "All in one file": advice.again("report", profile)} if profile and stand.target else lines


def _two_lines(candidate: Candidate, profile: Profile | None) -> dict[str, str]:
    fixes = [remedy.text for remedy in candidate.cause.remedies if remedy.text]
    ready = diagnose.to_apply(candidate, profile) or diagnose.to_try(candidate, profile)
    return {
        "What is wrong" if candidate.share >= diagnose.SURE else "Most likely": diagnose.in_a_word(candidate),
        "What to do": ready or (fixes[0] if fixes else f"smtpctl explain {candidate.finding.id}"),
    }
