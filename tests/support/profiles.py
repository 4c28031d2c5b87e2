"""Profiles for tests of the engine, resolved as the program resolves them, and what a check of one gives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from smtpctl.config import store
from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.model.report import Report
from smtpctl.model.transcript import Stage
from smtpctl.ops.check import check
from smtpctl.ops.session import Surroundings

PASSWORD = "CANARY_PASSWORD"
TOKEN = "CANARY_TOKEN"


def profile(host: str, port: int, **settings: Any) -> Profile:
    """A server by address with these settings (the keys of config.fields); `seconds` limits every stage."""
    seconds = settings.pop("seconds", None)
    if seconds:
        stages = [stage for stage in Stage if stage is not Stage.CONFIG]
        settings |= {"timeout": settings.get("timeout", 5 * seconds)}
        settings["stage_timeout"] = {str(stage): seconds for stage in stages}
    if "password" in settings:
        os.environ[PASSWORD] = settings.pop("password")
        settings["password_env"] = PASSWORD
    if "access_token" in settings:
        os.environ[TOKEN] = settings.pop("access_token")
        settings["access_token_env"] = TOKEN
    document = store.Document(Path("none.toml"), exists=False)
    overrides = {"helo": "client.test", **settings}
    if host.startswith("/"):
        overrides["socket"] = host
    else:
        overrides |= {"host": host, "port": port}
    return resolve("", overrides, os.environ, document=document)


def look(host: str, port: int, **settings: Any) -> Report:
    """Check it."""
    return check(profile(host, port, **settings), Surroundings(os.environ))


def ids(report: Report) -> list[str]:
    """The ids of its findings, what stopped it first; not the extensions that a server of a test does without."""
    return [finding.id for finding in report.findings if not finding.id.startswith("smtp.missing_")]
