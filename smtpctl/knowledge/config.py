"""What can be wrong with the settings: rules that `validate` holds. What can be wrong with the file is in `config_file`."""

from __future__ import annotations

from smtpctl.knowledge import config_file
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
                    safe=True,
                ),
                fix(
                    "Port 587 goes with STARTTLS.",
                    "smtpctl profile set {profile} port=587 tls=starttls",
                    safe=True,
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
                    "smtpctl secret set profile/{profile}/password",
                ),
            ),
            because(
                0.4,
                "The server needs no login.",
                fix(
                    "Say so, and remove the rest.",
                    "smtpctl profile set {profile} auth=none",
                    safe=True,
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
        title="The password would go over the network in clear text",
        message="The profile has a login and no encryption. smtpctl refuses to send it so.",
        causes=(
            because(
                0.9,
                "The profile says tls = none.",
                fix(
                    "Use TLS.",
                    "smtpctl profile set {profile} port=587 tls=starttls",
                    safe=True,
                ),
            ),
            because(
                0.1,
                "The network to the server is trusted.",
                fix(
                    "Say so; then it is no fault.",
                    "smtpctl profile set {profile} trusted=true",
                    safe=True,
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
                    safe=True,
                ),
            ),
            because(
                0.3,
                "The relay is on a trusted network all the same.",
                fix(
                    "Say so.",
                    "smtpctl profile set {profile} trusted=true",
                    safe=True,
                ),
            ),
        ),
        source="RFC 8314 3",
    ),
    Entry(
        id="config.basic_auth_retired",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="[{host}: ]the provider retires logins with a password; use OAuth 2.0",
        message="Microsoft 365: passwords for sending (SMTP AUTH) stay as they are until December 2026, are then off by "
        "default and can be switched on again by an administrator; tenants created later do not get them. The final "
        "date is to be announced in the second half of 2027. Microsoft has moved these dates several times. Once off, "
        "the server answers 550 5.7.30.",
        causes=(
            because(
                0.9,
                "The profile logs in with a user name and a password.",
                fix(
                    "Move to OAuth 2.0; the preset has the settings.",
                    "smtpctl preset show m365-oauth2",
                ),
            ),
        ),
        source="Microsoft Message Center MC786329, Exchange Team Blog 4114750",
        as_of="2026-01-27",
        knowledge=("m365.550-5-7-30-basic-retired",),
    ),
    Entry(
        id="config.password_ignored",
        severity=Severity.NOTE,
        stage=Stage.CONFIG,
        title="The password is not used, because OAuth 2.0 is on",
        message="With OAuth 2.0 a token logs in. A password beside it is never sent.",
        causes=(
            because(
                0.9,
                "It was left behind when OAuth 2.0 was set up.",
                fix(
                    "Remove it.",
                    "smtpctl secret remove profile/{profile}/password",
                ),
            ),
        ),
        source="RFC 7628 1",
    ),
    Entry(
        id="config.token_endpoint_ignored",
        severity=Severity.NOTE,
        stage=Stage.CONFIG,
        title="The token endpoint is not used, because a tenant is set",
        message="With a tenant id the token comes from Microsoft Entra ID of that tenant.",
        causes=(
            because(
                0.6,
                "Both were filled in.",
                fix(
                    "Remove the one that is not meant, below its [oauth.NAME] heading in the configuration file.",
                    "smtpctl config path",
                    safe=True,
                ),
            ),
        ),
        source="Microsoft identity platform: OAuth 2.0 client credentials flow",
    ),
    Entry(
        id="config.oauth_without_tls",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="OAuth2 authentication requires TLS",
        message="A token is as good as a password to whoever reads it on the way, so it only ever goes over an encrypted "
        "connection. Nothing was sent, and no token was fetched.",
        causes=(
            because(
                0.8,
                "The profile uses OAuth 2.0 and has no encryption (Contensis: EmailSmtpUseOAuth2 is true and "
                "neither EmailSmtpUseSSL nor EmailSmtpUseImplicitSSL is).",
                fix(
                    "Use STARTTLS on port 587 (Contensis: EmailSmtpUseSSL = true).",
                    "smtpctl profile set {profile} port=587 tls=starttls",
                    safe=True,
                ),
                fix(
                    "Or implicit TLS on port 465 (Contensis: EmailSmtpUseImplicitSSL = true).",
                    "smtpctl profile set {profile} port=465 tls=implicit",
                    safe=True,
                ),
            ),
            because(
                0.2,
                "The mode is `auto`, and the server did not offer STARTTLS.",
                fix(
                    "Find the port that does.",
                    "smtpctl check {profile} --suggest",
                ),
            ),
        ),
        source="RFC 7628 3, 5; RFC 6750 5.3",
    ),
    Entry(
        id="config.oauth_no_endpoint",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="OAuth2 is enabled but neither EmailSmtpOAuth2AzureTenantId nor EmailSmtpOAuth2TokenEndpoint is configured",
        message="A token has to come from somewhere: from Microsoft Entra ID (then the tenant id says where) or from "
        "another provider's token endpoint. Neither is set.",
        causes=(
            because(
                0.7,
                "Microsoft 365: the tenant id is missing.",
                fix(
                    "Copy the directory (tenant) id from the app registration's overview page; in the configuration file it is "
                    "tenant_id below its [oauth.NAME] heading.",
                    "smtpctl config path",
                    safe=True,
                ),
            ),
            because(
                0.3,
                "Another provider: the token endpoint is missing.",
                fix(
                    "Set the address that the provider documents, as token_endpoint below its [oauth.NAME] heading; it begins with https://.",
                    "smtpctl config path",
                    safe=True,
                ),
            ),
        ),
        source="RFC 6749 3.2, 4.4",
    ),
    Entry(
        id="config.oauth_no_username",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Cannot determine OAuth2 username",
        message="With OAuth 2.0 the login names the mailbox that the token is for: the profile's user name, else the From "
        "address of the mail. There is neither.",
        causes=(
            because(
                0.9,
                "OAuth 2.0 is on, the user name is empty (Contensis: EmailSmtpUsername), and the mail has no "
                "From address.",
                fix(
                    "Set the user name to the address of the mailbox that sends.",
                    "smtpctl profile set {profile} username=<address>",
                    safe=True,
                ),
            ),
        ),
        source="RFC 7628 3.1",
    ),
    Entry(
        id="config.oauth_multiple_senders",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Several From addresses log in with OAuth 2.0, and no user name is set",
        message="Without a user name each mail logs in as its own From address. Every one of them must be a mailbox that "
        "the app may send from.",
        causes=(
            because(
                0.6,
                "One mailbox is meant to send for all.",
                fix(
                    "Name it.",
                    "smtpctl profile set {profile} username=<address>",
                    safe=True,
                ),
            ),
            because(
                0.4,
                "Each address has its own mailbox.",
                fix(
                    "Give the app the right to each of them.",
                    "Add-MailboxPermission -Identity <address> -User <service-principal> -AccessRights FullAccess",
                ),
            ),
        ),
        source="Microsoft: Authenticate an IMAP, POP or SMTP connection using OAuth",
    ),
    Entry(
        id="config.m365_required_setting",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="Microsoft 365 with OAuth 2.0 needs another value[ for {key}][: {wanted}]",
        message="It needs smtp.office365.com, port 587, STARTTLS, OAuth 2.0, a tenant id, a client id and a client secret.",
        causes=(
            because(
                0.9,
                "A value is missing or from another set-up.",
                fix(
                    "Compare with the preset.",
                    "smtpctl preset show m365-oauth2",
                ),
            ),
        ),
        source="Microsoft: Authenticate an IMAP, POP or SMTP connection using OAuth",
    ),
    Entry(
        id="config.oauth_incomplete",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="The OAuth 2.0 credentials are incomplete[: {missing}]",
        message="A provider gives a token for a client id, a client secret and a scope, at its token endpoint.",
        causes=(
            because(
                0.9,
                "They were not filled in.",
                fix(
                    "Set them below its [oauth.NAME] heading; the provider's developer console shows them.",
                    "smtpctl config path",
                    safe=True,
                ),
            ),
        ),
        source="RFC 6749 4.4.2",
    ),
    Entry(
        id="config.endpoint_not_https",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="The token endpoint must be HTTPS",
        message="The client secret is sent to it.",
        causes=(
            because(
                0.9,
                "The address begins with http://.",
                fix(
                    "Write https:// in token_endpoint below its [oauth.NAME] heading.",
                    "smtpctl config path",
                    safe=True,
                ),
            ),
        ),
        source="RFC 6749 3.2",
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
                    "Send through the server that the domain's mail provider documents.",
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
        message="Nothing is sent in this scope; queued mail waits, without being marked as failed.",
        causes=(
            because(
                0.8,
                "It was switched off on purpose, or never switched on.",
                fix(
                    "Switch it on; it should be on globally and for every site.",
                    "smtpctl config set emails_enabled=true",
                    safe=True,
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
                    safe=True,
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
                    safe=True,
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
        title="A value still holds the example from the guide[: {key} = {value}]",
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
                    safe=True,
                ),
            ),
            because(
                0.3,
                "The server has a private certificate.",
                fix(
                    "Trust exactly that one.",
                    "smtpctl profile set {profile} ca_file=<file>",
                    safe=True,
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
)

ENTRIES = (*_RULES, *config_file.ENTRIES)
