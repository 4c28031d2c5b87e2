"""Where a secret is kept, as a value: what a configuration holds instead of the secret itself.

A reference has two forms. In the file it is one key beside the setting it stands for (`password_env = "X"`,
`password_file = "/run/secrets/x"`, `password_command = ["pass", "show", "x"]`, `password_keyring = true`);
`from_settings` and `to_settings` read and write that. As text it is `KIND:VALUE` (`env:X`, `file:/run/secrets/x`,
`command:pass show x`, `keyring:profile/work/password`); `parse` reads it, `str()` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK, Secret


class Kind(StrEnum):
    """The places a secret can be fetched from."""

    KEYRING = "keyring"  # value: the entry, e.g. `profile/work/password`
    ENV = "env"  # value: the variable
    FILE = "file"  # value: the path
    FD = "fd"  # value: the number of an inherited file descriptor
    COMMAND = "command"  # args: the program and its arguments; no shell
    CREDENTIAL = "credential"  # value: a file in $CREDENTIALS_DIRECTORY (systemd LoadCredential=)
    PROMPT = "prompt"  # asked on the terminal
    STDIN = "stdin"  # the first line of standard input
    LITERAL = "literal"  # the secret itself, as it stood in the configuration


class SecretRef(NamedTuple):
    """One place a secret is fetched from; what `value` and `args` mean is said at `Kind`."""

    kind: Kind
    value: str = ""
    args: tuple[str, ...] = ()
    literal: Secret = Secret("")

    def __str__(self) -> str:
        """The text form; a literal shows as the mask."""
        if self.kind is Kind.COMMAND:
            import shlex

            return f"command:{shlex.join(self.args)}"
        if self.kind is Kind.LITERAL:
            return f"literal:{MASK}"
        return f"{self.kind}:{self.value}" if self.value else str(self.kind)


# Kinds whose text form has a value after the colon, and what to call it in a message.
_VALUES: Mapping[Kind, str] = {
    Kind.KEYRING: "ENTRY",
    Kind.ENV: "NAME",
    Kind.FILE: "PATH",
    Kind.FD: "NUMBER",
    Kind.COMMAND: "PROGRAM ARGUMENTS",
    Kind.CREDENTIAL: "NAME",
}
_FORMS = (*(f"{kind}:{value}" for kind, value in _VALUES.items()), "prompt", "stdin")
# What NAME_file may hold besides a path.
_FILE_FORMS: Mapping[str, Kind] = {"fd": Kind.FD, "credential": Kind.CREDENTIAL}


def keyring_entry(noun: str, name: str, secret: str) -> str:
    """The keyring entry of one secret of one named thing: `profile/work/password`, `oauth/m365/client_secret`."""
    return f"{noun}/{name}/{secret}"


def command(value: str | list[str] | tuple[str, ...], setting: str = "command") -> tuple[str, ...]:
    """The program and its arguments; a text is split as a shell splits it, but no shell ever runs.

    UsageProblem where the quotes do not close or nothing is left.
    """
    import shlex

    try:
        args = tuple(shlex.split(value)) if isinstance(value, str) else tuple(value)
    except ValueError as error:
        raise UsageProblem(f"{setting}: {value!r}: {error}", 'write a list: ["pass", "show", "smtp"]') from None
    if not args or not args[0]:
        raise UsageProblem(f"{setting}: no program is named", 'write a list: ["pass", "show", "smtp"]')
    return args


def parse(text: str) -> SecretRef:
    """A reference from its text form; UsageProblem names the forms."""
    word, colon, value = text.partition(":")
    try:
        kind = Kind(word)
    except ValueError:
        kind = Kind.LITERAL
    if kind in (Kind.PROMPT, Kind.STDIN) and not colon:
        return SecretRef(kind)
    if kind not in _VALUES or not value:
        # The text is not shown: a user may have put the secret itself here.
        raise UsageProblem("not a place for a secret", f"one of {', '.join(_FORMS)}")
    if kind is Kind.COMMAND:
        return SecretRef(kind, args=command(value))
    return SecretRef(kind, _number(value) if kind is Kind.FD else value)


def from_settings(name: str, settings: Mapping[str, object], entry: str) -> SecretRef | None:
    """The reference that the settings of the secret `name` make, or None where none of them is set.

    `entry` is the keyring entry that `NAME_keyring = true` means. Where several are set the first of
    `NAME`, `NAME_file`, `NAME_env`, `NAME_command`, `NAME_keyring` counts; validation reports the others.
    """
    if literal := settings.get(name):
        return SecretRef(Kind.LITERAL, literal=literal if isinstance(literal, Secret) else Secret(str(literal)))
    if path := settings.get(f"{name}_file"):
        return _file(str(path))
    if variable := settings.get(f"{name}_env"):
        return SecretRef(Kind.ENV, str(variable))
    if line := settings.get(f"{name}_command"):
        words = line if isinstance(line, (str, list, tuple)) else str(line)
        return SecretRef(Kind.COMMAND, args=command(words, f"{name}_command"))
    if settings.get(f"{name}_stdin"):
        return SecretRef(Kind.STDIN)
    if settings.get(f"{name}_keyring"):
        return SecretRef(Kind.KEYRING, entry)
    return None


def to_settings(name: str, ref: SecretRef) -> dict[str, str | bool | list[str]]:
    """The one setting that stands for `ref` in the file; nothing for what only makes sense for one run.

    A literal is written as nothing too: secrets do not go into the file.
    """
    forms: dict[Kind, tuple[str, str | bool | list[str]]] = {
        Kind.FILE: ("file", ref.value),
        Kind.FD: ("file", f"fd:{ref.value}"),
        Kind.CREDENTIAL: ("file", f"credential:{ref.value}"),
        Kind.ENV: ("env", ref.value),
        Kind.COMMAND: ("command", list(ref.args)),
        Kind.KEYRING: ("keyring", True),
    }
    if ref.kind not in forms:
        return {}
    suffix, value = forms[ref.kind]
    return {f"{name}_{suffix}": value}


def _file(path: str) -> SecretRef:
    if path == "-":
        return SecretRef(Kind.STDIN)
    word, colon, value = path.partition(":")
    kind = _FILE_FORMS.get(word) if colon and value else None
    if kind is None:
        return SecretRef(Kind.FILE, path)
    return SecretRef(kind, _number(value) if kind is Kind.FD else value)


def _number(text: str) -> str:
    if not text.isascii() or not text.isdigit():
        raise UsageProblem(f"fd:{text}: not the number of a file descriptor", "for example fd:3")
    return text
