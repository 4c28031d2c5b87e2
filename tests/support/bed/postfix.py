"""Postfix: submission with STARTTLS and implicit TLS, a plain MX, and one listener for each way to be difficult.

The listeners are the lines of templates/postfix-master.cf. SASL comes from the bed's Dovecot, except at `cyrus`, where
Cyrus SASL offers NTLM, SCRAM, CRAM-MD5, DIGEST-MD5 and GSSAPI from a password data base of its own. Mail for the
accounts is delivered to the bed's Dovecot by LMTP. Needs root: Postfix changes users.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bed.accounts import ALICE, DOMAIN, REPLIES
from bed.pki import CHAINS, Pki
from bed.ports import Ports
from bed.process import Daemon, run, wait_until
from bed.settings import fill, template, values

CYRUS_MECHANISMS = "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 ANONYMOUS GSSAPI"
# A listener whose server certificate has the named fault, or none.
CERTIFICATE_LISTENER = (
    "127.0.0.1:@@port/postfix/certificate/{name}@@ inet n - n - - smtpd"
    " -o {{ smtpd_tls_chain_files = @@key/{name}@@ @@chain/{name}@@ }}"
    " -o tls_medium_cipherlist=ALL:@SECLEVEL=0"
)


class Postfix:
    """One running Postfix."""

    def __init__(self, folder: Path, ports: Ports, pki: Pki, environment: dict[str, str]) -> None:
        self._folder, self._ports, self._pki = folder, ports, pki
        self._settings = folder / "etc"
        self._make_folders()
        self._write_settings()
        self._add_cyrus_users()
        run(["postfix", "-c", self._settings, "check"])
        daemons = Path(run(["postconf", "-c", self._settings, "-h", "daemon_directory"]).strip())
        self._daemon = Daemon([daemons / "master", "-c", self._settings, "-d"], folder / "master.out", environment)

    def port(self, listener: str) -> int:
        """The port of a line of postfix-master.cf."""
        return self._ports[f"postfix/{listener}"]

    def certificate_port(self, fault: str) -> int:
        """The port whose certificate is the chain of that name in pki.py; STARTTLS, no login."""
        return self.port(f"certificate/{fault}")

    def ready(self) -> None:
        """Wait until it answers, also at the listener that it opens last."""
        self._daemon.ready(self.port("mx"), self.port("submission"), self.certificate_port(CHAINS[-1]))

    def wait_for_log(self, text: str) -> str:
        """The log, when it has the text."""
        return wait_until(lambda: log if text in (log := self.log()) else None, f"{text!r} in the log of Postfix")

    def log(self) -> str:
        """What Postfix has logged so far."""
        path = self._folder / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()

    def _make_folders(self) -> None:
        for name in ("etc/sasl", "spool", "data"):
            (self._folder / name).mkdir(parents=True)
        shutil.chown(self._folder / "data", "postfix")

    def _write_settings(self) -> None:
        certificates = [CERTIFICATE_LISTENER.format(name=name) for name in CHAINS]
        replies = " ".join(f"{{{address} = {reply}}}" for address, reply in REPLIES.items())
        value = values(self._folder, self._ports, self._pki, {"replies": replies})
        master = "\n".join([template("postfix-master.cf"), *certificates, ""])
        (self._settings / "main.cf").write_text(fill(template("postfix-main.cf"), value))
        (self._settings / "master.cf").write_text(fill(master, value))
        (self._settings / "sasl" / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self._sasldb}\n"
            f"mech_list: {CYRUS_MECHANISMS}\n"
        )

    @property
    def _sasldb(self) -> Path:
        return self._settings / "sasl" / "sasldb2"

    def _add_cyrus_users(self) -> None:
        """Under each realm that a mechanism may ask for: NTLM and DIGEST-MD5 take the host's name."""
        user = ALICE.username.partition("@")[0]
        for realm, name in ((DOMAIN, user), (f"mail.{DOMAIN}", user), (DOMAIN, ALICE.username)):
            run(["saslpasswd2", "-p", "-c", "-f", self._sasldb, "-u", realm, name], stdin=ALICE.password)
        shutil.chown(self._sasldb, "postfix")
