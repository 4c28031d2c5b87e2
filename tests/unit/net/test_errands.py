"""Many short sessions with one server on loopback, within a limit."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

import pytest

from rawserver import Peer, RawServer
from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsPolicy
from smtpctl.model.errors import Problem, Refused
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net import errands
from smtpctl.net.connection import Log
from smtpctl.net.errands import Door, Errand, Errands, Job, Result
from smtpctl.protocol.dialogue import greet
from smtpctl.protocol.server.values import Setup
from smtpctl.protocol.steps import Dialogue
from smtpctl.protocol.submit import leave
from smtpctl.sink.server import Sink


def door(port: int, seconds: float = 20, greeting: float = 10) -> Door:
    log = Log(Transcript())
    timeouts = Timeouts(seconds, {Stage.GREETING: greeting})
    return Door(Endpoint("127.0.0.1", port), Route(), TlsPolicy(), timeouts, log, log.clock() + seconds)


def visit() -> Dialogue[str]:
    reply = yield from greet()
    yield from leave()
    return str(reply)


def one(results: list[Result], dialogue: Callable[[], Dialogue[object]] = visit) -> Job:
    results.append((yield Errand(dialogue)))
    return ()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "PAUSE", 0.0)


def test_never_more_at_once_than_allowed() -> None:
    inside, most, results = [0], [0], []

    def counted() -> Dialogue[None]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        yield from visit()
        inside[0] -= 1

    with Sink(Setup()) as sink:
        entrance = door(sink.port)
        crew = Errands(entrance, 3)
        crew.run(one(results, counted) for _ in range(30))
    assert crew.finished
    assert (len(results), most[0], entrance.opened) == (30, 3, 30)
    assert not any(result.failure for result in results)


def test_a_job_goes_on_with_what_it_learnt_and_brings_others() -> None:
    told: list[str] = []

    def second(number: int) -> Job:
        result = yield Errand(visit)
        told.append(f"second {number} {result.value[:3]}")
        return ()

    def first() -> Job:
        for number in range(3):
            result = yield Errand(visit)
            told.append(f"first {number} {result.value[:3]}")
        return [second(number) for number in range(2)]

    with Sink(Setup()) as sink:
        Errands(door(sink.port), 1).run([first()])
    assert told == ["first 0 220", "first 1 220", "first 2 220", "second 0 220", "second 1 220"]


def replies(greetings: Iterable[str]) -> Callable[[Peer], None]:
    """A script: each client gets the next greeting."""
    following = iter(greetings)

    def script(peer: Peer) -> None:
        peer.say(next(following))
        peer.hear()
        peer.say("221 bye")

    return script


def test_a_server_that_is_busy_is_asked_again() -> None:
    results: list[Result] = []
    with RawServer(replies(["421 4.7.0 Too busy", "220 mx", "220 mx"])) as server:
        entrance = door(server.port)
        Errands(entrance, 4).run([one(results), one(results)])
    assert [result.value for result in results] == ["220 mx", "220 mx"]
    assert entrance.opened == 3


def test_a_server_that_stays_busy_ends_it() -> None:
    with RawServer(replies(["421 4.7.0 Too busy"] * 9)) as server, pytest.raises(Refused, match="421"):
        Errands(door(server.port), 1).run([one([])])


def test_a_server_that_lets_nobody_in_ends_it_at_once() -> None:
    with RawServer(replies(["554 5.7.1 Not for you", "220 mx"])) as server, pytest.raises(Refused, match="554"):
        Errands(door(server.port), 1).run([one([]), one([])])


def test_a_refusal_after_a_success_is_a_result() -> None:
    results: list[Result] = []
    with RawServer(replies(["220 mx", "554 5.7.1 Enough of you", "220 mx"])) as server:
        Errands(door(server.port), 1).run([one(results), one(results), one(results)])
    assert [type(result.failure) for result in results] == [type(None), Refused, type(None)]


def test_nobody_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(Problem, match=r"conn\.refused"):
            Errands(door(bound.getsockname()[1]), 2).run([one([])])


def test_a_server_that_goes_away_in_between() -> None:
    """The address is known by then; what fails is a later connection."""
    results: list[Result] = []
    with Sink(Setup()) as sink:
        entrance = door(sink.port)
        Errands(entrance, 1).run([one(results)])
    with pytest.raises(Problem, match=r"conn\.refused"):
        Errands(entrance, 1).run([one(results)])
    assert len(results) == 1


def test_the_time_of_all_together_is_limited() -> None:
    with RawServer(lambda peer: peer.until_gone()) as server, pytest.raises(Problem, match=r"conn\.total_timeout"):
        Errands(door(server.port, seconds=0.2), 2).run([one([])])


def test_time_that_runs_out_later_ends_it_quietly() -> None:
    results: list[Result] = []

    def script(peer: Peer) -> None:
        if results:
            peer.until_gone()
        else:
            peer.say("220 mx")
            peer.hear()
            peer.say("221 bye")

    with RawServer(script) as server:
        crew = Errands(door(server.port, seconds=0.2), 1)
        crew.run([one(results), one(results)])
    assert not crew.finished or results[-1].failure


def test_silence_ends_an_errand_in_the_time_of_its_stage() -> None:
    with RawServer(lambda peer: peer.until_gone()) as server, pytest.raises(Problem, match=r"conn\.greeting_timeout"):
        Errands(door(server.port, greeting=0.05), 1).run([one([])])
