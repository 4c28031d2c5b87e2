"""Web requests for tokens, the only home of httpx: HTTPS alone, no redirect followed, everything a peer sends limited.

Trusted are the system's roots, or the ones of `Way.ca_file`. httpx, unlike other libraries, does not read
REQUESTS_CA_BUNDLE; OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR.
"""

from __future__ import annotations

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode, urlsplit, urlunsplit

from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.record import NamedTuple
from smtpctl.model.redaction import Redactor
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.net import tls
from smtpctl.net.within import within

if TYPE_CHECKING:
    import httpx

LIMIT = 256 * 1024  # octets of an answer; Entra's longest are some 20 kB
CONNECT = 15.0  # seconds
_LONGEST_URL = 200
_LONGEST_REASON = 200  # a proxy's may be as long as it likes
_LOOKED_AT = 4096
_BEGINNING = 80  # characters of a wrong answer that are shown
_BUSY = (429, 503)  # RFC 6585 4, RFC 9110 15.6.4
_DATES = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_NO_ADDRESS = "the address of the endpoint or of the proxy is none (special characters are written as %xx)"
_LIBRARIES = ("httpx", "httpcore")
Fields = Mapping[str, str | Secret]  # of a form, or headers
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Way(NamedTuple):
    """Whose requests they are and how they go: `name` of the credentials, a `ca_file` instead of the system's roots, a
    `proxy` instead of the environment's (HTTPS_PROXY, NO_PROXY), `timeout` in seconds for a whole request. `local` is a
    service of this machine, such as a cloud's for identities: in clear and without a proxy."""

    name: str = ""
    ca_file: str = ""
    proxy: str = ""
    timeout: float = 60.0
    local: bool = False


class Answer(NamedTuple):
    """What came: `headers` by their lower-case names, `url` without its query; `hidden` are the secrets that were sent."""

    url: str
    status: int
    headers: Mapping[str, str]
    octets: bytes
    name: str = ""
    hidden: tuple[Secret, ...] = ()

    @property
    def text(self) -> str:
        """The octets as text, whatever they are."""
        return self.octets.decode("utf-8", "replace")

    def clean(self, text: str) -> str:
        """A part of it as it may be shown: without what was sent in secret, which an error page may echo."""
        return _clean(text, self.hidden)

    def json(self) -> dict[str, Any]:
        """The JSON object that it is (RFC 6749 5.1). Problem `oauth.not_json`."""
        try:
            found = json.loads(self.octets)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        values = {"status": f"status {self.status}"}
        beginning = self.clean(" ".join(self.text[:_LOOKED_AT].split()))[:_BEGINNING]
        if beginning.startswith("<"):  # anything else could be a token
            values["beginning"] = beginning
        problem = _problem("not_json", self.url, self.name, **values)
        if self.status >= 500:  # a gateway's page: what is behind it may be back soon
            problem.status, problem.retryable = ExitStatus.TEMPORARY, True
        raise problem


def post_form(
    url: str,
    fields: Fields,
    way: Way,
    *,
    headers: Fields | None = None,
    basic: tuple[str, Secret] | None = None,
) -> Answer:
    """What an endpoint answers to a form; `basic` are an id and a secret for the header (RFC 6749 2.3.1). Problem
    `config.endpoint_not_https`, or of the family `oauth`."""
    body = urlencode({name: _text(value) for name, value in fields.items()}).encode("ascii")
    sent: dict[str, str | Secret] = {**_FORM, **(headers or {})}
    if basic:
        pair = ":".join(quote_plus(_text(part)) for part in basic)
        sent["Authorization"] = Secret(f"Basic {b64encode(pair.encode()).decode()}")
    return _request("POST", url, way, sent, body, _secrets(*fields.values(), *(basic or ())))


def get(url: str, way: Way, *, headers: Fields | None = None) -> Answer:
    """What is at an address. Problem as for `post_form`."""
    return _request("GET", url, way, headers or {})


def require_https(url: str, name: str) -> None:
    """Problem `config.endpoint_not_https` for any other address; `name` is of the credentials."""
    if not is_https(url):
        raise entry("config.endpoint_not_https").problem(target=name)


