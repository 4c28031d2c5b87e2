"""gssapi_login.py PORT SERVICE HOST: AUTH GSSAPI (RFC 4752) with the ticket of the environment; prints the last reply."""

from __future__ import annotations

import base64
import smtplib
import ssl
import sys

import spnego


def main(port: int, service: str, host: str) -> str:
    """The reply to the login."""
    smtp = smtplib.SMTP("localhost", port, timeout=10)
    context = ssl._create_unverified_context()
    smtp.starttls(context=context)
    smtp.ehlo()
    kerberos = spnego.client(hostname=host, service=service, protocol="kerberos")
    code, text = smtp.docmd("AUTH", "GSSAPI")
    while code == 334:
        challenge = base64.b64decode(text)
        if kerberos.complete and challenge:
            kerberos.unwrap(challenge)
            token = kerberos.wrap(b"\x01\x00\x00\x00", encrypt=False).data  # no security layer: TLS is below
        else:
            token = kerberos.step(challenge or None) or b""
        code, text = smtp.docmd(base64.b64encode(token).decode())
    smtp.quit()
    return f"{code} {text.decode()}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]), *sys.argv[2:]))
