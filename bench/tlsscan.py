"""Measures `smtpctl check --deep` beside sslyze with the same questions: wall time, connections, and whether both found the
same.

    python bench/tlsscan.py PORT [--mode starttls|implicit] [--rounds N] [--delay MS ...]

PORT is a server on this machine; every connection goes through a proxy that delays and counts. `python bench/compare.py
tlsscan` runs it against the C sink, `python bench/tls.py` against Postfix.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import peer
from delayproxy import DelayProxy

# As sslyze names the versions, and as smtpctl does. SSL 2.0 has suites with names of their own, and no server.
VERSIONS = {
    "ssl_2_0": "SSL 2.0", "ssl_3_0": "SSL 3.0", "tls_1_0": "TLS 1.0", "tls_1_1": "TLS 1.1", "tls_1_2": "TLS 1.2",
    "tls_1_3": "TLS 1.3",
}  # fmt: skip
# What `check --deep` finds out, in sslyze's words.
ASKED = ("--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--compression", "--reneg", "--ems",
         "--resum", "--certinfo", "--elliptic_curves")  # fmt: skip
CURVES = "curves"
OTHER_NAMES = {"X25519": "x25519", "X448": "x448"}
Facts = dict[str, frozenset[str]]


class Tool(NamedTuple):
    """A scanner: how to start it against a port, and what its document says (cipher suite names a version)."""

    name: str
    command: Callable[[int], Sequence[str]]
    facts: Callable[[str], Facts]


def ours(connections: int, mode: str) -> Tool:
    """The whole command, with so many connections at once."""

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "smtpctl", "check", f"localhost:{port}", "--tls", mode, "--insecure", "--family", "4",
                "--deep", "--max-connections", str(connections), "--json"]  # fmt: skip

    return Tool(f"smtpctl, {connections} connections", command, _own_facts)


def sslyze(mode: str) -> Tool:
    """sslyze with its own limit of 5 connections."""
    return Tool("sslyze", lambda port: peer.command(port, mode, *ASKED), _their_facts)


def _own_facts(document: str) -> Facts:
    scan = json.loads(document)["facts"]["scan"]
    found = {version: frozenset(scan["versions"][name]["ciphers"]) for version, name in VERSIONS.items()}
    return {**found, CURVES: frozenset(scan["curves"])}


def _their_facts(document: str) -> Facts:
    result = peer.results(document)
    attempts = {version: result[f"{version}_cipher_suites"] for version in VERSIONS}
    curves = (result["elliptic_curves"]["result"] or {}).get("supported_curves") or []
    found = {
        version: frozenset(suite["cipher_suite"]["name"] for suite in attempt["result"]["accepted_cipher_suites"])
        if attempt["result"]
        else frozenset({f"({attempt['error_reason']})"})
        for version, attempt in attempts.items()
    }
    return {**found, CURVES: frozenset(OTHER_NAMES.get(curve["name"], curve["name"]) for curve in curves)}


class Measured(NamedTuple):
    """One run."""

    seconds: float
    connections: int
    facts: Facts


def measure(tool: Tool, target: int, delay: float) -> Measured:
    """Run a tool once through a proxy that delays by so many seconds a round trip."""
    with DelayProxy(target, delay) as proxy:
        began = time.perf_counter()
        done = subprocess.run(tool.command(proxy.port), capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode > 1:  # 1: smtpctl has findings
            raise SystemExit(f"{tool.name} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        time.sleep(2 * delay + 0.2)  # what was closed last is on its way
        return Measured(seconds, len(proxy.flights), tool.facts(done.stdout))


def compare(target: int, mode: str, rounds: int, delays: Sequence[float]) -> None:
    """The table: medians, and ratios to sslyze as medians over rounds."""
    tools = (sslyze(mode), ours(5, mode), ours(16, mode))
    for delay in delays:
        runs: dict[str, list[Measured]] = {tool.name: [] for tool in tools}
        for _ in range(rounds):
            for tool in tools:
                runs[tool.name].append(measure(tool, target, delay))
        print(f"\nTLS scan, {mode}, round trip {delay * 1000:.0f} ms (goals at 50 ms: 0.20 and 0.10; connections 0.20)")
        print(f"{'':28}{'s':>8}{'ratio':>8}{'connections':>13}{'ratio':>8}  facts")
        base = runs[tools[0].name]
        for tool in tools:
            own = runs[tool.name]
            ratio = statistics.median(a.seconds / b.seconds for a, b in zip(own, base, strict=True))
            fewer = statistics.median(a.connections / b.connections for a, b in zip(own, base, strict=True))
            same = difference(own[-1].facts, base[-1].facts)
            print(
                f"{tool.name:28}{statistics.median(run.seconds for run in own):8.2f}{ratio:8.3f}"
                f"{statistics.median(run.connections for run in own):13.0f}{fewer:8.2f}  {same}"
            )


def difference(own: Facts, theirs: Facts) -> str:
    """What one found and the other did not, in a line."""
    told = [
        f"{about}: {'+'.join(sorted(own[about] - theirs[about])) or '-'} only here, "
        f"{'+'.join(sorted(theirs[about] - own[about])) or '-'} only there"
        for about in (*VERSIONS, CURVES)
        if own[about] != theirs[about]
    ]
    suites = [len(own[version]) for version in VERSIONS if own[version]]
    return "; ".join(told) or f"the same {sum(suites)} suites in {len(suites)} versions, {len(own[CURVES])} curves"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("port", type=int)
    parser.add_argument("--mode", choices=("starttls", "implicit"), default="starttls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=float, nargs="+", default=[0, 50], metavar="MS")
    given = parser.parse_args()
    compare(given.port, given.mode, given.rounds, [delay / 1000 for delay in given.delay])


if __name__ == "__main__":
    main()
