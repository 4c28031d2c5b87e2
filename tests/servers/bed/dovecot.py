"""Dovecot: the mailboxes (LMTP over TCP and a UNIX socket), SASL for Postfix, and a submission server of its own.

It offers PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5, SCRAM-SHA-1, SCRAM-SHA-256, XOAUTH2, OAUTHBEARER (tokens of `tokens.py`),
EXTERNAL (the client certificate of `pki.py`) and, with a realm, GSSAPI. Submission hands its mail on to Postfix.
Needs root: Dovecot changes users.
"""

from __future__ import annotations

import base64
import mailbox
import shutil
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from bed.accounts import ACCOUNTS
from bed.pki import Pki
from bed.ports import Ports
from bed.process import Daemon, fill, template, wait_until

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
        self._folder, self._ports, self._pki, self._keytab = folder, ports, pki, keytab
        for name in ("state", "home", "keys"):
            (folder / name).mkdir(parents=True)
        shutil.chown(folder / "home", "nobody", "nogroup")
        self._write_users()
        (folder / "oauth2.conf.ext").write_text(fill(OAUTH2, self._value))
        settings = folder / "dovecot.conf"
        settings.write_text(fill(template("dovecot.conf"), self._value))
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
        return [parser.parsebytes(box.get_bytes(key)) for key in box.iterkeys()]  # type: ignore[misc]

    def wait_for_mail(self, address: str, subject: str) -> EmailMessage:
        """The message with that subject, when it has arrived."""
        return wait_until(
            lambda: next((mail for mail in self.mail_of(address) if mail["Subject"] == subject), None),
            f"mail {subject!r} for {address}",
        )

    def log(self) -> str:
        """What Dovecot has logged so far."""
        return (self._folder / "dovecot.log").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()

    def _value(self, name: str) -> object:
        kind, _, rest = name.partition("/")
        match kind:
            case "port":
                return self._ports[rest]
            case "key":
                return self._pki.key(rest)
            case "chain":
                return self._pki.chain(rest)
        return {
            "folder": self._folder,
            "ca": self._pki.ca_file,
            "kerberos_mechanisms": "gssapi gss-spnego" if self._keytab else "",
            "kerberos_settings": f"auth_krb5_keytab = {self._keytab}\nauth_gssapi_hostname = localhost"
            if self._keytab
            else "",
        }[name]

    def _write_users(self) -> None:
        users = self._folder / "users"
        # In base 64, because a colon in a password would end it. `client` logs in by its certificate.
        lines = [
            f"{name}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}:::::\n" for name, password in ACCOUNTS
        ]
        users.write_text("".join([*lines, "client:::::::nopassword=y\n"]))
        shutil.chown(users, "dovecot")
        users.chmod(0o600)
