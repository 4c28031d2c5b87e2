"""`smtpctl profile import` and `export`: other programs' settings. `cli/profile.py` takes both into its group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from smtpctl.cli import stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, Option
from smtpctl.cli.terminal import Terminal
from smtpctl.model.finding import Severity
from smtpctl.ops.presets import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtpctl.model.finding import Finding

File = Annotated[str, Argument(metavar="FILE", help="The file to read; - for standard input.")]
FormatName = Literal[FORMATS]  # type: ignore[valid-type]  # which there are is only known from their folder
From = Annotated[FormatName, Option("--from", help="The program whose settings they are.")]
To = Annotated[FormatName, Option("--to", help="The program whose settings they become.")]
Name = Annotated[str, Option("--name", metavar="NAME", help="Name of the profile (default: the format's).")]
SecretStore = Annotated[
    str, Option("--secret-store", metavar="STORE", help="Where secrets are kept: keyring or file:DIR/.")
]
Replace = Annotated[bool, Option("--replace", help="Replace profiles that have the names already.")]
Names = Annotated[
    list[str] | None, Argument(metavar="PROFILE", help="Names of profiles. Without one: the default, or all.")
]
Reveal = Annotated[bool, Option("--reveal", help="Write secrets instead of masks.")]
Strict = Annotated[bool, Option("--strict", help="Exit 1 where something has no place in the format.")]


def add_to(app: Noun) -> None:
    """Take `import` and `export` into a group."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    terminal: Terminal,
    from_: From,
    file: File,
    name: Name = "",
    secret_store: SecretStore = "keyring",
    replace: Replace = False,
) -> None:
    """Make profiles from another program's settings.

    $ smtpctl profile import --from contensis settings.txt
    $ smtpctl profile import --from kentico web.config --name cms --secret-store file:/etc/smtpctl/secrets/
    $ ssh web cat web.config | smtpctl profile import --from kentico -

    Nothing is stored when a value is wrong or a placeholder like <password> is left. Secrets go to the keyring.
    """
    from smtpctl.ops import profile_io

    text = profile_io.read_text(file, terminal.stdin.buffer)
    done = profile_io.import_(
        stored.document(terminal),
        from_,
        text,
        terminal.environ,
        name=name,
        site=stored.site(terminal),
        secret_store=secret_store,
        replace=replace,
        source="standard input" if file == "-" else file,
    )
    if terminal.format == "json":
        findings = [finding.to_json() for finding in done.findings]
        data = {"profiles": list(done.profiles), "settings": list(done.scope), "findings": findings}
        terminal.document("profile.import/1", data)
        return
    _say(terminal, done.findings)
    terminal.say(_summary(done.profiles, done.scope))


def export(terminal: Terminal, to: To, names: Names = None, reveal: Reveal = False, strict: Strict = False) -> int:
    """Write profiles as another program's settings.

    $ smtpctl profile export --to contensis office
    $ smtpctl profile export --to kentico > servers.xml

    Secrets are masked unless --reveal is given. What the format has no place for is said.
    """
    from smtpctl.ops import profile_io

    done = profile_io.export(
        stored.document(terminal), to, names or (), terminal.environ, site=stored.site(terminal), reveal=reveal
    )
    if terminal.format == "json":
        findings = [finding.to_json() for finding in done.findings]
        terminal.document("profile.export/1", {"text": done.text, "findings": findings})
    else:
        terminal.out(done.text)
        _say(terminal, done.findings)
    return int(strict and any(finding.severity >= Severity.WARNING for finding in done.findings))


def _say(terminal: Terminal, findings: Sequence[Finding]) -> None:
    for finding in findings:
        where = next((f"{e.label} " for e in finding.evidence if e.label), "")
        words = f"{where}{finding.title}  ({finding.id})"
        (terminal.warn if finding.severity >= Severity.WARNING else terminal.say)(words)


def _summary(profiles: Sequence[str], settings: Sequence[str]) -> str:
    parts = []
    if profiles:
        parts.append(f"the profile{'s' * (len(profiles) > 1)} {', '.join(profiles)}")
    if settings:
        parts.append(f"the setting{'s' * (len(settings) > 1)} {', '.join(settings)}")
    return f"Imported {' and '.join(parts)}." if parts else "There was nothing to import."
