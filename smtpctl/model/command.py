"""Commands that a user copies: words as a shell reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The options of every command that say where settings come from, and the commands that have to be told.
_READERS: Mapping[str, tuple[str, ...]] = {
    "--config": (
        "check", "config", "diagnose", "guide", "oauth", "profile", "report", "secret", "site", "test-send", "validate",
    ),
    "--site": ("check", "diagnose", "report", "test-send", "validate"),
}  # fmt: skip
_PLAIN = re.compile(r"(?a:[\w@%+=:,./-]+)\Z")


def quoted(word: str) -> str:
    """The word as a shell reads it; most need no quotes, and no library."""
    if _PLAIN.match(word):
        return word
    import shlex

    return shlex.quote(word)


def sourced(command: str, sources: Mapping[str, str]) -> str:
    """A command of smtpctl with the options by which this run got its settings (`sources`, by option), where it needs them
    and does not have them; any other command as it is."""
    program, _, rest = f"{command} ".partition(" ")
    if program != "smtpctl":
        return command
    missing = {name: value for name, value in sources.items() if f" {name} " not in f" {rest}"}
    verb = rest.partition(" ")[0]
    return " ".join(
        [command, *(f"{name} {quoted(value)}" for name, value in missing.items() if verb in _READERS[name])]
    )
