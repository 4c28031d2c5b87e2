"""The sample mails."""

from __future__ import annotations

import re

import pytest

from smtpctl.message import samples


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_kind(kind: str) -> None:
    sample = samples.sample(kind)
    assert sample.category == kind
    assert sample.subject
    assert not sample.subject.startswith("Subject")
    assert not (sample.text + sample.html + sample.subject).isascii()
    for host in re.findall(r"https?://([^/\s\"<]+)", sample.text + sample.html):
        assert host.endswith(".example.com")
    for address in re.findall(r"\S+@(\S+)", sample.text + sample.html):
        assert address.startswith("example.")


def test_no_file_without_a_kind() -> None:
    names = {path.stem for path in (samples._FOLDER).iterdir()}
    assert names == set(samples.KINDS)
    with pytest.raises(KeyError):
        samples.sample("spam")
