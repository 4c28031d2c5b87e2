"""The folder of what smtpctl makes itself: kept tokens, locks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def folder(environ: Mapping[str, str]) -> Path:
    """The user's state folder (XDG_STATE_HOME). On Linux it is worked out here, as platformdirs does it: importing that
    costs 27 ms."""
    if os.name == "posix" and sys.platform != "darwin":
        base = environ.get("XDG_STATE_HOME", "")
        return (Path(base) if base.strip() else Path("~/.local/state").expanduser()) / "smtpctl"
    import platformdirs

    return platformdirs.user_state_path("smtpctl", appauthor=False)
