"""Files that options name: which may be written, and how they are put in their place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smtpctl.model.errors import UsageProblem
from smtpctl.ops import files

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
OWN = {
    "--save-chain": PEM * 2,
    "--save-baseline": '{\n  "schema": "smtpctl.baseline/1"\n}\n',
    "--transcript": '{"at": 0.0, "stage": "dns"}\n',
}


@pytest.mark.parametrize("option", files.OURS)
def test_only_a_file_of_the_same_kind_is_replaced(tmp_path: Path, option: str) -> None:
    path = tmp_path / "file"
    files.judge({option: path}, {})
    for text in ("", OWN[option]):
        path.write_text(text)
        files.judge({option: path}, {})
    for text in ("old", KEY, PEM + KEY, KEY + PEM, "{}", *(own for other, own in OWN.items() if other != option)):
        path.write_text(text)
        with pytest.raises(UsageProblem, match="what is there is not"):
            files.judge({option: path}, {})


@pytest.mark.parametrize("option", files.OURS)
def test_a_link_is_not_followed(tmp_path: Path, option: str) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(UsageProblem, match="it is a link"):
        files.judge({option: link}, {})
    target.write_text(OWN[option])
    with pytest.raises(UsageProblem, match="it is a link"):
        files.judge({option: link}, {})
    files.put(link, "new", option)  # a link that came after the look
    assert (target.read_text(), link.read_text(), link.is_symlink()) == (OWN[option], "new", False)


def test_a_new_file_is_private_and_one_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    files.put(path, PEM, "--save-chain")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    files.put(path, PEM, "--save-chain")
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_takes_the_text(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as read:
        path = Path(f"/dev/fd/{writer}")
        files.judge({"--transcript": path}, {})
        files.put(path, OWN["--transcript"], "--transcript")
        os.close(writer)
        assert read.read() == OWN["--transcript"]


def test_a_file_under_another_name_is_the_same(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text(PEM)
    other.hardlink_to(path)
    with pytest.raises(UsageProblem, match="ca_file"):
        files.judge({"--save-chain": path}, {"ca_file": str(other)})
    with pytest.raises(UsageProblem, match="the same file"):
        files.judge({"--save-chain": path, "--transcript": other}, {})
