"""A Kerberos realm of our own: MIT krb5kdc, the services' keytab and a ticket for alice."""

from __future__ import annotations

from pathlib import Path

from bed.accounts import ALICE
from bed.ports import Ports
from bed.process import Daemon, run
from bed.settings import fill

REALM = "BED.TEST"
SERVICES = ("smtp/localhost", "submission/localhost", "smtp/mail.bed.test")

# MIT reads `kdc =` only on a line of its own.
CLIENT = """\
[libdefaults]
 default_realm = BED.TEST
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 BED.TEST = {
  kdc = 127.0.0.1:@@port@@
 }
[domain_realm]
 localhost = BED.TEST
"""
SERVER = """\
[kdcdefaults]
 kdc_listen = 127.0.0.1:@@port@@
 kdc_tcp_listen = 127.0.0.1:@@port@@
[realms]
 BED.TEST = {
  database_name = @@folder@@/principals
  key_stash_file = @@folder@@/stash
  acl_file = @@folder@@/acl
 }
[logging]
 kdc = FILE:@@folder@@/kdc.log
"""


class Realm:
    """One running KDC."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        folder.mkdir(parents=True)
        self._port = ports["kerberos"]
        self.keytab = folder / "smtp.keytab"
        self._ticket = folder / "alice.ticket"
        settings, kdc_settings = folder / "krb5.conf", folder / "kdc.conf"
        values: dict[str, object] = {"folder": folder, "port": self._port}
        settings.write_text(fill(CLIENT, values.__getitem__))
        kdc_settings.write_text(fill(SERVER, values.__getitem__))
        self.environment = {"KRB5_CONFIG": str(settings), "KRB5_KTNAME": str(self.keytab)}
        admin = {"KRB5_CONFIG": str(settings), "KRB5_KDC_PROFILE": str(kdc_settings)}
        run(["kdb5_util", "create", "-s", "-P", "master", "-r", REALM], env=admin)
        principals = [f"addprinc -randkey {service}" for service in SERVICES]
        commands = [f"addprinc -pw {ALICE.password} alice", *principals, f"ktadd -k {self.keytab} {' '.join(SERVICES)}"]
        run(["kadmin.local", "-r", REALM], env=admin, stdin="\n".join(commands) + "\n")
        self.keytab.chmod(0o644)  # the server's own users read it
        self._daemon = Daemon(["krb5kdc", "-n"], folder / "krb5kdc.out", admin)

    def client_environment(self) -> dict[str, str]:
        """The environment of a client that has alice's ticket."""
        environment = {**self.environment, "KRB5CCNAME": f"FILE:{self._ticket}"}
        if not self._ticket.exists():
            run(["kinit", f"alice@{REALM}"], env=environment, stdin=f"{ALICE.password}\n")
        return environment

    def ready(self) -> None:
        """Wait until it answers."""
        self._daemon.ready(self._port)

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()
