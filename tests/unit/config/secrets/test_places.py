"""Variables, files, descriptors, credentials and standard input."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from smtpctl.config.secrets import Kind, SecretRef, fetch, places, remove, store, text
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret

CANARY = "hunter2-canary"
posix = pytest.mark.skipif(os.name == "nt", reason="rights are POSIX's")


def refused(ref: SecretRef, environ: dict[str, str] | None = None) -> Finding:
    with pytest.raises(Problem) as caught:
        fetch(ref, environ or {})
    assert CANARY not in str(caught.value.finding)
    assert caught.value.status is ExitStatus.CONFIG
    return caught.value.finding


def test_variable() -> None:
    assert fetch(SecretRef(Kind.ENV, "X"), {"X": CANARY}).reveal() == CANARY
    assert refused(SecretRef(Kind.ENV, "X")).id == "secret.env_unset"
    assert "(empty)" in refused(SecretRef(Kind.ENV, "X"), {"X": ""}).message


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    store(SecretRef(Kind.FILE, str(path)), Secret(CANARY), {})
    warnings: list[Finding] = []
    assert fetch(SecretRef(Kind.FILE, str(path)), {}, warn=warnings.append).reveal() == CANARY
    assert not warnings
    assert path.read_text() == f"{CANARY}\n"


def test_missing_file(tmp_path: Path) -> None:
    found = refused(SecretRef(Kind.FILE, str(tmp_path / "none")))
    assert found.id == "secret.file_unreadable"
    assert "No such file" in found.message
    assert refused(SecretRef(Kind.FILE, str(tmp_path))).id == "secret.file_unreadable"


@posix
@pytest.mark.parametrize(("mode", "who"), [(0o600, ""), (0o400, ""), (0o640, "member of its group"), (0o644, "user")])
def test_rights_of_a_file(tmp_path: Path, mode: int, who: str) -> None:
    path = tmp_path / "secret"
    path.write_text(CANARY)
    path.chmod(mode)
    warnings: list[Finding] = []
    places.file(str(path), warnings.append)
    assert [found.id for found in warnings] == (["secret.file_permissions"] if who else [])
    assert all(f"every {who}" in found.message and f"{mode:04o}" in found.message for found in warnings)


@posix
def test_written_files_are_private_and_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret"
    for value in ("first", CANARY):
        places.write_file(str(path), Secret(value))
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_text() == f"{CANARY}\n"


def test_unwritable_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem) as caught:
        places.write_file(str(tmp_path / "file" / "secret"), Secret(CANARY))
    assert caught.value.finding.id == "secret.not_writable"
    assert caught.value.status is ExitStatus.CANNOT_CREATE


def test_removed_file(tmp_path: Path) -> None:
    ref = SecretRef(Kind.FILE, str(tmp_path / "secret"))
    store(ref, Secret(CANARY), {})
    assert [remove(ref, {}), remove(ref, {})] == [True, False]


def test_a_file_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"a" * (text.LIMIT * 4))
    assert refused(SecretRef(Kind.FILE, str(path))).id == "secret.too_large"


def test_descriptor_is_read_to_its_end_and_closed() -> None:
    reader, writer = os.pipe()
    for piece in (CANARY[:3].encode(), CANARY[3:].encode(), b"\n"):
        os.write(writer, piece)
    os.close(writer)
    ref = SecretRef(Kind.FD, str(reader))
    assert fetch(ref, {}).reveal() == CANARY
    assert refused(ref).id == "secret.fd_closed"


def test_credential(tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text(f"{CANARY}\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert fetch(SecretRef(Kind.CREDENTIAL, "smtp"), environ).reveal() == CANARY
    for name, given in (("smtp", {}), ("none", environ), ("../smtp", environ), ("..", environ)):
        assert refused(SecretRef(Kind.CREDENTIAL, name), given).id == "secret.credential_missing"


def test_standard_input() -> None:
    stdin = io.BytesIO(f"{CANARY}\nSubject: not this\n".encode())
    assert fetch(SecretRef(Kind.STDIN), {}, stdin=stdin).reveal() == CANARY
    assert stdin.read() == b"Subject: not this\n"


def test_prompt() -> None:
    asked: list[str] = []

    def answer(label: str) -> str:
        asked.append(label)
        return CANARY

    assert fetch(SecretRef(Kind.PROMPT), {}, answer, label="Password of work: ").reveal() == CANARY
    assert asked == ["Password of work: "]
    assert refused(SecretRef(Kind.PROMPT)).id == "secret.no_prompt"
    with pytest.raises(Problem):
        fetch(SecretRef(Kind.PROMPT), {}, lambda label: "")


@pytest.mark.parametrize("kind", [Kind.ENV, Kind.COMMAND, Kind.PROMPT])
def test_other_places_are_not_written(kind: Kind) -> None:
    for change in (lambda: store(SecretRef(kind, "X"), Secret(CANARY), {}), lambda: remove(SecretRef(kind, "X"), {})):
        with pytest.raises(Problem) as caught:
            change()
        assert caught.value.finding.id == "secret.not_writable"
