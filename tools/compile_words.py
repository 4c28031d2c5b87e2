"""smtpctl/knowledge/words.json, made from smtpctl/knowledge/words/*.toml. `generate.py` writes it.

It holds what recognising needs, not the samples; the words that must occur are found as for replies.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

from compile_replies import KNOWLEDGE, needles

SOURCE, TARGET = KNOWLEDGE / "words", KNOWLEDGE / "words.json"
_DEFAULTS = {"also": [], "verified": True}


def texts() -> Iterator[dict[str, Any]]:
    """Every text of every file, with its file's library and source filled in."""
    for path in sorted(SOURCE.glob("*.toml")):
        file = tomllib.loads(path.read_text("utf-8"))
        for text in file["text"]:
            yield {**_DEFAULTS, "library": file["library"], "source": file["source"], **text}


def compiled() -> str:
    """The text of words.json: one entry a line, so that changes can be read."""
    lines = ",\n".join(json.dumps(_line(text), ensure_ascii=False) for text in texts())
    return f"[\n{lines}\n]\n"


def _line(text: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in text.items() if key != "samples" and value != _DEFAULTS.get(key)}
    return {**kept, "needles": needles(text["regex"])}
