"""What `check`, `test-send` and `demo` share: targets from the command line, rows while a session runs, the transcript file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtpctl.cli.terminal import Terminal, leave_interrupted
from smtpctl.config import store
from smtpctl.config.profile import Profile
from smtpctl.config.resolve import names_server, resolve
from smtpctl.config.scope import site_name
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.report import Report, StageResult
from smtpctl.model.transcript import Stage
from smtpctl.ops.session import Surroundings
from smtpctl.ops.static import enabled
from smtpctl.render import exit_status
from smtpctl.render.text import TextRenderer

if TYPE_CHECKING:
    from smtpctl.ops.files import Put

SWAKS = "swaks"  # of `--exit-style`

Work = Callable[[Profile, Surroundings], Report]


def profiles(terminal: Terminal, targets: Sequence[str], overrides: dict[str, Any], everything: bool) -> list[Profile]:
    """The profiles that the command line means; `everything` is every enabled one that has a server. UsageProblem,
    Problem, also where all profiles are switched off and none is named."""
    document = store.read(terminal.config, terminal.environ)
    for warning in document.warnings:
        terminal.warn(warning.title)
    names: Sequence[str | None] = list(targets) or [None]
    if everything:
        if targets:
            raise UsageProblem("--all stands for every enabled profile: name either targets or --all")
        names = enabled(document)
    site = site_name(terminal.site)
    if not targets and not names_server(overrides, terminal.environ):
        enabled(document)
    found = [resolve(name, overrides, terminal.environ, document=document, site=site) for name in names]
    if everything:
        found = [profile for profile in found if profile.delivery == "network"]
        if not found:
            raise UsageProblem("No enabled profile delivers over the network.", "See: smtpctl profile list")
    return [_asked(terminal, found[0])] if len(found) == 1 else found


def _asked(terminal: Terminal, profile: Profile) -> Profile:
    """With a user name and no password somebody at a terminal is asked for it; who gives none goes without a login."""
    if terminal.no_input or not profile.lacks_password:
        return profile
    where = profile.endpoint.host or profile.endpoint.path
    given = terminal.ask_secret(f"Password of {profile.username} at {where} (empty: do not log in)")
    return profile.with_password(given) if given else profile


def run(
    terminal: Terminal,
    chosen: Sequence[Profile],
    work: Work,
    *,
    schema: str,
    fail_on: str,
    transcript: Path | None,
    ignore: Sequence[str] = (),
    exit_style: str = "smtpctl",
    put: Put | None = None,
) -> int:
    """Do `work` for each profile, show it as it goes, write the results; the exit status of all, in the format's terms.
    `put` writes the `transcript`."""
    if transcript and len(chosen) > 1:
        raise UsageProblem("--transcript takes the dialogue with one server", "Name one target.")
    work = _counting(work, ignore)
    if exit_style == SWAKS:
        work, fail_on = _like_swaks(work, terminal.format), "never"
    threshold = None if fail_on == "never" else Severity.parse(fail_on)
    renderer = terminal.renderer(schema, threshold)
    try:
        if len(chosen) == 1 and isinstance(renderer, TextRenderer):
            reports = [_one(terminal, chosen[0], work, renderer)]
        else:
            reports = _many(terminal, chosen, work)
            terminal.out(renderer.report(reports[0]) if len(reports) == 1 else renderer.reports(reports))
    except KeyboardInterrupt:
        leave_interrupted()
    if transcript and put:
        put(transcript, reports[0].transcript.dumps(), "--transcript")
    if terminal.format != "text":
        _tell_missing(terminal, reports)
    return exit_status(terminal.format, reports, threshold)


def _tell_missing(terminal: Terminal, reports: Sequence[Report]) -> None:
    """Text has said which files were not written; who reads another format hears it on stderr."""
    for file in (file for report in reports for file in report.facts.get("saved", ())):
        if not file["written"]:
            terminal.warn(f"{file['file']} was not written: {file['reason']}.")


def _counting(work: Work, ids: Sequence[str]) -> Work:
    """The work without the findings that do not count. UsageProblem for an id that no finding has."""
    from smtpctl.ops import ignore

    more = ignore.given(ids)
    return lambda profile, around: ignore.applied(work(profile, around), profile, more)


def _like_swaks(work: Work, format: str) -> Work:
    """The work with swaks's codes for what stopped it."""
    if format == "nagios":
        raise UsageProblem("--format nagios has exit codes of its own", "Leave out --exit-style.")
    from smtpctl.model.swaks import styled

    return lambda profile, around: styled(work(profile, around))


def _one(terminal: Terminal, profile: Profile, work: Work, renderer: TextRenderer) -> Report:
    """Rows appear while the session runs."""
    terminal.out(renderer.heading(profile.label, profile.headline))
    with followed(terminal, renderer) as around:
        report = work(profile, around)
    terminal.out(renderer.conclusion(report))
    return report


@contextmanager
def followed(terminal: Terminal, renderer: TextRenderer) -> Iterator[Surroundings]:
    """What a session takes that is shown row by row; at a terminal the last line says what is waited for. Warnings come
    behind the rows."""
    held: list[Finding] = []

    def show(row: StageResult) -> None:
        terminal.passing("")
        terminal.out(renderer.stage_line(row))
        terminal.stdout.flush()

    def watch(event: Any) -> None:
        terminal.passing("")
        if terminal.verbosity:
            terminal.say(renderer.event_line(event).rstrip("\n"))

    def wait(stage: Stage, seconds: float) -> None:
        terminal.passing(renderer.waiting_line(stage, seconds))

    watching = watch if terminal.verbosity or terminal.live else None
    terminal.stdout.flush()
    try:
        waiting = wait if terminal.live else None
        yield surroundings(terminal, show=show, watch=watching, wait=waiting, warn=held.append)
    finally:
        terminal.passing("")
        for finding in held:
            terminal.warn(finding.title)


def _many(terminal: Terminal, chosen: Sequence[Profile], work: Work) -> list[Report]:
    """Several targets at once, one thread each; asking for a password would mix them up, so nobody is asked."""
    around = surroundings(terminal)
    if len(chosen) == 1:
        return [work(chosen[0], around)]
    from smtpctl.ops.threads import at_once
    from smtpctl.render.progress import progress

    labels = [profile.label for profile in chosen]
    shown = progress(terminal.stderr, labels, terminal.err_canvas, live=terminal.err_live, quiet=terminal.quiet)

    def one(profile: Profile) -> Report:
        def show(row: StageResult) -> None:
            shown.stage(profile.label, row.stage)

        report = work(profile, around._replace(prompt=None, show=show, say=None))
        shown.done(report)
        return report

    with shown:
        return at_once(one, chosen)


def surroundings(terminal: Terminal, **more: Any) -> Surroundings:
    """What a use case takes from the command line's world; `more` are fields of Surroundings."""
    prompt = None if terminal.no_input else lambda label: terminal.ask_secret(label.rstrip(": ")).reveal()
    talk = {"warn": lambda finding: terminal.warn(finding.title), "say": terminal.say}
    return Surroundings(terminal.environ, prompt, **{**talk, **more})
