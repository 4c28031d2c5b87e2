"""What other projects take from this one for their CI: the hook for pre-commit and the action for GitHub."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT

HOOKS = ROOT / ".pre-commit-hooks.yaml"
ACTION = ROOT / "action.yml"
GOOD = 'version = 1\n[profiles.a]\nhost = "mail.test"\nport = 587\ntls = "starttls"\n'
WRONG = GOOD.replace("587", "465")


def call(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run something with this environment's programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        words, cwd=cwd, env={**os.environ, "PATH": path, **env}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's repository with a right and a wrong file."""
    (tmp_path / "smtpctl.toml").write_text(GOOD)
    (tmp_path / "smtpctl-staging.toml").write_text(WRONG)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def test_the_hooks_are_what_pre_commit_takes() -> None:
    done = call("pre-commit", "validate-manifest", str(HOOKS))
    assert done.returncode == 0, done.stdout


def test_the_hook_looks_at_configuration_files_alone(project: Path) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text())
    names = [path.name for path in sorted(project.iterdir()) if re.search(hook["files"], path.name)]
    assert names == ["smtpctl-staging.toml", "smtpctl.toml"]
    done = call(*shlex.split(hook["entry"]), *names, cwd=project)
    assert done.returncode == 1
    assert "config.port_tls_mismatch" in done.stdout
    assert "2 files, 2 profiles, 1 error" in done.stdout
    assert call(*shlex.split(hook["entry"]), "smtpctl.toml", cwd=project).returncode == 0


def test_the_action_is_what_github_takes() -> None:
    done = call("check-jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION))
    assert done.returncode == 0, done.stdout


def steps() -> dict[str, Any]:
    return {step.get("name", step.get("uses")): step for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]}


def test_no_input_is_text_within_a_script() -> None:
    for step in steps().values():
        assert "${{" not in step.get("run", "")
        assert "shell" in step or "uses" in step


def test_the_action_installs_itself() -> None:
    words = shlex.split(steps()["Install smtpctl"]["run"])
    assert words[words.index("-m") :][:3] == ["-m", "pip", "install"]
    assert words[-1] == "$GITHUB_ACTION_PATH"


def test_nothing_that_was_checked_out_is_run(project: Path) -> None:
    """The files may be a stranger's pull request: Python looks for modules in the working directory first."""
    (project / "pip.py").write_text("open('run', 'w')\n")
    for step in steps().values():
        call("bash", "-c", step.get("run", ""), cwd=project, GITHUB_ACTION_PATH="./nothing", RUNNER_TEMP=str(project))
    assert not (project / "run").exists()


@pytest.mark.parametrize(
    ("inputs", "code", "annotations"),
    [
        ({}, 0, 0),
        ({"files": "smtpctl.toml\nsmtpctl-staging.toml\n"}, 1, 1),
        ({"files": "smtpctl-staging.toml", "fail-on": "never"}, 0, 1),
        ({"files": "smtpctl-staging.toml", "ignore": "config.port_*\nconfig.port_tls_mismatch"}, 2, 0),
        ({"files": "smtpctl-staging.toml", "ignore": "config.*\n"}, 0, 0),
        ({"files": "$(touch broken.toml).toml; touch broken.toml"}, 1, 0),
        ({"files": "--help.toml"}, 1, 0),
        ({"files": "smtpctl-staging.toml", "sarif": "true"}, 1, 1),
    ],
)
def test_the_script_of_the_action(project: Path, inputs: dict[str, str], code: int, annotations: int) -> None:
    defaults = {name: str(said["default"]) for name, said in yaml.safe_load(ACTION.read_text())["inputs"].items()}
    step = steps()["Validate"]
    given = defaults | inputs
    env = {name: given[re.sub(r".*inputs\.([\w-]+).*", r"\1", value)] for name, value in step["env"].items()}
    shell = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"])  # as GitHub runs `shell: bash`
    done = call(*shell, cwd=project, RUNNER_TEMP=str(project), **env)
    assert done.returncode == code, done.stdout + done.stderr
    assert len(re.findall("^::error file=smtpctl-staging.toml,line=4", done.stdout, re.MULTILINE)) == annotations
    assert not (project / "broken.toml").exists()
    sarif = project / "smtpctl.sarif"
    assert sarif.exists() is (given["sarif"] == "true")
    if sarif.exists():
        (result,) = json.loads(sarif.read_text())["runs"][0]["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "smtpctl-staging.toml"


def test_a_file_that_cannot_be_read_hides_nothing(project: Path) -> None:
    (project / "smtpctl-broken.toml").write_text("version = \n")
    done = call(
        "smtpctl", "validate", "smtpctl-broken.toml", "missing.toml", "smtpctl-staging.toml", "--json", cwd=project
    )
    found = json.loads(done.stdout)
    assert {one["id"] for one in found["findings"]} == {
        "config.syntax", "config.unreadable", "config.port_tls_mismatch",
    }  # fmt: skip
    assert (done.returncode, found["subject"]) == (1, "3 files, 1 profile")


@pytest.mark.parametrize("more", [("a",), ("--port", "25")])
def test_files_are_looked_at_whole(project: Path, more: tuple[str, ...]) -> None:
    done = call("smtpctl", "validate", "smtpctl.toml", *more, cwd=project)
    assert (done.returncode, "looked at whole" in done.stderr) == (2, True)
