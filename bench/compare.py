"""Measures smtpctl beside its peers in one run and prints ratios: medians of per-round ratios, commands in rotation.

    python bench/compare.py startup | mail | roundtrips | memory | load | tlsscan [--rounds N]

Needs swaks and postfix (for smtp-source) from the distribution, a C compiler for the sink, aiosmtplib for its row, sslyze for its table.
Absolute times on a shared machine mean little; the ratios of one table are what to quote.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
SMTPCTL = str(Path(sys.executable).parent / "smtpctl")
WORK = Path(tempfile.mkdtemp(prefix="smtpctl-bench-"))
HELLO = (
    "import typer\napp = typer.Typer()\n@app.command()\ndef main(name: str = 'x') -> None:\n    print(name)\napp()\n"
)


def environment(**more: str) -> dict[str, str]:
    """What every measured command gets: a home of its own and nothing of ours."""
    keep = {"PATH": os.environ["PATH"], "HOME": str(WORK), "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    return {**keep, "SMTPCTL_CONFIG": str(WORK / "config.toml"), **more}


class Run:
    """One command: wall seconds and peak resident megabytes of each round."""

    def __init__(self, name: str, command: Sequence[str], env: dict[str, str] | None = None) -> None:
        self.name, self.command, self.env = name, list(command), env or environment()
        self.wall: list[float] = []
        self.rss: list[float] = []

    def once(self) -> None:
        """Run it to its end; a failure ends the measurement."""
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall.append(time.perf_counter() - began)
        self.rss.append(usage.ru_maxrss / 1024)
        if process.returncode:
            raise SystemExit(f"{self.name} failed ({process.returncode}):\n{output.decode(errors='replace')}")


def rotate(runs: Sequence[Run], rounds: int) -> None:
    """A B C A B C ...; the first round warms caches and does not count."""
    for number in range(rounds + 1):
        for run in runs:
            run.once()
            if number == 0:
                run.wall.clear()
                run.rss.clear()


def table(title: str, runs: Sequence[Run], base: Run, figure: Callable[[Run], list[float]], unit: str) -> None:
    """Medians, and the ratio to `base` as the median over rounds."""
    print(f"\n{title}\n{'':34}{unit:>10}{'ratio':>8}{'min':>7}{'max':>7}")
    for run in runs:
        ratios = [own / other for own, other in zip(figure(run), figure(base), strict=True)]
        print(
            f"{run.name:34}{statistics.median(figure(run)):10.1f}{statistics.median(ratios):8.2f}"
            f"{min(ratios):7.2f}{max(ratios):7.2f}"
        )


def wall(run: Run) -> list[float]:
    return [seconds * 1000 for seconds in run.wall]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def sink(*options: str) -> Iterator[int]:
    """The C sink on a free port; stopped by its pid."""
    program = WORK / "rsink"
    if not program.exists():
        source = str(HERE / "rsink.c")
        subprocess.run(["cc", "-O2", "-o", program, source, "-lssl", "-lcrypto", "-lpthread"], check=True)
    port = free_port()
    process = subprocess.Popen(
        [program, "-p", str(port), "-T", "600", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


CERTIFICATE = """
import sys
from pathlib import Path
from smtpctl.sink.authority import create
files = create(Path(sys.argv[1]))
print(files.ca, files.certificate, files.key, sep="\\n")
"""


def certificate() -> tuple[str, str, str]:
    """A throw-away CA with a certificate for localhost: CA file, chain, key.

    Made by another process: the memory that this one has needed would count as the peak of all that it starts.
    """
    made = subprocess.run([sys.executable, "-c", CERTIFICATE, str(WORK / "pki")], stdout=subprocess.PIPE, check=True)
    ca, chain, key = made.stdout.decode().splitlines()
    return ca, chain, key


def startup(rounds: int) -> None:
    """Commands that need no network."""
    (WORK / "config.toml").write_text('version = 1\n[profiles.office]\nhost = "localhost"\n')
    (WORK / "config.toml").chmod(0o600)
    hello = WORK / "hello.py"
    hello.write_text(HELLO)
    swaks, swaks_help = Run("swaks --version", ["swaks", "--version"]), Run("swaks --help", ["swaks", "--help"])
    version = Run("smtpctl --version", [SMTPCTL, "--version"])
    page = Run("smtpctl --help", [SMTPCTL, "--help"])
    typer = Run("a Typer hello", [sys.executable, str(hello)])
    listing = Run("smtpctl profile list --json", [SMTPCTL, "profile", "list", "--json"])
    runs = [swaks, version, swaks_help, page, typer, listing]
    rotate(runs, rounds)
    table("--version against swaks --version (goal 0.7)", [swaks, version], swaks, wall, "ms")
    table("--help against swaks --help (goal 1.2)", [swaks_help, page], swaks_help, wall, "ms")
    table("profile list against a Typer hello (goal 1.5)", [typer, listing], typer, wall, "ms")


def senders(port: int, tls: str, ca: str) -> tuple[Run, Run]:
    """swaks and smtpctl sending one mail with a login over TLS."""
    (WORK / "config.toml").write_text(
        f'version = 1\n[profiles.bench]\nhost = "localhost"\nport = {port}\ntls = "{tls}"\nusername = "ann"\n'
        f'password_env = "BENCH_PASSWORD"\nca_file = "{ca}"\nfrom = "ann@bench.test"\nhelo = "client.bench.test"\nfamily = "4"\n'
    )
    (WORK / "config.toml").chmod(0o600)
    flag = "-tlsc" if tls == "implicit" else "-tls"
    swaks = [
        "swaks", "--silent", "3", "--server", "127.0.0.1", "--port", str(port), flag, "--helo", "client.bench.test",
        "--auth", "PLAIN", "--auth-user", "ann", "--auth-password", "bench-password",
        "--from", "ann@bench.test", "--to", "bob@bench.test",
    ]  # fmt: skip
    ours = [SMTPCTL, "test-send", "bench", "--to", "bob@bench.test"]
    return Run(f"swaks {tls}", swaks), Run(
        f"smtpctl test-send {tls}", ours, environment(BENCH_PASSWORD="bench-password")
    )


def mail(rounds: int) -> None:
    """One mail with STARTTLS and a login, from a stored profile."""
    ca, chain, key = certificate()
    with sink("-A", "-c", chain, "-k", key) as port:
        swaks, ours = senders(port, "starttls", ca)
        rotate([swaks, ours], rounds)
    table("one mail, STARTTLS and AUTH (goal 1.0)", [swaks, ours], swaks, wall, "ms")
    table("its peak memory (goal 1.3)", [swaks, ours], swaks, lambda run: run.rss, "MB")


def roundtrips(rounds: int) -> None:
    """Round trips of one mail: what a delay of the line adds to its time, divided by that delay."""
    ca, chain, key = certificate()
    delay = 0.1
    print(f"\nround trips (delay {delay * 1000:.0f} ms; goals 9, with CHUNKING 8; implicit TLS 7 and 6)")
    for tls, options in (("starttls", ()), ("implicit", ("-i",))):
        with sink("-A", "-c", chain, "-k", key, *options) as port:
            proxy_port = free_port()
            for seconds in (0.0, delay):
                proxy = subprocess.Popen(
                    [sys.executable, str(HERE / "delayproxy.py"), str(port), str(seconds * 1000), str(proxy_port)],
                    stdout=subprocess.DEVNULL,
                )
                try:
                    time.sleep(0.5)
                    runs = senders(proxy_port, tls, ca)
                    rotate(runs, rounds)
                finally:
                    proxy.terminate()
                    proxy.wait()
                if not seconds:
                    base = [statistics.median(run.wall) for run in runs]
            for run, before in zip(runs, base, strict=True):
                print(f"{run.name:34}{(statistics.median(run.wall) - before) / delay:10.1f}")


def memory(rounds: int) -> None:
    """Peak memory of a mail with an attachment of 25 MB."""
    ca, chain, key = certificate()
    attachment = WORK / "attachment.bin"
    attachment.write_bytes(os.urandom(25_000_000))
    with sink("-A", "-c", chain, "-k", key) as port:
        _, ours = senders(port, "starttls", ca)
        ours.command += ["--attach", str(attachment)]
        rotate([ours], rounds)
    print(
        f"\n25 MB attachment: peak {statistics.median(ours.rss):.0f} MB, {statistics.median(ours.rss) / 25:.1f} x (goal < 3)"
    )


def load(rounds: int) -> None:
    """2 KiB mails over 10 connections into the sink."""
    mails = 40000
    with sink() as port:
        source = Run(
            "smtp-source -s 10 -d",
            [shutil.which("smtp-source") or "/usr/sbin/smtp-source", "-s", "10", "-m", str(mails), "-l", "2048", "-d",
             "-f", "ann@bench.test", "-t", "bob@bench.test", f"127.0.0.1:{port}"],
        )  # fmt: skip
        script = str(HERE / "load.py")
        modes = [Run(f"smtpctl, {mode}", [sys.executable, script, mode, str(port), str(mails)])
                 for mode in ("lockstep", "pipelined", "overlapped", "bdat")]  # fmt: skip
        few = mails // 8
        peer = Run(
            f"aiosmtplib, 10 connections (x{mails // few})", [sys.executable, script, "aiosmtplib", str(port), str(few)]
        )
        rotate([source, *modes, peer], rounds)
    peer.wall = [seconds * mails / few for seconds in peer.wall]
    table(
        "whole processes; a ratio under 1 is faster (goals: overlapped 0.67, bdat 0.2)",
        [source, *modes, peer],
        source,
        wall,
        "ms",
    )


def tlsscan(rounds: int) -> None:
    """The TLS scan beside sslyze's, against the sink."""
    import tlsscan as table  # beside this file

    _, chain, key = certificate()
    with sink("-A", "-c", chain, "-k", key) as port:
        table.compare(port, "starttls", rounds, (0, 0.05))


TABLES: dict[str, Callable[[int], None]] = {
    "startup": startup, "mail": mail, "roundtrips": roundtrips, "memory": memory, "load": load, "tlsscan": tlsscan,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("tables", nargs="+", choices=TABLES)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        for name in given.tables:
            TABLES[name](given.rounds)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
