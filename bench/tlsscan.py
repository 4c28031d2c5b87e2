"""Measures the TLS scan beside sslyze's, with the same questions: wall time, connections, and whether both found the same.

    python bench/tlsscan.py PORT [--mode starttls|implicit] [--rounds N] [--delay MS ...]

PORT is a server on this machine; every connection goes through a proxy that delays and counts. `python bench/compare.py
tlsscan` runs it against the C sink. Needs sslyze on the PATH (an own environment will do: it is AGPL and no dependency).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from delayproxy import DelayProxy

VERSIONS = ("ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")
ASKED = ("--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--compression", "--reneg", "--ems", "--resum")
Facts = dict[str, frozenset[str]]


class Tool(NamedTuple):
    """A scanner: how to start it against a port, and what it found (cipher suite names a version)."""

    name: str
    command: Callable[[int, Path], Sequence[str]]
    facts: Callable[[Path], Facts]


def ours(connections: int, mode: str) -> Tool:
    """The scan as a process of its own, with so many connections at once."""
    own = [sys.executable, str(Path(__file__)), "--scan", mode, str(connections)]
    return Tool(f"smtpctl, {connections} connections", lambda port, out: [*own, str(out), str(port)], _own_facts)


def sslyze(mode: str) -> Tool:
    """sslyze with its own limit of 5 connections."""
    program = shutil.which("sslyze")
    if program is None:
        raise SystemExit("sslyze is not on the PATH")
    starttls = ["--starttls=smtp"] if mode == "starttls" else []

    def command(port: int, out: Path) -> list[str]:
        target = f"localhost:{port}{{127.0.0.1}}"
        return [program, *ASKED, *starttls, "--mozilla_config=disable", "--quiet", f"--json_out={out}", target]

    return Tool("sslyze", command, _their_facts)


def _own_facts(path: Path) -> Facts:
    return {version: frozenset(names) for version, names in json.loads(path.read_text()).items()}


def _their_facts(path: Path) -> Facts:
    result = json.loads(path.read_text())["server_scan_results"][0]["scan_result"]
    if result is None:
        raise SystemExit("sslyze could not reach the server")
    attempts = {version: result[f"{version}_cipher_suites"] for version in VERSIONS}
    return {
        version: frozenset(suite["cipher_suite"]["name"] for suite in attempt["result"]["accepted_cipher_suites"])
        if attempt["result"]
        else frozenset({f"({attempt['error_reason']})"})
        for version, attempt in attempts.items()
    }


class Measured(NamedTuple):
    """One run."""

    seconds: float
    connections: int
    facts: Facts


def measure(tool: Tool, target: int, delay: float) -> Measured:
    """Run a tool once through a proxy that delays by so many seconds a round trip."""
    with tempfile.TemporaryDirectory() as folder, DelayProxy(target, delay) as proxy:
        out = Path(folder) / "facts.json"
        began = time.perf_counter()
        done = subprocess.run(tool.command(proxy.port, out), capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode or not out.exists():
            raise SystemExit(f"{tool.name} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        time.sleep(2 * delay + 0.2)  # what was closed last is on its way
        return Measured(seconds, len(proxy.flights), tool.facts(out))


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
        f"{version}: {'+'.join(sorted(own[version] - theirs[version])) or '-'} only here, "
        f"{'+'.join(sorted(theirs[version] - own[version])) or '-'} only there"
        for version in VERSIONS
        if own[version] != theirs[version]
    ]
    suites = sum(len(names) for names in own.values())
    return "; ".join(told) or f"the same {suites} suites in {sum(map(bool, own.values()))} versions"


def scan(mode: str, connections: str, out: str, port: str) -> None:
    """One scan; the facts go to a file."""
    from smtpctl.knowledge import ciphers
    from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
    from smtpctl.model.transcript import Transcript
    from smtpctl.net.connection import Log
    from smtpctl.net.scan import scan

    endpoint = Endpoint("localhost", int(port))
    policy = TlsPolicy(mode=TlsMode(mode))
    found = scan(endpoint, Route(family=4), policy, Timeouts(), "bench.test", Log(Transcript()), int(connections))
    facts: dict[str, Any] = {
        name: [ciphers.name(suite) for suite in version.suites]
        for name, version in zip(VERSIONS, found.versions, strict=True)
    }
    Path(out).write_text(json.dumps(facts))


def main() -> None:
    if sys.argv[1:2] == ["--scan"]:
        return scan(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("port", type=int)
    parser.add_argument("--mode", choices=("starttls", "implicit"), default="starttls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=float, nargs="+", default=[0, 50], metavar="MS")
    given = parser.parse_args()
    compare(given.port, given.mode, given.rounds, [delay / 1000 for delay in given.delay])
    return None


if __name__ == "__main__":
    main()