def is_https(url: str) -> bool:
    """Whether it is a whole address of HTTPS; what a peer gives as one may be anything."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # ValueError for what is none
    except ValueError:
        return False
    return url.lower().startswith("https://") and bool(parts.hostname) and url.isprintable()


def _request(
    method: str, url: str, way: Way, headers: Fields, body: bytes = b"", secrets: tuple[Secret, ...] = ()
) -> Answer:
    if not (way.local and url.startswith("http://")):
        require_https(url, way.name)
    place, hidden = _place(url), (*secrets, *_secrets(*headers.values()))
    context = tls.fresh_context(TlsPolicy(ca_file=way.ca_file))

    def ask() -> Answer:
        return _exchange(method, url, way, {name: _text(value) for name, value in headers.items()}, body, context)

    try:
        answer = within(way.timeout, ask)._replace(hidden=hidden)
    except TimeoutError:
        raise _problem("timeout", place, way.name, seconds=f"{round(way.timeout, 1):g}") from None
    except (OSError, ValueError, ImportError) as error:
        raise _unreachable(error, place, way, hidden) from None
    if 300 <= answer.status < 400:
        elsewhere = _place(answer.clean(answer.headers.get("location", "")))
        raise _problem("redirect", place, way.name, elsewhere=elsewhere or "nowhere")
    if answer.status in _BUSY:
        raise _busy(answer)
    return answer


def _exchange(
    method: str, url: str, way: Way, headers: Mapping[str, str], body: bytes, context: ssl.SSLContext
) -> Answer:
    """One request. OSError or ValueError in place of httpx's own errors, with what was below them."""
    import logging

    import httpx

    for library in _LIBRARIES:  # at their lowest level they log every header
        logging.getLogger(library).setLevel(logging.CRITICAL)
    ends = time.monotonic() + way.timeout
    limits = httpx.Timeout(way.timeout, connect=min(CONNECT, way.timeout))
    # An encoded answer could be a thousand times as long as what came.
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "smtpctl", **headers}
    proxy, environments = (None, False) if way.local else (way.proxy or None, not way.proxy)
    try:
        with (
            httpx.Client(verify=context, timeout=limits, proxy=proxy, trust_env=environments) as client,
            client.stream(method, url, headers=sent, content=body or None, follow_redirects=False) as response,
        ):
            octets = b"".join(_limited(response, ends, way))
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(_place(url), response.status_code, names, octets, way.name)
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except httpx.InvalidURL:  # its words quote a part of it: of a proxy's address, that may be the password
        raise OSError(_NO_ADDRESS) from None
    except httpx.HTTPError as error:
        raise _below(error) from None


def _limited(response: httpx.Response, ends: float, way: Way) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > LIMIT:
            raise _problem("too_large", _place(str(response.url)), way.name, limit=LIMIT)
        if time.monotonic() > ends:
            raise TimeoutError
        yield chunk


def _below(error: BaseException) -> Exception:
    """The error of the operating system or OpenSSL that httpx's was made of, else one with its words."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError):
            return below
        below = below.__cause__ or below.__context__
    return OSError(" ".join(str(error).split()) or type(error).__name__)


def _unreachable(error: Exception, place: str, way: Way, hidden: tuple[Secret, ...]) -> Problem:
    if isinstance(error, ssl.SSLCertVerificationError):
        roots = (f"file: {way.ca_file}",) if way.ca_file else tls.trust_places()
        evidence = [f"roots from {root}" for root in roots]
        name = "certificate_date" if error.verify_code in _DATES else "untrusted"
        return _problem(name, place, way.name, reason=error.verify_message, evidence=evidence)
    reason = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "")
    reason = _clean(reason or str(error), hidden)[:_LONGEST_REASON] or type(error).__name__
    return _problem("unreachable", place, way.name, reason=reason)


def _busy(answer: Answer) -> Problem:
    """`Retry-After` may also be a date (RFC 9110 10.2.3); then it is not told how long."""
    after = answer.headers.get("retry-after", "")
    values: dict[str, Any] = {"seconds": after} if after.isdecimal() and len(after) < 8 else {}
    return _problem("busy", answer.url, answer.name, reason=f"status {answer.status}", **values)


def _problem(name: str, place: str, oauth: str, **values: Any) -> Problem:
    return entry(f"oauth.{name}").problem(target=oauth, oauth=oauth, endpoint=place, **values)


def _place(url: str) -> str:
    """An address as it may be shown: without user, password, query and fragment; '' for what is none."""
    try:
        parts = urlsplit(url[:_LONGEST_URL])
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _secrets(*values: str | Secret) -> tuple[Secret, ...]:
    return tuple(value for value in values if isinstance(value, Secret))


def _clean(text: str, hidden: tuple[Secret, ...]) -> str:
    return "".join(filter(str.isprintable, Redactor(hidden).text(text)))


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
