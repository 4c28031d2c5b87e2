"""The envelope: what MAIL and RCPT say (RFC 5321 2.3.1), apart from the message's own header."""

from __future__ import annotations

from smtpctl.model.record import NamedTuple


class Recipient(NamedTuple):
    """One forward-path. `notify` is `NEVER` or a comma list of `SUCCESS,FAILURE,DELAY`; `orcpt` an address
    with type (`rfc822;ann@example.com`); both RFC 3461 4."""

    address: str
    notify: str = ""
    orcpt: str = ""


class Envelope(NamedTuple):
    """The reverse-path (empty for `<>`) and the forward-paths.

    `size` octets of the message as sent, or None; `eight_bit` the content has octets above 127; `utf8` an
    address or header needs SMTPUTF8 (RFC 6531); `ret` FULL or HDRS and `envid` (RFC 3461); `require_tls` (RFC 8689).
    """

    sender: str
    recipients: tuple[Recipient, ...]
    size: int | None = None
    eight_bit: bool = False
    utf8: bool = False
    ret: str = ""
    envid: str = ""
    require_tls: bool = False
