"""Where caught mail goes: memory, a Maildir folder or a JSON Lines file. One class each, one method: `store`.

Stores are called from the threads of several connections at once. OSError means the mail could not be kept; the
client is then told to try again.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path as File
from typing import Any, Protocol

from smtpctl.model.record import NamedTuple
from smtpctl.protocol.server.values import Mail, Path

SCHEMA = "smtpctl.sink/1"


class Captured(NamedTuple):
    """A mail that was taken: its queue id, epoch seconds, the client's address."""

    id: str
    at: float
    peer: str
    mail: Mail

    def to_json(self) -> dict[str, Any]:
        """One line of `--json` and of a JSON Lines file; content that is not UTF-8 is base64."""
        mail = self.mail
        try:
            content, encoding = mail.content.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            content, encoding = base64.b64encode(mail.content).decode("ascii"), "base64"
        return {
            "schema": SCHEMA,
            "id": self.id,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds"),
            "peer": self.peer,
            "helo": mail.helo,
            "protocol": mail.protocol,
            "tls": mail.tls,
            "login": mail.login,
            "mechanism": mail.mechanism,
            "sender": _path(mail.sender),
            "recipients": [_path(recipient) for recipient in mail.recipients],
            "size": len(mail.content),
            "chunks": mail.chunks,
            "remarks": list(mail.remarks),
            "encoding": encoding,
            "content": content,
        }


class Capture(Protocol):
    """Keeps a mail; OSError if it cannot."""

    def store(self, captured: Captured) -> None: ...


class Memory:
    """Keeps the last `keep` mails, None for all of them."""

    def __init__(self, keep: int | None = None) -> None:
        self.mails: deque[Captured] = deque(maxlen=keep)

    def store(self, captured: Captured) -> None:
        self.mails.append(captured)


class Maildir:
    """A file a mail under `new/`, with LF line ends; the envelope stands in header lines before the mail's own."""

    def __init__(self, folder: File) -> None:
        self._folder = folder
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def store(self, captured: Captured) -> None:
        name = f"{captured.at:.6f}.{captured.id}.sink"
        waiting = self._folder / "tmp" / name
        with open(waiting, "xb", opener=_private) as file:
            file.write(_trace(captured) + captured.mail.content.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(self._folder / "new" / name)


class JsonLines:
    """One JSON object a line, appended."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._lock = threading.Lock()
        with open(file, "ab", opener=_private):
            pass  # the file must be writable before a client relies on it

    def store(self, captured: Captured) -> None:
        # ASCII only: a client's octets that are no UTF-8 are surrogates here, and its control characters stay harmless.
        line = json.dumps(captured.to_json()).replace("\x7f", "\\u007f") + "\n"
        with self._lock, open(self._file, "ab", opener=_private) as file:
            file.write(line.encode("ascii"))


def to(output: str) -> Capture:
    """The store for `--output`: a file when the name ends in `.jsonl`, else a Maildir folder; OSError if it cannot."""
    return JsonLines(File(output)) if output.endswith(".jsonl") else Maildir(File(output))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _path(path: Path) -> dict[str, Any]:
    return {"address": path.address, "parameters": dict(path.parameters)}


def _trace(captured: Captured) -> bytes:
    mail = captured.mail
    lines = [f"Return-Path: <{mail.sender.address}>"]
    lines += [f"Delivered-To: {recipient.address}" for recipient in mail.recipients]
    date = datetime.fromtimestamp(captured.at, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    lines.append(f"Received: from {mail.helo} ({captured.peer}) by smtpctl sink\n with {mail.protocol}; {date}")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
