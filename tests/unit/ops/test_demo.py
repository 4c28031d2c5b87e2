"""The demonstration: a mail that arrives, a login that is refused, nothing left."""

from __future__ import annotations

from pathlib import Path

from smtpctl.model.report import ExitStatus
from smtpctl.ops import demo
from smtpctl.ops.session import Surroundings


def test_one_mail_arrives_and_one_login_fails() -> None:
    with demo.stage() as stage:
        assert demo.send(stage.right, Surroundings({})).status() is ExitStatus.OK
        mail = stage.caught
        failed = demo.send(stage.wrong, Surroundings({}))
        authority = Path(stage.sink.ca_file)
    assert mail
    assert (mail.login, mail.tls) == (demo.USER, "TLSv1.3")
    assert failed.status() is ExitStatus.AUTH
    assert failed.findings[0].causes
    assert not failed.next_command  # the server is gone when somebody reads it
    assert not authority.parent.exists()


def test_nothing_of_the_user_is_read() -> None:
    with demo.stage() as stage:
        assert {origin.kind for origin in stage.right.origins.values()} <= {"flag", "environment", "default"}
        assert stage.right.endpoint.host == "127.0.0.1"
