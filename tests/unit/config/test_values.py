"""Values: what is taken, in which form, and the exact word for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.config import values
from smtpctl.config.fields import BY_NAME, FIELDS, OAUTH_BY_NAME, SCOPE_BY_NAME
from smtpctl.config.values import BadValueError, bare_address, hide_password, split_host

TABLES = {**OAUTH_BY_NAME, **SCOPE_BY_NAME, **BY_NAME}


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("mail.example.com", "mail.example.com", None),
        ("MAIL.Example.COM.", "mail.example.com", None),
        (" mail.example.com ", "mail.example.com", None),
        ("localhost", "localhost", None),
        ("mail_relay", "mail_relay", None),
        ("127.0.0.1:587", "127.0.0.1", 587),
        ("mail.example.com:25", "mail.example.com", 25),
        ("[::1]:587", "::1", 587),
        ("[::1]", "::1", None),
        ("2001:DB8::0:1", "2001:db8::1", None),
        ("fe80::1%eth0", "fe80::1%eth0", None),
        ("müller.example", "xn--mller-kva.example", None),
        ("例え.jp:465", "xn--r8jz45g.jp", 465),
        ("xn--mller-kva.example", "xn--mller-kva.example", None),
    ],
)
def test_hosts(written: str, host: str, port: int | None) -> None:
    assert split_host(written) == (host, port)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "the host is empty"),
        (":25", "the host is empty"),
        ("https://x", '"https://x" is a URL; give the name or address alone: x'),
        ("smtp://me:pw@mail.example.com/", "is a URL; give the name or address alone: mail.example.com"),
        ("mail example.com", '"mail example.com" has a blank in it; a host name has none'),
        ("ann@example.com", "is a mail address"),
        ("mail..example.com", '"mail..example.com" has an empty part between two dots'),
        (".example.com", "has an empty part"),
        ("300.1.1.1", "looks like an IPv4 address but is none"),
        ("127.1", "looks like an IPv4 address but is none"),
        ("-mail.example.com", "is not a host name"),
        ("mail-.example.com", "is not a host name"),
        ("mail/x", "is not a host name"),
        ("a" * 64 + ".example", "has a part of 64 characters"),
        (".".join(["a" * 60] * 5), "the host name has 304 characters"),
        ("[::1", "is not [ADDRESS] or [ADDRESS]:PORT"),
        ("[::1]587", "is not [ADDRESS] or [ADDRESS]:PORT"),
        ("[::g]", "is not an IPv6 address"),
        ("1:2:3", "is not an IPv6 address"),
        ("a:0", '"0" is not a port: a number from 1 to 65535 is needed'),
        ("a:70000", '"70000" is not a port'),
        ("a:x", '"x" is not a port'),
        ("a:", '"" is not a port'),
        ("a:٢٥", "is not a port"),
        ("xn--a.example..", "has an empty part"),
    ],
)
def test_no_hosts(written: str, reason: str) -> None:
    with pytest.raises(BadValueError) as caught:
        split_host(written)
    assert reason in str(caught.value)


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(BadValueError) as caught:
        split_host("smtp://me:hunter2@mail.example.com")
    assert "hunter2" not in str(caught.value)
    assert hide_password("smtp://me:hunter2@mail") == "smtp://me:********@mail"
    assert hide_password("me:hunter2@mail") == "me:********@mail"


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("port", "587", 587),
        ("port", 25, 25),
        ("tls", "STARTTLS", "starttls"),
        ("insecure", "yes", True),
        ("insecure", "0", False),
        ("batch_size", "50", 50),
        ("archive_days", 0, 0),
        ("timeout", "1.5", 1.5),
        ("timeout", 300, 300.0),
        ("debug_failure_rate", "1", 1.0),
        ("stage_timeout", ["greeting=60", "auth=1.5"], {"greeting": 60.0, "auth": 1.5}),
        ("stage_timeout", "greeting=60,auth=1.5", {"greeting": 60.0, "auth": 1.5}),
        ("stage_timeout", {"dns": 3}, {"dns": 3.0}),
        ("sites", "A, B,,C", ("A", "B", "C")),
        ("sites", ["A", "B"], ("A", "B")),
        ("sites", "", ()),
        ("pin", "SHA256:" + "AB" * 32, ("sha256:" + "ab" * 32,)),
        ("pin", ":".join(["ab"] * 32), ("sha256:" + "ab" * 32,)),
        ("from", '"Me" <me@x.example>', '"Me" <me@x.example>'),
        ("from", "me@[192.0.2.1]", "me@[192.0.2.1]"),
        ("from", "<>", "<>"),
        ("from", "ann@müller.example", "ann@müller.example"),
        ("source", "[::1]", "::1"),
        ("proxy", "socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("token_endpoint", "https://login.example.com/token", "https://login.example.com/token"),
        ("password_command", "pass show 'my mail'", ("pass", "show", "my mail")),
        ("password_command", ["pass", "show"], ("pass", "show")),
        ("host", "[::1]:25", "[::1]:25"),
        ("extends", "", ""),
        ("helo", "me.example.com", "me.example.com"),
        ("helo", "[192.0.2.1]", "[192.0.2.1]"),
        ("helo", "[IPv6:2001:DB8::1]", "[IPv6:2001:DB8::1]"),
        ("helo", "", ""),
        ("port", None, None),
    ],
)
def test_values(name: str, written: object, value: object) -> None:
    assert values.parse(TABLES[name], written) == value


@pytest.mark.parametrize(
    ("name", "written", "reason"),
    [
        ("tls", "ssl", '"ssl" is not one of implicit, starttls, auto, none'),
        ("auth", "foo", '"foo" is not one of auto, oauth2, basic, none'),
        ("priority", "urgent", '"urgent" is not one of high, normal, low'),
        ("insecure", "maybe", '"maybe" is neither true nor false'),
        ("port", True, '"True" is not a port'),
        ("port", 25.0, '"25.0" is not a port'),
        ("batch_size", "0", '"0" is not a whole number from 1'),
        ("batch_size", "-5", '"-5" is not a whole number from 1'),
        ("batch_size", "ten", '"ten" is not a whole number from 1'),
        ("timeout", "0", '"0" is not a number of seconds above 0'),
        ("timeout", "nan", "is not a number of seconds"),
        ("timeout", "inf", "is not a number of seconds"),
        ("timeout", 10**400, "is not a number of seconds"),
        ("debug_failure_rate", "1.1", '"1.1" is not a number from 0 to 1'),
        ("stage_timeout", "greting=5", '"greting" is not a stage'),
        ("stage_timeout", "dns", "is not a number of seconds"),
        ("pin", "sha256:abc", "is not a pin: sha256: and 64 hexadecimal digits are needed"),
        ("from", "me", '"me" is not a mail address: name@domain is needed'),
        ("from", "a@x, b@x", "is not a mail address"),
        ("from", "a@b@c d", "is not a mail address"),
        ("from", "a@-x", "is not a host name"),
        ("from", "a@x\r\nBcc: b@x", "has a line break"),
        ("source", "localhost", '"localhost" is not an IP address'),
        ("proxy", "ftp://x", "is not a proxy"),
        ("proxy", "http://ann:a/b@x:1", "written as %2F"),
        ("token_endpoint", "http://x", "must be HTTPS"),
        ("password_command", "pass 'x", "cannot be split into words"),
        ("password_command", "", "the command is empty"),
        ("username", "a\nb", "has a line break"),
        ("username", "a\udcff", "broken text"),
        ("username", ["a"], "is not a text"),
        ("extends", "a b", "is not a name"),
        ("extends", "a/b", "is not a name"),
        ("helo", "a b", "has a blank in it"),
        ("helo", "a;b", "is not a host name"),
        ("helo", "[a b]", "has a blank in it"),
        ("helo", "[]", "is not a host name"),
    ],
)
def test_no_values(name: str, written: object, reason: str) -> None:
    with pytest.raises(BadValueError) as caught:
        values.parse(TABLES[name], written)
    assert reason in str(caught.value)


@pytest.mark.parametrize("written", ["hunter2\n", ["hunter2"], {"hunter2": 1}])
def test_a_bad_secret_is_not_repeated(written: object) -> None:
    with pytest.raises(BadValueError) as caught:
        values.parse(BY_NAME["password"], written)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "bare"),
    [('"Me, my" <me@x>', "me@x"), ("me@x", "me@x"), ("Me <me@x>", "me@x"), ("<>", ""), ("", "")],
)
def test_the_address_alone(written: str, bare: str) -> None:
    assert bare_address(written) == bare


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(field=st.sampled_from(FIELDS), raw=ANYTHING)
def test_any_value_is_taken_or_refused_with_a_word(field: Any, raw: object) -> None:
    said, value = "taken", None
    try:
        value = values.parse(field, raw)
    except BadValueError as error:
        said = str(error)
    assert said and "\n" not in said
    assert values.parse(field, value) == value  # canonical: parsing again changes nothing


@given(st.text())
def test_a_host_is_ascii_and_has_nothing_to_inject(written: str) -> None:
    try:
        host, _ = split_host(written)
    except BadValueError:
        return
    assert host.isascii() and not any(c.isspace() or c in "@/\\" for c in host)
    assert split_host(f"[{host}]" if ":" in host else host)[0] == host
