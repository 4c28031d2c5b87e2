"""Both claims about TLS beside sslyze, in one run, against the Postfix of the test bed (needs root and its packages).

python bench/tls.py [scan] [certificates] [--rounds N] [--delay MS ...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import certificates
import tlsscan

from bed.pki import CHAINS, Pki
from bed.ports import Ports
from bed.postfix import Postfix

LISTENERS = {"mx": "Postfix with an RSA and an EC key, everything else as Debian has it",
             "one_key": "the same with an RSA key only"}  # fmt: skip


@contextmanager
def bed() -> Iterator[tuple[Postfix, Pki]]:
    """Postfix and its certificates, in a folder that Postfix's own user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="smtpctl-bench-"))
    folder.chmod(0o755)
    ports = Ports()
    try:
        pki = Pki(folder / "pki")
        postfix = Postfix(folder / "postfix", ports, pki, dict(os.environ))
        try:
            postfix.ready()
            yield postfix, pki
        finally:
            postfix.stop()
    finally:
        ports.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="scan, certificates (default: both)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=float, nargs="+", default=[50], metavar="MS")
    given = parser.parse_args()
    tables = given.tables or ["scan", "certificates"]
    with bed() as (postfix, pki):
        if "certificates" in tables:
            chains = [(name, postfix.certificate_port(name)) for name in CHAINS]
            certificates.matrix(chains, str(pki.ca_file))
        for listener, what in LISTENERS.items() if "scan" in tables else ():
            print(f"\n{what}")
            tlsscan.compare(postfix.port(listener), "starttls", given.rounds, [ms / 1000 for ms in given.delay])


if __name__ == "__main__":
    main()
