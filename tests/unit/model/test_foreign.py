"""Whatever stands where a secret does is masked, whatever it is; texts without one stay as they are."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.foreign import FOREIGN
from smtpctl.model.secret import MASK

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "corpus"
PLACES = (CORPUS / "foreign" / "secrets.txt").read_text("utf-8").strip("\n").split("\n\n")
HARMLESS = (CORPUS / "foreign" / "harmless.txt").read_text("utf-8").strip("\n").split("\n\n")
BARE = st.text(st.sampled_from("abcxyzABCXYZ0123456789äß!#$%*+-./:?@^_|~"), min_size=4, max_size=40).map("x{}9".format)
PRINTABLE = st.characters(exclude_categories=("C", "Z")) | st.just(" ")
SAMPLES = ("S3cretPass", "9876", "hunter2;x", "pa:ss@wo/rd?#9", "535-Abc1", "no-1", "expired!9x", "%41%42+1", "it's9")


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KINDS: dict[str, Callable[[str], str]] = {
    "SECRET": str,
    "TOKEN": str,
    "MIXED": str,
    "WORDS": str,
    "QUOTED": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "BASE64": base64_of,
    "PLAIN": lambda secret: base64_of(f"\0ann\0{secret}"),
    "XOAUTH2": lambda secret: base64_of(f"user=ann\1auth=Bearer {secret}\1\1"),
}
STRATEGIES = {
    "QUOTED": st.text(PRINTABLE, min_size=4, max_size=40).map("x{}9".format),
    "WORDS": st.lists(st.text(st.sampled_from("abcxyz"), min_size=4, max_size=4), min_size=4, max_size=4).map(" ".join),
    "MIXED": st.text(st.sampled_from("abcxyzABCXYZ0123456789!$%*-_."), min_size=4, max_size=40).map("x{}9".format),
    "TOKEN": st.text(st.sampled_from("abcxyz0123456789_-"), min_size=20, max_size=40),
}


def written(place: str, secret: str) -> tuple[str, str]:
    """A text with the secret in its place, and how it is written there."""
    head, kind, tail = in_parts(place)
    form = KINDS[kind](secret)
    return f"{head}{form}{tail}", form


def in_parts(place: str) -> tuple[str, str, str]:
    """What is before the last word for a secret, the word, and what is behind it."""
    found = list(re.finditer(r"(?:" + "|".join(KINDS) + r")\b", place))[-1]
    return place[: found.start()], found[0], place[found.end() :]


def hidden(place: str, secret: str) -> None:
    text, form = written(place, secret)
    shown = FOREIGN.text(text)
    assert MASK in shown
    assert form not in shown
    assert secret not in shown
    assert FOREIGN.text(shown) == shown
    for words in (
        "535 5.7.8 Error: authentication failed",
        "AADSTS7000215",
        "wrong version number",
        "smtp.example.com:465",
    ):
        assert (words in shown) == (words in text), "what happened is still told"


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_masked_where_it_stands(place: str) -> None:
    special = {
        "TOKEN": ("abc-0123456789-XYZ_0",),
        "MIXED": ("S3cretPass", "hunter2", "expired!9x"),
        "WORDS": ("abcd efgh ijkl mnop",),
    }
    for secret in special.get(in_parts(place)[1], SAMPLES):
        hidden(place, secret)


@given(st.data())
def test_any_secret_is_masked(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(PLACES))
    hidden(place, data.draw(STRATEGIES.get(in_parts(place)[1], BARE)))


@pytest.mark.parametrize("text", HARMLESS)
def test_words_about_secrets_stay(text: str) -> None:
    assert FOREIGN.text(text) == text


def texts() -> Iterator[str]:
    """What servers and programs say: the samples of the knowledge base, the corpora of texts and logs."""
    for path in ROOT.glob("smtpctl/knowledge/[rw]*/*.toml"):
        yield from samples(tomllib.loads(path.read_text("utf-8")))
    for folder in ("texts", "wild", "logs", "replies"):
        for path in (path for path in (CORPUS / folder).iterdir() if path.suffix != ".toml"):
            yield from path.read_text("utf-8", "backslashreplace").splitlines()


def samples(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from map(str, item) if key in ("samples", "sample") and isinstance(item, list) else samples(item)
    elif isinstance(value, list):
        for item in value:
            yield from samples(item)


def test_what_servers_and_programs_say_stays() -> None:
    changed = [(text, FOREIGN.text(text)) for text in texts() if FOREIGN.text(text) != text]
    assert [shown for _, shown in changed] == [
        "502 Command “AUTH PLAIN ********” not implemented"
    ]  # somebody had blanked it


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert FOREIGN.text(FOREIGN.text(text)) == FOREIGN.text(text)


@pytest.mark.parametrize(
    "unit",
    ["://:", "password=", 'password="\\', "a@b:", "AAAA", "334 ab1=", "login(a,", "-----BEGIN PRIVATE KEY-----\n", "eyJaaaaaaa.", "auth aaa ", "\"},'"],
)  # fmt: skip
def test_what_looks_like_endless_secrets_comes_back(unit: str) -> None:
    FOREIGN.text("password" + unit * 20_000)


def test_a_private_key_is_masked_whole() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----"
    assert FOREIGN.text(f"error in {key} of x") == f"error in {MASK} of x"


@pytest.mark.parametrize(
    "key",
    ["GOCSPX-abcdefghijk", "ya29.a0AfH6SMBxyz", "xkeysib-0123456789ab", "xsmtpsib-0123456789ab", "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuv",
     "key-0123456789abcdef0123456789abcdef", "re_1234abcd5678", "abc8Q~abcdefghijklmnopqrstuvwxyz012345"],
)  # fmt: skip
def test_keys_of_providers_are_masked_wherever_they_stand(key: str) -> None:
    assert FOREIGN.text(f"535 5.7.8 {key} was refused") == f"535 5.7.8 {MASK} was refused"
