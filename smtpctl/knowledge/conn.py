"""What can go wrong before the server has said its first word: names, addresses, ports, proxies, time."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_OTHER_PORTS = fix(
    "Try the usual pairs: TLS from the first octet on 465, STARTTLS on 587.",
    "smtpctl check {host}:465 --tls implicit",
    "smtpctl check {host}:587 --tls starttls",
)
_FIREWALL = because(
    0.45,
    "A firewall between here and the server drops the packets. Cloud providers and access networks do that to "
    "port 25 by default.",
    fix("Use port 587 or 465 instead of 25; those are rarely blocked.", "smtpctl check {host}:587"),
    fix("If it must be this port, ask whoever runs the network or the cloud account to open it outwards."),
    facts=("works_elsewhere", "port25_filtered?"),
)
_DOWN = because(
    0.2,
    "The server is down, or it moved to another address.",
    fix("Ask its operator; look at its status page."),
    facts=("worked_before?", "not works_elsewhere?"),
)

ENTRIES = (
    Entry(
        id="conn.dns_nxdomain",
        severity=Severity.ERROR,
        stage=Stage.DNS,
        status=ExitStatus.NO_HOST,
        title="The name {host} does not exist in DNS",
        message="Every connection starts with looking the name up. The resolver answered that there is no such name.",
        causes=(
            because(
                0.7,
                "The name is misspelt, or is one from an old guide.",
                fix(
                    "Compare it with the provider's documentation, or let smtpctl suggest one.",
                    "smtpctl preset suggest {host}",
                ),
                facts=("not worked_before?",),
            ),
            because(
                0.2,
                "The name exists only inside a company network, and this machine asks a public resolver.",
                fix(
                    "Connect to that network (VPN) and look the name up again.",
                    "getent ahosts {host}",
                ),
                facts=("works_elsewhere",),
            ),
            because(0.1, "The domain is new or has expired.", fix("Look at the registration of the domain.")),
        ),
        source="RFC 1035 4.1.1; RFC 8020",
    ),
    Entry(
        id="conn.no_address",
        severity=Severity.ERROR,
        stage=Stage.DNS,
        status=ExitStatus.NO_HOST,
        title="The name {host} exists but has no address",
        message="DNS knows the name, but it has neither an IPv4 (A) nor an IPv6 (AAAA) address of the kind asked for.",
        causes=(
            because(
                0.6,
                "It is a mail domain and not a server's name: only its MX record points at a server.",
                fix(
                    "Use the name of the server that the provider documents for sending.",
                    "smtpctl preset suggest {host}",
                ),
            ),
            because(
                0.2,
                "`--family` or the profile asks for IPv4 or IPv6 only, and the name has just the other.",
                fix(
                    "Leave the family open.",
                    "smtpctl profile unset {profile} family",
                ),
            ),
            because(0.2, "The address record is missing.", fix("Publish an A or AAAA record for {host}.")),
        ),
        source="RFC 5321 5.1; RFC 2308 2.2",
    ),
    Entry(
        id="conn.private_address",
        severity=Severity.WARNING,
        mx_severity=Severity.ERROR,
        stage=Stage.DNS,
        title="{host} leads to an address that is not public[: {address}]",
        message="The name looks like one of the public DNS, and only machines inside the network of this address reach the "
        "server by it.",
        causes=(
            because(
                0.6,
                "It is an internal server, or the DNS inside this network answers differently (split DNS).",
                fix(
                    "If that is meant, say so.",
                    "smtpctl profile set {profile} trusted=true",
                ),
            ),
            because(0.4, "The address record is wrong.", fix("Correct the A or AAAA record of {host}.")),
        ),
        source="RFC 6890; IANA IPv4 and IPv6 Special-Purpose Address Registries",
    ),
    Entry(
        id="conn.dns_temporary",
        severity=Severity.ERROR,
        stage=Stage.DNS,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="No DNS server answered for the name {host}",
        message="The name may well exist: the resolver of this machine gave no usable answer (SERVFAIL or none at all).",
        causes=(
            because(
                0.6,
                "This machine has no network, or its resolver is down.",
                fix(
                    "Look up any well-known name; if that fails too, mend the resolver first.",
                    "getent ahosts example.com",
                ),
            ),
            because(0.25, "The DNS servers of the domain do not answer.", fix("Try again in some minutes.")),
            because(
                0.15,
                "The domain's DNSSEC is broken, so a validating resolver refuses its answers.",
                fix(
                    "Tell the domain's operator; an on-line DNSSEC analyser shows where.",
                ),
            ),
        ),
        source="getaddrinfo(3): EAI_AGAIN; RFC 2308 7",
    ),
    Entry(
        id="conn.refused",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} refused the connection on port {port}",
        message="The machine answered at once that nothing listens on this port. The name and the network are fine.",
        causes=(
            because(
                0.5,
                "It is another port: 587 (STARTTLS), 465 (TLS from the start) or 25 (between servers).",
                _OTHER_PORTS,
                facts=("not worked_before?",),
            ),
            because(
                0.3,
                "The mail service is not running, or listens on another address of that machine.",
                fix(
                    "On the server, see who listens.",
                    "ss -ltnp '( sport = :{port} )'",
                ),
                facts=("worked_before?",),
            ),
            because(
                0.2,
                "A firewall answers in the server's place.",
                fix("Open the port for this machine's address."),
                facts=("works_elsewhere",),
            ),
        ),
        source="connect(2): ECONNREFUSED",
    ),
    Entry(
        id="conn.socket_failed",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="Cannot connect to the UNIX socket {path}[: {reason}]",
        message="The server listens on a socket in the file system instead of a port; connecting to that file failed.",
        causes=(
            because(
                0.5,
                "The server is not running, or its socket is elsewhere.",
                fix(
                    "See which sockets there are.",
                    "ss -lxp",
                ),
            ),
            because(
                0.3,
                "This user may not use the socket, or may not enter one of the folders above it.",
                fix("Look at the rights of the whole path.", "namei -l {path}"),
            ),
            because(0.2, "An old socket was left behind by a server that is gone.", fix("Start the server again.")),
        ),
        source="unix(7); connect(2): ENOENT, EACCES, ECONNREFUSED",
    ),
    Entry(
        id="conn.timeout",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} did not answer on port {port} in time",
        message="The connection request got no answer of any kind, which is what a firewall that drops packets looks like.",
        causes=(
            _FIREWALL,
            because(0.35, "It is another port.", _OTHER_PORTS, facts=("not worked_before?",)),
            _DOWN,
        ),
        source="connect(2): ETIMEDOUT",
    ),
    Entry(
        id="conn.reset",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} cut the connection off",
        message="The connection was there and was then reset without a word of SMTP that explains it.",
        causes=(
            because(
                0.4,
                "A firewall, proxy or virus scanner on the way ends connections that it does not like.",
                fix(
                    "Try from another network; if it works there, the cause is on this side.",
                ),
            ),
            because(
                0.35,
                "The server turns this address away (block list, too many connections).",
                fix(
                    "Wait some minutes, then try once.",
                    "smtpctl check {target}",
                ),
            ),
            because(0.25, "The service on that port crashed or restarts.", fix("Look at the server's own log.")),
        ),
        source="tcp(7): ECONNRESET",
    ),
    Entry(
        id="conn.unreachable",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="There is no route from here to {host}",
        message="The network said that the address cannot be reached; the server itself was never asked.",
        causes=(
            because(
                0.5,
                "This machine has no working IPv6, and the server was tried over IPv6.",
                fix(
                    "Use IPv4 for this server.",
                    "smtpctl check {target} --family 4",
                ),
            ),
            because(
                0.3,
                "This machine is off the network, or a VPN that it needs is not connected.",
                fix(
                    "Look at the route.",
                    "ip route get <address>",
                ),
            ),
            because(0.2, "A router refuses the traffic by policy.", fix("Ask whoever runs the network.")),
        ),
        source="connect(2): ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL",
    ),
    Entry(
        id="conn.partial",
        severity=Severity.WARNING,
        stage=Stage.CONNECT,
        title="Some addresses of {host} do not answer",
        message="The session went on with an address that works. Clients that try the dead one first wait or fail.",
        causes=(
            because(0.5, "One machine of several is down.", fix("Try again later; tell the operator if it stays so.")),
            because(
                0.3,
                "IPv6 does not work from here, IPv4 does.",
                fix(
                    "Mend the IPv6 route, or use IPv4 for this server.",
                    "smtpctl profile set {profile} family=4",
                ),
            ),
            because(0.2, "A dead address was left in DNS.", fix("Remove it from the A or AAAA records of {host}.")),
        ),
        source="RFC 8305",
    ),
    Entry(
        id="conn.greeting_timeout",
        severity=Severity.ERROR,
        stage=Stage.GREETING,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="Connected to {target}, but no greeting came[ within {seconds} s]",
        message="An SMTP server speaks first. This one accepted the connection and said nothing.",
        causes=(
            because(
                0.5,
                "The port expects TLS from the first octet: both sides wait for the other to begin.",
                fix(
                    "Use implicit TLS.",
                    "smtpctl check {target} --tls implicit",
                ),
                facts=("tls_from_start",),
            ),
            because(
                0.3,
                "The server makes strangers wait on purpose (greet delay, tarpit) or is overloaded.",
                fix(
                    "Wait longer; RFC 5321 allows a server five minutes.",
                    "smtpctl check {target} --stage-timeout greeting=300",
                ),
            ),
            because(
                0.2,
                "A firewall or load balancer accepts connections for a server that is down.",
                fix(
                    "Ask the operator whether the service behind the address runs.",
                ),
            ),
        ),
        source="RFC 5321 4.5.3.2.1",
    ),
    Entry(
        id="conn.port_is_implicit_tls",
        severity=Severity.ERROR,
        stage=Stage.GREETING,
        title="{target} speaks TLS from the first octet, but it was addressed in clear",
        message="A TLS hello was answered where a plain SMTP greeting was expected.",
        causes=(
            because(
                0.95,
                "The profile says STARTTLS (or none) for a port with implicit TLS.",
                fix(
                    "Use implicit TLS on this port.",
                    "smtpctl check {target} --tls implicit",
                ),
                fix("If that passes, keep it.", "smtpctl profile set {profile} tls=implicit"),
            ),
        ),
        source="RFC 8314 3.3",
    ),
    Entry(
        id="conn.port_is_plaintext",
        severity=Severity.ERROR,
        stage=Stage.TLS,
        title="{target} greets in clear, but it was addressed with TLS from the first octet",
        message="Where the TLS handshake was expected the server wrote an SMTP greeting. OpenSSL calls that "
        "WRONG_VERSION_NUMBER; it has nothing to do with TLS versions.",
        causes=(
            because(
                0.95,
                "The profile says implicit TLS for a port that uses STARTTLS.",
                fix(
                    "Use STARTTLS on this port.",
                    "smtpctl check {target} --tls starttls",
                ),
                fix("If that passes, keep it.", "smtpctl profile set {profile} tls=starttls"),
            ),
        ),
        source="RFC 3207 4; RFC 8314 3.3",
    ),
    Entry(
        id="conn.not_smtp",
        severity=Severity.ERROR,
        stage=Stage.GREETING,
        status=ExitStatus.PROTOCOL,
        title="{target} is not an SMTP server[ (it speaks {protocol})]",
        message="A server of another kind answered. Its first words are in the evidence.",
        causes=(
            because(0.6, "The port or the host belongs to another service (IMAP, POP3, HTTP, SSH).", _OTHER_PORTS),
            because(
                0.4,
                "A proxy or a captive portal answers in the server's place.",
                fix(
                    "Try from another network, or log in to the portal first.",
                ),
            ),
        ),
        source="RFC 5321 3.1",
    ),
    Entry(
        id="conn.closed",
        severity=Severity.ERROR,
        stage=Stage.GREETING,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="{host} closed the connection before it said anything",
        message="The connection was accepted and then ended without a greeting.",
        causes=(
            because(
                0.4,
                "The server, or a filter in front of it, turns this address away.",
                fix(
                    "Ask the operator whether the address of this machine may connect.",
                ),
                facts=("works_elsewhere",),
            ),
            because(
                0.35,
                "The port expects TLS from the first octet, or expects clear text and was sent TLS.",
                _OTHER_PORTS,
                facts=("tls_from_start",),
            ),
            because(0.25, "The service is starting, stopping or overloaded.", fix("Try again in some minutes.")),
        ),
        source="RFC 5321 3.1",
    ),
    Entry(
        id="conn.intercepted",
        severity=Severity.WARNING,
        stage=Stage.TLS,
        title="The certificate shown for {host} was made by {product} on the way",
        message="A virus scanner or a firewall opens the encrypted connection, looks into it, and shows a certificate of its "
        "own. Programs that do not trust that one fail; for those that do, the line is private only as far as the scanner.",
        causes=(
            because(
                0.7,
                "A virus scanner on this machine scans mail inside TLS.",
                fix(
                    "Switch its mail or TLS scanning off, or leave this server out of it; then look again.",
                    "smtpctl check {target}",
                ),
            ),
            because(
                0.3,
                "The network inspects TLS (a firewall, a proxy).",
                fix("Ask whoever runs the network to leave mail servers out, or for the certificate to trust."),
            ),
        ),
        source="PHPMailer issue 776, MailKit issue 912: mail scanning of Avast",
    ),
    Entry(
        id="conn.any_port_accepted",
        severity=Severity.WARNING,
        stage=Stage.CONNECT,
        title="The address of {host} accepts connections on any port",
        message="Ports where no mail server listens were accepted as well. So that a connection came about does not mean "
        "that the mail server is there.",
        causes=(
            because(
                0.5,
                "A proxy, a captive portal or a virus scanner between here and the server accepts everything.",
                fix("Try from another network, or log in to the portal first."),
            ),
            because(
                0.3,
                "A firewall or a load balancer in front of the server accepts before it asks the server (SYN proxy).",
                fix("Ask the operator whether the service behind the address runs."),
            ),
            because(
                0.2,
                "The name leads to a tarpit or a trap for port scans.",
                fix("Compare the address with the provider's."),
            ),
        ),
        source="RFC 4987 3; RFC 8952 2",
    ),
    Entry(
        id="conn.proxy_failed",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="The proxy[ {proxy}] did not connect us to {target}",
        message="The mail server was never reached: the proxy answered for it, or could not be reached itself.",
        causes=(
            because(
                0.4,
                "The proxy does not allow this port; many allow 443 only.",
                fix(
                    "Ask for {port} to be allowed, or connect without the proxy.",
                ),
            ),
            because(
                0.3,
                "The proxy wants a login, or another one.",
                fix(
                    "Write it as scheme://user@host:port in the profile.",
                    "smtpctl profile set {profile} proxy=<url>",
                ),
            ),
            because(
                0.3,
                "The proxy's address or scheme (socks5, socks4, http) is wrong.",
                fix(
                    "Look where the setting comes from.",
                    "smtpctl profile show {target} --resolved",
                ),
            ),
        ),
        source="RFC 1928 6; RFC 9110 9.3.6",
    ),
    Entry(
        id="conn.total_timeout",
        severity=Severity.ERROR,
        stage=Stage.CONNECT,
        status=ExitStatus.TEMPORARY,
        retryable=True,
        title="The run took longer than it was given[ ({seconds} s)]",
        message="No single step was too slow, but together they were. The transcript shows where the time went.",
        causes=(
            because(
                0.6,
                "The server is slow, or delays strangers on purpose.",
                fix(
                    "Give it more time.",
                    "smtpctl check {target} --timeout 600",
                ),
            ),
            because(0.4, "The line is slow for the size of the message.", fix("Send a smaller message first.")),
        ),
        source="RFC 5321 4.5.3.2",
    ),
)
