"""What can be wrong with OAuth 2.0 settings, and with a password where OAuth 2.0 is wanted."""

from __future__ import annotations

from smtpctl.knowledge.dated import DATED
from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_PASSWORDS = DATED["m365-passwords"]

ENTRIES = (
    Entry(
        id="config.basic_auth_retired",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="[{host}: ]the provider retires logins with a password; use OAuth 2.0",
        message=f"{_PASSWORDS.says} Microsoft has moved these dates several times. Once off, the server answers 550 5.7.30.",
        causes=(
            because(
                0.9,
                "The profile logs in with a user name and a password.",
                fix(
                    "Move to OAuth 2.0; the preset has the settings.",
                    "smtpctl preset show m365-oauth2",
                ),
                fix(
                    "An administrator prepares it first; the guide has the steps.",
                    "smtpctl guide m365 {profile} --way app",
                ),
            ),
        ),
        source=_PASSWORDS.source,
        as_of=_PASSWORDS.as_of,
        knowledge=("m365.550-5-7-30-basic-retired",),
    ),
    Entry(
        id="config.password_ignored",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="The password is ignored, because OAuth 2.0 is on",
        message="With OAuth 2.0 a token logs in. A password beside it is never sent.",
        causes=(
            because(
                0.9,
                "It was left behind when OAuth 2.0 was set up.",
                fix(
                    "Remove it where it is kept, and what the profile says about it.",
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
                ),
                fix(
                    "Or implicit TLS on port 465 (Contensis: EmailSmtpUseImplicitSSL = true).",
                    "smtpctl profile set {profile} port=465 tls=implicit",
                ),
            ),
            because(
                0.2,
                "The mode is `auto`, and the server did not offer STARTTLS.",
                fix(
                    "Try the usual pairs: TLS from the first octet on 465, STARTTLS on 587.",
                    "smtpctl check {host}:465 --tls implicit",
                    "smtpctl check {host}:587 --tls starttls",
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
                    "Copy the directory (tenant) id from the app registration's overview page.",
                    "smtpctl oauth set {oauth} tenant_id=<tenant>",
                ),
            ),
            because(
                0.3,
                "Another provider: the token endpoint is missing.",
                fix(
                    "Set the address that the provider documents; it begins with https://.",
                    "smtpctl oauth set {oauth} token_endpoint=<url>",
                ),
            ),
        ),
        source="RFC 6749 3.2, 4.4",
    ),
    Entry(
        id="config.oauth_no_token",
        severity=Severity.ERROR,
        stage=Stage.CONFIG,
        status=ExitStatus.CONFIG,
        title="There is no access token to log in with[: none is set for the credentials {oauth}]",
        message="With OAuth 2.0 an access token takes the place of the password. A program, a file or a variable gives it, or "
        "smtpctl asks the provider for one.",
        causes=(
            because(
                0.8,
                "Nothing says where the access token comes from.",
                fix(
                    "Name a program that prints one (or access_token_file, access_token_env).",
                    "smtpctl oauth set {oauth} access_token_command=<command>",
                ),
                fix("For one run: --access-token-command, --access-token-file or --access-token-env."),
            ),
        ),
        source="RFC 6749 1.4; RFC 7628 3.1",
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
                    "The provider's developer console shows them. A secret is asked for, never typed into the file.",
                    "smtpctl oauth set {oauth} client_id=<id>",
                    "smtpctl secret set oauth/{oauth}/client_secret",
                ),
            ),
        ),
        source="RFC 6749 4.4.2",
    ),
    Entry(
        id="config.oauth_secret_expires_soon",
        severity=Severity.WARNING,
        stage=Stage.CONFIG,
        title="The secret of the OAuth 2.0 credentials ends[ in {days} days]",
        message="`secret_expires` is the day on which the client secret or certificate ends. After it no token is given, and "
        "no mail is sent.",
        causes=(
            because(
                0.9,
                "Secrets of applications are made for a time; Entra's for at most two years.",
                fix(
                    "Make a new one at the provider, store it, and write down its last day.",
                    "smtpctl oauth set {oauth} secret_expires=<date>",
                ),
            ),
        ),
        source="Microsoft: Add and manage application credentials in Microsoft Entra ID",
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
                ),
            ),
        ),
        source="RFC 6749 3.2",
    ),
)
