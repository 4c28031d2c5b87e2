"""What smtpctl and sslyze say of each chain that the test bed's Postfix serves: one row a chain.

python bench/tls.py certificates
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import peer

# Not about the certificate, or a remark on a chain that works.
_SILENT = ("tls.cert.revocation_info", "tls.cert.sct")
_WIDTH = 78


class Verdict(NamedTuple):
    """What one program said of a chain, as little as tells it from another fault; empty where it found nothing."""

    told: str


def ours(port: int, ca_file: str) -> Verdict:
    """The findings of `smtpctl check`."""
    argv = [sys.executable, "-m", "smtpctl", "check", f"localhost:{port}", "--tls", "starttls", "--family", "4",
            "--ca-file", ca_file, "--json"]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    ids = [finding["id"] for finding in json.loads(done.stdout)["findings"]]
    return Verdict(", ".join(id.removeprefix("tls.") for id in ids if id.startswith("tls.") and id not in _SILENT))


def theirs(port: int, ca_file: str) -> Verdict:
    """What sslyze says of the path to the given root, and its remarks on the chain."""
    argv = peer.command(port, "starttls", "--certinfo", f"--certinfo_ca_file={ca_file}")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    info = peer.results(done.stdout)["certificate_info"]["result"]
    if not info:
        return Verdict("(no result)")
    chain = info["certificate_deployments"][0]
    path = next(p for p in chain["path_validation_results"] if p["trust_store"]["name"] == "Supplied CA file")
    told = [str(path["validation_error"]).removeprefix("validation failed: ").partition(" (encountered")[0]]
    told = [] if path["was_validation_successful"] else told
    told += ["order"] if not chain["received_chain_has_valid_order"] else []
    told += ["must staple"] if chain["leaf_certificate_has_must_staple_extension"] else []
    told += ["root sent"] if chain["received_chain_contains_anchor_certificate"] else []
    return Verdict(", ".join(told))


def matrix(chains: Sequence[tuple[str, int]], ca_file: str) -> None:
    """The table, and how many different faults each tells apart."""
    rows = [(name, ours(port, ca_file), theirs(port, ca_file)) for name, port in chains]
    print(f"\nCertificates: verdicts on {len(rows)} chains\n{'chain':14}{'smtpctl':36}sslyze")
    for name, own, other in rows:
        columns = [textwrap.wrap(verdict.told or "-", 34) for verdict in (own, other)]
        for number in range(max(map(len, columns))):
            left, right = (column[number] if number < len(column) else "" for column in columns)
            print(f"{name if not number else '':14}{left:36}{right}".rstrip())
    for who, index in (("smtpctl", 1), ("sslyze", 2)):
        alike: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            alike[row[index].told].append(row[0])
        same = [names for told, names in alike.items() if told and len(names) > 1]
        silent = alike.get("", [])
        text = f"{who} says nothing of {', '.join(silent)}; the same of " + "; of ".join(", ".join(n) for n in same)
        print(textwrap.fill(text, _WIDTH, initial_indent="\n", subsequent_indent="  "))
