"""The guides: what administrators do at providers, one TOML file a topic. `guides/README.md` explains the fields."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "guides"
TOPICS = ("m365", "google-workspace", "relay")  # in the order they are listed


def load(topic: str) -> Mapping[str, Any]:
    """One of `TOPICS`, as it is written."""
    return tomllib.loads((_FOLDER / f"{topic}.toml").read_text("utf-8"))
