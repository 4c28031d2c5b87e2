"""Secrets in a real Secret Service: GNOME Keyring on a private D-Bus session, unlocked, locked, and without a collection."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CANARY = "hunter2-canary"
SESSION = Path(__file__).parent / "keyring" / "session.sh"
ENTRY = "profile/work/password"

pytestmark = pytest.mark.requires("gnome-keyring", "dbus")

Done = subprocess.CompletedProcess[str]
Session = Callable[..., Done]


@pytest.fixture
def session(home: Path, smtpctl_program: Path) -> Session:
    """`session("secret", "status", unlocked=True, stdin="...")`: the program in a new session of the same user."""

    def run(*args: str | Path, unlocked: bool = True, stdin: str = "", **environ: str) -> Done:
        password = {"KEYRING_PASSWORD": "login"} if unlocked else {}
        done = subprocess.run(
            [SESSION, smtpctl_program, *args],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, **password, **environ},
            cwd=home,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        if "--reveal" not in args:
            assert CANARY not in done.stdout + done.stderr
        return done

    run("profile", "add", "work", "--host", "mail.example.com", "--tls", "starttls", "--username", "ann")
    return run


def stored(done: Done) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in json.loads(done.stdout)["secrets"]}


def config(home: Path) -> str:
    return (home / ".config" / "smtpctl" / "config.toml").read_text()


def finding(done: Done) -> str:
    document = json.loads(done.stdout)
    return str(document["findings"][0]["id"] if "findings" in document else document["finding"]["id"])


def test_set_use_move_and_remove(session: Session, home: Path, tmp_path: Path) -> None:
    assert session("secret", "set", "work", "--stdin", stdin=f"{CANARY}\n").returncode == 0
    assert "password_keyring = true" in config(home)
    assert CANARY not in config(home)
    assert f"= {CANARY}\n" in session("profile", "export", "--to", "contensis", "work", "--reveal").stdout

    path = tmp_path / "secret"
    assert session("secret", "move", "work", "--to", f"file:{path}").returncode == 0
    assert path.read_text() == f"{CANARY}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "password_keyring" not in config(home)

    assert session("secret", "move", "work", "--to", "keyring").returncode == 0
    assert not path.exists()
    assert stored(session("secret", "status", "--json"))[ENTRY]["state"] == "there"

    assert session("secret", "remove", "work", "--yes").returncode == 0
    assert stored(session("secret", "status", "--json")) == {}
    assert "password" not in config(home)


def test_status_says_which_keyring_answers_and_why_another_does_not(session: Session) -> None:
    keyrings = json.loads(session("secret", "status", "--json").stdout)["keyrings"]
    chosen = [one["name"] for one in keyrings if one["chosen"]]
    assert chosen == ["Secret Service (GNOME Keyring, KeePassXC)"]
    assert all(one["reason"] for one in keyrings if not one["usable"])


def test_a_missing_entry(session: Session, home: Path) -> None:
    path = home / ".config" / "smtpctl" / "config.toml"
    path.write_text(path.read_text().replace("[profiles.work]\n", "[profiles.work]\npassword_keyring = true\n"))
    done = session("profile", "export", "--to", "contensis", "work", "--reveal", "--json")
    assert (done.returncode, finding(done)) == (78, "secret.not_found")


def test_a_locked_keyring(session: Session) -> None:
    assert session("secret", "set", "work", "--stdin", stdin=f"{CANARY}\n").returncode == 0
    assert stored(session("secret", "status", "--json"))[ENTRY]["state"] == "there"
    held = stored(session("secret", "status", "--json", unlocked=False))[ENTRY]
    assert (held["state"], held["detail"]) == ("missing", "The keyring is locked")
    done = session("profile", "export", "--to", "contensis", "work", "--reveal", "--json", unlocked=False)
    assert (done.returncode, finding(done)) == (75, "secret.keyring_locked")


def test_no_collection_and_nobody_to_ask(session: Session, home: Path) -> None:
    before = config(home)
    for folder in (home / ".local" / "share" / "keyrings").glob("*"):
        folder.unlink()
    done = session("secret", "set", "work", "--stdin", "--json", unlocked=False, stdin=CANARY)
    assert (done.returncode, finding(done)) == (75, "secret.keyring_init")
    assert config(home) == before


def test_import_puts_secrets_there(session: Session, home: Path) -> None:
    settings = f"EmailSMTPHost = mail.example.com\nEmailSmtpUsername = u\nEmailSmtpPassword = {CANARY}\n"
    assert session("profile", "import", "--from", "contensis", "-", "--name", "cms", stdin=settings).returncode == 0
    assert CANARY not in config(home)
    assert (
        "EmailSmtpPassword              = ********" in session("profile", "export", "--to", "contensis", "cms").stdout
    )
    revealed = session("profile", "export", "--to", "contensis", "cms", "--reveal").stdout
    again = session("profile", "import", "--from", "contensis", "-", "--name", "two", stdin=revealed)
    assert again.returncode == 0
    assert session("profile", "export", "--to", "contensis", "two", "--reveal").stdout == revealed


def plaintext_backend(folder: Path) -> str:
    """A stand-in for keyrings.alt, found as the real one is: by its entry point. Keeps what it gets in plain text."""
    package = folder / "keyrings" / "alt"
    package.mkdir(parents=True)
    (package / "file.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class PlaintextKeyring(KeyringBackend):\n"
        "    priority = 0.5\n"
        "    def get_password(self, service, username): return input('Password: ')\n"
        f"    def set_password(self, service, username, password): open({str(folder / 'plain')!r}, 'w').write(password)\n"
    )
    info = folder / "keyrings_alt-5.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keyrings.alt\nVersion: 5.0\n")
    (info / "entry_points.txt").write_text("[keyring.backends]\nfile = keyrings.alt.file\n")
    return str(folder)


def test_beside_a_plain_text_back_end_the_secret_service_is_used(session: Session, tmp_path: Path) -> None:
    other = plaintext_backend(tmp_path)
    assert session("secret", "set", "work", "--stdin", stdin=f"{CANARY}\n", PYTHONPATH=other).returncode == 0
    assert stored(session("secret", "status", "--json"))[ENTRY]["state"] == "there"
    assert not (tmp_path / "plain").exists()


def test_a_plain_text_back_end_alone_is_refused(
    session: Session, home: Path, tmp_path: Path, smtpctl_program: Path
) -> None:
    other = plaintext_backend(tmp_path)
    for args in (["secret", "set", "work", "--stdin", "--json"], ["secret", "status", "--json"]):
        done = subprocess.run(
            [smtpctl_program, *args],
            input=f"{CANARY}\n",
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": other},
            timeout=60,
            check=False,
        )
        assert CANARY not in done.stdout + done.stderr
        if args[1] == "set":
            assert (done.returncode, finding(done)) == (78, "secret.unsafe_backend")
        else:
            refused = [one for one in json.loads(done.stdout)["keyrings"] if "PlaintextKeyring" in one["name"]]
            assert [one["usable"] for one in refused] == [False]
    assert not (tmp_path / "plain").exists()
    assert CANARY not in config(home)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes through /proc")
def test_a_password_program_sees_no_secret_of_ours(session: Session, home: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, pathlib\n"
        "seen = [pathlib.Path(f'/proc/{pid}/{what}').read_bytes().decode('utf-8', 'replace')\n"
        "        for pid, what in (('self', 'environ'), ('self', 'cmdline'), (os.getppid(), 'cmdline'))]\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text('\\n'.join(seen))\n"
        "print('from-the-program')\n"
    )
    command = f"password_command={sys.executable} {program}"
    assert session("profile", "set", "work", command).returncode == 0
    done = session(
        "profile", "export", "--to", "contensis", "work", "--reveal",
        SMTPCTL_ACCESS_TOKEN=CANARY, SMTPCTL_PASSWORD_ENV="MINE", MINE=CANARY,
    )  # fmt: skip
    assert "= from-the-program\n" in done.stdout
    assert CANARY not in (tmp_path / "seen").read_text()
