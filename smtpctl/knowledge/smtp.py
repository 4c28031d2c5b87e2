"""What can go wrong in the SMTP dialogue itself: greeting, EHLO, replies, limits."""

from __future__ import annotations

from smtpctl.knowledge import smtp_extensions, smtp_probes
from smtpctl.knowledge.families import MX, Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_NOTE, _WARNING, _ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR

_INSPECTION = because(
    0.8,
    "A firewall with SMTP inspection rewrites the dialogue (Cisco ASA and PIX: `inspect esmtp`, `fixup protocol smtp`).",
    fix("Switch SMTP inspection off for this server, or let it pass TLS.", "no inspect esmtp"),
    fix("Implicit TLS on port 465 cannot be rewritten on the way.", "smtpctl check {host}:465 --tls implicit"),
)
_SERVER_DEFECT = because(
    0.6,
    "The server, or a proxy in front of it, does not keep to the protocol.",
    fix("Keep the transcript and show it to the operator.", "smtpctl check {target} --transcript smtp.jsonl"),
)
_BUSY = because(0.35, "The server is restarting or overloaded.", fix("Try again in some minutes."))

ENTRIES = (
    Entry(
        id="smtp.greeting_refused",
        severity=_ERROR,
        stage=Stage.GREETING,
        title="{host} turned us away before we said anything[: {reply_text}]",
        message="A greeting other than 220 means that the server does not want this client, whatever it would send.",
        causes=(
            because(
                0.5,
                "The address that this machine connects from is on a block list or has no reverse DNS name.",
                fix("Follow the link in the reply; it names the list. Use a submission server with a login meanwhile."),
                facts=("works_elsewhere",),
            ),
            because(
                0.3, "Too many connections from this address, or the server is busy (4xx).", fix("Try again later.")
            ),
            because(
                0.2, "The host takes no mail at all.", fix("Use the server that the provider documents for sending.")
            ),
        ),
        source="RFC 5321 3.1, 4.2.3; RFC 7504",
    ),
    Entry(
        id="smtp.greeting_unfinished",
        severity=_ERROR,
        stage=Stage.GREETING,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} began its greeting and did not end it[ within {seconds} s]",
        message="So the mail server is there: it lets strangers wait on purpose, to see who talks before being asked, as spam "
        "software does.",
        causes=(
            because(
                0.7,
                "A greet delay (Postfix postscreen says a first line, then waits).",
                fix(
                    "Wait longer; RFC 5321 allows a server five minutes.",
                    "smtpctl check {target} --stage-timeout greeting=300",
                ),
            ),
            because(
                0.3,
                "The server is overloaded, or waits for an answer from DNS or a block list.",
                fix("Try again in some minutes."),
            ),
        ),
        source="RFC 5321 4.5.3.2.1; Postfix POSTSCREEN_README",
    ),
    Entry(
        id="smtp.greeting_delay",
        severity=_NOTE,
        stage=Stage.GREETING,
        title="The greeting came late[, after {seconds} s]",
        message="Some servers let strangers wait a few seconds because spam software does not. Clients with a short "
        "timeout fail here now and then.",
        causes=(
            because(
                0.6,
                "The server greets late on purpose (Postfix postscreen, Exim delay, Sendmail greet_pause).",
                fix(
                    "Give applications at least 30 s for the greeting.",
                ),
            ),
            because(
                0.4,
                "It looks up the name of this machine's address first, and that lookup is slow.",
                fix(
                    "Give the address a reverse DNS name that is answered quickly.",
                ),
            ),
        ),
        source="RFC 5321 4.5.3.2.1",
    ),
    Entry(
        id="smtp.banner_no_fqdn",
        severity=_NOTE,
        role=MX,
        stage=Stage.GREETING,
        title="The greeting does not begin with a full host name",
        message="The first word after 220 should be the server's name in DNS. Nothing breaks for a client that logs in.",
        causes=(because(0.9, "The server's own name is not set.", fix("Set it (Postfix: `myhostname`).")),),
        source="RFC 5321 4.2",
    ),
    Entry(
        id="smtp.filter_named",
        severity=_NOTE,
        stage=Stage.GREETING,
        title="The greeting names a filter or proxy: {product}",
        message="What answers may not be the mail server itself. A filter sees every mail, may refuse what the server would "
        "take, and may leave extensions out.",
        causes=(
            because(
                0.5,
                "A mail gateway stands in front of the server, as its operator wants it.",
                fix("Nothing needs to be done. Refusals may be the gateway's: ask for its log too."),
            ),
            because(
                0.5,
                "A virus scanner on this machine, or a firewall of this network, takes the connection for the server.",
                fix("Compare the greeting from another network.", "smtpctl check {target} -v"),
            ),
        ),
        source="Microsoft Exchange Server Analyzer: Possible SMTP proxy detected",
    ),
    Entry(
        id="smtp.ehlo_rejected_helo_ok",
        severity=_WARNING,
        stage=Stage.EHLO,
        title="{host} refuses EHLO and takes only HELO",
        message="Without EHLO there is no TLS, no login, no size limit: all extensions are announced in its answer. "
        "No server of this century needs HELO, so something on the way is likely in between.",
        causes=(
            _INSPECTION,
            because(
                0.2,
                "The server is very old or very small (a device).",
                fix(
                    "Let the device send through a current mail server.",
                ),
            ),
        ),
        source="RFC 5321 3.2",
    ),
    Entry(
        id="smtp.ehlo_masked",
        severity=_ERROR,
        stage=Stage.EHLO,
        title="Something between here and {host} overwrites the server's announcements",
        message="The EHLO answer holds keywords that were replaced by X or * signs. That is what a firewall does that "
        "wants to read the mail: it hides STARTTLS so that the connection stays in clear.",
        causes=(_INSPECTION,),
        source="RFC 3207 6; Cisco ASA configuration guide, ESMTP inspection",
    ),
    Entry(
        id="smtp.reply_oddity",
        severity=_NOTE,
        stage=Stage.EHLO,
        title="The server writes replies in an unusual way[: {oddity}]",
        message="smtpctl understood it; stricter clients may not.",
        causes=(_SERVER_DEFECT,),
        source="RFC 5321 4.2",
    ),
    Entry(
        id="smtp.reply_too_long",
        severity=_ERROR,
        stage=Stage.GREETING,
        status=ExitStatus.PROTOCOL,
        title="The server sent a line without an end",
        message="A reply line has at most 512 octets. smtpctl reads far more than that and then stops, so that no server "
        "can fill its memory.",
        causes=(
            because(0.6, "What answers is no SMTP server.", fix("Look at the first octets in the evidence.")),
            because(0.4, "The server is defective or hostile.", fix("Do not use it.")),
        ),
        source="RFC 5321 4.5.3.1.5",
    ),
    Entry(
        id="smtp.reply_endless",
        severity=_ERROR,
        stage=Stage.GREETING,
        status=ExitStatus.PROTOCOL,
        title="The server's reply does not end",
        message="Each line said that another one follows. smtpctl stopped reading.",
        causes=(because(0.7, "The server is defective or hostile.", fix("Do not use it.")),),
        source="RFC 5321 4.2.1",
    ),
    Entry(
        id="smtp.unsolicited",
        severity=_WARNING,
        stage=Stage.EHLO,
        title="The server sent a reply that nobody had asked for",
        message="From here on requests and replies may be out of step, so what a reply answers is no longer certain.",
        causes=(
            _SERVER_DEFECT,
            because(
                0.4, "The server is about to close the connection and says so early (421).", fix("Try again later.")
            ),
        ),
        source="RFC 5321 3.8, 4.2",
    ),
    Entry(
        id="smtp.early_421",
        severity=_ERROR,
        stage=Stage.EHLO,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} ended the session[: {reply_text}]",
        message="421 may come at any time and means: closing now, try again later.",
        causes=(
            because(
                0.4,
                "Too many connections or mails from here in a short time.",
                fix(
                    "Wait, then send more slowly over fewer connections.",
                ),
            ),
            _BUSY,
            because(0.25, "The session was idle too long.", fix("Send right after connecting.")),
        ),
        source="RFC 5321 3.8, 4.2.3",
    ),
    Entry(
        id="smtp.closed_by_server",
        severity=_ERROR,
        stage=Stage.EHLO,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} closed the connection without a reply",
        message="SMTP has a reply for every situation, also for ending a session (421). This server just hung up.",
        causes=(
            because(
                0.4,
                "A filter in front of the server ended the session.",
                fix(
                    "Ask the operator what their log says at this minute for this machine's address.",
                ),
            ),
            _BUSY,
            because(
                0.25,
                "The server crashed over what it was sent.",
                fix(
                    "Send a plain small message and see whether that passes.",
                    "smtpctl test-send {target} --to <address>",
                ),
            ),
        ),
        source="RFC 5321 3.8",
    ),
    Entry(
        id="smtp.reply_timeout",
        severity=_ERROR,
        stage=Stage.EHLO,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} did not answer[ within {seconds} s][ ({stage_name})]",
        message="The connection stands, but the reply did not come.",
        causes=(
            because(
                0.4,
                "The server delays on purpose, or checks something slow (DNS, virus scan).",
                fix(
                    "Wait longer; RFC 5321 asks clients for five to ten minutes.",
                    "smtpctl check {target} --stage-timeout {stage_name}=300",
                ),
            ),
            _BUSY,
            because(
                0.25, "A firewall dropped the connection silently.", fix("Try again; then try from another network.")
            ),
        ),
        source="RFC 5321 4.5.3.2",
    ),
    Entry(
        id="smtp.protocol_violation",
        severity=_ERROR,
        stage=Stage.EHLO,
        status=ExitStatus.PROTOCOL,
        title="{host} answered with something that is no SMTP reply",
        message="A reply begins with three digits. The octets that came instead are in the evidence.",
        causes=(
            _SERVER_DEFECT,
            because(
                0.4,
                "The port belongs to another service, or a proxy answers.",
                fix(
                    "Try the usual pairs: TLS from the first octet on 465, STARTTLS on 587.",
                    "smtpctl check {host}:465 --tls implicit",
                    "smtpctl check {host}:587 --tls starttls",
                ),
            ),
        ),
        source="RFC 5321 4.2",
    ),
    Entry(
        id="smtp.helo_name_bad",
        severity=_WARNING,
        stage=Stage.EHLO,
        title="We introduce ourselves with a name that is no full host name[: {name}]",
        message="Servers that take mail from strangers check the EHLO name; some refuse or mark mail over it. With a "
        "login it rarely matters.",
        causes=(
            because(
                0.9,
                "This machine has no full host name, and the profile sets none.",
                fix(
                    "Give the profile a name that DNS knows.",
                    "smtpctl profile set {profile} helo=<name>",
                ),
            ),
        ),
        source="RFC 5321 4.1.1.1, 4.1.4",
    ),
    Entry(
        id="smtp.size_too_small",
        severity=_WARNING,
        stage=Stage.MAIL,
        status=ExitStatus.DATA,
        mx_severity=_NOTE,
        title="The message[ ({size} octets)] is larger than {host} takes[ ({limit} octets)]",
        message="The server announces its limit with SIZE. Attachments grow by a third in transport (base64).",
        causes=(
            because(0.7, "The attachments are too large for mail.", fix("Send a link, or split the message.")),
            because(0.3, "The server's limit is set low.", fix("Raise it (Postfix: `message_size_limit`).")),
        ),
        source="RFC 1870 3, 6.1",
    ),
    Entry(
        id="smtp.smtputf8_missing",
        severity=_ERROR,
        stage=Stage.MAIL,
        status=ExitStatus.DATA,
        title="An address has letters outside ASCII, and {host} does not offer SMTPUTF8",
        message="Nothing was sent. A domain can be written in its xn-- form, the part before the @ cannot.",
        causes=(
            because(
                0.7,
                "The server, or one on the way, cannot carry such addresses.",
                fix(
                    "Use an ASCII alias of the mailbox.",
                ),
            ),
            because(
                0.3, "SMTPUTF8 is switched off on the server.", fix("Switch it on (Postfix: `smtputf8_enable = yes`).")
            ),
        ),
        source="RFC 6531 3.1",
    ),
    Entry(
        id="smtp.requiretls_missing",
        severity=_ERROR,
        stage=Stage.MAIL,
        status=ExitStatus.UNAVAILABLE,
        title="The mail asks for TLS all the way, and {host} does not offer REQUIRETLS",
        message="Nothing was sent: the wish cannot be dropped silently.",
        causes=(because(0.9, "Few servers support it.", fix("Send without the wish, or by another server.")),),
        source="RFC 8689 4",
    ),
    Entry(
        id="smtp.dsn_missing",
        severity=_ERROR,
        stage=Stage.MAIL,
        status=ExitStatus.UNAVAILABLE,
        title="Delivery reports were asked for, and {host} does not offer DSN",
        message="NOTIFY, ORCPT, RET and ENVID may only be sent to a server that offers DSN. Nothing was sent.",
        causes=(because(0.9, "The server does not support it, or hides it.", fix("Send without the wish.")),),
        source="RFC 3461 4",
    ),
    Entry(
        id="smtp.unsafe_input",
        severity=_ERROR,
        stage=Stage.MAIL,
        status=ExitStatus.DATA,
        title="An address or a value holds characters that could smuggle in another command[: {text}]",
        message="Line ends, control characters and stray angle brackets never reach a command line. Nothing was sent.",
        causes=(
            because(0.7, "The value was taken from input with a line break in it.", fix("Strip it where it is read.")),
            because(0.3, "Somebody tries to inject recipients or commands.", fix("Look at where the value came from.")),
        ),
        source="RFC 5321 4.1.2; CWE-93",
    ),
    *smtp_extensions.ENTRIES,
    *smtp_probes.ENTRIES,
)
