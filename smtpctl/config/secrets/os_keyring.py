"""The operating system's keyring. `keyring` is imported here and nowhere else.

Rules: only a keyring of the operating system, or one that the user named, is used. A back end that keeps secrets in
plain text, throws them away or asks on standard input is refused, whatever the library would choose: without a D-Bus
session it falls back to `keyrings.alt` silently. A chain of back ends is never used as such; its first safe member is.
Every call has limited time, because an unlock question may wait on a desktop that nobody looks at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from smtpctl.config.secrets import parts
from smtpctl.config.secrets.problems import problem
from smtpctl.model.errors import Problem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK, Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "smtpctl"
TIMEOUT = 60.0  # seconds; somebody may have to type the keyring's password
# Windows: CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 * 512 octets of UTF-16 (wincred.h). A longer value fails with error 1783.
WINDOWS_LIMIT = 1280  # UTF-16 code units

T = TypeVar("T")

# The operating systems' own keyrings, as modules, and what people call them.
NATIVE: Mapping[str, str] = {
    "keyring.backends.SecretService": "Secret Service (GNOME Keyring, KeePassXC)",
    "keyring.backends.kwallet": "KWallet",
    "keyring.backends.libsecret": "libsecret",
    "keyring.backends.macOS": "macOS Keychain",
    "keyring.backends.Windows": "Windows Credential Manager",
}
_NULL = "keyring.backends.null"
# Never used, with the reason. A name stands for the module and all below it.
REFUSED: Mapping[str, str] = {
    "keyrings.alt": "It keeps secrets in files in plain text, or asks for a password on standard input",
    "keyrings.cryptfile": "It asks for a password on standard input",
    _NULL: "It forgets what it is given",
}
_NONE = "keyring.backends.fail"
_CHAIN = "keyring.backends.chainer"


class Candidate(NamedTuple):
    """One keyring that was looked at: `usable`, or `reason` says why not. `chosen` for the one that is used."""

    name: str
    usable: bool
    reason: str = ""
    chosen: bool = False


class Keyring:
    """One safe back end with the entries of smtpctl.

    `limit` is the longest value in UTF-16 code units that the back end takes (None: any); longer ones are kept in
    parts. Problems: `secret.keyring_locked`, `secret.keyring_init`, `secret.keyring_timeout`, `secret.no_keyring`,
    `secret.keyring_failed`.
    """

    def __init__(self, backend: KeyringBackend, *, limit: int | None = None, timeout: float = TIMEOUT) -> None:
        self._backend = backend
        self._limit = limit
        self._timeout = timeout

    @property
    def name(self) -> str:
        """What people call the back end."""
        return describe(self._backend)

    def get(self, entry: str) -> Secret:
        """The secret of an entry; Problem `secret.not_found`, `secret.damaged`."""
        value = self._read(entry)
        if value is None:
            raise problem("not_found", entry=entry, backend=self.name)
        if not value.startswith(parts.HEADER):
            return Secret(value)
        joined = parts.join(value, [self._read(name) for name in _parts(entry, value)])
        if joined is None:
            raise problem("damaged", entry=entry)
        return Secret(joined)

    def set(self, entry: str, secret: Secret) -> None:
        """Store a secret, in place of the one that was there."""
        value, before = secret.reveal(), self._read(entry)
        head = value
        if parts.needed(value, self._limit):
            pieces = parts.split(value, self._limit)
            head = parts.header(pieces)
            for name, piece in zip(_parts(entry, head), pieces, strict=True):
                self._write(name, piece)
        self._write(entry, head)
        for name in _parts(entry, before)[parts.count(head) :]:
            self._delete(name)

    def remove(self, entry: str) -> bool:
        """Remove an entry; whether there was one."""
        before = self._read(entry)
        for name in _parts(entry, before):
            self._delete(name)
        return self._delete(entry)

    def _read(self, entry: str) -> str | None:
        return _call("read", entry, lambda: self._backend.get_password(SERVICE, entry), self._timeout)

    def _write(self, entry: str, value: str) -> None:
        _call("store", entry, lambda: self._backend.set_password(SERVICE, entry, value), self._timeout, value)

    def _delete(self, entry: str) -> bool:
        if self._read(entry) is None:
            return False
        _call("remove", entry, lambda: self._backend.delete_password(SERVICE, entry), self._timeout)
        return True


def open_keyring(environ: Mapping[str, str] | None = None, entry: str = "", timeout: float = TIMEOUT) -> Keyring:
    """The keyring to use; Problem `secret.no_keyring` or `secret.unsafe_backend`, which are about `entry`."""
    backend = _choose(environ, timeout, entry)
    limit = WINDOWS_LIMIT if _module(backend) == "keyring.backends.Windows" else None
    return Keyring(backend, limit=limit, timeout=timeout)


def candidates(environ: Mapping[str, str] | None = None, timeout: float = TIMEOUT) -> tuple[Candidate, ...]:
    """Every keyring known here, why each can be used or not, and which one is."""
    try:
        chosen = _module(_choose(environ, timeout))
    except Problem:
        chosen = ""
    reasons = _reasons(timeout)
    found = [Candidate(NATIVE[name], not reason, reason, name == chosen) for name, reason in reasons.items()]
    for backend in _installed(timeout):
        name = _module(backend)
        if name not in (*NATIVE, _NONE, _NULL, _CHAIN):
            reason = _why_refused(backend, environ)
            found.append(Candidate(describe(backend), not reason, reason, name == chosen))
    return tuple(found)


def describe(backend: object) -> str:
    """What people call a back end: a name of NATIVE, else its class."""
    return NATIVE.get(_module(backend)) or f"{_module(backend)}.{type(backend).__name__}"


def _choose(environ: Mapping[str, str] | None, timeout: float, entry: str = "") -> KeyringBackend:
    """The library's choice if it is safe; from a chain the first safe member."""
    import keyring

    picked: KeyringBackend = _call("start", "", keyring.get_keyring, timeout)
    members = list(getattr(picked, "backends", ())) if _module(picked) == _CHAIN else [picked]
    for backend in members:
        if _module(backend) != _NONE and not _why_refused(backend, environ):
            return backend
    refused = next((backend for backend in members if _module(backend) != _NONE), None)
    if refused is None:
        raise problem("no_keyring", _unavailable(timeout), entry=entry)
    reason = _why_refused(refused, environ)
    raise problem("unsafe_backend", _unavailable(timeout), entry=entry, backend=describe(refused), reason=reason)


