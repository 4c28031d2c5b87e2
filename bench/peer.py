"""sslyze as a program of its own: found on the PATH, or installed into an environment that is thrown away.

It is AGPL, so nothing of it is imported, and smtpctl knows nothing of it.
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any


@cache
def sslyze() -> str:
    """The program."""
    found = shutil.which("sslyze")
    if found:
        return found
    folder = Path(tempfile.mkdtemp(prefix="smtpctl-bench-sslyze-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    print("sslyze is not on the PATH; installing it into an environment of its own ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "-q", "install", "sslyze"], check=True)
    return str(folder / "bin" / "sslyze")


def command(port: int, mode: str, *options: str) -> list[str]:
    """A scan of a port of this machine; the document goes to standard output."""
    starttls = ["--starttls=smtp"] if mode == "starttls" else []
    return [sslyze(), *options, *starttls, "--mozilla_config=disable", "--json_out=-",
            f"localhost:{port}{{127.0.0.1}}"]  # fmt: skip


def results(document: str) -> dict[str, Any]:
    """What it found; SystemExit where it could not reach the server."""
    found = json.loads(document)["server_scan_results"][0]["scan_result"]
    if found is None:
        raise SystemExit("sslyze could not reach the server")
    scanned: dict[str, Any] = found
    return scanned
