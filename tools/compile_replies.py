"""smtpctl/knowledge/replies.json, made from smtpctl/knowledge/replies/*.toml. `generate.py` writes it.

Reading TOML takes twenty times as long as JSON, and every start would pay for it. Besides the data the file holds, for each
regular expression, a few lower-case words one of which must occur in any text that it matches, so that a text
meets a handful of expressions instead of all of them.
"""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

KNOWLEDGE = Path(__file__).resolve().parent.parent / "smtpctl" / "knowledge"
SOURCE, TARGET = KNOWLEDGE / "replies", KNOWLEDGE / "replies.json"
TABLES = ("facts", "questions", "fallback", "sources")
_parser: Any = importlib.import_module("re._parser")  # no public parser of regular expressions


def needles(regex: str) -> list[str]:
    """Lower-case words one of which any match of `regex` contains; empty where there are none."""
    found = _best(_required(_parser.parse(regex, re.IGNORECASE | re.DOTALL)))
    return sorted(found) if found else []


def _best(candidates: Iterable[frozenset[str]]) -> frozenset[str] | None:
    """The candidate whose shortest word is longest, then the one with the fewest words."""
    usable = [words for words in candidates if words and min(map(len, words)) > 1]
    return max(usable, key=lambda words: (min(min(map(len, words)), 8), -len(words)), default=None)


def _required(nodes: Any) -> list[frozenset[str]]:
    """Sets of words; of each set any match contains at least one word."""
    candidates: list[frozenset[str]] = []
    run = ""
    for name, value in (*nodes, (None, None)):
        if str(name) == "LITERAL":
            run += chr(value).lower()
            continue
        if run:
            candidates.append(frozenset({run}))
            run = ""
        candidates += _inner(str(name), value)
    return candidates


def _inner(name: str, value: Any) -> list[frozenset[str]]:
    if name == "SUBPATTERN":
        return _required(value[-1])
    if name in ("MAX_REPEAT", "MIN_REPEAT") and value[0] > 0:
        return _required(value[2])
    if name == "BRANCH":
        branches = [_best(_required(branch)) for branch in value[1]]
        if all(branches):
            return [frozenset().union(*(words for words in branches if words))]
    return []


def compiled() -> str:
    """The text of replies.json: one entry a line, so that changes can be read."""
    tables = {name: tomllib.loads((SOURCE / f"{name}.toml").read_text("utf-8")) for name in TABLES}
    providers: dict[str, Any] = {}
    entries: list[dict[str, Any]] = []
    for path in sorted(SOURCE.glob("*.toml")):
        if path.stem in TABLES:
            continue
        file = tomllib.loads(path.read_text("utf-8"))
        prefix = "generic" if file["provider"] == "generic" else path.stem
        providers[prefix] = {key: value for key, value in file.items() if key != "entry"}
        entries += (_flat(prefix, entry) for entry in file["entry"])
    head = {"providers": providers, **tables}
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return f'{{"head": {json.dumps(head, ensure_ascii=False, indent=0)},\n"entries": [\n{lines}\n]}}\n'


def _flat(prefix: str, entry: dict[str, Any]) -> dict[str, Any]:
    conditions = entry.pop("match")
    causes = [
        [cause["why"], cause["fix"], cause.get("commands", []), *([cause["facts"]] if "facts" in cause else [])]
        for cause in entry.pop("cause")
    ]
    regex = conditions.get("regex", "")
    return {
        **entry,
        "id": f"{prefix}.{entry['id']}",
        "prefix": prefix,
        **conditions,
        **({"needles": needles(regex)} if regex else {}),
        "causes": causes,
    }
