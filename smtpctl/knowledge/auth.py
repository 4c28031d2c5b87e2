"""What can go wrong at the login that is no reply of the server's: choosing, protecting, understanding it.

What servers answer to a login is in `replies/`.
"""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_OFFERED = fix("See what the server offers.", "smtpctl check {target} -v")

ENTRIES = (
    Entry(
        id="auth.not_offered",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="{host} offers no login on port {port}",
        message="There are credentials, but the server has no AUTH among its extensions.",
        causes=(
            because(
                0.4,
                "The server offers logins only with TLS, and this connection has none.",
                fix(
                    "Use TLS.",
                    "smtpctl check {host}:587 --tls starttls",
                ),
            ),
            because(
                0.4,
                "Port 25 takes mail from other servers; logins are on 587 or 465.",
                fix(
                    "Use the submission port.",
                    "smtpctl check {host}:587",
                ),
            ),
            because(
                0.2,
                "It is a relay that trusts addresses instead of logins.",
                fix(
                    "Say that the profile does not log in.",
                    "smtpctl profile set {profile} auth=none",
                ),
            ),
        ),
        source="RFC 4954 3; RFC 6409 4.3",
    ),
    Entry(
        id="auth.no_common_mechanism",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="{host} offers no login that these credentials can be used for",
        message="The server announces which kinds of login it knows. None of them fits what the profile has.",
        causes=(
            because(
                0.5,
                "The server wants a token (XOAUTH2, OAUTHBEARER), the profile has a password, or the other way.",
                fix(
                    "Look at both sides.",
                    "smtpctl profile show {target} --resolved",
                ),
            ),
            because(
                0.3,
                "The profile insists on one mechanism (`auth_mech`).",
                fix(
                    "Let smtpctl choose.",
                    "smtpctl profile unset {profile} auth_mech",
                ),
            ),
            because(0.2, "The mechanism needs a library or a certificate that is not here.", _OFFERED),
        ),
        source="RFC 4954 3; RFC 4422",
    ),
    Entry(
        id="auth.mechanism_not_offered",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="{host} does not offer the login that the profile asks for[ ({mechanism})]",
        message="`auth_mech` names one mechanism and allows no other.",
        causes=(
            because(
                0.7,
                "The server has it under another name, only with TLS, or not at all.",
                fix(
                    "Let smtpctl choose among what is offered.",
                    "smtpctl profile unset {profile} auth_mech",
                ),
                _OFFERED,
            ),
        ),
        source="RFC 4954 4",
    ),
    Entry(
        id="auth.would_be_plaintext",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="Logging in to {host} would send the password without encryption",
        message="The connection has no TLS. PLAIN and LOGIN show the password to whoever listens; from SCRAM, CRAM-MD5 and "
        "NTLM it can be guessed afterwards. smtpctl stopped before it; nothing secret was sent.",
        causes=(
            because(
                0.8,
                "The profile's mode is `none`, or `auto` found no STARTTLS.",
                fix(
                    "Use TLS.",
                    "smtpctl profile set {profile} tls=starttls",
                ),
            ),
            because(
                0.2,
                "The network between here and the server is trusted, and the server has no TLS.",
                fix(
                    "Only then, allow it for this run.",
                    "smtpctl check {target} --allow-plaintext-auth",
                ),
            ),
        ),
        source="RFC 4954 4; RFC 5802 9; RFC 8314 3",
    ),
    Entry(
        id="auth.refused",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="{host} did not accept the login[: {reply_text}]",
        message="The server knows the mechanism and judged the credentials.",
        causes=(
            because(
                0.5,
                "User name or password is wrong, or an app password is needed in place of it.",
                fix(
                    "Set the password anew.",
                    "smtpctl secret set {profile}",
                ),
                facts=("not works_in_webmail",),
            ),
            because(
                0.3,
                "Logging in to SMTP is switched off for this account.",
                fix("Ask the account's administrator."),
                facts=("works_in_webmail?",),
            ),
            because(0.2, "The account is locked after too many tries.", fix("Wait, then try once.")),
        ),
        source="RFC 4954 6",
    ),
    Entry(
        id="auth.server_not_authenticated",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="{host} could not prove that it knows the password",
        message="With SCRAM both sides prove it. The server said yes but its own proof is wrong, so it may be an "
        "impostor that takes every login.",
        causes=(
            because(
                0.6,
                "Another machine stands in for the server.",
                fix(
                    "Send nothing. Compare the certificate with the one you know.",
                    "smtpctl check {target} -v",
                ),
            ),
            because(
                0.4,
                "The server's SCRAM is defective.",
                fix(
                    "Tell the operator; try another mechanism.",
                ),
                _OFFERED,
            ),
        ),
        source="RFC 5802 3, 5",
    ),
    Entry(
        id="auth.challenge_undecodable",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.PROTOCOL,
        title="{host} sent a[ {mechanism}] challenge that makes no sense",
        message="A challenge is base64 and follows the mechanism's own rules. This one does not; the login was cancelled.",
        causes=(
            because(
                0.7,
                "The server's implementation of the mechanism is defective.",
                fix(
                    "Use another of the mechanisms that the server offers.",
                    "smtpctl check {target} --auth-mech <name>",
                ),
            ),
            because(0.3, "A proxy changes the dialogue.", fix("Try from another network, or with implicit TLS.")),
        ),
        source="RFC 4954 4",
    ),
    Entry(
        id="auth.no_credentials",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.CONFIG,
        title="A login is required, but there is nothing to log in with",
        message="The profile asks for a login and has neither a user name with a password nor a token.",
        causes=(
            because(
                0.6,
                "The password was never stored on this machine.",
                fix(
                    "Store it; smtpctl asks for it.",
                    "smtpctl secret set {profile}",
                ),
            ),
            because(
                0.4,
                "The server needs no login.",
                fix(
                    "Say so.",
                    "smtpctl profile set {profile} auth=none",
                ),
            ),
        ),
        source="RFC 4954 4",
    ),
    Entry(
        id="auth.mechanism_defective",
        severity=Severity.WARNING,
        stage=Stage.AUTH,
        status=ExitStatus.AUTH,
        title="{host} offers {mechanisms}, but refuses there what it accepts with {works}",
        message="Mail programs take the mechanism that they hold for the strongest. Those that take this one cannot log in, "
        "though user name and password are right.",
        causes=(
            because(
                0.8,
                "The server keeps passwords in a form that this mechanism cannot use: CRAM-MD5 needs the password itself, or "
                "what it makes of it, and SCRAM needs keys that were derived for the same hash function.",
                fix("On the server: stop offering it, or store the passwords so that it works."),
                fix("Here: use the one that works.", "smtpctl profile set {profile} auth_mech={works}"),
            ),
            because(
                0.3,
                "Where its name ends in -PLUS: server and client take another property of the TLS connection to bind to; with "
                "TLS 1.3 there are two.",
                fix("On the server: stop offering the -PLUS form."),
            ),
            because(
                0.2,
                "The user name has another form there (with or without the domain).",
                fix("Compare with the log of the server."),
            ),
        ),
        source="RFC 2195 2; RFC 5802 3; RFC 5929 4; RFC 9266 2",
    ),
    Entry(
        id="auth.challenge_not_understood",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.PROTOCOL,
        title="{host} sent a challenge that does not fit the login[ ({mechanism})]",
        message="The login was cancelled; nothing secret was sent.[ What was wrong: {reason}.]",
        causes=(
            because(
                0.7,
                "The server's implementation of the mechanism is defective, or wants more than smtpctl does.",
                _OFFERED,
            ),
            because(0.3, "A proxy changes the dialogue.", fix("Try from another network, or with implicit TLS.")),
        ),
        source="RFC 4422 3; RFC 4954 4",
    ),
    Entry(
        id="auth.credentials_unusable",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.CONFIG,
        title="These credentials cannot be used[ with {mechanism}]",
        message="[{reason} ]The server was not asked.",
        causes=(
            because(
                0.6,
                "A line end or a blank was copied along.",
                fix(
                    "Store it again.",
                    "smtpctl secret set {profile}",
                ),
            ),
            because(0.4, "It was typed or stored in another encoding than UTF-8.", fix("Store it as UTF-8.")),
        ),
        source="RFC 4013; RFC 6750 2.1",
    ),
    Entry(
        id="auth.library_missing",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.CONFIG,
        title="[{mechanism}: ]the login needs a library that is not installed[: {library}]",
        message="NTLM and GSSAPI are extras of smtpctl. Nothing was sent to the server for it.",
        causes=(
            because(
                0.9,
                "smtpctl was installed without the extra.",
                fix(
                    "Install it with the extra.",
                    "pip install 'smtpctl[{extra}]'",
                ),
            ),
        ),
        source="docs/dependencies.md",
    ),
    Entry(
        id="auth.reply_timeout",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} did not answer the login[ within {seconds} s]",
        message="The network is fine: [every answer before the login came within {slowest}. ]Many servers let a wrong login "
        "wait on purpose, so this may be a refusal that was not waited for.",
        causes=(
            because(
                0.5,
                "The user name or the password is wrong, and the server delays its answer against guessing.",
                fix("Check both, then wait for the answer.", "smtpctl check {target} --stage-timeout auth=60"),
            ),
            because(
                0.35,
                "What the server asks about users (LDAP, a data base, RADIUS) is slow or down.",
                fix("Ask the operator what their log says at this minute."),
            ),
            because(
                0.15, "A firewall dropped the connection silently.", fix("Try again; then try from another network.")
            ),
        ),
        source="Dovecot auth_failure_delay; Exchange Server TarpitInterval; RFC 5321 4.5.3.2",
    ),
)
