"""The files that options of a session name: judged before anything is sent, written where they are, or to stdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smtpctl.cli.terminal import Terminal
from smtpctl.config.fields import FIELDS, OAUTH_FIELDS, Type
from smtpctl.config.profile import Profile
from smtpctl.model.errors import UsageProblem

if TYPE_CHECKING:
    from smtpctl.ops.files import Put


def prepared(
    terminal: Terminal,
    outputs: Mapping[str, Path | None],
    chosen: Sequence[Profile],
    reads: Mapping[str, Path | None] = {},
) -> Put | None:
    """What writes these files, by the option that names each; None where there are none. `reads` are options whose files
    are read. Where one is `-`, stdout is its own and the results are talk. UsageProblem for a file that must not be
    written."""
    named = {option: path for option, path in outputs.items() if path}
    if not named:
        return None
    from smtpctl.ops import files

    inputs = {option: str(path) for option, path in reads.items() if path}
    for profile in chosen:
        inputs |= _read(profile)
    if terminal.config:
        inputs["--config"] = str(terminal.config)
    files.judge(named, inputs)
    taken = next((option for option, path in named.items() if str(path) == files.STDOUT), "")
    if not taken:
        return files.put
    if terminal.format != "text":
        raise UsageProblem(
            f"{taken} - prints the file itself.", f"Leave out the format {terminal.format}, or name a file."
        )
    stdout = terminal.aside()

    def put(path: Path, text: str, option: str) -> None:
        if str(path) != files.STDOUT:
            files.put(path, text, option)
            return
        stdout.write(text)
        stdout.flush()

    return put


def _read(profile: Profile) -> dict[str, str]:
    """Every file that a profile names."""
    from smtpctl.config.secrets.refs import Kind

    held = [(FIELDS, profile.values)] + ([(OAUTH_FIELDS, profile.oauth.values)] if profile.oauth else [])
    found = {
        field.name: str(values[field.name])
        for fields, values in held
        for field in fields
        if field.type is Type.PATH and values.get(field.name)
    }
    secret = profile.secret_ref
    return {**found, "password_file": secret.value} if secret and secret.kind is Kind.FILE else found
