"""OpenSMTPD: a third implementation. Mail for bed.test goes on to the bed's Postfix.

Taken out of its package (Debian lets only one mail server be installed), and run by its full path: the package has a
program named smtpctl. Its compiled-in users and folders need root. Version 6.8 built with OpenSSL 3 ends each TLS
handshake with alert 80 (its key lives in another process, by an interface that OpenSSL 3 no longer asks): a peer that
offers STARTTLS and cannot do it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bed.accounts import ALICE
from bed.pki import Pki
from bed.ports import Ports
from bed.process import Daemon, private_users, run
from bed.settings import fill, template, values

LISTENERS = ("plain", "submission", "smtps")
USERS = ("opensmtpd", "opensmtpq")
SPOOL = """\
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/spool
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir -p /var/lib/opensmtpd/empty
install -d -m 711 /var/spool/smtpd
for folder in corrupt incoming purge queue temporary; do install -d -m 700 -o opensmtpq /var/spool/smtpd/$folder; done
install -d -m 770 -g opensmtpq /var/spool/smtpd/offline
"""


class OpenSmtpd:
    """One running OpenSMTPD."""

    def __init__(self, program: Path, folder: Path, ports: Ports, pki: Pki) -> None:
        folder.mkdir(parents=True)
        self._ports = ports
        shutil.copy(pki.key("good-rsa"), folder / "key.pem")
        (folder / "key.pem").chmod(0o600)
        digest = run(["openssl", "passwd", "-6", "-stdin"], stdin=ALICE.password).strip()
        logins = folder / "logins"
        logins.write_text(f"{ALICE.username}\t{digest}\n")
        settings = folder / "smtpd.conf"
        settings.write_text(fill(template("opensmtpd.conf"), values(folder, ports, pki)))
        settings.chmod(0o600)
        setup = f"{private_users(folder, USERS)}\n{SPOOL}\nchgrp opensmtpd {logins}; chmod 640 {logins}"
        self._daemon = Daemon([program, "-d", "-f", settings], folder / "opensmtpd.out", setup=setup)

    def port(self, listener: str) -> int:
        """`plain`, or `submission` and `smtps`, whose handshake fails."""
        return self._ports[f"opensmtpd/{listener}"]

    def ready(self) -> None:
        """Wait until it answers."""
        self._daemon.ready(*map(self.port, LISTENERS))

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()
