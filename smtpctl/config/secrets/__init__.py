"""Secrets: kept anywhere but in the configuration, fetched when they are needed.

`fetch` is the one way from a reference to a secret; `store` and `remove` change the two places that smtpctl writes to,
the keyring and files. Nothing here falls back from one place to another: a reference names one place, and where that
does not give the secret the Problem says why and what else can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from smtpctl.config.secrets.problems import problem
from smtpctl.config.secrets.refs import Kind, SecretRef, from_settings, keyring_entry, parse, to_settings
from smtpctl.model.finding import Finding
from smtpctl.model.secret import Secret

__all__ = ["Kind", "SecretRef", "fetch", "from_settings", "keyring_entry", "parse", "remove", "store", "to_settings"]

Prompt = Callable[[str], str]
Warn = Callable[[Finding], None]


def fetch(
    ref: SecretRef,
    environ: Mapping[str, str],
    prompt: Prompt | None = None,
    *,
    label: str = "Password: ",
    stdin: BinaryIO | None = None,
    warn: Warn | None = None,
    hidden: frozenset[str] = frozenset(),
) -> Secret:
    """The secret that `ref` stands for.

    `prompt(label)` asks without echo (None: there is nobody to ask); `stdin` is read instead of the process's
    standard input; `warn` gets findings that do not stop anything; `hidden` are variables of other secrets, which no
    program is given. Problem with an id of the family `secret`.
    """
    from smtpctl.config.secrets import places

    match ref.kind:
        case Kind.LITERAL:
            return ref.literal
        case Kind.ENV:
            return places.variable(ref.value, environ)
        case Kind.FILE:
            return places.file(ref.value, warn)
        case Kind.FD:
            return places.descriptor(ref.value)
        case Kind.CREDENTIAL:
            return places.credential(ref.value, environ)
        case Kind.STDIN:
            return places.stream(stdin or _stdin())
        case Kind.PROMPT:
            return _ask(prompt, label)
        case Kind.COMMAND:
            from smtpctl.config.secrets import command

            return command.run(ref, environ, hidden=hidden)
        case Kind.KEYRING:
            from smtpctl.config.secrets import os_keyring

            return os_keyring.open_keyring(environ, ref.value).get(ref.value)


def store(ref: SecretRef, secret: Secret, environ: Mapping[str, str]) -> None:
    """Put a secret where `ref` says: the keyring or a file. Problem `secret.not_writable` for every other place."""
    if ref.kind is Kind.KEYRING:
        from smtpctl.config.secrets import os_keyring

        os_keyring.open_keyring(environ, ref.value).set(ref.value, secret)
    elif ref.kind is Kind.FILE:
        from smtpctl.config.secrets import places

        places.write_file(ref.value, secret)
    else:
        raise problem("not_writable", place=str(ref), reason="Only the keyring and files can be written")


def remove(ref: SecretRef, environ: Mapping[str, str]) -> bool:
    """Remove a secret; whether there was one. Problem `secret.not_writable` for what smtpctl does not write to."""
    if ref.kind is Kind.KEYRING:
        from smtpctl.config.secrets import os_keyring

        return os_keyring.open_keyring(environ, ref.value).remove(ref.value)
    if ref.kind is Kind.FILE:
        from smtpctl.config.secrets import places

        return places.remove_file(ref.value)
    raise problem("not_writable", place=str(ref), reason="Only the keyring and files can be written")


def _stdin() -> BinaryIO:
    import sys

    return sys.stdin.buffer


def _ask(prompt: Prompt | None, label: str) -> Secret:
    if prompt is None:
        raise problem("no_prompt")
    answer = prompt(label)
    if not answer:
        raise problem("empty", place="The prompt")
    return Secret(answer)
