"""Where caught mail goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smtpctl.protocol.server.values import Mail
from smtpctl.protocol.server.values import Path as MailPath
from smtpctl.sink.capture import Captured, JsonLines, Maildir, Memory, to


def captured(content: bytes = b"Subject: x\r\n\r\n\xc3\xa4\r\n", id_: str = "A1") -> Captured:
    recipients = (MailPath("b@example.com", {"NOTIFY": "NEVER"}), MailPath("c@example.com"))
    return Captured(id_, 1_700_000_000.25, "127.0.0.1", Mail(MailPath("a@b"), recipients, content, "me", "ESMTP"))


def test_memory_keeps_the_last_ones() -> None:
    memory = Memory(keep=1)
    memory.store(captured(id_="A1"))
    memory.store(captured(id_="A2"))
    assert [mail.id for mail in memory.mails] == ["A2"]


def test_maildir(tmp_path: Path) -> None:
    store = to(str(tmp_path / "caught"))
    assert isinstance(store, Maildir)
    store.store(captured())
    (file,) = (tmp_path / "caught" / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert file.read_bytes() == (
        b"Return-Path: <a@b>\nDelivered-To: b@example.com\nDelivered-To: c@example.com\n"
        b"Received: from me (127.0.0.1) by smtpctl sink\n with ESMTP; Tue, 14 Nov 2023 22:13:20 +0000\n"
        b"Subject: x\n\n\xc3\xa4\n"
    )
    assert not list((tmp_path / "caught" / "tmp").iterdir())


def test_json_lines(tmp_path: Path) -> None:
    store = to(str(tmp_path / "caught.jsonl"))
    assert isinstance(store, JsonLines)
    store.store(captured())
    store.store(captured(b"\xff\r\n", "A2"))
    first, second = map(json.loads, (tmp_path / "caught.jsonl").read_text(encoding="utf-8").splitlines())
    assert (first["schema"], first["id"], first["at"]) == ("smtpctl.sink/1", "A1", "2023-11-14T22:13:20.250+00:00")
    assert first["recipients"][0] == {"address": "b@example.com", "parameters": {"NOTIFY": "NEVER"}}
    assert (first["encoding"], first["content"]) == ("utf-8", "Subject: x\r\n\r\nä\r\n")
    assert (second["encoding"], second["content"]) == ("base64", "/w0K")


def test_a_place_that_cannot_be_written_is_known_before_mail_comes(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        to(str(tmp_path / "nowhere" / "caught.jsonl"))


def test_json_lines_take_any_octets_and_show_none_of_them_raw(tmp_path: Path) -> None:
    store = to(str(tmp_path / "caught.jsonl"))
    evil = "utf-8;\udcff\x1b]0;x\x07\x7f\x9b31m\u202e\u2028"  # octets that are no UTF-8 come as surrogates
    mail = Mail(MailPath("a@b"), (MailPath("b@c", {"ORCPT": evil}),), "Subject: \x1b[31m\u202e".encode(), "me", "ESMTP")
    store.store(Captured("A1", 0.0, "127.0.0.1", mail))
    octets = (tmp_path / "caught.jsonl").read_bytes()
    assert octets.rstrip(b"\n").isascii() and octets.rstrip(b"\n").decode().isprintable()
    assert json.loads(octets)["recipients"][0]["parameters"]["ORCPT"] == evil
