"""`smtpctl validate`: whether the configuration is right; no network. The command for CI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from smtpctl.cli.command import verb
from smtpctl.cli.options import FINDINGS, Argument, FailOn, Ignores, Option, Settings
from smtpctl.cli.terminal import Terminal
from smtpctl.config import store
from smtpctl.config.scope import site_name
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus


@verb(formats=FINDINGS)
def command(
    terminal: Terminal,
    settings: Settings,
    targets: Annotated[
        list[str] | None,
        Argument("TARGET", "Profiles, host[:port], URLs, or .toml files. Without one: the whole file."),
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
    $ smtpctl validate smtpctl.toml staging/smtpctl.toml

    Without a name all profiles and scopes of the file are looked at; options stand in for a profile's settings. A name
    that ends in .toml is a configuration file to look at instead of your own.
    """
    from smtpctl.ops.validate import validate, validate_files

    threshold = Severity.WARNING if strict else None if fail_on == "never" else Severity.parse(fail_on)
    more: dict[str, Any] = {"site": site_name(terminal.site), "platform": platform or "", "ignore": ignore or ()}
    if files := _files(targets or (), settings):
        found = validate_files(files, terminal.environ, **more)
    else:
        document = store.read(terminal.config, terminal.environ)
        found = validate(document, targets or (), settings, terminal.environ, **more)
    made = terminal.renderer("validate/1", threshold)
    terminal.out(made.findings(found.findings, subject=found.subject, ignored=found.ignored))
    reached = threshold is not None and any(finding.severity >= threshold for finding in found.findings)
    return ExitStatus.FINDINGS if reached else ExitStatus.OK


def _files(targets: Sequence[str], settings: Mapping[str, Any]) -> list[Path]:
    """The configuration files that are named; UsageProblem where something else is named beside them."""
    files = [Path(target) for target in targets if target.endswith(".toml")]
    if files and (len(files) < len(targets) or settings):
        raise UsageProblem("Files are looked at whole: no profile or setting goes with them.")
    return files
