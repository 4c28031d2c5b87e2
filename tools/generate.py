"""Write what is made from the program: completions/, man/, docs/reference/ and the compiled knowledge.

Usage: python tools/generate.py [--check]    (--check writes nothing; exit 1 where a file is not current)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import compile_replies
import compile_words
import man_pages
import markdown
import reference

from smtpctl.cli import completions

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("completions", "man", "docs/reference")


def files() -> Iterator[tuple[str, str]]:
    """(path from the project's folder, text) of every generated file."""
    for compiler in (compile_replies, compile_words):
        yield compiler.TARGET.relative_to(ROOT).as_posix(), compiler.compiled()
    program = reference.program()
    for name in completions.SCRIPTS.values():
        yield f"completions/{name}", (completions.FOLDER / name).read_text(encoding="utf-8")
    for name, text in man_pages.pages(program):
        yield f"man/{name}", text
    for name, text in markdown.pages(program):
        yield f"docs/reference/{name}", text


def stale(expected: dict[str, str]) -> Iterator[str]:
    """Paths whose text is not the expected one, and files that nothing generates any more."""
    for path, text in expected.items():
        file = ROOT / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            yield path
    for folder in FOLDERS:
        present = (file.relative_to(ROOT).as_posix() for file in sorted((ROOT / folder).glob("*")))
        yield from (path for path in present if path not in expected)


def main(arguments: list[str]) -> int:
    """Write the files, or say which ones are not current; the exit status."""
    expected = dict(files())
    changed = list(stale(expected))
    if arguments == ["--check"]:
        if changed:
            print("not current: " + ", ".join(changed) + "\nrun: python tools/generate.py", file=sys.stderr)
        return int(bool(changed))
    for path in changed:
        file = ROOT / path
        if path in expected:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(expected[path], encoding="utf-8", newline="\n")
        else:
            file.unlink()
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
