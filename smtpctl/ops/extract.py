"""From a line of somebody's log, bounce or traceback to the words that a server or a library said.

    for failure in failures(lines): ...        # a stream: joined over continuation lines and traces, in flat memory
    first(text)                                 # one text: the most telling words in it, else the text itself

What comes out of here holds no secret any more (`model.foreign`). `_SHAPES` is the table of how programs quote a
reply; what no shape fits is searched for a reply code with an enhanced code behind it. Whether words without either
are a failure is left to the knowledge base.
"""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from smtpctl.knowledge.wording import recognise
from smtpctl.model.foreign import FOREIGN
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage

LINE_LIMIT = 8192  # characters of one joined line that are kept


class Failure(NamedTuple):
    """Words that were said. `certain` that they report a failure; the rest as far as the line tells it: `recipient` is a
    domain, `server` the host that answered, `mechanism` that of a login, `here` that the server whose log it is said it
    to a client."""

    text: str
    certain: bool
    stage: Stage | None = None
    recipient: str = ""
    server: str = ""
    when: str = ""
    port: int = 0
    mechanism: str = ""
    here: bool = False

    @property
    def about(self) -> str:
        """Whom it is about: the recipient's domain, else the server."""
        return self.recipient or self.server


class _Shape(NamedTuple):
    """How a kind of program writes it: a group `text` or `bare` or a `literal` of Python, perhaps `code` or `retcode` (put
    before it), the name of a .NET `status`, and the `command` that was answered. A text without any of the `needles` is not
    it; so most texts meet a few expressions, and the others are never compiled."""

    name: str
    regex: str
    needles: tuple[str, ...] = ()

    def search(self, text: str) -> re.Match[str] | None:
        """Where the text has it."""
        if self.needles and not any(needle in text for needle in self.needles):
            return None
        return _expression(self.regex).search(text)


# SMTP's own codes; 404 and 429 are some web server's, and so are others with these words behind them. Nor is a number of
# things or milliseconds a code.
_CODE = (
    r"(?:4(?:2[0-8]|[3-57]\d)|5[0-57]\d)(?! (?:(?<=421 )Misdirected|(?<=422 )Unproc|(?<=500 )Internal S|(?<=501 )Not Impl|"
    r"(?<=502 )Bad Gat|(?<=503 )Service |(?<=504 )Gateway|(?<=50\d )from |"
    r"(?:ms|seconds?|rows?|items?|bytes|[km]b|files?|records?|errors?|lines?|times?)\b))"
)
# Under what programs and people write a reply, in the languages of Outlook.
_SAYS = (
    r"(?:response|reply|repl[iy]ed|answer|message|reason|error|detail|msg|err|antwort|r\u00e9ponse|respuesta|resposta|"
    r"risposta|odpowied\u017a|\u043e\u0442\u0432\u0435\u0442)"
)


@cache
def _expression(regex: str) -> re.Pattern[str]:
    return re.compile(regex.replace("SAYS", _SAYS).replace("CODE", _CODE), re.MULTILINE)


