"""Somebody with a browser: headless Chromium, told what to do over its DevTools pipe.

Messages are JSON objects that end with a zero octet, out on its descriptor 3 and back on 4
(https://chromedevtools.github.io/devtools-protocol/).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bed.process import wait_until

# It reaches nothing but this machine, asks nobody for updates, and takes the bed's certificates.
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """One tab."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer, self._number, self._session = b"", 0, ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, url: str) -> None:
        """Go to an address."""
        self._call("Page.navigate", url=url)

    def look(self, script: str) -> Any:
        """What a line of JavaScript gives in the page; None while there is none."""
        try:
            answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        except RuntimeError:  # the page is about to be another
            return None
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """The same, when it is something."""
        return wait_until(lambda: self.look(script), script)

    def click(self, selector: str, **fields: str) -> None:
        """Fill in these fields by their names and click on what the selector finds, once it is there. The selector must not
        fit the page before: that one stays until the next has come."""
        self.until(f"document.readyState === 'complete' && !!document.querySelector({json.dumps(selector)})")
        for name, value in fields.items():
            self.look(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")
        self.look(f"document.querySelector({json.dumps(selector)}).click()")

    def screenshot(self, *, dark: bool = False) -> bytes:
        """The page as PNG."""
        import base64

        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=features)
        return base64.b64decode(self._call("Page.captureScreenshot")["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            octets = os.read(self._answers, 65536)
            if not octets:
                raise EOFError("the browser has gone")
            self._buffer += octets
        first, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@contextmanager
def chromium(program: Path) -> Iterator[Browser]:
    """A browser with an empty profile until the block ends."""
    to_it, commands = os.pipe()
    answers, from_it = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        redirect = f'exec "$@" 3<&{to_it} 4>&{from_it}'
        argv = ["bash", "-c", redirect, "bash", program, *_FLAGS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            argv,
            pass_fds=(to_it, from_it),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_it)
        os.close(from_it)
        try:
            yield Browser(commands, answers)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            os.close(commands)
            os.close(answers)
