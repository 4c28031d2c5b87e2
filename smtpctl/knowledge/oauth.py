"""What can go wrong on the way to an access token, before the mail server is spoken to.

What token endpoints answer is in `replies/` (Entra, Google, generic).
"""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_MESSAGE = "The server was not asked: logging in needs an access token first, and there is none."
_LOG_IN = fix("Log in once; what is needed for later is kept.", "smtpctl oauth login {oauth}")
_LOOK = fix("See what is set.", "smtpctl oauth show {oauth}")
_NETWORK = because(
    0.5,
    "This machine does not reach it: a firewall or a proxy that is not set.",
    fix("Set the proxy that web requests take here.", "smtpctl oauth set {oauth} proxy=<url>"),
)


def _entry(name: str, title: str, message: str, *causes: object, source: str = "RFC 6749", **more: object) -> Entry:
    return Entry(
        id=f"oauth.{name}",
        severity=Severity.ERROR,
        stage=Stage.AUTH,
        title=title,
        message=f"{message} {_MESSAGE}".strip(),
        causes=causes,  # type: ignore[arg-type]
        source=source,
        **{"status": ExitStatus.AUTH, **more},  # type: ignore[arg-type]
    )


ENTRIES = (
    _entry(
        "refused",
        "The token endpoint gave no token[: {error}]",
        "It understood the request and refused it[ ({endpoint})].",
        because(0.5, "The id or the secret of the application is wrong, or the secret has expired.", _LOOK),
        because(0.3, "The application may not have this scope or use this grant.", _LOOK),
        because(0.2, "The login that the refresh token came from was withdrawn.", _LOG_IN),
        source="RFC 6749 5.2",
    ),
    _entry(
        "login_needed",
        "Nobody has logged in for the credentials {oauth} yet",
        "This kind of credentials needs a person once; after that a refresh token gets new access tokens.",
        because(0.9, "There is no refresh token where it is looked for.", _LOG_IN),
        source="RFC 6749 1.5",
        status=ExitStatus.CONFIG,
    ),
    _entry(
        "unreachable",
        "The token endpoint cannot be reached[: {reason}]",
        "[It is {endpoint}.]",
        _NETWORK,
        because(0.3, "The address is wrong.", _LOOK),
        because(0.2, "The service is down.", fix("Try again in some minutes.")),
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "timeout",
        "The token endpoint did not answer in time[ ({seconds} s)]",
        "[It is {endpoint}.]",
        _NETWORK,
        because(0.5, "The service is slow or down.", fix("Try again in some minutes.")),
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "busy",
        "The token endpoint asks to wait[ {seconds} s]",
        "It had too many requests, or is in trouble[: {reason}].",
        because(0.6, "Tokens are asked for too often: one program asks for each mail.",
                fix("Keep tokens between runs.", "smtpctl oauth set {oauth} cache=keyring")),
        because(0.4, "The service has a problem of its own.", fix("Try again later.")),
        source="RFC 6585 4",
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "untrusted",
        "The certificate of the token endpoint is not trusted[: {reason}]",
        "Nothing secret was sent[ to {endpoint}].",
        because(0.6, "A proxy or virus scanner opens TLS and signs with a root of its own.",
                fix("Trust that root for token requests.", "smtpctl oauth set {oauth} ca_file=<file>")),
        because(0.4, "A variable names other roots than the system's (SSL_CERT_FILE, SSL_CERT_DIR).",
                fix("Look which are set.", "env | grep SSL_CERT")),
        source="RFC 6749 3.2",
        status=ExitStatus.UNAVAILABLE,
    ),
    _entry(
        "certificate_date",
        "The certificate of the token endpoint is not valid at this time[: {reason}]",
        "Nothing secret was sent[ to {endpoint}].",
        because(0.6, "The clock of this machine is wrong.", fix("Look what time it has.", "date -u", "timedatectl status")),
        because(0.4, "The certificate was not renewed, or a proxy that opens TLS has an old one.",
                fix("Tell who runs the service or the proxy.")),
        source="RFC 5280 4.1.2.5",
        status=ExitStatus.UNAVAILABLE,
    ),
    _entry(
        "redirect",
        "The token endpoint sends us elsewhere[, to {elsewhere}]",
        "A secret is never sent on to another address.",
        because(0.6, "The address is not the token endpoint itself.", _LOOK),
        because(0.4, "A captive portal or proxy answers in its place.", fix("Log in to the portal first.")),
        source="RFC 9700 4.12",
        status=ExitStatus.UNAVAILABLE,
    ),
    _entry(
        "not_json",
        "The token endpoint answered with something that is no token answer[ ({status})]",
        "[It begins with “{beginning}”.]",
        because(0.5, "A proxy or a captive portal answers in its place.", fix("Look at the address with a browser.")),
        because(0.5, "The address belongs to another service.", _LOOK),
        source="RFC 6749 5.1",
        status=ExitStatus.PROTOCOL,
    ),
    _entry(
        "too_large",
        "The token endpoint's answer does not end[ within {limit} octets]",
        "",
        because(0.9, "What answers is no token endpoint.", _LOOK),
        source="RFC 6749 5.1",
        status=ExitStatus.PROTOCOL,
    ),
    _entry(
        "no_discovery",
        "The issuer does not say where its endpoints are[: {reason}]",
        "[It is {endpoint}.]",
        because(0.6, "The issuer's address is wrong; it stands without /.well-known behind it.", _LOOK),
        because(0.4, "This provider publishes none.",
                fix("Set the endpoint itself.", "smtpctl oauth set {oauth} token_endpoint=<url>")),
        source="OpenID Connect Discovery 1.0 4; RFC 8414",
        status=ExitStatus.CONFIG,
    ),
    _entry(
        "authority",
        "Microsoft Entra does not know this tenant[: {reason}]",
        "Before a token is asked for, the sign-in server is asked about the tenant[ {tenant}].",
        because(0.6, "The tenant is misspelt, or is one of another cloud.",
                fix("Look at the tenant id on the app registration's overview page.", "smtpctl oauth show {oauth}")),
        _NETWORK,
        source="Microsoft: OpenID Connect on the Microsoft identity platform",
        status=ExitStatus.CONFIG,
    ),
    _entry(
        "no_managed_identity",
        "This machine has no managed identity to ask for a token[: {reason}]",
        "Azure gives one to a machine or a service of its own; it is asked for at an address inside that machine alone.",
        because(0.4, "This is no machine of Azure, or none with an identity.",
                fix("Look under Identity on the machine's or the service's page in the Azure portal.")),
        because(0.3, "The client id is not one of a user-assigned identity of this machine.", _LOOK),
        because(0.3, "A container or a firewall keeps the address away.",
                fix("Ask it by hand.", "curl -s -H Metadata:true --noproxy '*' 'http://169.254.169.254/metadata/instance?api-version=2021-02-01'")),
        source="Microsoft: how to use managed identities on an Azure VM to acquire an access token",
        status=ExitStatus.CONFIG,
    ),
    _entry(
        "file_unusable",
        "Cannot use the file {path}[: {reason}]",
        "",
        because(0.6, "The path is wrong, or this user may not read it.", fix("Look at it.", "ls -l {path}")),
        because(0.4, "It holds something else than is expected, or needs a pass phrase.", _LOOK),
        source="RFC 7523 2.2",
        status=ExitStatus.CONFIG,
    ),
    _entry(
        "declined",
        "The login was declined[: {reason}]",
        "Whoever signed in, or a policy of the organisation, said no.",
        because(0.5, "Somebody pressed Cancel.", _LOG_IN),
        because(0.5, "An administrator must agree for everybody first.", fix("Ask one to grant admin consent.")),
        source="RFC 6749 4.1.2.1; RFC 8628 3.5",
    ),
    _entry(
        "code_expired",
        "Nobody typed the code in time",
        "A device code is good for some minutes.",
        because(0.9, "It took too long.", _LOG_IN),
        source="RFC 8628 3.5",
    ),
    _entry(
        "browser_answer",
        "The browser came back with something that does not belong to this login[: {reason}]",
        "The answer was thrown away.",
        because(0.6, "An old tab was reloaded.", _LOG_IN),
        because(0.4, "Another program or page tried to slip in an answer.", _LOG_IN),
        source="RFC 6749 10.12; RFC 7636",
    ),
    _entry(
        "browser_timeout",
        "The browser did not come back[ in {seconds} s]",
        "After somebody has signed in, the provider sends the browser back to this machine.",
        because(0.4, "Nobody signed in, or the page was closed.", _LOG_IN),
        because(0.3, "The provider showed an error of its own: the address to come back to is not registered there as it "
                     "is here.",
                fix("Register http://localhost (Entra: platform Mobile and desktop applications), and look at the port.",
                    "smtpctl oauth show {oauth}")),
        because(0.3, "The browser runs on another machine than smtpctl.",
                fix("Log in with a code in its place.", "smtpctl oauth set {oauth} grant=device_code")),
        source="RFC 8252 7.3",
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "port_unusable",
        "Cannot wait for the browser[ at port {listening}][: {reason}]",
        "After somebody has signed in, the provider sends the browser back to this machine.",
        because(0.9, "Another program has the port.",
                fix("Take any free one, where the provider allows that.", "smtpctl oauth set {oauth} redirect_port=")),
        source="RFC 8252 7.3",
        status=ExitStatus.CONFIG,
    ),
    _entry(
        "not_supported",
        "These credentials cannot be used this way[: {reason}]",
        "",
        because(0.9, "The grant does not fit what is set.", _LOOK),
        status=ExitStatus.CONFIG,
    ),
    Entry(
        id="oauth.not_kept",
        severity=Severity.WARNING,
        stage=Stage.AUTH,
        status=ExitStatus.CANNOT_CREATE,
        title="The new token of {oauth} cannot be kept, and the next run may need a login[: {reason}]",
        message="This run goes on with it. Where the provider replaced the refresh token, the old one, which is still kept, "
        "may be refused from now on.",
        causes=(
            because(0.6, "The file or the keyring of the token cannot be written.",
                    fix("See where it is kept, and let smtpctl write there.", "smtpctl oauth show {oauth}")),
            because(0.4, "The old refresh token is refused after that.", _LOG_IN),
        ),
        source="RFC 6749 6",
    ),
)  # fmt: skip
