"""Reports about what we sent: DSN (RFC 3464), MDN (RFC 8098), ARF (RFC 5965), and bounces without a form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from connectors.email import addresses, headers
from connectors.email.headers import Headers
from connectors.email.limits import Limits
from connectors.email.mime import Part
from connectors.email.token import Signer
from normalizer.message import Delivery, DeliveryState, Event, Ignored

#: What a mail server says became of a mail -> our word; None: not final.
ACTIONS: dict[str, DeliveryState | None] = {
    "failed": "failed", "delivered": "delivered", "delayed": None, "relayed": None, "expanded": None,
}  # fmt: skip
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
OUR_SHAPE = re.compile(rb"rcpt\.[a-z0-9_-]{1,200}\.[a-z2-7]{16}@[a-z0-9.-]{1,253}", re.I)
#: Where the delivering server writes the envelope recipient, hence our plus tag.
ENVELOPE = ("to", "delivered-to", "x-original-to", "envelope-to", "x-failed-recipients")
DAEMON = re.compile(r"^(mailer-daemon|postmaster|mail-daemon|mdaemon)(?=$|[+._-])")


def read(root: Part, at: datetime, signer: Signer, limits: Limits) -> Event | None:
    """What a report means, or None when `root` is no report."""
    kinds = {part.mime: part for part in reversed(list(root.walk()))}
    report = root.params.get("report-type", "").lower() if root.mime == "multipart/report" else ""
    if report == "feedback-report" or (root.mime == "multipart/report" and "message/feedback-report" in kinds):
        return Ignored(reason="abuse report")
    if root.mime == "multipart/report" and "message/disposition-notification" in kinds:
        return read_receipt(kinds["message/disposition-notification"], at, signer, limits)
    if root.mime == "multipart/report" and (found := status_part(kinds)):
        return delivery_status(root, found, kinds, at, signer, limits)
    if root.mime == "multipart/report":
        return Ignored(reason="report of another kind")
    return formless(root, at, signer)


def status_part(kinds: dict[str, Part]) -> Part | None:
    """The part that machines read in a delivery report."""
    return kinds.get("message/delivery-status") or kinds.get("message/global-delivery-status")


def groups(part: Part, limits: Limits) -> list[Headers]:
    """The blocks of fields in a report part, at most one per recipient that is read."""
    data = part.content(limits.header_block)
    found: list[Headers] = []
    position = 0
    while position < len(data) and len(found) <= limits.recipients:
        block, after = headers.read(data, position, len(data), limits, part.headers.flags)
        if block.items:
            found.append(block)
        if after <= position:
            break
        position = after
    return found


def delivery_status(
    root: Part, part: Part, kinds: dict[str, Part], at: datetime, signer: Signer, limits: Limits
) -> Event:
    """The outcome of our mail that a DSN speaks of; a bounce of anything else is ignored."""
    blocks = groups(part, limits)
    ours = own_id(root, blocks, original(kinds, limits), signer)
    if ours is None:
        return Ignored(reason="bounce of a mail that is not ours")
    recipients = [b for b in blocks if b.raw("action") or b.raw("final-recipient")]
    outcomes = [(b.word("action"), b.plain("status")) for b in recipients]
    for wanted in ("failed", "delivered"):
        for action, status in outcomes:
            if action == wanted:
                code = STATUS.search(status)
                failed = wanted == "failed"
                return Delivery(
                    state="failed" if failed else "delivered",
                    at=at,
                    provider_id=ours,
                    error_code=(code.group(1) if code else None) if failed else None,
                    error_class="Unreachable" if failed else None,
                )
    action = outcomes[0][0] if outcomes else ""
    return Ignored(reason=f"delivery {action}" if action in ACTIONS else "delivery report without an outcome")


def original(kinds: dict[str, Part], limits: Limits) -> Headers | None:
    """The headers of the mail that a report returns."""
    for mime in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"):
        part = kinds.get(mime)
        if part:
            data = part.content(2 * limits.header_block)
            return headers.read(data, 0, len(data), limits, part.headers.flags)[0]
    return None


def own_id(root: Part, blocks: Iterable[Headers], returned: Headers | None, signer: Signer) -> str | None:
    """Our signed Message-ID that a report names by envelope id, plus address, returned header or thread."""
    candidates: list[str] = []
    for block in blocks:
        candidates += [block.plain("original-envelope-id")]
        candidates += block.ids("original-message-id") + block.ids("x-original-message-id")
    candidates += [addresses.tag(a.email) for name in ENVELOPE for a in addresses.read(root.headers, name)]
    if returned:
        candidates += returned.ids("message-id")
    candidates += root.headers.ids("in-reply-to") + root.headers.ids("references")
    return next((ours for c in candidates if c and (ours := signer.check(c))), None)


def read_receipt(part: Part, at: datetime, signer: Signer, limits: Limits) -> Event:
    """A reading confirmation of our mail, or Ignored when it is of another mail or says that nobody read it."""
    for block in groups(part, limits):
        ours = next((o for i in block.ids("original-message-id") if (o := signer.check(i))), None)
        if ours and "displayed" in block.plain("disposition").lower():
            return Delivery(state="read", at=at, provider_id=ours)
    return Ignored(reason="reading confirmation")


def formless(root: Part, at: datetime, signer: Signer) -> Event | None:
    """A bounce in plain words (qmail, old Exim): its sender is a daemon, and it names a signed id of ours."""
    senders = [a.email.partition("@")[0].lower() for a in addresses.read(root.headers, "from")]
    if not any(map(DAEMON.match, senders)) and not root.headers.raw("x-failed-recipients"):
        return None
    body = root.data[root.start : min(root.end, root.start + 256 * 1024)]
    ours = own_id(root, (), None, signer) or next(
        (o for m in OUR_SHAPE.finditer(body) if (o := signer.check(m.group().decode("ascii")))), None
    )
    if ours is None:
        return None
    code = STATUS.search(body.decode("latin-1"))
    if (code and code.group(1).startswith("4.")) or root.headers.text("subject").lower().startswith(
        ("delayed", "warning")
    ):
        return Ignored(reason="delivery delayed")
    return Delivery(
        state="failed", at=at, provider_id=ours, error_code=code.group(1) if code else None, error_class="Unreachable"
    )
