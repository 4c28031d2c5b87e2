"""The keyring with back ends of its own: what is refused, long values, and how failures are told.

The real Secret Service is in tests/servers/test_secret_service.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import keyring
import keyring.backend
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import keyring.core
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory_keyring import Memory, unlisted
from smtpctl.config.secrets import Kind, SecretRef, fetch, os_keyring, parts, remove, store
from smtpctl.config.secrets.os_keyring import Keyring
from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret

CANARY = "hunter2-canary"
ENTRY = "profile/work/password"


@unlisted
class Failing(Memory):
    """Raises what it is told to when it is to store something."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


@unlisted
class Hanging(Memory):
    """Answers when it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.released.wait()
        return None


@unlisted
class NativeMemory(Memory):
    """Passes for the operating system's."""


NativeMemory.__module__ = "keyring.backends.SecretService"


@unlisted
class PlaintextKeyring(Memory):
    """Passes for keyrings.alt's."""

    def get_password(self, service: str, username: str) -> str | None:
        raise AssertionError("a refused back end was asked")

    set_password = get_password  # type: ignore[assignment]


PlaintextKeyring.__module__ = "keyrings.alt.file"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Whatever a test makes the library use is undone."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_round_trip() -> None:
    ref = SecretRef(Kind.KEYRING, ENTRY)
    keyring.set_keyring(NativeMemory())
    store(ref, Secret(CANARY), {})
    assert fetch(ref, {}).reveal() == CANARY
    assert [remove(ref, {}), remove(ref, {})] == [True, False]
    with pytest.raises(Problem) as caught:
        fetch(ref, {})
    assert caught.value.finding.id == "secret.not_found"
    assert ENTRY in caught.value.finding.title


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        (keyring.backends.fail.Keyring(), "secret.no_keyring"),
        (keyring.backends.null.Keyring(), "secret.unsafe_backend"),
        (PlaintextKeyring(), "secret.unsafe_backend"),
        (Memory(), "secret.unsafe_backend"),
    ],
)
def test_refused_back_ends(backend: keyring.backend.KeyringBackend, name: str) -> None:
    keyring.set_keyring(backend)
    with pytest.raises(Problem) as caught:
        store(SecretRef(Kind.KEYRING, ENTRY), Secret(CANARY), {})
    finding = caught.value.finding
    assert finding.id == name
    assert caught.value.status is ExitStatus.CONFIG
    assert CANARY not in str(finding)
    choices = [line for cause in finding.causes for remedy in cause.remedies for line in remedy.commands]
    assert all(any(word in line for line in choices) for word in ("password_env", "password_file", "password_command"))
    assert any("Secret Service" in evidence.text for evidence in finding.evidence)


def test_a_back_end_that_the_user_named_is_used() -> None:
    keyring.set_keyring(Memory())
    named = {"PYTHON_KEYRING_BACKEND": f"{Memory.__module__}.Memory"}
    assert "Memory" in os_keyring.open_keyring(named).name
    keyring.set_keyring(PlaintextKeyring())
    with pytest.raises(Problem):
        os_keyring.open_keyring({"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"})


def test_a_chain_gives_its_first_safe_member(monkeypatch: pytest.MonkeyPatch) -> None:
    safe = NativeMemory()
    chain = keyring.backends.chainer.ChainerBackend()
    monkeypatch.setattr(type(chain), "backends", [PlaintextKeyring(), safe])
    keyring.set_keyring(chain)
    store(SecretRef(Kind.KEYRING, ENTRY), Secret(CANARY), {})
    assert safe.entries == {("smtpctl", ENTRY): CANARY}


def test_candidates_say_which_answers_and_why_another_does_not() -> None:
    keyring.set_keyring(NativeMemory())
    found = {candidate.name: candidate for candidate in os_keyring.candidates({})}
    assert found[os_keyring.NATIVE["keyring.backends.SecretService"]].chosen
    assert all(candidate.reason or candidate.usable for candidate in found.values())


LONG = st.text(st.sampled_from("ab\u00e4\u20ac\U0001f511#"), max_size=60)


@given(st.lists(st.one_of(LONG, LONG.map(lambda text: parts.HEADER + text)), min_size=1, max_size=4), st.integers(2, 9))
def test_long_values_are_kept_in_parts(values: list[str], room: int) -> None:
    limit = len(parts.HEADER) + 4 + 17 + room
    backend = Memory(limit)
    ours = Keyring(backend, limit=limit)
    for value in values:
        ours.set(ENTRY, Secret(value * 3))
        assert ours.get(ENTRY).reveal() == value * 3
    assert ours.remove(ENTRY)
    assert backend.entries == {}


def test_the_limit_of_windows() -> None:
    backend = Memory(os_keyring.WINDOWS_LIMIT)
    ours = Keyring(backend, limit=os_keyring.WINDOWS_LIMIT)
    for length in (1279, 1280, 1281, 2561, 10_000):
        ours.set(ENTRY, Secret("x" * (length - 2) + "\U0001f511"))
        assert len(ours.get(ENTRY).reveal()) == length - 1
    with pytest.raises(Problem) as caught:
        Keyring(backend).set(ENTRY, Secret("x" * 1281))
    assert caught.value.finding.id == "secret.keyring_failed"


@pytest.mark.parametrize("fault", ["lost", "foreign"])
def test_parts_that_do_not_belong_together(fault: str) -> None:
    backend = Memory()
    ours = Keyring(backend, limit=60)
    ours.set(ENTRY, Secret(CANARY * 9))
    if fault == "lost":
        del backend.entries["smtpctl", f"{ENTRY}#2"]
    else:
        backend.entries["smtpctl", f"{ENTRY}#2"] = "other"
    with pytest.raises(Problem) as caught:
        ours.get(ENTRY)
    assert caught.value.finding.id == "secret.damaged"
    ours.set(ENTRY, Secret(CANARY))
    assert backend.entries == {("smtpctl", ENTRY): CANARY}


class SomeOtherError(Exception):
    """What a back end raises that knows nothing of keyring.errors."""


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (keyring.errors.NoKeyringError("none"), "secret.no_keyring", ExitStatus.CONFIG),
        (keyring.errors.KeyringLocked("Failed to unlock"), "secret.keyring_locked", ExitStatus.TEMPORARY),
        (keyring.errors.InitError("Failed to create"), "secret.keyring_init", ExitStatus.TEMPORARY),
        (keyring.errors.PasswordSetError("no"), "secret.keyring_failed", ExitStatus.CONFIG),
        (SomeOtherError(1783, CANARY), "secret.keyring_failed", ExitStatus.CONFIG),
    ],
)
def test_failures_are_translated(error: Exception, name: str, status: ExitStatus) -> None:
    with pytest.raises(Problem) as caught:
        Keyring(Failing(error)).set(ENTRY, Secret(CANARY))
    assert (caught.value.finding.id, caught.value.status) == (name, status)
    assert CANARY not in str(caught.value.finding)
    assert caught.value.finding.evidence[0].text.startswith(type(error).__name__)


def test_a_back_end_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no_such_module.Keyring")
    with pytest.raises(Problem) as caught:
        os_keyring.open_keyring()
    assert caught.value.finding.title == "The keyring failed to start"
    assert "no_such_module" in caught.value.finding.evidence[0].text


def test_a_keyring_that_does_not_answer() -> None:
    backend = Hanging()
    with pytest.raises(Problem) as caught:
        Keyring(backend, timeout=0.05).get(ENTRY)
    assert caught.value.finding.id == "secret.keyring_timeout"
    backend.released.set()
