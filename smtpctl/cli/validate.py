"""`smtpctl validate`: whether the configuration is right; no network. The command for CI."""

from __future__ import annotations

from typing import Annotated, Literal

from smtpctl.cli.command import verb
from smtpctl.cli.options import FINDINGS, Argument, FailOn, Ignores, Option, Settings
from smtpctl.cli.terminal import Terminal
from smtpctl.config import store
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus


@verb(formats=FINDINGS)
def command(
    terminal: Terminal,
    settings: Settings,
    targets: Annotated[
        list[str] | None, Argument("TARGET", "Profiles, host[:port], or URLs. Without one: the whole file.")
    ] = None,
    fail_on: FailOn = "error",
    ignore: Ignores = None,
    strict: Annotated[bool, Option("--strict", help="Same as --fail-on warning.", heading="Output")] = False,
    platform: Annotated[
        Literal["azure", "windows", "other"] | None,
        Option("--platform", help="Where it will run (default: as found).", heading="Sending", default_shown=False),
    ] = None,
) -> ExitStatus:
    """Check the configuration without a network.

    $ smtpctl validate
    $ smtpctl validate office --strict
    $ smtpctl validate --host smtp.example.com --port 465 --tls starttls
    $ smtpctl validate --format github

    Without a name all profiles and scopes of the file are looked at; options stand in for a profile's settings.
    """
    from smtpctl.ops.validate import validate

    threshold = Severity.WARNING if strict else None if fail_on == "never" else Severity.parse(fail_on)
    document = store.read(terminal.config, terminal.environ)
    site = terminal.site or ""
    found = validate(
        document, targets or (), settings, terminal.environ, site=site, platform=platform or "", ignore=ignore or ()
    )
    made = terminal.renderer("validate/1", threshold)
    terminal.out(made.findings(found.findings, subject=found.subject, ignored=found.ignored))
    reached = threshold is not None and any(finding.severity >= threshold for finding in found.findings)
    return ExitStatus.FINDINGS if reached else ExitStatus.OK
