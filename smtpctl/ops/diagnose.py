"""`diagnose`: from what stopped a session, or from words that somebody pasted, to the likeliest cause and what to do.

Nothing is asked here: a `Case` holds what is known, `knowledge.decide` says what would be worth asking, and
`candidates` ranks the causes with commands for one profile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from smtpctl.config.profile import Profile
from smtpctl.knowledge import decide
from smtpctl.knowledge.decide import SURE, Candidate, Case, Question
from smtpctl.knowledge.match import Context
from smtpctl.knowledge.reply import meaning
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Cause, Finding, Remedy, Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import ExitStatus, Report, Status
from smtpctl.model.transcript import Stage
from smtpctl.ops import advice
from smtpctl.ops.extract import first
from smtpctl.ops.hints import NO_HINTS

__all__ = ["SURE", "Candidate", "Case", "Diagnosis", "Question"]  # those of knowledge.decide, for who talks about them

# Stages where another port or mode of the same server may be the answer.
_REACHING = (Stage.DNS, Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.TLS)
FOUND = "found"  # the fact that makes a cause certain: a try that worked
_SETTINGS = ("smtpctl profile set ", "smtpctl profile unset ")
_APPLIED = (*_SETTINGS, "smtpctl secret set ")
_HOST = re.compile(r"[ -]host[ =]")
_TRIED = "smtpctl check "
_UNKNOWN = "reply."  # the family of replies that no entry knows
_WORDS = 200  # characters of what was said that a closing line takes


class Diagnosis(NamedTuple):
    """Where a diagnosis stands. `finding` is what it is about, None where nothing is wrong; `candidates` are the causes,
    likeliest first, with commands for the profile, none where all are ruled out; `question` is worth asking, None where
    none is; `answers` were given so far; `target` and `said` what it is about, of a text only the words that count; `status`
    what a run over the target ended with."""

    finding: Finding | None
    candidates: tuple[Candidate, ...]
    question: Question | None = None
    answers: Mapping[str, str] = {}
    target: str = ""
    said: str = ""
    status: Status = ExitStatus.OK

    def to_json(self) -> dict[str, Any]:
        """The document `smtpctl.diagnose/1`."""
        question = self.question
        return {
            "target": self.target,
            "said": self.said,
            "exit": int(self.status),
            "answers": dict(self.answers),
            "question": {"name": question.name, "ask": question.ask, "answers": dict(question.answers)}
            if question
            else None,
            "causes": [
                {
                    "finding": candidate.finding.id,
                    "title": candidate.finding.title,
                    "text": candidate.cause.text,
                    "likelihood": round(candidate.share, 2),
                    "fix": [remedy.text for remedy in candidate.cause.remedies],
                    "commands": list(commands(candidate)),
                }
                for candidate in self.candidates
            ],
        }


def case_of(report: Report) -> Case | None:
    """What a run is to be explained by: what stopped it, else the first error among what it found; None where nothing is
    wrong. Warnings keep no mail from being sent."""
    if report.failure and report.failure.lookup:
        return Case(report.failure.lookup)
    if not report.findings or not (report.failure or report.findings[0].severity is Severity.ERROR):
        return None
    return Case(Context(stage=report.findings[0].stage), report.findings[0])


def case_of_words(words: str, profile: Profile | None = None) -> Case:
    """What somebody pasted, with what a profile says besides. UsageProblem for no words at all."""
    failure = first(words)
    if not failure.text:
        raise UsageProblem(
            "There is nothing to diagnose.", 'Try: smtpctl diagnose "535 5.7.3 Authentication unsuccessful"'
        )
    known = NO_HINTS.context(failure)
    if profile:
        host, credential = profile.endpoint.host or known.host, profile.credential or known.credential
        known = known._replace(provider=profile.preset, host=host, credential=credential)
    return Case(known)


def answered(case: Case, answers: Mapping[str, str]) -> Case:
    """The case with these answers, by the name of the question; an empty one is not known. UsageProblem for one that
    does not exist."""
    for name, answer in ((name, answer) for name, answer in answers.items() if answer):
        try:
            case = decide.told(case, name, answer)
        except ValueError as error:
            hint = "" if name in decide.names() else f"There are: {', '.join(decide.names())}."
            raise UsageProblem(f"--answer {name}={answer}: {error}", hint) from None
    return case


def stand(
    case: Case, answers: Mapping[str, str], profile: Profile | None = None, report: Report | None = None, said: str = ""
) -> Diagnosis:
    """Where the diagnosis of `case` stands with `answers`."""
    case = answered(case, answers)
    token = report.facts.get("token", {}) if report else {}
    found = decide.candidates(case)
    if profile:
        found = tuple(_personal(candidate, profile, token) for candidate in found)
    about = found[0].finding if found else decide.about(case)
    stands = Diagnosis(about, found, decide.ask(case, answers), answers, said=first(said).text)
    return stands._replace(target=report.target, status=report.status()) if report else stands


def reachable_otherwise(report: Report, profile: Profile) -> bool:
    """Whether other ports and modes are worth a try: the server was not understood, and no certificate is the reason."""
    failure = report.failure
    if failure is None or not profile.endpoint.host:
        return False
    return failure.stage in _REACHING and not report.findings[0].id.startswith(("tls.cert.", "tls.chain."))


def with_suggestion(case: Case, report: Report, words: str, command: str) -> Case:
    """The case with what was found to work as its likeliest cause: evidence weighs more than any ranking."""
    seen = report.findings[0]
    cause = Cause(words, 20.0, (Remedy("Use that.", (command,)),), (FOUND,))
    return Case(Context(stage=seen.stage), seen._replace(causes=(cause, *seen.causes)))


def in_a_word(candidate: Candidate) -> str:
    """What is wrong, if this candidate is it. A setting that was found to work says what was wrong only by the finding; of
    a reply that nobody knows there is the meaning of its code, and what it says itself."""
    if candidate.finding.id.startswith(_UNKNOWN):
        failed = candidate.finding.severity is Severity.ERROR
        known = meaning(candidate.finding.id) or "not known"
        return f"{known}; {words_of(candidate.finding)}" if failed else candidate.finding.title
    found = candidate.cause.text and FOUND not in candidate.cause.facts
    return candidate.cause.text if found else candidate.finding.title


def words_of(finding: Finding) -> str:
    """What was said or seen, as the end of a sentence, in a line or two."""
    said = [piece.text for piece in finding.evidence if piece.label == "S:"]
    words = " ".join(said or [piece.text for piece in finding.evidence[:1]])
    words = words if len(words) <= _WORDS else f"{words[:_WORDS]} ..."
    return f"the server said {words}" if said else f"the evidence is: {words}" if words else finding.title


def commands(candidate: Candidate) -> tuple[str, ...]:
    """Every command of a candidate, in order."""
    return tuple(line for remedy in candidate.cause.remedies for line in remedy.commands)


def to_apply(candidate: Candidate, profile: Profile | None = None) -> str:
    """The command of a candidate that only changes this machine's settings and can be carried out as it stands; empty
    where there is none. What makes the profile less safe is never among them."""
    return _of_kind(candidate, _APPLIED, profile)


def to_try(candidate: Candidate, profile: Profile | None = None) -> str:
    """The command of a candidate that looks whether other settings work, and changes nothing; empty without."""
    return _of_kind(candidate, (_TRIED,), profile)


def asks_nothing(command: str) -> bool:
    """Whether a command to apply can be carried out with nobody there: a secret is typed by somebody."""
    return command.startswith(_SETTINGS) and not elsewhere(command)


def elsewhere(command: str) -> bool:
    """Whether a command names another server: the password goes there with the next check, so somebody has to agree, also
    with `--yes`. Whoever keeps a server from answering could have it sent to the next best."""
    return _HOST.search(command) is not None


def _of_kind(candidate: Candidate, begins: tuple[str, ...], profile: Profile | None) -> str:
    return next((line for line in commands(candidate) if line.startswith(begins) and advice.sound(line, profile)), "")


def _personal(candidate: Candidate, profile: Profile, token: Mapping[str, Any]) -> Candidate:
    only = advice.personal(candidate.finding._replace(causes=(candidate.cause,)), profile, token)
    return candidate._replace(finding=only, cause=only.causes[0])


def parse_answers(written: Sequence[str]) -> dict[str, str]:
    """`NAME=ANSWER` as people write it. UsageProblem for what is not of that form, or no answer that there is."""
    pairs = [text.partition("=") for text in written]
    for name, equals, answer in pairs:
        if not (name and equals and answer):
            raise UsageProblem(f"--answer {name}: write NAME=ANSWER", "For example: --answer two_step=yes")
    answers = {name.strip(): answer.strip().lower() for name, _, answer in pairs}
    answered(Case(Context()), answers)  # a slip is told before a server is asked anything
    return answers


def trial(assignments: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `profile set` was told, as settings for one run: `port=465`, or the same as options."""
    return {**dict(text.partition("=")[::2] for text in assignments), **settings}


def helped(before: Report, after: Report) -> bool:
    """Whether a run got further than the one before it, or ended in something else at the same stage."""
    if case_of(after) is None or after.failure is None:
        return before.failure is not None or not _same(before, after)
    if before.failure is None:
        return False
    order = list(Stage)
    further = order.index(after.failure.stage) - order.index(before.failure.stage)
    return further > 0 or (further == 0 and not _same(before, after))


def understood(report: Report) -> bool:
    """Whether a run got as far as a login: host, port and TLS are right. Less proves no setting."""
    order = list(Stage)
    return report.failure is None or order.index(report.failure.stage) >= order.index(Stage.AUTH)


def _same(one: Report, other: Report) -> bool:
    return [finding.id for finding in one.findings[:1]] == [finding.id for finding in other.findings[:1]]
