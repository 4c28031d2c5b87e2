"""Dovecot: the mailboxes (LMTP over TCP and a UNIX socket), SASL for Postfix, and a submission server of its own.

It offers PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5, SCRAM-SHA-1, SCRAM-SHA-256, XOAUTH2, OAUTHBEARER (tokens of `tokens.py`,
carol's of `introspection.py`), EXTERNAL (the client certificate of `pki.py`) and, with a realm, GSSAPI. Submission hands
its mail on to Postfix. Needs root: Dovecot changes users.
"""

from __future__ import annotations

import base64
import mailbox
import shutil
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from bed import introspection
from bed.accounts import ACCOUNTS
from bed.pki import Pki
from bed.ports import Ports
from bed.process import Daemon, wait_until
from bed.settings import fill, template, values

# Tokens are checked here, by the public key in keys/CLIENT_ID/ALGORITHM/KEY_ID; nobody is asked.
OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=@@folder@@/keys/
username_attribute = email
scope =
"""


class Dovecot:
    """One running Dovecot."""

    def __init__(self, folder: Path, ports: Ports, pki: Pki, keytab: Path | None, environment: dict[str, str]) -> None:
        self._folder, self._ports = folder, ports
        for name in ("state", "home", "keys"):
            (folder / name).mkdir(parents=True)
        shutil.chown(folder / "home", "nobody", "nogroup")
        self._write_users()
        settings = folder / "dovecot.conf"
        value = values(folder, ports, pki, _kerberos(keytab))
        settings.write_text(fill(template("dovecot.conf"), value))
        (folder / "oauth2.conf.ext").write_text(fill(OAUTH2, value))
        (folder / "introspection.conf.ext").write_text(fill(introspection.SETTINGS, value))
        self._daemon = Daemon(["dovecot", "-F", "-c", settings], folder / "dovecot.out", environment)

    @property
    def token_keys(self) -> Path:
        """Where a public key is put whose tokens are to be believed."""
        return self._folder / "keys"

    @property
    def lmtp_socket(self) -> Path:
        """LMTP over a UNIX socket."""
        return self._folder / "lmtp.socket"

    def port(self, listener: str) -> int:
        """`submission`, `submissions`, `lmtp` or `auth`."""
        return self._ports[f"dovecot/{listener}"]

    def ready(self) -> None:
        """Wait until it answers."""
        self._daemon.ready(self.port("auth"), self.port("lmtp"), self.port("submission"))

    def mail_of(self, address: str) -> list[EmailMessage]:
        """What lies in the mailbox now."""
        folder = self._folder / "home" / address / "Maildir"
        if not (folder / "new").exists():
            return []
        box = mailbox.Maildir(folder, create=False)
        parser = BytesParser(policy=default)
        return [parser.parsebytes(box.get_bytes(key)) for key in box.iterkeys()]

    def wait_for_mail(self, address: str, subject: str) -> EmailMessage:
        """The message with that subject, when it has arrived."""

        def look() -> EmailMessage | None:
            return next((mail for mail in self.mail_of(address) if mail["Subject"] == subject), None)

        return wait_until(look, f"mail {subject!r} for {address}")

    def log(self) -> str:
        """What Dovecot has logged so far."""
        return (self._folder / "dovecot.log").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()

    def _write_users(self) -> None:
        users = self._folder / "users"
        # In base 64, because a colon in a password would end it. `client` logs in by its certificate.
        lines = [
            f"{name}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}:::::\n" for name, password in ACCOUNTS
        ]
        users.write_text("".join([*lines, "client:::::::nopassword=y\n"]))
        shutil.chown(users, "dovecot")
        users.chmod(0o600)


def _kerberos(keytab: Path | None) -> dict[str, object]:
    """The settings' values with a realm, or without."""
    if keytab is None:
        return {"kerberos_mechanisms": "", "kerberos_settings": ""}
    settings = f"auth_krb5_keytab = {keytab}\nauth_gssapi_hostname = localhost"
    return {"kerberos_mechanisms": "gssapi gss-spnego", "kerberos_settings": settings}
