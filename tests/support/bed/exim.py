"""Exim: PLAIN and LOGIN only after TLS, multi-line refusals, a short greet delay; all accepted mail lands in one Maildir.

Taken out of its package, because Debian lets only one mail server be installed. Its compiled-in user and the ownership
of its settings need root.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bed.pki import Pki
from bed.ports import Ports
from bed.process import Daemon, private_users, wait_until
from bed.settings import fill, template, values


class Exim:
    """One running Exim."""

    def __init__(self, program: Path, folder: Path, ports: Ports, pki: Pki) -> None:
        self._folder, self._ports = folder, ports
        for name in ("spool", "log", "mail"):
            (folder / name).mkdir(parents=True)
        shutil.copy(pki.key("good-rsa"), folder / "key.pem")
        settings = folder / "exim.conf"
        value = values(folder, ports, pki, {"program": program})
        settings.write_text(fill(template("exim.conf"), value))
        own = [folder / name for name in ("spool", "log", "mail", "key.pem")]
        setup = f"{private_users(folder, ['Debian-exim'])}\nchown Debian-exim: {folder} {' '.join(map(str, own))}"
        self._daemon = Daemon([program, "-C", settings, "-bdf"], folder / "exim.out", setup=setup)

    def port(self, listener: str) -> int:
        """`submission` (STARTTLS offered; also takes mail for bed.test without a login) or `smtps`."""
        return self._ports[f"exim/{listener}"]

    def ready(self) -> None:
        """Wait until it answers."""
        self._daemon.ready(self.port("submission"), self.port("smtps"))

    def wait_for_mail(self, text: str) -> str:
        """The delivered message that has the text."""

        def look() -> str | None:
            mails = (path.read_bytes().decode(errors="replace") for path in (self._folder / "mail").glob("new/*"))
            return next((mail for mail in mails if text in mail), None)

        return wait_until(look, f"mail with {text!r} at Exim")

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()
