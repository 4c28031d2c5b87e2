from __future__ import annotations

import pytest

from smtpctl.render.to_sarif import file_uri


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("smtpctl.toml", "smtpctl.toml"),
        ("a b/ü#?.toml", "a%20b/%C3%BC%23%3F.toml"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//evil.example/x", "file:////evil.example/x"),
        ("/etc/smtpctl/a b.toml", "file:///etc/smtpctl/a%20b.toml"),
        ("/etc/\udce9\n", "file:///etc/%5Cudce9%5Cn"),
    ],
)
def test_paths_become_uris_by_quoting(path: str, uri: str) -> None:
    assert file_uri(path) == uri
