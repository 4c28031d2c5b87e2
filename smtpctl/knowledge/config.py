"""What can be wrong with the settings: rules that `validate` holds. The file is in `config_file`, OAuth in `config_oauth`."""

from __future__ import annotations

from smtpctl.knowledge import config_file, config_oauth
from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_RULES = (
    Entry(
        id="config.port_tls_mismatch",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="The port and the way of encryption do not fit together[: port {port}][ with tls = {tls}]",
        message="465 expects TLS from the first octet, 587 and 25 expect clear text and STARTTLS. With the wrong pair "
        "both sides wait for each other or the handshake fails; it is the commonest reason why mail does not leave.",
        causes=(
            because(
                0.6,
                "The mode is the other one's.",
                fix(
                    "Port 465 goes with implicit TLS.",
                    "smtpctl profile set {profile} port=465 tls=implicit",
                ),
                fix(
                    "Port 587 goes with STARTTLS.",
                    "smtpctl profile set {profile} port=587 tls=starttls",
                ),
            ),
        ),
        source="RFC 8314 3.3, 7.3; RFC 6409 3.1",
    ),
    Entry(
        id="config.half_credentials",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Only half of a login is set[: the {missing} is missing]",
        message="A login needs a user name and a password. With one of them mail is tried without a login, which most "
        "servers refuse.",
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
                    "Say so, and remove the rest.",
                    "smtpctl profile set {profile} auth=none",
                ),
            ),
        ),
        source="RFC 4954 4",
    ),
    Entry(
        id="config.plaintext_credentials",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="The login would go over the network without encryption",
        message="The profile has a login and no encryption. smtpctl refuses to send it so: a password can be read on the way, "
        "or with SCRAM, CRAM-MD5 and NTLM be guessed from what goes over.",
        causes=(
            because(
                0.9,
                "The profile says tls = none.",
                fix(
                    "Use TLS.",
                    "smtpctl profile set {profile} port=587 tls=starttls",
                ),
            ),
            because(
                0.1,
                "The network to the server is trusted.",
                fix(
                    "Say so; then it is no fault.",
                    "smtpctl profile set {profile} trusted=true",
                ),
            ),
        ),
        source="RFC 4954 4; RFC 8314 3",
    ),
    Entry(
        id="config.untrusted_plaintext",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Mail would cross the public network without TLS and without a login",
        message="That is right only for a relay on a trusted internal network that permits this machine's address.",
        causes=(
            because(
                0.7,
                "TLS and login were never set up.",
                fix(
                    "Use TLS.",
                    "smtpctl profile set {profile} tls=starttls",
                ),
            ),
            because(
                0.3,
                "The relay is on a trusted network all the same.",
                fix(
                    "Say so.",
                    "smtpctl profile set {profile} trusted=true",
                ),
            ),
        ),
        source="RFC 8314 3",
    ),
    Entry(
        id="config.from_domain_not_authorised",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Mail from this From address will probably fail SPF and DMARC[: {domain}]",
        message="The server belongs to somebody else, and the domain of the From address has not authorised it. Google, "
        "Microsoft and most others put such mail into quarantine or reject it; it may never arrive.",
        causes=(
            because(
                0.6,
                "The domain's own mail server is not the one configured.",
                fix(
                    "Send through your own mail server or your domain's provider: its name is the setting host (--host, Contensis: "
                    "EmailSMTPHost), and encryption and login follow what it documents.",
                    "smtpctl preset suggest {domain}",
                ),
            ),
            because(
                0.4,
                "The provider may send for it, but DNS does not say so yet.",
                fix(
                    "Add the provider to the domain's SPF record and publish its DKIM key.",
                ),
            ),
        ),
        source="RFC 7208; RFC 9989",
    ),
    Entry(
        id="config.emails_disabled",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="Sending is switched off[ for {scope}]",
        message="Nothing is sent in this scope.",
        causes=(
            because(
                0.8,
                "It was switched off on purpose, or never switched on.",
                fix(
                    "Switch it on; it should be on globally and for every site.",
                    "smtpctl config set emails_enabled=true[ --site {site}]",
                ),
            ),
        ),
        source="Kentico: Enabling sending of emails",
    ),
    Entry(
        id="config.bulk_without_queue",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="A large mailing would be sent without the queue",
        message="Without the queue one failure is final, and nothing can be resumed.",
        causes=(
            because(
                0.9,
                "The queue is switched off.",
                fix(
                    "Switch it on.",
                    "smtpctl config set queue_enabled=true",
                ),
            ),
        ),
        source="Kentico: Enabling the email queue",
    ),
    Entry(
        id="config.batch_size",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="The batch size is unusual[: {value}]",
        message="A large one costs memory and holds the database long, a small one asks it too often. 50 suits most.",
        causes=(
            because(
                0.9,
                "It was set for another system.",
                fix(
                    "Use 10 to 1000.",
                    "smtpctl config set batch_size=50",
                ),
            ),
        ),
        source="Kentico: Batch size",
    ),
    Entry(
        id="config.pickup_not_writable",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Nothing can be written into the pickup folder[ {path}][: {reason}]",
        message="smtpctl tried it by creating a file and removing it again.",
        causes=(
            because(
                0.7,
                "This user has no right to write there (Windows: the group IIS_IUSRS needs it too).",
                fix(
                    "Look at the owner and the rights, and grant writing.",
                    "ls -ld {path}",
                ),
            ),
            because(0.3, "The folder does not exist.", fix("Create it, or write its full path.")),
        ),
        source="Kentico: Pickup directory",
    ),
    Entry(
        id="config.placeholder_left",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="A value still holds the example from the guide[: {example}]",
        message="Words in angle brackets stand for something that only you know.",
        causes=(
            because(
                0.95, "It was copied and not filled in.", fix("Replace it, then validate again.", "smtpctl validate")
            ),
        ),
        source="Contensis: Email settings, common configurations",
    ),
    Entry(
        id="config.tls_verification_off",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="The server's certificate is not verified",
        message="Anyone who can redirect the connection can read the login. Encryption without knowing with whom is "
        "little.",
        causes=(
            because(
                0.7,
                "It was switched off to get past a certificate error.",
                fix(
                    "Switch it on and see what is wrong with the certificate.",
                    "smtpctl profile unset {profile} insecure",
                ),
            ),
            because(
                0.3,
                "The server has a private certificate.",
                fix(
                    "Trust exactly that one.",
                    "smtpctl profile set {profile} ca_file=<file>",
                ),
            ),
        ),
        source="RFC 8314 4.1",
    ),
    Entry(
        id="config.implicit_wins",
        severity=Severity.NOTE,
        stage=Stage.CONFIG,
        title="Both kinds of TLS are switched on; implicit TLS is used",
        message="A connection begins either with TLS or in clear, so one setting has to win.",
        causes=(because(0.9, "EmailSmtpUseSSL and EmailSmtpUseImplicitSSL are both true.", fix("Keep one of them.")),),
        source="Contensis: Email settings, encryption",
    ),
    Entry(
        id="config.pickup_no_server",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="There is no server to talk to: the profile[ {profile}] delivers into a folder[, {path}]",
        message="Another mail service takes the mails from there. What can be checked is whether the folder can be written to.",
        causes=(
            because(0.7, "The profile is as it should be.", fix("Try the folder.", "smtpctl validate {profile}")),
            because(
                0.3,
                "It was meant to send over the network.",
                fix("Say so.", "smtpctl profile set {profile} delivery=network host=<host>"),
            ),
        ),
        source="Kentico: Configuring additional SMTP servers",
    ),
    Entry(
        id="config.pickup_dir_missing",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="The profile delivers into a pickup folder and names none",
        message="Mail is written as files into that folder, and another mail service takes it from there.",
        causes=(
            because(
                0.9,
                "The folder was not set.",
                fix(
                    "Set its full path.",
                    "smtpctl profile set {profile} pickup_dir=<path>",
                ),
            ),
        ),
        source="Kentico: Configuring additional SMTP servers",
    ),
    Entry(
        id="config.iis_missing",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Delivery through IIS needs IIS SMTP, which this machine does not have",
        message="The pickup folder belongs to the SMTP feature of IIS, on Windows only; NETWORK SERVICE needs the "
        "right to write into it. It is harder to set up than a pickup folder of your own.",
        causes=(
            because(
                0.7,
                "The profile is from a Windows server.",
                fix(
                    "Deliver over the network.",
                    "smtpctl profile set {profile} delivery=network",
                ),
            ),
            because(
                0.3,
                "Another mail service here reads a pickup folder.",
                fix(
                    "Name its folder.",
                    "smtpctl profile set {profile} delivery=pickup pickup_dir=<path>",
                ),
            ),
        ),
        source="Kentico: Configuring additional SMTP servers",
    ),
    Entry(
        id="config.azure_network_only",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Microsoft Azure supports only the Network method",
        message="Nothing there takes mail out of a folder; only delivery over the network works.",
        causes=(
            because(
                0.9,
                "The profile is from a server of its own.",
                fix(
                    "Deliver over the network.",
                    "smtpctl profile set {profile} delivery=network",
                ),
            ),
        ),
        source="Kentico: Configuring additional SMTP servers",
    ),
)

ENTRIES = (*_RULES, *config_oauth.ENTRIES, *config_file.ENTRIES)
