"""Errors that say what happens next. The class decides retry, wait, other route, halt or human; the text explains.

The outbox and the pump read these classes; nothing here ever carries a secret, a body or an address.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """What went wrong at a channel; subclasses say what happens next."""

    #: May the same call be made again?
    retry = False
    #: Must a person who runs the system hear of it?
    tell_operator = True


class Misconfigured(ConnectorError):
    """The settings cannot work: this channel does not start, the others run."""


class Rejected(ConnectorError):
    """A request that is not authentic or not acceptable: answered with `status`, nothing is kept.

    503 where the provider repeats only what is answered with 5xx and a repeat may be right: what it signed with a
    secret that we do not have yet must come again (docs/adr/0009).
    """

    tell_operator = False

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Malformed(ConnectorError):
    """Bytes that cannot be understood: kept in quarantine with the path of the field, until a person decides."""

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason
        self.path = path


class Unavailable(ConnectorError):
    """The provider does not answer or answers 5xx: tried again, growing with jitter."""

    retry = True
    tell_operator = False


class Throttled(ConnectorError):
    """The provider says wait: tried again after exactly that long."""

    retry = True
    tell_operator = False

    def __init__(self, reason: str, after: float) -> None:
        super().__init__(reason)
        #: Seconds.
        self.after = after


class AuthFailed(ConnectorError):
    """Credentials are refused: sending halts on the channel and its outbox is kept; inbound stays alive."""


class WindowClosed(ConnectorError):
    """The provider allows no free-form answer any more: next route."""

    tell_operator = False


class Unreachable(ConnectorError):
    """Blocked, opted out, unknown or bounced: recorded, next route."""

    tell_operator = False


class Refused(ConnectorError):
    """The provider refuses this content: recorded, a person decides."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} (code {code})")
        self.code = code


class Ambiguous(ConnectorError):
    """No answer to a send: it may have arrived. Look first where the facts say how, else one flagged retry."""

    retry = True
    tell_operator = False


CLASSES: dict[str, type[ConnectorError]] = {
    c.__name__: c
    for c in (
        Misconfigured, Malformed, Unavailable, Throttled, AuthFailed, WindowClosed, Unreachable, Refused, Ambiguous,
    )
}  # fmt: skip
