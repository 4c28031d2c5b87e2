"""Where a browser comes back to: what counts, what is turned away, and the page that people see."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode

import pytest

from smtpctl.model.errors import Problem
from smtpctl.model.report import ExitStatus
from smtpctl.oauth import loopback
from smtpctl.oauth.loopback import Listener, listener

ANSWER = {"state": "s&1", "code": "c=2"}


@pytest.fixture
def at() -> Iterator[Listener]:
    with listener(name="shop") as made:
        yield made


def port(at: Listener) -> int:
    return int(at.redirect.rpartition(":")[2])


def visit(
    at: Listener, path: str, host: str = "127.0.0.1", method: str = "GET", **headers: str
) -> tuple[int, str, dict[str, str]]:
    with closing(http.client.HTTPConnection(host, port(at), timeout=10)) as browser:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        browser.request(method, path, headers={"Host": at.redirect.removeprefix("http://"), **sent})
        answer = browser.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())


def test_a_browser_comes_back(at: Listener) -> None:
    status, text, headers = visit(at, f"/?{urlencode(ANSWER)}", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
    assert status == 200
    assert "You are signed in" in text
    assert at.wait(5) == ANSWER
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert "Python" not in headers["Server"]


def test_an_answer_to_another_login_does_not_end_this_one(at: Listener) -> None:
    """Any page and any program of this machine can ask; whose state it is they do not know."""
    foreign = urlencode({**ANSWER, "state": "guessed"})
    visit(at, f"/?{foreign}")
    at.expect(ANSWER["state"])
    status, text, _ = visit(at, f"/?{foreign}")
    assert (status, "signed in" in text) == (400, False)
    assert visit(at, f"/?{urlencode(ANSWER)}")[0] == 200
    assert at.wait(5) == ANSWER


def test_localhost_may_be_either_address(at: Listener) -> None:
    try:
        visit(at, f"/?{urlencode(ANSWER)}", host="::1")
    except OSError:
        pytest.skip("no IPv6 on the loopback")
    assert at.wait(5) == ANSWER


def test_somebody_said_no(at: Listener) -> None:
    said = {"state": "s", "error": "access_denied", "error_description": "<script>alert(1)</script>"}
    status, text, _ = visit(at, f"/?{urlencode(said)}")
    assert (status, at.wait(5)) == (200, said)
    assert "not completed" in text
    assert "script" not in text, "nothing that came with the request is in the page"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/favicon.ico", {}, 404),
        ("/favicon.ico?state=s&code=c", {}, 404),
        ("/", {}, 400),
        ("/?code=c", {}, 400),
        ("/?state=s", {}, 400),
        ("/?state=s&code=c&code=d", {}, 400),
        ("/?state=s&code=c&" + "&".join(f"{i}=" for i in range(50)), {}, 400),
        ("/?state=s&code=c", {"Host": "evil.test"}, 421),
        ("/?state=s&code=c", {"Host": "localhost"}, 421),
        ("/?state=s&code=c", {"Sec_Fetch_Mode": "no-cors"}, 404),
        ("/?state=s&code=c", {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 404),
        ("/?state=s&code=" + "x" * 70_000, {}, 414),
    ],
)
def test_what_is_no_answer_is_turned_away(at: Listener, path: str, headers: dict[str, str], status: int) -> None:
    assert visit(at, path, **headers)[0] == status
    visit(at, f"/?{urlencode(ANSWER)}")
    assert at.wait(5) == ANSWER, "and the next one counts"


def test_only_a_visit_counts(at: Listener) -> None:
    assert visit(at, "/?state=s&code=c", method="POST")[0] == 501
    with pytest.raises(Problem):
        at.wait(0)


def test_who_says_nothing_holds_nobody_up(at: Listener) -> None:
    with socket.create_connection(("127.0.0.1", port(at))) as silent:
        silent.sendall(b"GET /?state=")
        visit(at, f"/?{urlencode(ANSWER)}")
        assert at.wait(5) == ANSWER


def test_nobody_comes(at: Listener) -> None:
    with pytest.raises(Problem) as told:
        at.wait(0)
    assert told.value.finding.id == "oauth.browser_timeout"
    assert told.value.retryable


def test_a_port_that_somebody_has(at: Listener) -> None:
    with pytest.raises(Problem) as told, listener(port(at), "shop"):
        pass
    assert (told.value.finding.id, told.value.status) == ("oauth.port_unusable", ExitStatus.CONFIG)
    assert str(port(at)) in told.value.finding.title


def test_the_other_address_must_be_ours_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET) as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        monkeypatch.setattr(loopback, "_HOSTS", ("::1", "127.0.0.1"))
        with pytest.raises(Problem) as told, listener(foreign.getsockname()[1], "shop"):
            pass
    assert told.value.finding.id == "oauth.port_unusable"


def test_a_port_is_free_again() -> None:
    with listener() as first:
        number = port(first)
        visit(first, f"/?{urlencode(ANSWER)}")
    with listener(number) as second:
        assert second.redirect == first.redirect
