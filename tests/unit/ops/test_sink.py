"""From the wishes of a command line to a running sink, and the directions it gives."""

from __future__ import annotations

import smtplib
import ssl
from pathlib import Path

import pytest

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import UsageProblem
from smtpctl.ops.directions import directions
from smtpctl.ops.sink import Wishes, running


def test_directions_lead_there() -> None:
    with running(Wishes(tls=TlsMode.STARTTLS, users=["ann"]), {}) as run:
        told = directions(run)
        password = run.generated["ann"].reveal()
        with smtplib.SMTP(told.settings["host"], int(told.settings["port"]), timeout=10) as client:
            client.starttls(context=ssl.create_default_context(cafile=told.settings["trust"]))
            client.login(told.settings["user"], told.settings["password"].split()[0])
    assert told.settings["password"] == f"{password} (made for this run)"
    assert told.settings["encryption"] == "STARTTLS"
    assert "EXTERNAL" not in told.settings["login"]
    assert told.try_it.startswith(
        f"SMTPCTL_PASSWORD={password} smtpctl test-send 127.0.0.1:{run.sink.port} --tls starttls"
    )
    assert told.keep_it.startswith(f"smtpctl profile add sink --host 127.0.0.1 --port {run.sink.port} --tls starttls")
    assert told.variables == f"SMTP_HOST=127.0.0.1 SMTP_PORT={run.sink.port} SMTP_USER=ann SMTP_PASSWORD={password}"
    assert not Path(told.settings["trust"]).exists()  # nothing is left


def test_a_password_of_the_user_is_never_told() -> None:
    with running(Wishes(users=["ann=env:PW"]), {"PW": "canary"}) as run:
        assert "canary" not in str(directions(run))
        assert run.sink.setup.users["ann"].reveal() == "canary"
        assert not run.generated


def test_a_login_without_a_name_gets_one() -> None:
    with running(Wishes(auth=["plain,login"]), {}) as run:
        assert list(run.sink.setup.users) == ["sink"]
        assert run.sink.setup.mechanisms == ("PLAIN", "LOGIN")


def test_a_unix_socket(tmp_path: Path) -> None:
    with running(Wishes(host=f"unix:{tmp_path}/s", lmtp=True, without=["chunking"]), {}) as run:
        told = directions(run)
        assert "CHUNKING" not in run.sink.setup.extensions
    assert told.settings["socket"] == f"{tmp_path}/s"
    assert told.try_it.startswith(f"smtpctl test-send unix:{tmp_path}/s --tls none --lmtp")
    assert told.variables == ""


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        (Wishes(auth=["NTLM"]), "--auth: there is no NTLM here"),
        (Wishes(without=["X"]), "--without: there is no X here"),
        (Wishes(users=["=env:PW"]), "--user =env:PW: there is no name before the ="),
        (Wishes(users=["ann=pencil"]), "--user ann=...: not a place for a secret"),
        (Wishes(fail=["mail"]), "--fail 'mail': after the colon comes a reply"),
        (Wishes(delay=["mail:x"]), "--delay 'mail:x': after the colon comes a number"),
        (Wishes(drop=["post"]), "--drop 'post': it begins with a stage"),
        (Wishes(play="starttls.refused", tls=TlsMode.NONE), "--tls none: starttls.refused shows at STARTTLS only"),
        (Wishes(play="tls.cert.expired", tls=TlsMode.NONE), "--tls none: tls.cert.expired shows in TLS only"),
        (Wishes(port=99999), "--port 99999: a port is a number"),
        (Wishes(output="/dev/null/x"), "--output /dev/null/x: "),
    ],
)
def test_what_cannot_be_done_is_said(wishes: Wishes, says: str) -> None:
    with pytest.raises(UsageProblem) as problem, running(wishes, {}):
        pass
    assert problem.value.message.startswith(says)


def test_what_is_given_by_hand_comes_before_what_is_played() -> None:
    wishes = Wishes(
        play="ses.454-rate",
        tls=TlsMode.NONE,
        users=["ann=env:PW"],
        auth=["login"],
        without=["size"],
        fail=["eod:451 No"],
    )
    with running(wishes, {"PW": "canary"}) as run:
        told = directions(run)
        setup = run.sink.setup
    assert (setup.tls, setup.mechanisms, list(setup.users)) == (TlsMode.NONE, ("LOGIN",), ["ann"])
    assert setup.extensions == ("8BITMIME", "STARTTLS", "AUTH")
    assert [fault.octets for fault in setup.faults.at("eod")] == [
        b"451 No\r\n",
        b"454 Throttling failure: Maximum sending rate exceeded.\r\n",
    ]
    assert "--tls none --username ann" in told.try_it
    assert "canary" not in str(told)


def test_nobody_knows_a_password_where_no_login_works() -> None:
    with running(Wishes(play="zoho.535", users=["ann=env:PW"]), {"PW": "canary"}) as run:
        told = directions(run)
        assert run.sink.setup.users["ann"].reveal() != "canary"
    assert (told.settings["user"], told.settings["password"]) == ("ann", "anything")
    assert told.try_it.startswith("SMTPCTL_PASSWORD=anything smtpctl check 127.0.0.1:")


def test_at_a_socket_no_preset_leads_elsewhere(tmp_path: Path) -> None:
    with running(Wishes(host=f"unix:{tmp_path}/s", play="google"), {}) as run:
        assert f" unix:{tmp_path}/s --tls starttls" in directions(run).try_it


def test_a_port_that_is_taken_is_said() -> None:
    with running(Wishes(), {}) as first:
        with pytest.raises(UsageProblem) as problem, running(Wishes(port=first.sink.port), {}):
            pass
        assert problem.value.message == f"127.0.0.1:{first.sink.port}: Address already in use"
        assert "--port" in problem.value.hint
