"""What only a probe finds out (`check --probe`); part of the family `smtp`."""

from __future__ import annotations

from smtpctl.knowledge.families import MX, Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

ENTRIES = (
    Entry(
        id="smtp.open_relay",
        severity=Severity.ERROR,
        stage=Stage.RCPT,
        title="{host} takes mail to foreign recipients without a login[: {recipient}]",
        message="A recipient that is none of the server's was accepted without a login. Where a server does that for "
        "everybody, spam is sent through it, and soon nobody takes its mail any more. No mail was sent; a server may still "
        "refuse one later.",
        causes=(
            because(
                0.5,
                "The server trusts the address of this machine (`mynetworks`), so this is no stranger to it.",
                fix(
                    "Probe it from an address outside. On Postfix see whom it trusts.",
                    "postconf mynetworks mynetworks_style",
                ),
                facts=("on_this_machine?",),
            ),
            because(
                0.4,
                "The server does not ask where a mail goes to.",
                fix(
                    "Let it relay for logins and its own networks only. On Postfix:",
                    "postconf -e 'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, "
                    "reject_unauth_destination'",
                    "postfix reload",
                ),
            ),
            because(
                0.1,
                "It accepts everything at first and refuses after the content, or drops it.",
                fix("Look in the server's log what becomes of a mail to a foreign domain."),
            ),
        ),
        source="RFC 2505 2.1; Postfix SMTPD_ACCESS_README",
    ),
    Entry(
        id="smtp.bare_lf_accepted",
        severity=Severity.NOTE,
        mx_severity=Severity.WARNING,
        stage=Stage.DATA,
        title="{host} takes a bare line feed for the end of a mail[ ({sequence})]",
        message="A mail ends with CRLF, a dot and CRLF. A server that also ends it elsewhere reads the rest as commands, where "
        "the server before it saw text: so mails with a forged sender get in past SPF (SMTP smuggling).",
        causes=(
            because(
                0.7,
                "The server does not insist on right line ends.",
                fix(
                    "On Postfix (`normalize` came with 3.9, 3.8.5, 3.7.10, 3.6.14 and 3.5.24):",
                    "postconf -e 'smtpd_forbid_bare_newline = normalize'",
                    "postfix reload",
                ),
            ),
            because(0.3, "The server is older than the fault (December 2023).", fix("Upgrade it.")),
        ),
        source="RFC 5321 2.3.8, 4.1.1.4; www.postfix.org/smtp-smuggling.html; CVE-2023-51764",
    ),
    Entry(
        id="smtp.postmaster_missing",
        severity=Severity.WARNING,
        role=MX,
        stage=Stage.RCPT,
        title="{host} refuses mail to postmaster",
        message="Every server that takes mail must take it for postmaster, also without a domain. It is where others write "
        "to when mail from here makes trouble.",
        causes=(
            because(
                0.9,
                "There is no such mailbox or alias.",
                fix(
                    "Give it to somebody who reads it (Postfix, /etc/aliases: `postmaster: ann`).",
                    "newaliases",
                ),
            ),
        ),
        source="RFC 5321 4.5.1; RFC 2142 5",
    ),
)
