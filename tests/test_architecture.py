"""The shape of the program, held by reading its source: who may import whom, what loads when, who may touch the world.

The tables are docs/architecture.md in another form; change both together. Every exception is a row with its reason.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent / "smtpctl"
LINES_LIMIT = 600
FUNCTION_LINES_LIMIT = 40  # without signature and docstring

# A layer may import itself, `model`, and:
LAYERS: dict[str, set[str]] = {
    "cli": {"ops", "render", "config"},  # config: nouns show and change what is stored
    "ops": {"checks", "config", "formats", "message", "oauth", "sink", "net", "protocol", "knowledge"},
    "sink": {"net", "protocol", "knowledge"},
    "net": {"protocol", "knowledge"},
    "checks": {"protocol", "knowledge"},
    "config": {"knowledge"},  # what is wrong with a setting is a finding of the catalogue
    "formats": set(),
    "message": set(),
    "oauth": {"net", "knowledge"},
    "render": set(),
    "protocol": set(),
    "knowledge": set(),
    "model": set(),
}

# Libraries that cost start-up time, each with the modules that are its home: imported inside a function, nowhere else.
HOMES: dict[str, set[str]] = {
    "rich": {"render"},
    "keyring": {"config/secrets/os_keyring.py"},
    "msal": {"oauth/microsoft.py"},
    "httpx": {"net/http.py"},
    # reading a chain; what an authority says of it; making a throw-away one; a private key with its pass phrase
    "cryptography": {"net/certificate.py", "net/revocation.py", "sink/authority.py", "oauth/assertion.py"},
    "jwt": {"oauth/assertion.py"},
    "tomli_w": {"config"},
    "platformdirs": {"config", "cli/defects.py"},  # a defect report must not lean on working settings
    "filelock": {"config"},
    "scramp": {"protocol/sasl", "protocol/server"},  # both sides of one exchange
    "spnego": {"protocol/sasl"},
    "python_socks": {"net/proxy.py"},
    "h11": {"net/proxy.py"},
    "idna": {"model", "config/values.py", "message/domains.py"},
    "typer": {"cli"},
    "segno": {"cli/oauth_login.py"},
}
MODULES = {"pyspnego": "spnego", "pyjwt": "jwt"}  # packages that import under another name
AT_TOP = {"typer"}  # cli is imported only when a command line is to be parsed

# Parts of the standard library that cost as much: only inside the function that uses them.
SLOW = {"email", "http", "importlib.metadata", "logging", "sqlite3", "urllib.request", "asyncio"}
FORBIDDEN = {
    "asyncio": "the engine is a selectors loop; asyncio costs 50 ms",
    "click": "only typer.* is imported, so that its cap can be lifted",
}

PURE = {"model", "protocol", "knowledge", "checks"}
WORLD = {"socket", "select", "selectors", "subprocess", "threading", "os", "time", "tempfile", "shutil", "random"}
CLOCK = {"now", "today", "utcnow", "monotonic", "perf_counter", "time_ns"}
FILE_ACCESS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "exists", "is_file", "iterdir"}

READS_ENVIRONMENT = {"config/resolve.py", "config/secrets", "cli/terminal.py"}
WRITES_OUTPUT = {"render", "cli/terminal.py"}

# Where a secret may become text again, and why. Everywhere else it stays a Secret, which shows itself as ********.
REVEALS: dict[str, str] = {
    "protocol/sasl": "the octets of a login",
    "protocol/server": "the answering side compares",
    "config/secrets": "into a store",
    "config/layers.py": "a typed value is read by the same parser, and wrapped again",
    "model/redaction.py": "knows what to hide",
    "oauth": "a token tells what is wrong with it, and a signature needs the key",
    "net/http.py": "a token request carries them",
    "formats/contensis.py": "an export that was asked to hold secrets",
    "formats/kentico.py": "an export that was asked to hold secrets",
    "ops/directions.py": "tells an application the password that was made up for this sink",
    "cli/sink_screen.py": "shows the password that was made up for this sink",
    "cli/sink.py": "a prompt's answer, wrapped again by secrets.fetch",
    "ops/token_output.py": "prints a token because it was asked for one",
    "cli/live.py": "a prompt's answer, wrapped again by secrets.fetch",
}


class Allowed(NamedTuple):
    """One exception: the module may do what the rule forbids, for the reason."""

    rule: str
    module: str
    what: str
    reason: str


EXCEPTIONS: tuple[Allowed, ...] = (
    Allowed("output", "__main__.py", "sys.stdout", "--version is answered before anything is imported"),
    Allowed("slow", "cli/versions.py", "importlib.metadata", "is itself imported for --version --verbose alone"),
    Allowed("pure", "knowledge", "*", "reads its own data, which is packaged beside it"),
)


class Import(NamedTuple):
    """One imported module, by its full dotted name."""

    module: str
    line: int
    in_function: bool
    for_types: bool


class Source(NamedTuple):
    """One module of the package."""

    path: str  # below smtpctl/, with slashes
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        return self.path.split("/")[0] if "/" in self.path else ""


@cache
def sources() -> tuple[Source, ...]:
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        found.append(Source(file.relative_to(PACKAGE).as_posix(), text, ast.parse(text)))
    return tuple(found)


def walk(node: ast.AST, in_function: bool = False, for_types: bool = False) -> Iterator[tuple[ast.AST, bool, bool]]:
    """Every node, with whether it runs only when a function is called, or only for the type checker."""
    yield node, in_function, for_types
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for part, typed in ((node.body, True), (node.orelse, for_types)):
            for statement in part:
                yield from walk(statement, in_function, typed)
        return
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from walk(child, inside, for_types)


def imports(source: Source) -> Iterator[Import]:
    for node, in_function, for_types in walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, in_function, for_types)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from smtpctl.config import secrets` imports a module; `from typing import Any` does not harm as one
            for alias in node.names:
                yield Import(f"{node.module}.{alias.name}", node.lineno, in_function, for_types)


def is_under(name: str, parents: set[str], separator: str) -> bool:
    return any(name == parent or name.startswith(parent + separator) for parent in parents)


def is_allowed(rule: str, source: Source, what: str) -> bool:
    return any(
        row.rule == rule and is_under(source.path, {row.module}, "/") and row.what in ("*", what) for row in EXCEPTIONS
    )


def report(broken: list[str]) -> None:
    assert not broken, "\n" + "\n".join(broken)


def test_layers() -> None:
    broken = []
    for source in sources():
        allowed = LAYERS.get(source.layer)
        if allowed is None:
            continue
        for one in imports(source):
            parts = one.module.split(".")
            layer = parts[1] if parts[0] == "smtpctl" and len(parts) > 1 else ""
            if layer in LAYERS and layer not in {source.layer, "model", *allowed}:
                broken.append(f"{source.path}:{one.line} {source.layer} may not import {one.module}")
    report(broken)


def test_every_folder_is_a_layer() -> None:
    folders = {source.layer for source in sources()} - {""}
    assert folders == set(LAYERS)


def test_heavy_libraries_stay_at_home() -> None:
    broken = []
    for source in sources():
        for one in imports(source):
            library = one.module.split(".")[0]
            if library not in HOMES:
                continue
            if not is_under(source.path, HOMES[library], "/"):
                broken.append(f"{source.path}:{one.line} {library} belongs in {sorted(HOMES[library])}")
            elif not (one.in_function or one.for_types or library in AT_TOP):
                broken.append(f"{source.path}:{one.line} {library} is imported at the top: move it into the function")
    report(broken)


def test_slow_parts_of_the_standard_library_are_imported_when_used() -> None:
    broken = [
        f"{source.path}:{one.line} {one.module} is imported at the top: move it into the function"
        for source in sources()
        for one in imports(source)
        if is_under(one.module, SLOW, ".")
        and not (one.in_function or one.for_types)
        and not is_allowed("slow", source, one.module)
    ]
    report(broken)


def test_every_library_that_is_imported_has_a_home_and_is_declared() -> None:
    known = sys.stdlib_module_names | {"smtpctl"}
    imported = {one.module.split(".")[0] for source in sources() for one in imports(source)} - known
    assert imported <= set(HOMES)
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["ntlm"]]
    packages = {re.split(r"[<>=\[]", line)[0] for line in lines}
    assert {MODULES.get(package, package.replace("-", "_")) for package in packages} == set(HOMES)


def test_forbidden_libraries() -> None:
    broken = [
        f"{source.path}:{one.line} {one.module}: {FORBIDDEN[name]}"
        for source in sources()
        for one in imports(source)
        if (name := one.module.split(".")[0]) in FORBIDDEN
    ]
    report(broken)


def test_pure_layers_touch_nothing() -> None:
    broken = []
    for source in sources():
        if source.layer not in PURE:
            continue
        uses = [(one.line, one.module.split(".")[0]) for one in imports(source) if not one.for_types]
        touched = [(line, name) for line, name in uses if name in WORLD]
        for node, _, _ in walk(source.tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in CLOCK | FILE_ACCESS:
                    touched.append((node.lineno, name))
        broken += [
            f"{source.path}:{line} {name}: {source.layer} has no I/O, clock or environment"
            for line, name in touched
            if not is_allowed("pure", source, name)
        ]
    report(broken)


def test_environment_is_read_in_few_places() -> None:
    broken = []
    for source in sources():
        if is_under(source.path, READS_ENVIRONMENT, "/"):
            continue
        for node, _, _ in walk(source.tree):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name in ("os.environ", "os.getenv", "os.environb"):
                broken.append(f"{source.path}:{getattr(node, 'lineno', 0)} {name}")
    report(broken)


def test_output_is_written_in_few_places() -> None:
    broken = []
    for source in sources():
        if is_under(source.path, WRITES_OUTPUT, "/"):
            continue
        for node, _, _ in walk(source.tree):
            match node:
                case ast.Call(func=ast.Name(id="print")):
                    name = "print"
                case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr" as stream):
                    name = f"sys.{stream}"
                case ast.Attribute(value=ast.Name(id="typer"), attr="echo" | "secho" as call):
                    name = f"typer.{call}"
                case _:
                    continue
            if not is_allowed("output", source, name):
                broken.append(f"{source.path}:{node.lineno} {name}: only render and cli/terminal.py write")
    report(broken)


def test_secrets_are_revealed_in_few_places() -> None:
    broken = [
        f"{source.path}:{node.lineno} .reveal(): a secret becomes text where REVEALS says, nowhere else"
        for source in sources()
        if not is_under(source.path, set(REVEALS), "/")
        for node, _, _ in walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    ]
    report(broken)


def test_functions_are_short() -> None:
    broken = []
    for source in sources():
        for node, _, _ in walk(source.tree):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if length > FUNCTION_LINES_LIMIT:
                    broken.append(f"{source.path}:{node.lineno} {node.name}: {length} lines")
    report(broken)


def test_modules_are_short_and_say_what_they_are_for() -> None:
    broken = []
    for source in sources():
        if not ast.get_docstring(source.tree):
            broken.append(f"{source.path}:1 has no docstring")
        if (length := source.text.count("\n")) > LINES_LIMIT:
            broken.append(f"{source.path}:{length} lines; {LINES_LIMIT} is the ceiling")
    report(broken)


def test_every_exception_is_still_needed() -> None:
    paths = [source.path for source in sources()]
    named = {row.module for row in EXCEPTIONS} | set(REVEALS)
    assert not [module for module in named if not any(is_under(path, {module}, "/") for path in paths)]
