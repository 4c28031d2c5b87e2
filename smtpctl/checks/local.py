"""Where this machine, and no server, is the limit of what a scan found."""

from __future__ import annotations

from collections.abc import Iterator

from smtpctl.checks.facts import Scanned
from smtpctl.knowledge.families import entry
from smtpctl.model.finding import Evidence, Finding
from smtpctl.protocol.tls.hello import TLS12


def policy(scanned: Scanned) -> Iterator[Finding]:
    """A version of today that the server takes, with suites of which this machine's settings leave none; where they leave
    none of any version, `tls.cipher.no_overlap` says so."""
    today = [found for found in scanned.scan.accepted if found.version >= TLS12]
    left_out = [found.name for found in today if not scanned.ours & set(found.suites)]
    if scanned.ours and left_out and len(left_out) < len(today):
        seen = [
            Evidence(f"{name}: the server takes it, with no cipher suite that is allowed here") for name in left_out
        ]
        yield entry("local.openssl_policy").finding(target=str(scanned.endpoint), role=scanned.role, evidence=seen)
