"""What the static rules say: the corpus says what and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smtpctl.config import store
from smtpctl.config.store import Document
from smtpctl.model.finding import Finding
from smtpctl.ops.validate import validate
from smtpctl.sink import authority

CORPUS = Path(__file__).parents[2] / "corpus" / "rules"
MARK = re.compile(r"# <- ([\w. ]+)")


def expected(text: str) -> list[tuple[int, str]]:
    lines = enumerate(text.splitlines(), 1)
    return [(number, id_) for number, line in lines for mark in MARK.finditer(line) for id_ in mark[1].split()]


def document(text: str, path: Path = Path("config.toml")) -> Document:
    return Document(path, store.decode(text.encode(), str(path)))


def found(text: str, **more: object) -> tuple[Finding, ...]:
    return validate(document(text), (), {}, {}, **more).findings  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_corpus(path: Path) -> None:
    text = path.read_text()
    made = validate(document(text, path), (), {}, {}).findings
    assert [(f.location.line, f.id) for f in made if f.location] == expected(text)
    assert all(f.location and f.location.path == str(path) for f in made)


def test_what_is_missing_is_told_at_the_heading() -> None:
    (finding,) = found(
        'version = 1\n\n[profiles.a]\nhost = "smtp.example.com"\ntls = "starttls"\nauth = "oauth2"\naccess_token_env = "T"\n'
    )
    assert finding.id == "config.oauth_no_username"
    assert finding.title == "[profiles.a] Cannot determine OAuth2 username"
    assert finding.location and finding.location.line == 3


def test_each_finding_about_a_profile_names_it_once() -> None:
    text = "".join(f'[profiles.{name}]\nhost = "h"\nusername = "ann"\nprot = 25\n' for name in ("a", "b"))
    text += '[profiles.b.ignore]\n"config.half_credentials" = "agreed"\n'
    made = validate(document(text), (), {}, {})
    titles = [*(finding.title for finding in made.findings), *(one.finding.title for one in made.ignored)]
    half = "Only half of a login is set: the password is missing"
    assert {title for title in titles if half in title} == {f"[profiles.a] {half}", f"[profiles.b] {half}"}
    assert all(title.count("[profiles.") == 1 for title in titles)


def test_no_server_is_an_error_that_names_the_way_out() -> None:
    (finding,) = found("version = 1\n")
    assert finding.id == "config.no_server"
    assert "smtpctl profile add" in repr(finding.causes)


def test_a_client_certificate_that_is_a_servers(tmp_path: Path) -> None:
    made = authority.create(tmp_path)
    text = f'version = 1\n[profiles.a]\nhost = "mx.test"\nport = 587\ntls = "starttls"\nclient_cert = "{made.certificate}"\n'
    finding = next(f for f in found(text) if f.id == "tls.client_cert_no_clientauth_eku")
    assert finding.location and finding.location.line == 6
    assert "smtpctl profile set a client_cert=<file> client_key=<file>" in repr(finding.causes)


def test_a_client_certificate_that_cannot_be_read_is_no_matter_of_its_purpose(tmp_path: Path) -> None:
    text = 'version = 1\n[profiles.a]\nhost = "mx.test"\nport = 587\ntls = "starttls"\nclient_cert = "/none.pem"\n'
    assert "tls.client_cert_no_clientauth_eku" not in {finding.id for finding in found(text)}


def test_a_password_beside_oauth_is_noted() -> None:
    ids = [finding.id for finding in found((CORPUS / "oauth.toml").read_text())]
    assert ids.count("config.password_ignored") == 1


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"host": "smtp.example.com", "port": "465", "tls": "starttls"}, ["config.port_tls_mismatch"]),
        ({"host": "smtp.example.com", "port": "587", "tls": "implicit"}, ["config.port_tls_mismatch"]),
        ({"host": "mail.public.example", "tls": "none"}, ["config.untrusted_plaintext"]),
        ({"host": "10.1.2.3", "tls": "none"}, []),
        ({"host": "smtp.example.com", "username": "ann"}, ["config.half_credentials"]),
        ({"host": "smtp.zengenti.com", "from": "cms@example.com"}, ["config.from_domain_not_authorised"]),
        ({"host": "smtp.zengenti.com", "from": "no-reply@contensis.com"}, []),
        (
            {"host": "smtp.office365.com", "tls": "starttls", "username": "a@b.example", "password_env": "X"},
            ["config.basic_auth_retired"],
        ),
    ],
)
def test_options_stand_in_for_a_profile(options: dict[str, str], ids: list[str]) -> None:
    made = validate(document("version = 1\n"), (), options, {})
    assert [finding.id for finding in made.findings] == ids
    assert made.subject == "1 profile"


LOGINS = {
    "anonymous": {"auth": "none"},
    "basic": {"auth": "basic", "username": "u", "password_env": "P"},
    "oauth2": {"auth": "oauth2", "username": "u", "access_token_env": "T"},
}
AGAINST = {  # how to connect and how to log in are two decisions; these pairs have a rule against them
    ("none", "anonymous"): ["config.untrusted_plaintext"],
    ("none", "basic"): ["config.plaintext_credentials"],
    ("none", "oauth2"): ["config.oauth_without_tls"],
}


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("tls", ["implicit", "starttls", "auto", "none"])
def test_any_way_to_connect_goes_with_any_way_to_log_in(tls: str, login: str) -> None:
    made = validate(document("version = 1\n"), (), {"host": "h.example", "tls": tls, **LOGINS[login]}, {})
    assert [finding.id for finding in made.findings] == AGAINST.get((tls, login), [])


def test_a_broken_profile_does_not_hide_the_others() -> None:
    text = (
        'version = 1\n[profiles.a]\nhost = "x"\nextends = "gone"\n'
        '[profiles.b]\nhost = "mail.example.com"\nport = 465\ntls = "starttls"\n'
    )
    ids = {finding.id for finding in found(text)}
    assert {"config.extends_missing", "config.port_tls_mismatch"} <= ids


def pickup(folder: Path | str, delivery: str = "pickup") -> str:
    return f'version = 1\n[profiles.p]\nhost = "localhost"\ndelivery = "{delivery}"\npickup_dir = "{folder}"\n'


def test_a_pickup_folder_is_tried(tmp_path: Path) -> None:
    assert found(pickup(tmp_path)) == ()
    assert list(tmp_path.iterdir()) == []
    (finding,) = found(pickup(tmp_path / "missing"))
    assert finding.id == "config.pickup_not_writable"
    assert "IIS_IUSRS" in repr(finding)


def test_rights_that_are_missing_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    tmp_path.chmod(0o555)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    (finding,) = found(pickup(tmp_path))
    assert "Permission denied; mode 555, user " in finding.title


def test_azure_takes_the_network_only(tmp_path: Path) -> None:
    (finding,) = found(pickup(tmp_path), platform="azure")
    assert finding.title == "[profiles.p] Microsoft Azure supports only the Network method"
    on_azure = validate(document(pickup(tmp_path)), (), {}, {"WEBSITE_SITE_NAME": "shop"}).findings
    assert [f.id for f in on_azure] == ["config.azure_network_only"]


def test_iis_is_asked_for_where_there_is_none() -> None:
    made = found('version = 1\n[profiles.p]\nhost = "localhost"\ndelivery = "iis"\n')
    assert [finding.id for finding in made] == ["config.iis_missing"]
    assert "NETWORK SERVICE" in made[0].message
