"""Made-up results that show all there is to show. Run as a script it prints one: `cases.py NAME [WIDTH] [plain] [ascii]`."""

from __future__ import annotations

import sys
from typing import Any

from smtpctl.model.errors import Problem
from smtpctl.model.finding import Cause, Evidence, Finding, Ignore, Ignored, Location, Remedy, Severity
from smtpctl.model.reply import Reply
from smtpctl.model.report import Comparison, ExitStatus, Failure, Line, Outcome, RecipientResult, Report, StageResult
from smtpctl.model.transcript import Stage, Transcript

REFUSED = Reply(535, ("5.7.3 Authentication unsuccessful [AM0PR04CA0012.eurprd04.prod.outlook.com]",))


def stage(stage: Stage, status: str, detail: str, ms: float | None = None, **facts: Any) -> StageResult:
    return StageResult(stage, status, detail, ms, facts)


PASSED = Report(
    "office",
    Transcript(),
    outcomes=(
        Outcome("config", "passed"),
        Outcome("tls.chain", "passed"),
        Outcome("dane", "skipped", "no TLSA record"),
    ),
    stages=(
        stage(Stage.CONFIG, "passed", "8 settings from ~/.config/smtpctl/config.toml, 2 from preset microsoft365"),
        stage(Stage.DNS, "passed", "52.97.233.2 (+7)", 12),
        stage(Stage.CONNECT, "passed", "52.97.233.2:587", 31),
        stage(Stage.GREETING, "passed", "220 AM0PR04CA0012.outlook.office365.com Microsoft ESMTP", 33),
        stage(
            Stage.EHLO,
            "passed",
            "STARTTLS · AUTH LOGIN XOAUTH2 · SIZE 157286400 · PIPELINING · CHUNKING · 8BITMIME · SMTPUTF8 · DSN · ENHANCEDSTATUSCODES",
            30,
            size=157286400,
        ),
        stage(Stage.TLS, "passed", "TLS 1.3 · outlook.com, valid 143 days · chain of 3", 64, version="TLSv1.3"),
        stage(Stage.AUTH, "passed", "XOAUTH2, token for 58 min", 95),
    ),
    facts={
        "ms": 265,
        "round_trips": 9,
        "checked_at": 1781870400,
        "tls": {"used": True, "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "verified": True},
        "certificates": [
            {"not_after": 1794225600, "renewal_due": 1793016000},
            {"not_after": 1808000000, "renewal_due": 1806790400},
        ],
    },
    headline="smtp.office365.com:587  STARTTLS  OAuth 2.0 as noreply@example.com",
    next_command="smtpctl test-send office --to you@example.com",
)

STARTTLS_MISSING = Report(
    "shop",
    Transcript(),
    findings=(
        Finding(
            "starttls.not_offered",
            Severity.ERROR,
            Stage.STARTTLS,
            "The server does not offer STARTTLS here",
            message="The password was not sent: without TLS anyone on the way could read it.",
            target="mail.shop.example:25",
            evidence=(
                Evidence("250-mail.shop.example", "S:"),
                Evidence("250-SIZE 20480000", "S:"),
                Evidence("250 AUTH PLAIN LOGIN", "S:", 7, (4, 20)),
            ),
            causes=(
                Cause(
                    "This port is for mail between servers; applications hand in their mail on 587 or 465.",
                    0.6,
                    (Remedy("Try the submission port.", ("smtpctl profile set shop port=587",)),),
                ),
                Cause("The server has no certificate configured.", 0.3),
                Cause(
                    "A firewall on the way takes STARTTLS out of the answer (Cisco fixup, some virus scanners).",
                    0.1,
                    (Remedy("Compare from another network.", ("openssl s_client -starttls smtp -connect mail.shop.example:25",)),),
                ),
            ),
            source="RFC 3207 4",
        ),
    ),
    stages=(
        stage(Stage.CONFIG, "passed", "5 settings from smtpctl.toml"),
        stage(Stage.DNS, "passed", "192.0.2.25", 3),
        stage(Stage.CONNECT, "passed", "192.0.2.25:25", 9),
        stage(Stage.GREETING, "passed", "220 mail.shop.example ESMTP Postfix (Debian/GNU)", 1204),
        stage(Stage.EHLO, "warning", "SIZE 20480000 · AUTH PLAIN LOGIN before TLS", 8),
        stage(Stage.STARTTLS, "failed", "not offered"),
        stage(Stage.AUTH, "skipped", "nothing is sent without TLS"),
    ),
    failure=Failure(ExitStatus.UNAVAILABLE, Stage.STARTTLS, False),
    facts={"ms": 1229.4, "round_trips": 2},
    headline="mail.shop.example:25  STARTTLS  password as shop",
    next_command="smtpctl diagnose shop",
)  # fmt: skip

AUTH_REFUSED = Report(
    "office",
    Transcript(),
    findings=(
        Finding(
            "m365.auth-unsuccessful",
            Severity.ERROR,
            Stage.AUTH,
            "Exchange Online accepts the token but not its use of this mailbox",
            message="The token has the right audience and role, so the mailbox is what is missing.",
            target="smtp.office365.com:587",
            evidence=(
                Evidence("AUTH XOAUTH2 ******** (token of app 6f1c0d9e, tenant contoso, roles: SMTP.SendAsApp)", "C:"),
                Evidence("535 5.7.3 Authentication unsuccessful [AM0PR04CA0012.eurprd04.prod.outlook.com]", "S:", 9, (0, 9)),
            ),
            causes=(
                Cause(
                    "The service principal in Exchange Online has the wrong object id.",
                    0.5,
                    (
                        Remedy(
                            "The right one is in your token: 9a41c0de-8d1f-4f62-9c57-2f1f0c3b7a11. Compare, and register it again if it differs:",
                            (
                                "Get-ServicePrincipal | Format-List DisplayName,AppId,ObjectId",
                                'New-ServicePrincipal -AppId 6f1c0d9e-1111-4c1f-8b8e-0a4a52c0ffee -ObjectId 9a41c0de-8d1f-4f62-9c57-2f1f0c3b7a11 -DisplayName "smtpctl"',
                            ),
                        ),
                    ),
                ),
                Cause(
                    "The app has no permission on noreply@example.com.",
                    0.3,
                    (Remedy("", ("Add-MailboxPermission -Identity noreply@example.com -User 9a41c0de-8d1f-4f62-9c57-2f1f0c3b7a11 -AccessRights FullAccess",)),),
                ),
                Cause("Both are right but new: changes need up to an hour.", 0.1),
                Cause("SMTP AUTH is switched off for the mailbox.", 0.2, (Remedy("Switch it on:", ("Set-CASMailbox noreply@example.com -SmtpClientAuthenticationDisabled $false",)),)),
            ),
            knowledge=("m365.auth-unsuccessful",),
            source="learn.microsoft.com, SMTP AUTH with OAuth",
            as_of="2026-06-19",
        ),
    ),
    stages=(
        *PASSED.stages[:6],
        stage(Stage.AUTH, "failed", "535 5.7.3 Authentication unsuccessful [AM0PR04CA0012.eurprd04.prod.outlook.com]", 130),
    ),
    failure=Failure(ExitStatus.AUTH, Stage.AUTH, False, REFUSED),
    facts={"ms": 300, "round_trips": 8, "sent": 0},
    headline=PASSED.headline,
    next_command="smtpctl diagnose office",
)  # fmt: skip

CERTIFICATE = Report(
    "mail.example.com:587",
    Transcript(),
    findings=(
        Finding(
            "tls.renewal_due",
            Severity.NOTE,
            Stage.TLS,
            "The certificate ends in 12 days",
            target="mail.example.com:587",
            source="RFC 5280 4.1.2.5",
            verified=False,
        ),
        Finding(
            "tls.chain.missing_intermediate",
            Severity.ERROR,
            Stage.TLS,
            "The server does not send the certificate that links it to a trusted root",
            message="Some clients hide this by fetching it; most mail servers and libraries do not.",
            target="mail.example.com:587",
            evidence=(
                Evidence("CN=mail.example.com, issued by CN=R11, O=Let's Encrypt", "sent 1 of 3:"),
                Evidence("CN=R11, O=Let's Encrypt        http://r11.i.lencr.org/", "missing:"),
            ),
            causes=(
                Cause(
                    "",
                    1.0,
                    (
                        Remedy(
                            "On the server, serve the full chain, leaf first, then reload. Postfix:",
                            ("postconf -e 'smtpd_tls_chain_files = /etc/letsencrypt/live/mail.example.com/privkey.pem, /etc/letsencrypt/live/mail.example.com/fullchain.pem'", "postfix reload"),
                        ),
                        Remedy("To go on meanwhile: nothing safe. --insecure would accept any server."),
                    ),
                ),
            ),
            source="RFC 8446 4.4.2",
        ),
    ),
    stages=(
        stage(Stage.DNS, "passed", "203.0.113.10, 2001:db8::10", 4),
        stage(Stage.CONNECT, "passed", "[2001:db8::10]:587", 18),
        stage(Stage.TLS, "failed", "certificate verify failed: unable to get local issuer certificate", 41),
    ),
    failure=Failure(ExitStatus.UNAVAILABLE, Stage.TLS, False),
    headline="STARTTLS",
    next_command="smtpctl explain tls.chain.missing_intermediate",
)  # fmt: skip

ONE_REFUSED = Report(
    "relay",
    Transcript(),
    findings=(
        Finding(
            "rcpt.user_unknown",
            Severity.ERROR,
            Stage.RCPT,
            "The server does not know the recipient bob@example.net",
            target="relay.example.com:587",
            evidence=(
                Evidence("RCPT TO:<bob@example.net>", "C:"),
                Evidence("550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table", "S:", 14, (0, 9)),
            ),
            causes=(Cause("The address is misspelt or no longer exists.", 0.9, (Remedy("Ask the recipient for the address."),)),),
            source="RFC 3463 3.2",
        ),
    ),
    stages=(
        stage(Stage.MAIL, "passed", "250 2.1.0 Ok", 5),
        stage(Stage.RCPT, "failed", "1 of 2 accepted", 6),
        stage(Stage.DATA, "passed", "250 2.0.0 Ok: queued as 4bXy9z2Kq1", 22),
    ),
    recipients=(
        RecipientResult("ann@example.net", "accepted", Reply(250, ("2.1.5 Ok",))),
        RecipientResult("bob@example.net", "permanent", Reply(550, ("5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table",))),
        RecipientResult("a.very.long.name.that.fills.the.whole.line@subdomain.of.another.example.org", "temporary", Reply(450, ("4.2.0 Greylisted, see http://postgrey.example/",))),
        RecipientResult("zoë@example.net", "unknown"),
    ),
    failure=Failure(ExitStatus.DATA, Stage.RCPT, False, Reply(550, ("5.1.1 User unknown",))),
    facts={"ms": 96, "round_trips": 9, "sent": 1, "queue_id": "4bXy9z2Kq1"},
    headline="relay.example.com:587  STARTTLS",
)  # fmt: skip

SENT = ONE_REFUSED._replace(
    findings=(),
    failure=None,
    recipients=ONE_REFUSED.recipients[:1],
    stages=(ONE_REFUSED.stages[0], stage(Stage.RCPT, "passed", "250 2.1.5 Ok", 6), ONE_REFUSED.stages[2]),
)

SUGGESTED = STARTTLS_MISSING._replace(
    comparisons=(
        Comparison(
            "Ports and modes",
            (
                Line("passed", ("port 465", "implicit TLS", "works, login accepted (PLAIN)"), 145),
                Line("warning", ("port 587", "STARTTLS", "answers; the login was not tried: one try is enough"), 130),
                Line("warning", ("mx.provider.example:587", "STARTTLS", "answers; the login was not tried: you named another server"), 12504),
                Line("failed", ("port 25", "STARTTLS", "answers, but offers no STARTTLS"), 44),
                Line("failed", ("port 2525", "STARTTLS", "The greeting holds \x1b[31mcontrol characters: " + "メール" * 30)),
            ),
            "Port 465 with implicit TLS is the best of these.",
        ),
    ),
    next_command="smtpctl profile set shop port=465 tls=implicit",
)  # fmt: skip

HOSTILE = Report(
    "evil.example:25",
    Transcript(),
    findings=(
        Finding(
            "reply.garbage",
            Severity.WARNING,
            Stage.GREETING,
            "The greeting holds control characters: \x1b]0;owned\x07",
            target="evil.example:25\r\n::error::injected",
            evidence=(
                Evidence("220 \x1b[2J\x1b[H\x9b31mWelcome\x00 \u202etxet desrever\u202c \u2066x\u2069 ok\r\n::set-output name=x::y", "S:", 2, (4, 20)),
                Evidence("220 " + "A" * 700 + " end", "S:", 3, (100, 110)),
                Evidence("220 メールサーバー へようこそ。接続を許可します。 どうぞ よろしく お願い 致します。", "S:", 4, (4, 11)),
                Evidence("220 Grüße vom Server – \udce9 é ]]> <b>&amp;</b> 😀 %0A%25", "S:", 5),
            ),
            causes=(Cause("\x1b[31mThe peer is no mail server\x1b[0m, or means ill.", 1.0, (Remedy("Look at it:", ("printf '\\x1b' | nc evil.example 25\x1b[A",)),)),),
        ),
    ),
    stages=(
        stage(Stage.GREETING, "warning", "220 \x1b[2J\x1b[H" + "メール" * 30, 5),
        stage(Stage.EHLO, "passed", "x" * 400, 99999),
        stage(Stage.AUTH, "skipped", "\u202eon"),
    ),
    headline="\x1b[31mred\n",
    next_command="smtpctl explain 'x\x1b'",
)  # fmt: skip

IGNORED = PASSED._replace(
    ignored=(
        Ignored(
            CERTIFICATE.findings[0],
            Ignore(
                "tls.renewal_due",
                "renewed by hand | by \x1b[1mzoë\x1b[0m, ticket 4711, every third Monday of a month",
                "2027-01-31",
            ),
        ),
        Ignored(CERTIFICATE.findings[1], Ignore("tls.chain.*", "asked for with --ignore")),
    ),
)

TARGETS = (PASSED, CERTIFICATE, STARTTLS_MISSING)

VALIDATED = (
    Finding(
        "config.basic_auth_retired",
        Severity.WARNING,
        Stage.CONFIG,
        "[profiles.office] Microsoft 365 turns passwords off at the end of 2026",
        causes=(Cause("", 1.0, (Remedy("Use OAuth 2.0 instead:", ("smtpctl guide m365",)),)),),
        location=Location("smtpctl.toml", 121),
        as_of="2026-06-19",
    ),
    Finding(
        "config.port_tls_mismatch",
        Severity.ERROR,
        Stage.CONFIG,
        '[profiles.shop] port 465 expects implicit TLS, tls is "starttls"',
        evidence=(Evidence('tls = "starttls"', "", None, (6, 16)),),
        causes=(Cause("", 1.0, (Remedy("", ("smtpctl profile set shop tls=implicit",)),)),),
        location=Location("smtpctl.toml", 14, 8),
    ),
    Finding(
        "config.half_credentials",
        Severity.ERROR,
        Stage.CONFIG,
        "[profiles.old] there is a username but no password",
        causes=(Cause("the secret was never stored on this machine", 0.7, (Remedy("Store it:", ("smtpctl secret set old",)),)),),
        location=Location("conf/sites, old & new/old:relay.toml", 3),
    ),
)  # fmt: skip

VALIDATED_IGNORED = tuple(Ignored(one, Ignore(one.id, "as agreed", "2027-01-31")) for one in VALIDATED[1:])

PROBLEM = Problem(
    Finding(
        "connect.refused",
        Severity.ERROR,
        Stage.CONNECT,
        "Nothing listens there",
        target="127.0.0.1:2525",
        evidence=(Evidence("127.0.0.1:2525: Connection refused", "connect:"),),
        causes=(Cause("The server is not running, or listens on another port.", 0.8),),
    ),
    ExitStatus.TEMPORARY,
    retryable=True,
)

REPORTS = {
    "passed": PASSED,
    "starttls-missing": STARTTLS_MISSING,
    "auth-refused": AUTH_REFUSED,
    "certificate": CERTIFICATE,
    "one-refused": ONE_REFUSED,
    "sent": SENT,
    "hostile": HOSTILE,
    "suggested": SUGGESTED,
    "ignored": IGNORED,
}


def draw(name: str, renderer: Any) -> Any:
    """The text of one case in one format."""
    if name in REPORTS:
        return renderer.report(REPORTS[name])
    return {
        "targets": lambda: renderer.reports(TARGETS),
        "validated": lambda: renderer.findings(VALIDATED, subject="3 profiles"),
        "validated-clean": lambda: renderer.findings((), subject="2 profiles"),
        "validated-ignored": lambda: renderer.findings(VALIDATED[:1], subject="2 profiles", ignored=VALIDATED_IGNORED),
        "problem": lambda: renderer.problem(PROBLEM),
    }[name]()


NAMES = (*REPORTS, "targets", "validated", "validated-clean", "validated-ignored", "problem")
SCHEMAS = dict.fromkeys(("validated", "validated-clean", "validated-ignored"), "smtpctl.validate/1") | dict.fromkeys(
    ("sent", "one-refused", "auth-refused"), "smtpctl.test-send/1"
)


def schema(name: str) -> str:
    return SCHEMAS.get(name, "smtpctl.check/1")


if __name__ == "__main__":
    from smtpctl.render import renderer

    name, *rest = sys.argv[1:]
    width = int(rest[0]) if rest else 80
    made = renderer("text", schema=schema(name), width=width, colour="plain" not in rest, unicode="ascii" not in rest)
    sys.stdout.write(draw(name, made))