def _why_refused(backend: object, environ: Mapping[str, str] | None) -> str:
    """Why a back end is not used; empty where it is."""
    name = _module(backend)
    for prefix, reason in REFUSED.items():
        if name == prefix or name.startswith(f"{prefix}."):
            return reason
    if name in NATIVE or _named_by_user(backend, os.environ if environ is None else environ):
        return ""
    return "It is no keyring of the operating system, and PYTHON_KEYRING_BACKEND does not name it"


def _named_by_user(backend: object, environ: Mapping[str, str]) -> bool:
    return environ.get("PYTHON_KEYRING_BACKEND", "") == f"{_module(backend)}.{type(backend).__name__}"


def _unavailable(timeout: float) -> list[str]:
    """One line for each keyring of an operating system that does not answer: why."""
    return [f"{NATIVE[name]}: {reason}" for name, reason in _reasons(timeout).items() if reason]


def _reasons(timeout: float) -> dict[str, str]:
    """For each module of NATIVE why its keyring cannot work here, in the library's words; empty where it can."""
    return _call("start", "", lambda: {name: _reason(name) for name in NATIVE}, timeout)


def _reason(module: str) -> str:
    from importlib import import_module

    from keyring.backend import KeyringBackend

    reason = "not on this operating system"
    try:
        for thing in vars(import_module(module)).values():
            if isinstance(thing, type) and issubclass(thing, KeyringBackend) and thing.__module__ == module:
                try:
                    _ = thing.priority  # raises with the reason
                except RuntimeError as error:
                    reason = str(error)
                else:
                    return ""
    except ImportError as error:
        reason = str(error)
    return reason


def _installed(timeout: float) -> list[KeyringBackend]:
    import keyring.backend

    found: list[KeyringBackend] = _call("start", "", keyring.backend.get_all_keyring, timeout)
    return sorted(found, key=_module)


def _module(backend: object) -> str:
    return type(backend).__module__


# Names of exception classes, looked for along the class's ancestors: the library's own, and those of the service below.
_ERRORS: Mapping[str, str] = {
    "NoKeyringError": "no_keyring",
    "KeyringLocked": "keyring_locked",
    "LockedException": "keyring_locked",
    "PromptDismissedException": "keyring_locked",
    "InitError": "keyring_init",
    "SecretServiceNotAvailableException": "no_keyring",
}


def _call(action: str, entry: str, function: Callable[[], T], timeout: float, value: str = "") -> T:
    """Run one call of the library in a thread, so that its time is limited, and translate what it raises.

    Back ends raise what they like (pywintypes.error is no KeyringError), hence the breadth.
    """
    import threading

    done: dict[str, Any] = {}

    def run() -> None:
        try:
            done["value"] = function()
        except Exception as error:
            done["error"] = error

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise problem("keyring_timeout", seconds=f"{timeout:g}")
    if error := done.get("error"):
        raise _translate(error, action, entry, value) from None
    result: T = done["value"]
    return result


def _translate(error: Exception, action: str, entry: str, value: str) -> Problem:
    words = f"{type(error).__name__}: {error}"
    if value:
        words = words.replace(value, MASK)
    names = (ancestor.__name__ for ancestor in type(error).__mro__)
    name = next((_ERRORS[name] for name in names if name in _ERRORS), "keyring_failed")
    about = {"entry": entry} if entry else {}
    return problem(name, [words], action=action, **about)


def _parts(entry: str, head: str | None) -> list[str]:
    """The entries of the parts that the value of an entry speaks of."""
    return [f"{entry}#{number}" for number in range(1, parts.count(head) + 1)]