_SHAPES = (
    _Shape(
        "postfix", r"said: (?P<text>CODE.*?)(?: \(in reply to (?P<command>[^)]*?)(?: command)?\))?\)?$", ("said: ",)
    ),
    _Shape("postfix refused", r"refused to talk to me: (?P<text>CODE.*?)\)?$", ("refused to talk",)),
    _Shape("postfix connection", r"status=(?:deferred|bounced) \((?P<text>.*)\)$", ("status=",)),
    _Shape("postfix sasl", r"SASL authentication failed; server \S+ said: (?P<text>.*)$", ("SASL auth",)),
    _Shape(
        "postfix reject",
        r"NOQUEUE: reject: (?P<command>\S+) from [^:]{1,300}: (?P<text>CODE .*?)(?:; from=<.*)?$",
        ("NOQUEUE",),
    ),
    _Shape(
        "exim",
        r"SMTP error from remote (?:mail server|mailer) after (?P<command>[^:]{0,40}(?::<[^>]{0,320}>[^:]{0,80})?): (?:host \S+ \[\S+\]: )?(?P<text>CODE.*)$",
        ("SMTP error from",),
    ),
    _Shape("msmtp", r"smtpmsg='(?P<text>CODE.*?)'(?: errormsg=|$)", ("smtpmsg=",)),
    _Shape("msmtp error", r"errormsg='(?P<text>.*?)'(?: exitcode=|$)", ("errormsg=",)),
    _Shape("wrapped", r"<[^<>]{0,80}#[45]\.\d\.\d{1,3} smtp; ?(?P<text>CODE.*?)>?'?$", ("smtp;",)),
    _Shape("domino", r"Protocol Returned a (?:Permanent|Transient) Error (?P<text>CODE.*)$", ("Protocol Returned",)),
    _Shape("delivery report", r"(?i)^(?:Diagnostic-Code:\s*[\w-]+|smtp|lmtp|x-[\w-]+);\s*#?(?P<text>.*)$", (";",)),
    _Shape(
        "supplementary info",
        r"(?i)^X-Supplementary-Info:\s*<\S+ #\S+ smtp; (?P<text>CODE.*?)>?$",
        ("upplementary", "UPPLEMENTARY"),
    ),
    _Shape(
        "sendmail",
        r"(?:\bstat=(?:Deferred: |Service unavailable: )?|\(reason: )(?P<text>CODE.*?)\)?$",
        ("stat=", "(reason: "),
    ),
    _Shape("stalwart", r'\bcode = (?P<code>CODE)\b.{0,200}?(?:details|reason) = "(?P<text>[^"]*)"', ("code = ",)),
    _Shape(
        "milter",
        r"milter-reject: (?P<command>[\w-]+) from [^:]{1,300}: (?P<text>(?:CODE )?[45]\.\d\.\d{1,3} .*?)(?:; from=<.*)?$",
        ("milter-reject",),
    ),
    _Shape(
        "exim reject",
        r"\b(?P<text>(?:temporarily )?rejected (?P<command>RCPT|MAIL|DATA|after DATA|EHLO or HELO)\b.*)$",
        ("rejected ",),
    ),
    _Shape("qmail", r"(?i)remote host said: (?P<text>CODE.*?)(?:/Giving up on .*)?$", ("ost said: ",)),
    _Shape("exchange protocol log", r",<,(?P<text>CODE .*?),?$", (",<,",)),
    _Shape("exchange tracking", r"LED=(?P<text>CODE .*?)\}", ("LED=",)),
    _Shape(
        "python",
        r"(?:\((?P<code>CODE), |retcode \((?P<retcode>CODE)\); Msg: )(?P<literal>[bu]?'(?:[^'\\]|\\.)*'|[bu]?\"(?:[^\"\\]|\\.)*\")",
        ("(4", "(5"),
    ),
    _Shape(
        "dotnet",
        r"(?:(?P<status>[A-Z][\w ,]{5,90})\. )?The server response was: (?P<text>.*)$",
        ("server response was",),
    ),
    _Shape("mailkit", r"Exception: (?P<code>CODE): (?P<text>.*)$", ("Exception: ",)),
    _Shape(
        "mailkit without a code",
        r"SmtpCommandException(?::| -) (?P<text>(?P<status>[A-Z][a-z][\w ,]{5,90})\.?)$",
        ("SmtpCommandException",),
    ),
    _Shape("lettre", r"(?:permanent|transient) error \((?P<code>CODE)\): (?P<text>.*)$", (" error (",)),
    _Shape("curl", r"\b(?P<command>MAIL|RCPT|DATA) failed: (?P<text>CODE)\b", (" failed: ",)),
    _Shape(
        "symfony",
        r"but got code \"(?P<code>CODE)\", with message \"(?P<text>.*?)(?:\"+(?: http\S*| in /.*| \{.*)?)?$",
        ("but got code",),
    ),
    _Shape("mailsend", r"Expected smtp code \d+, got (?P<text>CODE)\b", ("Expected smtp",)),
    _Shape("phpmailer", r"Detail: (?P<text>.*?) SMTP code: (?P<code>CODE)\b", ("SMTP code: ",)),
    _Shape("pear", r"\(code: (?P<code>CODE), response: (?P<text>.*)\)", ("(code: ",)),
    _Shape(
        "quoted response",
        r"(?i)SAYS[^'\":=]{0,20}['\"]?\s*[:=]\s*['\"]+(?P<text>CODE[ -].*?)['\"]+(?:[\s,})\]].*)?$",
        ("'", '"'),
    ),
    _Shape(
        "introduced",
        r"(?:[Ee]rror|[Ff]ailed|[Ll]ogin|[Rr]efused|[Rr]ejected|[Ee]xception|[Pp]ermanent|[Tt]emporary|[Tt]ransient|"
        r"[Rr]esponse|[Rr]eply|Erreur|Fehler|Errore|Erro|\u041e\u0448\u0438\u0431\u043a\u0430|(?:Net::)?SMTP\w*|S)\b[^:]{0,60}: ?['\"]?"
        r"(?P<text>CODE(?:[ -]|\\n).*)$",
        (":",),
    ),
    _Shape(
        "behind a dash",
        r"(?i)^(?=.*\b(?:e?mail|message|smtp|recipient)).*?\berror\b.{0,160}?(?:: | - )(?P<text>CODE (?=[A-Z]).*)$",
        ("rror ",),
    ),
    _Shape(
        "named",
        r"(?i)\b(?:smtp|mail)\b.{0,40} error (?P<text>CODE [A-Z].*)$|\berror (?P<bare>CODE (?=.*\b(?:MAIL FROM|RCPT TO)\b).*)$",
    ),
    _Shape(
        "answered",
        r"(?i)\b(?:antwort|r\u00e9ponse|respuesta|resposta|risposta|odpowied\u017a|\u043e\u0442\u0432\u0435\u0442|replied|"
        r"answered|geantwoord)\w{0,4}(?: [^\W\d]{1,12}){0,3} ?:? ?['\"]?(?P<text>CODE[ -].*)$",
        ("ntwort", "ponse", "puesta", "posta", "powied", "\u0442\u0432\u0435\u0442", "eplied", "nswered", "ntwoord"),
    ),
    _Shape("transcript", r"^\s*(?:[<>S][-<>*:~ ]{1,5}|(?:Got|SERVER -> CLIENT): )?#?(?P<text>CODE(?:[ -].*)?)$"),
    _Shape(
        "with code",
        r"\b(?:with|reply|status) code:? (?P<code>CODE): +(?P<text>(?:[45]\.\d|[A-Z]).*)$",
        (" code ", " code: "),
    ),
    _Shape("responded", r"\b[Ss]erver responded with (?P<text>(?=45|53|55)CODE [^'\"]*)", ("responded with",)),
    _Shape(
        "cell of a table",
        r"\t(?P<text>CODE (?=[^\t]{0,60}(?i:reject|denied|refused|unavailable|unknown))[A-Z][^\t]*)(?:\t|$)",
        ("\t4", "\t5"),
    ),
    _Shape("opensmtpd", r'result="(?P<text>CODE .*?)"', ('result="',)),
    _Shape("gen_smtp", r"_failure, .{0,80}?\"(?P<text>CODE [^\"\\]*)", ("_failure, ",)),
    _Shape("outlook express", r"Server Response: '(?P<code>CODE)\. (?P<text>.*?)'(?:,|$)", ("Server Response: '",)),
    _Shape("code alone", r"(?i)\b(?:reply|response|answer): (?P<text>CODE)$", ("eply: ", "esponse: ", "nswer: ")),
    _Shape("code and colon", r"^\s*(?P<code>CODE): (?P<text>[45]\.\d\.\d{1,3}\b.*)$", (": 4.", ": 5.")),
    _Shape("ruby", r"\bNet::SMTP\w+:? ?\(?(?P<text>CODE[ -].*?)\s*\)?:?$", ("Net::",)),
    _Shape(
        "device", r"(?i)\b(?:smtp\w*|mail)\b.{0,60}\b(?:code|error|status)\b\W{0,3}\[(?P<text>CODE)\]", ("[4", "[5")
    ),
    _Shape(
        "beside a word of mail",
        r"(?i)\b(?:smtp|auth|authenti[fc]\w{3,12}|login|anmeldung|connexion|identifi\w{3,12})(?: (?:error|code|status|fehler|"
        r"erreur))?:? (?P<code>CODE)(?=$|[\s:,.)\]!-])(?![.,:]\d)[\s:,.)\]!-]{0,3}(?P<text>.*)$",
        ("SMTP", "smtp ", "smtp: ", "uth", "ogin", "meldung", "nexion", "dentifi"),
    ),
    _Shape(
        "behind a colon",
        r"(?i)^(?=.*(?:mail|smtp|recipient|message|notif)).*?(?:fail|error|unable|could ?n.t|not ).*?: (?P<text>CODE (?=[A-Z#<]).*)$",
        (": 4", ": 5"),
    ),
    _Shape(
        "enhanced alone",
        r"(?:^|Exception: |Exception message was: |Status: )#?(?P<text>[45]\.[0-35-7]\.\d{1,3} [A-Za-z<].*)$",
    ),
)
# What .NET says in place of the reply code: the words of System.Net.Mail.SmtpStatusCode.
_DOTNET = {
    "Service not available, closing transmission channel": "421",
    "Error in processing": "451",
    "Syntax error in parameters or arguments": "501",
    "Insufficient system storage": "452",
    "Client does not have permission to submit mail to this server": "454",
    "Syntax error, command unrecognized": "500",
    "Command not implemented": "502",
    "Bad sequence of commands": "503",
    "Command parameter not implemented": "504",
    "The SMTP server requires a secure connection or the client was not authenticated": "530",
    "Mailbox unavailable": "550",
    "Exceeded storage allocation": "552",
    "Mailbox name not allowed": "553",
    "Transaction failed": "554",
}
_ENHANCED = re.compile(rf"(?<![\w.:/=-])(?P<text>{_CODE}[ -]#?[245]\.\d{{1,3}}\.\d{{1,3}}\b.*)$")
_BARE_ENHANCED = re.compile(r"^#?([45])\.\d{1,3}\.\d{1,3}\b")
# A line that has none of these cannot report a failure; plain words, because this runs for every line of a log.
_WORDS = (
    "error", "not ", "fail", "exception", "ssl", "aadsts", "certificate", "no ", "timed", "timeout", "unexpected",
    "expected resp", "unable", "n't", "0x8", "lost connection w", "unsupported", "unreach", "notfound", "unencrypted",
    "closed con", "closed net", "forcibly", "refused", "denied", "reset", "deferred", "bounced", "tls:", "x509", "eof",
    "epipe", "broken pipe", "eai_", "eauth", "edns", "econn", "lookup", "osstatus", "bad host", "weird server",
    "short resp", "incompatible", "fatal alert", "corrupt mess", "connect() first", "an empty", "none of the",
    "rejected", "exceeded", "over quota", "expired", "invalid ", "non-prop", "sec_", "oauth2", "server response", "missing cred",
)  # fmt: skip
# The look-behind stands behind the digit, so that the search can skip to digits.
_ANY_CODE = re.compile(r"[45](?<!\w[45])\d\d(?:[ :-]|, ['bu]|\); Msg|$)")
_DONE = ("status=sent", ": removed")
_WHEN = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)|^(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)")
_RECIPIENT = re.compile(
    r"(?:\bto=<?|RCPT TO:<|Final-Recipient: *(?:rfc|RFC)822; *|(?:\*\*|==) |recipients=)[^\s@<>]+@([\w.-]+\w)"
)
_SERVER = re.compile(r"(?:relay=|\bhost[= ]|\bserver |connect to |\bH=|Remote-MTA: *(?:dns|DNS); *)([\w-]+\.[\w.-]+\w)")
_MECHANISM = re.compile(r"\b(?:AUTH |SASL |\(method )(LOGIN|PLAIN|XOAUTH2|OAUTHBEARER|NTLM|CRAM-MD5|SCRAM-SHA-\d+)\b")
# What a server writes of its own clients: Postfix, a milter of it, Exim, Sendmail; then what takes an expression.
_HERE_WORDS = (
    "NOQUEUE: ", "milter-reject: ", "authenticator failed for ", "TLS error on connection from ", "ruleset=check_",
)  # fmt: skip
_HERE = (
    _Shape("postfix", r"\bpostfix[\w./-]*/(?:smtpd|postscreen|cleanup)\b", ("/smtpd", "/postscreen", "/cleanup")),
    _Shape(
        "exim",
        r"^[^*=]{0,80}\bH=.{1,500}? rejected (?:RCPT|MAIL|EHLO|HELO|AUTH|DATA|VRFY|connection|after )",
        (" rejected ",),
    ),
    _Shape("dovecot", r"\b(?:imap|pop3|submission|managesieve)-login: ", ("-login: ",)),
    _Shape("exchange receive connector", r",>,[45]\d\d ", (",>,",)),
)
_EPOCH = re.compile(r'"__REALTIME_TIMESTAMP" ?: ?"?(\d{10})\d{6}\b')  # journald in JSON: microseconds
_PORT = re.compile(r"connect\b.*?[\]\w]:(\d{2,5})\b")
# What mail servers fold over indented lines when they tell people about a failure.
_WRAPPED = re.compile(
    r"\s*(?:<[^>\s]+>(?:\)?: | \(expanded from)|SMTP error from remote |delivery via |Remote host said: |host \S+\[)"
)
_ESCAPED = re.compile(r"(?:\\r)?\\n")  # the line ends of a reply in a quoted string
_MIDWORD = re.compile(r"(?i)diagnostic-code:\s*x-notes;")  # Domino folds where the line is full
_BARE_CODE = re.compile(r" said: [45]\d\d$")  # some programs do not indent what they fold
_OPEN = re.compile(r'with message "[^"]*$')  # a quoted reply whose line end Symfony has kept
_CONTINUED = re.compile(r"^(?P<lead>.{0,40}?)(?P<code>[45]\d\d)-(?P<text>.*)$")
# Lines of a trace: what tells more is kept, the calls are not. Of Java and .NET, Node, Python, Ruby, PHP and Rust.
_TRACE = re.compile(
    r"(?P<tells>Caused by\b|During handling of the above|The above exception was|\s+(?:"
    r"Caused by\b|nested exception is:|Suppressed: |---> |"
    r"(?:errno|code|syscall|address|port|command|response|responseCode|reason|library|host|hostname|message|\[Message\])"
    r"['\"]?\s?[:=] ?\S|\u2022|\d: (?=[A-Za-z])|[A-Za-z][\w.]+(?:Exception|Error): ))|"
    r"\s*(?:at .{0,300}(?:\(|:\d)|at [\w.$<>]+$|\.\.\. \d+ more|--- End of |File \"|[~^]+$|from .+:\d+:in |"
    r"#\d+ (?=[/{\[(A-Za-z])|\[?(?:stacktrace|Stack trace|previous exception)\]?:?$|\}[,;)]*$|thrown in )"
)
_TRACE_BEGINS = " \tCDTSast#[}-"
_PYTHON = "(most recent call last):"
_AWAITS = (_PYTHON, "nested exception is:", "Caused by:", "exception occurred:", "of the following exception:")
_OF_A_REPORT = ("Final-Recipient:", "Remote-MTA:")
_COMMANDS = (
    ("MAIL", Stage.MAIL), ("RCPT", Stage.RCPT), ("DATA", Stage.DATA), ("end of", Stage.DATA), ("AUTH", Stage.AUTH),
    ("EHLO", Stage.EHLO), ("HELO", Stage.EHLO), ("STARTTLS", Stage.STARTTLS), ("initial", Stage.GREETING),
)  # fmt: skip


