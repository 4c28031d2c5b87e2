"""Secrets in text that somebody pasted: nobody knows which they are, so they are told by where they stand.

    FOREIGN.text('auth: { user: "ann", pass: "S3cret" }')       # auth: { user: "ann", pass: "********" }

Whatever takes text in from outside (a log, an error, a bounce, a saved transcript) lets it pass here before it keeps any
of it. `_FORMS` is the table of places where secrets stand. Words about a secret are none: "password: incorrect" stays.
In doubt more is masked than there need be. It is idempotent, and takes linear time.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import cache

from smtpctl.model.record import NamedTuple
from smtpctl.model.redaction import Redactor
from smtpctl.model.secret import MASK

# What a setting or parameter ends with that holds a secret, in the languages of mail programs.
_NAMES = (
    r"(?:(?i:passw(?:[o0]r)?[dt]|pass ?phrase|passcode|pwd|kennwort|mot de passe|contrase(?:\u00f1|n)a|senha|wachtwoord|"
    r"passord|adgangskode|l\u00f6senord|salasana|has\u0142o|heslo|geslo|lozinka|jelsz\u00f3|parol(?:[ae\u0103]|(?![a-z]))|\u015fifre|"
    r"\u043f\u0430\u0440\u043e\u043b[\u044c\u0430]|\u03ba\u03c9\u03b4\u03b9\u03ba\u03cc\u03c2|\u5bc6\u7801|\u5bc6\u78bc|\u53e3\u4ee4|\u6388\u6743\u7801|\u30d1\u30b9\u30ef\u30fc\u30c9|\ube44\ubc00\ubc88\ud638|"
    r"secret|token|assertion|code_verifier|(?:device|auth|authorization)_code|"
    r"(?:api|access|account|private|secret|shared|storage)[_-]?key)(?i:[_-]?(?:value|text|key|\d))?"
    r"|(?:(?<![A-Za-z])|(?<=(?i:smtp|auth|mail|imap|user)))(?i:pass|psw|pw)|(?<=[a-z])Pass)"
)
# What comes behind such a name and tells of it: a value of these words alone is none.
_PROSE = (
    r"(?:[245]\d\d(?: |-\d\.)|(?i:none|null|nil|true|false|yes|no|not|n/?a|undefined|unset|empty|ok|the|an?|is|was|were|are|it|its|"
    r"this|that|your?|there|for|of|in|on|to|at|and|or|with|without|from|by|if|please|check|see|use|using|must|should|may|"
    r"can(?:not|'t)?|could|couldn't|did|does|doesn't|has|have|been|invalid|incorrect|wrong|expired|bad|missing|needed|required|"
    r"fail(?:ed|ure|s)?|errors?|denied|rejected|refused|mismatch(?:ed)?|authenticat(?:ion|e|ed)|authoriz(?:ation|ed)|auth|"
    r"login|log|unknown|user|username|unable|unauthorized|unsupported|disabled|enabled|revoked|blocked|locked|access|"
    r"account|token|password|secret|credentials?|client|server|string|falsch|ung\u00fcltig|abgelaufen|incorrecte?|"
    r"invalide|incorrecta|inv\u00e1lid[ao])(?=[.,;:!?)'\"\]}>]{0,4}(?:\s|$)|[\"')](?:[\s,;:.)\]}]|$)))"
)
_ENTITY = r"&(?:quot|apos|#0?3[49]|#x2[27]);"  # a quote in HTML
_QUOTED = rf"(?P<quote>\\{{0,4}}[\"'`]|{_ENTITY})(?!PROSE)((?:(?!(?P=quote))(?:\\.|.))*+)"
# What stands between a name and its value: `=`, `:`, a blank column, the next element or field of the same thing.
_MARK = rf"(?:[\"'\]\\]|{_ENTITY})"
_IS = (
    rf"{_MARK}{{0,4}}(?:(?:[ \t]+(?:is|was))?[ \t.\u2026]*+(?:=>(?:\s{{0,40}}string\(\d{{1,4}}\))?|:=|={{1,3}}|[:\uff1a\uff1d\u2192]|->(?=[ \t])|"
    rf"(?i:%3[ad]|&#(?:61|x3d|58|x3a);|&gt;)|\((?=[\"'`])|(?<=[\"']),(?=[ \t]*(?:\"(?:\\.|[^\"\\\n]){{0,512}}\"|'[^\n]{{0,512}}?')[ \t]*[,)])|(?<=[\"']);s:\d{{1,4}}:|>|"
    rf"[\s,]{{0,40}}{_MARK}{{0,4}}(?i:value){_MARK}{{0,4}}[ \t]*[=:]|</\w{{1,20}}>\s{{0,40}}<\w{{1,20}}(?:[ \t][^<>]{{0,80}})?>)|\t+(?![=:\s]))"
    r"[ \t]*+(?:(?:[\[({]{1,2}|[\w.]{1,40}\((?:[\"'][\w.-]{1,60}[\"'],)?)[ \t]*(?=[\"'`]))?"
)
# A bare value ends at a blank, at what closes a bracket around it, and where the next setting begins.
_BARE = (
    r"(?!PROSE)([a-z]{4}(?: [a-z]{4}){3}\b|(?:(?![,;&)\]}>\"'`\\]{1,4}(?:\s|$)|</|&(?:lt|quot|apos|#0?3[49]|#x2[27]);|"
    r"[\"')\]}\\]{0,3}[,;&][ \t]?[\"'{\[\\]{0,3}[\w.-]{1,60}[\"'\\]{0,2} ?[=:])\S)++)"
)
_HOST = r"[\w-]{1,63}(?:\.[\w-]{1,63})+"
_ODD = r"(?=\S{0,120}\d)(?=\S{0,120}[A-Za-z])"  # letters and digits: words of a sentence seldom have both
_BLOB = r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![\w+/=-])"
_MIXED = r"(?=[\w+/.~-]*(?:\d|[a-z][A-Z]|[A-Z]{2}[a-z]|[+/]|=))"  # no word is written so
_CLIENT = r"(?:\bC:|>>>?|->|~>|=>|\b[Ss]end:|CLIENT -> SERVER:|\bClient:)[ \t]+b?['\"]?"
_PROMPTS = ("username", "user name", "password", "login", "user")  # what AUTH LOGIN asks in base64
# How keys and tokens of providers of mail begin.
_KEYS = (
    r"(?:(?:GOCSPX-|ya29\.|1//0|xkeysib-|xsmtpsib-|gh[pousr]_|re_(?=\w*\d)|key-(?=[0-9a-f]{32}))[\w.~-]{8,}|"
    r"SG\.[\w-]{16,}\.[\w-]{16,}|(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{25,})"
)


def _whole(found: re.Match[str]) -> str:
    """The last group that took part is the secret."""
    start, end = (place - found.start() for place in found.span(found.lastindex or 0))
    return found[0][:start] + MASK + found[0][end:] if end > start else found[0]


def _userinfo(found: re.Match[str]) -> str:
    """What stands between the user and the last `@`: people leave their passwords as they are."""
    user_info, _, place = found[1].rpartition("@")
    user, colon, secret = user_info.partition(":")
    return f"://{user}:{MASK}@{place}" if colon and secret and "/" not in user else found[0]


def _strings(found: re.Match[str]) -> str:
    """Each string among the arguments is one."""
    return found[1] + re.sub(r"(['\"`])((?:\\.|(?!\1).)+)", rf"\1{MASK}", found[2])


def _encoded(found: re.Match[str]) -> str:
    """It is one if it is base64 of text, but for what AUTH LOGIN asks."""
    text = _decoded(found[found.lastindex or 0])
    return _whole(found) if text.isprintable() and text.strip(": ").lower() not in _PROMPTS else found[0]


def _response(found: re.Match[str]) -> str:
    """It is one if it is base64 of a response to PLAIN, XOAUTH2 or OAUTHBEARER (RFC 4616, RFC 7628)."""
    text = _decoded(found[found.lastindex or 0])
    parts = text.split("\0")
    plain = len(parts) == 3 and parts[1] and parts[2] and "".join(parts).isprintable()
    return _whole(found) if plain or "\1auth=" in text else found[0]


def _token(found: re.Match[str]) -> str:
    """It is one if its header is that of a JWT (RFC 7515 4.1); the JSON that a server explains an error in is none."""
    head = _decoded(found[1].partition(".")[0].translate(str.maketrans("-_", "+/")), whole=False)
    return _whole(found) if "." in found[1] or any(f'"{name}"' in head for name in ("alg", "enc", "typ")) else found[0]


def _decoded(word: str, *, whole: bool = True) -> str:
    """The text that `word` is the base64 of; a control character where it is none."""
    try:
        return base64.b64decode(word if whole else word[: len(word) // 4 * 4], validate=True).decode()
    except (binascii.Error, ValueError):
        return "\n"


class _Form(NamedTuple):
    """A place where secrets stand: an expression with the secret in its last group, one of the `needles` (in small
    letters) without which it cannot be there, and what is made of it."""

    needles: tuple[str, ...]
    regex: str
    replace: Callable[[re.Match[str]], str] = _whole


_NAMED = (
    "pass", "psw", "pw", "kennwort", "contrase", "senha", "wachtwoord", "\u043f\u0430\u0440\u043e\u043b", "secret", "token", "bearer",
    "key", "assertion", "_verifier", "_code", "adgangskode", "l\u00f6senord", "salasana", "has\u0142o", "heslo", "geslo", "lozinka",
    "jelsz\u00f3", "parol", "\u015fifre", "\u03ba\u03c9\u03b4\u03b9\u03ba\u03cc\u03c2", "\u5bc6\u7801", "\u5bc6\u78bc", "\u53e3\u4ee4",
    "\u6388\u6743\u7801", "\u30d1\u30b9\u30ef\u30fc\u30c9", "\ube44\ubc00\ubc88\ud638",
)  # fmt: skip
_FORMS = (
    # smtp://ann:S3cret@mail.example.com, also with an address as the user; and the same without a scheme
    _Form(("://",), r"://((?:[^\s\"]|(?<=\\)\")++)", _userinfo),
    _Form(("@",), r"@(?<=[\w.+-]@)[\w.-]{1,255}+:([^\s]{1,512})(?=@[\w-]+\.)"),
    # ann:S3cret@mail.example.com; to:ann@example.com looks the same, so a port follows, or nobody is called so
    _Form(
        ("@",),
        r":(?<=[\w.+-]:)(?<!(?i:smtp):)(?<!(?i:mailto):)(?=(?:[^\s@]{0,99}\d[^\s@]{0,99}[A-Z!#$%^&*]|[^\s@]{0,99}[A-Z!#$%^&*][^\s@]{0,99}\d|"
        r"\S{0,128}@[\w.-]{1,255}:\d))([^\s@<>\"/][^\s<>\"]{0,127})(?=@[\w-]+(?:\.|:\d))",
    ),
    # password: with the secret in the next line
    _Form(("\n",), rf"{_NAMES}{_MARK}{{0,2}}[ \t]*:[ \t]*[|>]?[+-]?[ \t]*\r?\n[ \t]*{_ODD}([^\s:=]{{4,128}})[ \t]*$"),
    # Environment="SMTP_PASSWORD=S3 cret"
    _Form(_NAMED, rf"(?:(?i:environment=|env[= ]|export )|-[eS]? )(?P<quote>[\"'])[\w.-]{{0,60}}{_NAMES}=((?:(?!(?P=quote)).)+)"),
    # password=S3cret, "smtp_pass": "S3cret", <password>S3cret</password>, <add key="Password" value="S3cret"/>,
    # define('SMTP_PASS', 'S3cret'), {"name": "SMTP_PASSWORD", "value": "S3cret"}
    _Form(_NAMED, rf"{_NAMES}{_IS}(?:{_QUOTED}|{_BARE})"),
    # password 'S3cret', password is S3cret1, wrong password S3cret1, and alone in a line: password S3cret
    _Form(_NAMED, rf"(?<![A-Za-z])(?i:(?:password|passwd|pass|secret)(?: is)?)[\"']?[ \t]+{_QUOTED}"),
    _Form(
        _NAMED,
        rf"(?:(?i:passw(?:or)?[dt]|passphrase)|(?:(?<![A-Za-z])|(?<=(?i:smtp|auth|mail)))(?i:pass)|(?<=[a-z])Pass)(?i:Encrypted)?(?: (?:is|was))?[ \t]+[(\[<]?{_ODD}"
        rf"(?![(\[<]?[#{{\"'`]|[A-Z]{{2,9}}[-_]?\d{{3,}}\b|[\w.-]+[=:@]){_BARE}",
    ),
    _Form(_NAMED, rf"(?:^|login[ \t]+\S+)[ \t]*(?i:password|passwd|pass)[ \t]+{_BARE}[ \t]*(?:[ \t]#.*)?$"),
    _Form(_NAMED, rf"\b(?:machine[ \t]+\S+|default)(?:\s+(?:login|account|port)[ \t]+\S+){{0,3}}\s+password[ \t]+{_BARE}"),
    _Form(_NAMED, r"(?i:passw(?:or)?d?[_-]?(?:eval|cmd|command)|pass[_-]?cmd)\W{1,9}(?:echo|printf)[ \t]+(.+)"),
    # options of swaks, curl, PowerShell and others
    _Form(
        _NAMED,
        rf"(?<!\S)--?[\w-]{{0,40}}(?i:password|pass|pwd?|token|secret|bearer)[ \t]+(?:{_QUOTED}|{_BARE})",
    ),
    # [smtp.example.com]:587 ann:S3cret (Postfix), ann|smtp.example.com:S3cret (dma), smtp.example.com:ann:S3cret (Exim)
    _Form(("]:",), rf"(?<!\S)\[{_HOST}\]:[\w-]{{1,20}}[ \t]+[^\s:=]{{1,320}}:(\S+)"),
    _Form(
        (":",),
        rf"^[ \t]*(?:\[{_HOST}\][ \t]+[^\s:=]{{1,320}}:|[^\s|:]{{1,320}}\|{_HOST}:|(?:\*|\*?{_HOST}|\*(?:\.[\w*-]{{1,63}})+)(?::\d{{1,5}})?:(?!\d+:)[^\s:=]{{1,320}}:|"
        rf"(?:[\w.+-]{{1,64}}@|@)?{_HOST}(?::[\w-]{{1,20}})?[ \t]+(?!(?i:to|from|cc|smtp|mailto):)[^\s:=]{{1,320}}:(?!//){_ODD})(\S+)[ \t]*$",
    ),
    _Form(("static:", "inline:"), rf"\b(?:static:\{{?|inline:\{{[ \t]*\[?{_HOST}\]?(?::[\w-]{{1,20}})?=)[ \t]*[^\s:=]{{1,320}}:([^\s}}]+)"),
    # client_send = : ann : S3cret (Exim), AuthInfo:example.com "U:ann" "P:S3cret" (Sendmail)
    _Form(("client_send",), r"\bclient_send[ \t]*=[ \t]*(\S.*)"),
    _Form(("authinfo:",), r"(?i:authinfo:)\S{0,255}(?:[ \t]+\"(?!P)[^\"\n]{0,320}\"){0,4}[ \t]+\"P[:=]((?:\\.|[^\"\\\n])+)"),
    _Form(
        ("credential", "creds", "/pass"),
        r"(?i:\bcred(?:ential)?s?|\buser(?:name)?/pass(?:w(?:or)?d)?)(?:[ \t]*[:=][ \t]*|[ \t]+)['\"]?[^\s:/'\"(]{1,320}"
        rf"(?::|[ \t]?/[ \t]?|[ \t]:[ \t])(?!/){_ODD}([^\s'\"]+)",
    ),
    # and those that are short
    _Form((" -",), r"(?:^|[ \t])-(?:ap|xp)[ \t]+(?:(?P<quote>['\"])((?:(?!(?P=quote)).)+)|(\S+))"),
    _Form(
        ("-u",),
        r"(?<!\S)(?:-[uU][ \t]*|--(?:proxy-)?user[ \t=]+)(?:(?P<quote>['\"])[^\n:'\"]{1,320}+:((?:(?!(?P=quote)).)+)|[^\s:'\"]{1,320}+:([^\s'\"]+))",
    ),
    _Form(("user",), r"^[ \t]*-{0,2}user[ \t]*[=:]?[ \t]*\"[^\s:\"]{1,320}:((?:\\.|[^\"\\\n])+)"),  # curl --config
    # server.login("ann", "S3cret"), PlainAuth("", "ann", "S3cret", host), new NetworkCredential("ann", "S3cret")
    _Form(
        ("login(", "auth(", "start(", "ticate(", "credential", "authentication(", ".connect("),
        r"((?i:\b(?:log_?in|authenticate|(?:plain|login|basic|md5)_?auth|auth|smtp[.:]+start|network_?credential|"
        r"password_?authentication|username_?password_?credentials?|set_?credentials?|credentials?(?:::new)?|"
        r"transport\.connect))\([ \t]*(?:[\"'`][^\"'`\n]{0,320}[\"'`](?:\.\w{1,20}\(\))?|(?!\d)[^,()'\"\s]{1,80})[ \t]*,)((?:\"(?:\\.|[^\"\\])*+\"?|'(?:\\.|[^'\\])*+'?|[^()'\"])*+)",
        _strings,
    ),
    # auth=("ann", "S3cret"), but no list of mechanisms
    _Form(
        ("[\"", "['", "(\"", "('"),
        r"((?i:auth|login|credentials?)[\"']?[ \t]*(?:=>?|:)[ \t]*[\[(][ \t]*(?![\"'`][A-Z\d_-]+[\"'`])[\"'`][^\"'`\n]{0,320}[\"'`][ \t]*,)"
        r"((?:\"(?:\\.|[^\"\\])*+\"?|'(?:\\.|[^'\\])*+'?|[^()'\"\]])*+)",
        _strings,
    ),
    _Form(("securestring",), rf"(?i:ConvertTo-SecureString(?:[ \t]+-String)?)[ \t]+(?:{_QUOTED}|{_BARE})"),
    # Authorization: Basic YW5uOlMzY3JldA==
    _Form(
        ("authorization",),
        rf"(?i:authorization)[\"'\\]{{0,4}}[ \t]*[:=][ \t]*(?:{_QUOTED}|(?:(?i:bearer|basic|digest|negotiate|ntlm)[ \t]+)?{_BARE})",
    ),
    _Form(("bearer", "basic"), rf"\b(?i:bearer|basic)[ \t]+{_MIXED}([\w~+/.-]{{6,}}+={{0,2}})(?![\"'\w])"),
    _Form(("code=", "sig="), r"[?&](?:code|sig)=([\w.~%+/-]{16,}=?)"),
    _Form(("eyj",), r"(?<![\w.-])(eyJ[\w-]{6,}+(?:\.[\w-]*+){0,4})", _token),
    _Form(
        ("gocspx-", "ya29", "1//0", "sib-", "gh", "re_", "key-", "sg.", "q~"), rf"(?<![A-Za-z0-9])({_KEYS})"
    ),
    _Form(("private key",), r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z ]{0,40}-----|\Z))"),
    # AUTH PLAIN AGFubgBTM2NyZXQ=, a response to a challenge, a line of base64 alone
    _Form(
        ("auth",),
        rf"\b(?i:auth)[ \t]+[\w-]{{3,30}}[ \t]+{_MIXED}((?:[A-Za-z0-9+/]{{4}}){{1,2}}(?![\w+/=-])|{_BLOB}|"
        r"[A-Za-z0-9+/]{12,}+=*+(?!-))",
    ),
    _Form(("",), rf"^[ \t]*+{_MIXED}({_BLOB})(?=[ \t]*$)", _encoded),
    _Form(("c: ", "> ", "send: ", "server: ", "client: "), rf"{_CLIENT}{_MIXED}({_BLOB})", _encoded),
    _Form(("334",), rf"\b334[ -][\w+/=]*+[ \t]*\n?[ \t]*(?:{_CLIENT})?({_BLOB})(?!\S)"),
    _Form(("334", "auth", "sasl"), rf"(?<![^\s'\"=(])(?<!334[ -])(?=[\w+/=]{{8}}){_MIXED}({_BLOB})(?![^\s'\"\\),;])", _encoded),
    _Form(("",), r"([A-Za-z0-9+/]{12,}+={0,2})", _response),
    _Form(("plain(",), r"(?i:\bplain)\(((?:(?!\) !=).)+)(?=\) !=)"),  # Dovecot's auth_debug_passwords
)  # fmt: skip


@cache
def _expression(regex: str) -> re.Pattern[str]:
    return re.compile(regex.replace("PROSE", _PROSE), re.MULTILINE)


class _Foreign(Redactor):
    """Masks what stands where secrets do."""

    def text(self, text: str) -> str:
        """`text` with the mask in place of what may be a secret."""
        lowered = text.lower()
        needles: tuple[str, ...] = ()
        here = False
        for form in _FORMS:
            if form.needles is not needles:
                needles, here = form.needles, False
                for needle in needles:  # a loop: a generator takes five times as long, and most texts have none of them
                    if needle in lowered:
                        here = True
                        break
            if here:
                text = _expression(form.regex).sub(form.replace, text)
        return text


FOREIGN = _Foreign()
