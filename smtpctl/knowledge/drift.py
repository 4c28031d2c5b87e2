"""What can be different at a server since a baseline of it was saved (`check --compare`)."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.transcript import Stage

_RELEASE = "The server's program or its settings were changed: an update, a move, another service."
_ASK = fix("Ask its administrator, or look at what the provider has announced.")
_KEEP = fix("If it is meant to be so, save a new baseline.")
_BETWEEN = because(
    0.2,
    "Something on the way takes part in the dialogue: a firewall with SMTP inspection, a virus scanner, a proxy.",
    fix("Compare from another network."),
)

ENTRIES = (
    Entry(
        id="drift.endpoint",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="Another server, port or TLS mode is asked than on {day}",
        message="So other differences may be those between two services, as they often are between ports 25, 465 and 587.",
        causes=(
            because(
                0.7,
                "The settings of this side were changed.",
                fix("See what they are, and where each comes from.", "smtpctl profile show <profile> --resolved"),
                _KEEP,
            ),
            because(
                0.3, "The baseline is another server's.", fix("Compare with the file that was saved for this one.")
            ),
        ),
        source="RFC 6409 3.1, RFC 8314 3.3",
    ),
    Entry(
        id="drift.dialogue",
        severity=Severity.WARNING,
        stage=Stage.EHLO,
        title="The session goes another way than on {day}, first at {at}",
        message="Up to that step the replies have the same codes. What is different there is where to look first; what comes later "
        "may only follow from it.",
        causes=(
            because(0.5, _RELEASE, _ASK, _KEEP),
            because(
                0.3,
                "The settings of this side were changed.",
                fix("See what they are.", "smtpctl profile show <profile> --resolved"),
            ),
        ),
        source="RFC 5321 4.1.4",
    ),
    Entry(
        id="drift.extensions",
        severity=Severity.NOTE,
        stage=Stage.EHLO,
        title="{host} offers other extensions than on {day}",
        message="A client uses what is offered. Without STARTTLS or AUTH there is no login, with a smaller SIZE a large mail is "
        "refused.",
        causes=(because(0.8, _RELEASE, _ASK, _KEEP), _BETWEEN),
        source="RFC 5321 4.1.1.1",
    ),
    Entry(
        id="drift.mechanisms",
        severity=Severity.NOTE,
        stage=Stage.AUTH,
        title="{host} offers other login mechanisms than on {day}",
        message="Clients take the mechanism that they hold for the strongest. One that is gone keeps out those that know no other.",
        causes=(
            because(0.8, _RELEASE, fix("Try each of them.", "smtpctl check {target} --matrix"), _KEEP),
            _BETWEEN,
        ),
        source="RFC 4954 3",
    ),
    Entry(
        id="drift.certificate",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} shows another certificate than on {day}[: {what}]",
        message="Certificates are renewed as a rule, by the same authority and for the same names. Whoever pins the certificate "
        "must know of it; another issuer is worth a question.",
        causes=(
            because(0.7, "It was renewed, or bought elsewhere.", _KEEP),
            because(0.2, "Another server answers under this name.", _ASK),
            because(
                0.1,
                "Something on the way opens TLS and shows a certificate of its own.",
                fix("Compare the issuer and the SHA-256 from another network."),
            ),
        ),
        source="RFC 5280 4.1.2",
    ),
    Entry(
        id="drift.tls",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="Another TLS version or cipher suite is negotiated with {host} than on {day}",
        message="Both sides decide it together: the newest version that both know, and the suite that one of them prefers.",
        causes=(
            because(0.7, _RELEASE, fix("See what it takes.", "smtpctl check {target} --deep"), _KEEP),
            because(
                0.3,
                "The TLS library or policy of this machine was changed.",
                fix("See which it is.", "openssl version -a"),
            ),
        ),
        source="RFC 8446 4.1.3",
    ),
    Entry(
        id="drift.suites",
        severity=Severity.NOTE,
        stage=Stage.TLS,
        title="{host} takes other TLS versions or cipher suites than on {day}",
        message="A client that knows none of what is left does not get in any more: old devices and programs, as a rule. What is "
        "new and weak is told by a finding of its own.",
        causes=(
            because(0.8, _RELEASE, _ASK, _KEEP),
            because(
                0.2,
                "Several machines share the name, and their settings differ.",
                fix("Compare once more, and see whether it stays."),
            ),
        ),
        source="RFC 8446 4.1.2",
    ),
    Entry(
        id="drift.addresses",
        severity=Severity.NOTE,
        stage=Stage.DNS,
        title="{host} has other addresses than on {day}",
        message="None of the addresses is one of those. Firewalls that let single addresses through have to know the new ones.",
        causes=(
            because(0.6, "The server was moved.", _ASK, _KEEP),
            because(0.4, "Its addresses depend on where and when one asks.", fix("Ask again from another network.")),
        ),
        source="RFC 5321 5.1",
    ),
    Entry(
        id="drift.server",
        severity=Severity.NOTE,
        stage=Stage.GREETING,
        title="{host} greets in other words than on {day}",
        message="Numbers, times and the names of single machines are not compared, so it is another program or another operator.",
        causes=(because(0.7, _RELEASE, _ASK, _KEEP), _BETWEEN),
        source="RFC 5321 4.2",
    ),
)