def failures(lines: Iterable[str]) -> Iterator[Failure]:
    """What the lines of a log report, one for each line that may report a failure."""
    recipient = server = ""
    for line in joined(lines):
        if line.startswith(_OF_A_REPORT):  # a delivery report has a line for each
            recipient = _group(_RECIPIENT, line) or recipient
            server = _group(_SERVER, line) or server
        if _may_report(line) and (failure := _read(line)):
            yield failure._replace(recipient=failure.recipient or recipient, server=failure.server or server)


def _may_report(line: str) -> bool:
    if any(word in line for word in _DONE):
        return False
    lowered = line.lower()
    for word in _WORDS:  # a loop: a generator takes twice as long, and this is where the time of a long log goes
        if word in lowered:
            return True
    return _ANY_CODE.search(line) is not None


def first(text: str) -> Failure:
    """The most telling words of one text: those that a shape finds, best on its earliest line; else all of it."""
    blocks = tuple(joined(FOREIGN.text(text).splitlines()))
    read = [found for found in map(_read, blocks) if found]
    certain = [failure for failure in read if failure.certain]
    if certain or len(read) == 1:
        return (certain or read)[0]
    return _read(" ".join(" ".join(blocks).split())[:LINE_LIMIT]) or Failure("", certain=False)


def joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines with what continues on the next one: replies of several lines, folded header fields, and the traces of
    programs, of which the calls are left out. What a trace goes on with stands behind a line break."""
    held = ""
    for raw in lines:
        line = raw.rstrip("\r\n")[:LINE_LIMIT]
        if held and (rest := _continuation(held, line)) is not None:
            held = f"{held}{rest}"[:LINE_LIMIT]
            continue
        if held:
            yield held
        held = line
    if held:
        yield held


def _continuation(held: str, line: str) -> str | None:
    """What `line` adds to `held`, or None where it begins something new."""
    wrapped = _WRAPPED.match(held)
    if not line.strip():
        return None if wrapped else ""  # between the parts of a Python trace
    if wrapped and line[0] in " \t" and (held.endswith("(expanded from") or not line.lstrip().startswith("<")):
        return f" {line.strip()}"
    if line[0] in " \t" and held[:16].lower() in ("diagnostic-code:", "x-supplementary-"):
        return line.strip() if _MIDWORD.match(held) else f" {line.strip()}"
    if held.startswith("Diagnostic-Code:") and _BARE_CODE.search(held) and not line.startswith("-"):
        return f" {line.strip()}"
    if line[0] == '"' and _OPEN.search(held):
        return line
    if line[0] in _TRACE_BEGINS and (found := _TRACE.match(line)):
        return f"\n{line.strip()}" if found["tells"] else ""
    if held.endswith(_AWAITS):
        return "" if line[0] in " \t" and held.endswith(_PYTHON) else f"\n{line.strip()}"
    found = _CONTINUED.match(held)
    if not found:
        return None
    same = re.match(rf"^{re.escape(found['lead'])}({found['code']}[ -].*)$", line)
    return f" {same[1]}" if same else None


def _read(line: str) -> Failure | None:
    """What one line says, or None for an empty one."""
    words = line = FOREIGN.text(line.strip())
    if not words:
        return None
    if "_host_said:_" in words:  # qmail logs a bounce with its blanks replaced
        words = words.replace("_", " ")
    start = words.find('{"')
    if start >= 0 and (told := _from_json(words[start:])):
        words = told
    said, command, certain = _said(words)
    said = " ".join(_ESCAPED.sub(" ", said).split())
    if said not in line:
        said = FOREIGN.text(said)  # once more: quotes and escapes are undone by now
    port = _PORT.search(said)
    return Failure(
        text=said[:LINE_LIMIT],
        certain=certain,
        stage=next((stage for word, stage in _COMMANDS if word in command), None),
        recipient=_group(_RECIPIENT, line),
        server=_group(_SERVER, line),
        mechanism=_group(_MECHANISM, line),
        when=_when(line),
        port=int(port[1]) if port else 0,
        here=any(word in line for word in _HERE_WORDS) or any(shape.search(line) for shape in _HERE),
    )


def _when(line: str) -> str:
    """The time of a line as it is written there; of a journal in UTC."""
    found = _EPOCH.search(line)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(found[1]))) if found else _group(_WHEN, line)


def _group(pattern: re.Pattern[str], line: str) -> str:
    """The group that matched, or nothing."""
    found = pattern.search(line)
    return next((group for group in found.groups() if group), "") if found else ""


def _said(words: str) -> tuple[str, str, bool]:
    """The words, the command they answered, and whether they surely report a failure."""
    for shape in _SHAPES:
        if found := shape.search(words):
            said = {name: value for name, value in found.groupdict().items() if value}
            text = _literal(said["literal"]) if "literal" in said else said.get("text") or said.get("bare", "")
            code = said.get("code") or said.get("retcode") or _DOTNET.get(said.get("status", ""), "")
            return _with_code(code, text), said.get("command", ""), True
    if found := _ENHANCED.search(words):
        return found["text"].strip(), "", True
    return words, "", False


def _with_code(code: str, text: str) -> str:
    text = text.strip()
    bare = _BARE_ENHANCED.match(text)
    if not code and bare:
        code = f"{bare[1]}50"  # some leave the code out; the class is all that is known
    if code == "550" and bare and bare[1] == "4":
        code = "450"  # .NET has one name for both
    return f"{code} {text}" if code and not text.startswith(code) else text


def _literal(source: str) -> str:
    """A Python bytes or str literal as one line."""
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return source
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return " ".join(text.split())


def _from_json(line: str) -> str:
    """The most telling text of a JSON object: one with a reply code, else the one under a word like `error`."""
    try:
        value = json.JSONDecoder().raw_decode(line)[0]
        texts = list(_texts(value, ""))
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, dict) and value.get("smtp_code"):
        return " ".join(str(value[key]) for key in ("smtp_code", "smtp_enchcode", "smtp_msg") if value.get(key))
    certain = (text for _, text in texts if _said(text)[2])
    worded = [found for _, text in texts if (found := recognise(text))]
    if not worded:
        named = (text for key, text in texts if re.search("error|reason|message|response", key, re.IGNORECASE))
        return next(certain, "") or max(named, key=len, default="")
    best = max(worded, key=lambda found: found.worded.priority)
    return next(certain, next(text for _, text in texts if recognise(text) == best))


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
