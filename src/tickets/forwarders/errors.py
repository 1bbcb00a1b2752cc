"""Errors of a target store that say what happens next. The queue reads the class; the text explains it to a person.

No text here carries a secret, an address, a body, or anything that a customer wrote.
"""

from __future__ import annotations


class ForwardError(Exception):
    """What went wrong at a target; subclasses say what happens next."""

    #: May the same call be made again without a person?
    retry = False
    #: Nothing else will go through either: the whole target halts and its queue waits.
    halts = False


class Misconfigured(ForwardError):
    """The settings cannot work there (no such queue, group, inbox or field): the target halts until a person acts."""

    halts = True


class AuthFailed(ForwardError):
    """Credentials or rights are refused: the target halts, its queue waits, the operator is told."""

    halts = True


class Disabled(ForwardError):
    """The target says that it wants nothing any more (410 Gone): it halts until a person resumes it."""

    halts = True


class Unavailable(ForwardError):
    """Nothing has happened there (no connection, 5xx, 429): tried again, after `after` seconds if it said so."""

    retry = True

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        #: Seconds that the target asked to wait; None when it did not say.
        self.after = after


class Ambiguous(ForwardError):
    """No answer to a write: it may have happened. The next attempt looks before it writes."""

    retry = True


class Declined(ForwardError):
    """The target said no where it may say yes tomorrow: tried again until its `give_up_hours`, then as Refused."""

    retry = True


class Refused(ForwardError):
    """The target refuses this one hand-over, again and again: recorded, a person decides."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
