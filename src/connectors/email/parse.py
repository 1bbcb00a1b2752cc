"""One mail to events. Pure and bounded: its input is hostile by nature (P24), so every list has an end."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from connectors.email import addresses, auth_results, body, bounce, mime, rules
from connectors.email.addresses import Address
from connectors.email.headers import Headers
from connectors.email.limits import LIMITS, Limits
from connectors.email.token import Signer
from connectors.errors import ConnectorError, Malformed
from normalizer.message import Attachment, Event, Ignored, Message, Raw, ReplyAddress, Sender

#: Set by the fetch: the full size of a mail of which only the beginning came, and a mail that could not be fetched.
FULL_SIZE = "x-full-size"
UNFETCHABLE = "x-unfetchable"
#: Bytes of a body that are hashed at once, so that a large mail is not copied whole.
CHUNK = 1024 * 1024
#: Where the delivering server writes the envelope recipient, hence our plus tag.
RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


class Account(Struct, frozen=True, kw_only=True):
    """What parsing must know of the mailbox."""

    address: str
    #: Every address of ours, lower case, without plus tags.
    ours: frozenset[str]
    organisation: str
    authserv_id: str | None
    max_bytes: int
    signer: Signer
    limits: Limits = LIMITS


def parse(raw: Raw, account: Account) -> tuple[Event, ...]:
    """The events of one mail, never empty. Raises Malformed when there is nothing to read."""
    if raw.headers.get(UNFETCHABLE):
        raise Malformed("the mail server could not hand this mail over")
    if not raw.body or raw.body.isspace():
        raise Malformed("the mail is empty")
    try:
        return (read(raw, account),)
    except ConnectorError:
        raise
    except Exception as error:  # whatever a mail provokes, its bytes are kept for a person and the next mail goes on
        raise Malformed(f"{type(error).__name__} while reading the mail") from error


def read(raw: Raw, account: Account) -> Event:
    """The one event that a mail is."""
    root, flags = mime.read(raw.body[: account.max_bytes], account.limits)
    heads = root.headers
    senders = addresses.read(heads, "from")
    sender = next((a for a in senders if a.email), senders[0] if senders else Address())
    if own_mail(heads, sender, account):
        return Ignored(reason="own mail")
    report = bounce.read(root, raw.received_at, account.signer, account.limits)
    if report is not None:
        return report
    if rules.automatic_reply(heads, heads.text("subject")):
        return Ignored(reason="auto-reply")
    return message(raw, root, flags, senders, sender, account)


def own_mail(heads: Headers, sender: Address, account: Account) -> bool:
    """Whether this mail is one of ours that came back (T33, P25)."""
    if any(account.signer.check(i) for i in heads.ids("message-id")):
        return True
    if heads.plain(rules.LOOP_HEADER).strip() == account.signer.loop_mark():
        return True
    return bool(sender.email) and addresses.without_tag(sender.email) in account.ours


def message(
    raw: Raw, root: mime.Part, flags: set[str], senders: list[Address], sender: Address, account: Account
) -> Message:
    """The complaint that a person wrote."""
    heads = root.headers
    look_at_sender(heads, senders, sender)
    own_id = next(iter(heads.ids("message-id")), None)
    if own_id and account.signer.looks_like_ours(own_id):
        own_id = None  # unsigned, or it would have been taken for our own mail: never a key for threads
    digest = fingerprint(raw.body, root, heads)
    subject = heads.text("subject")[: account.limits.subject]
    to = addresses.read(heads, "to") + addresses.read(heads, "cc")
    content = body.read(root, account.limits)
    attachments = tuple(content.attachments) + cut_off(raw, account, flags)
    references = heads.ids("references")[-account.limits.references :]
    threads = thread(heads, references, account)
    ticket = rules.ticket_in(subject)
    if ticket:
        flags.add(f"ticket:{ticket}")
        if not any(account.signer.check(ref.removeprefix("mid:")) for ref in threads):
            flags.add("possible_follow_up")
    return Message(
        channel="email",
        account=account.address,
        key=f"mail:{account.organisation}:{own_id or ''}:{digest}",
        external_id=own_id or f"sha256:{digest}",
        sent_at=raw.received_at,
        sender=Sender(
            key=addresses.key(sender.email) if sender.email else f"mailto:unknown-{digest}",
            name=sender.name or None,
            email=sender.email or None,
            verified=not {"duplicate_from", "multiple_from"} & flags
            and auth_results.verified(heads, sender.domain, account.authserv_id),
        ),
        text=content.text,
        subject=subject or None,
        attachments=attachments,
        thread_refs=threads,
        registers=(f"mid:{own_id}",) if own_id else (),
        reply=ReplyAddress(
            recipient=sender.email,
            in_reply_to=own_id,
            references=tuple([*references, *([own_id] if own_id else [])][-account.limits.references :]),
        )
        if sender.email
        else None,
        no_receipt=rules.no_receipt(heads, sender, to, account.ours, subject),
        flags=tuple(sorted(flags)),
    )


def look_at_sender(heads: Headers, senders: list[Address], sender: Address) -> None:
    """Flags what makes a sender doubtful (sheet A10 "Trust")."""
    flags = heads.flags
    if len(heads.all("from")) > 1:
        flags.add("duplicate_from")
    if len({a.email.lower() for a in senders if a.email}) > 1:
        flags.add("multiple_from")
    if addresses.names_another(sender):
        flags.add("display_name_address")
    if any(a.email and a.email.lower() != sender.email.lower() for a in addresses.read(heads, "reply-to")):
        flags.add("reply_to_differs")
    if "xn--" in sender.domain:
        flags.add("confusable_domain" if addresses.confusable(sender.domain) else "idn_domain")


def thread(heads: Headers, references: list[str], account: Account) -> tuple[str, ...]:
    """Threads it may belong to, best first: our signed tokens, then the ids it names; never the subject (P28)."""
    tags = [addresses.tag(a.email) for name in RECIPIENTS for a in addresses.read(heads, name)]
    ids = heads.ids("in-reply-to")[: account.limits.references] + references[::-1]
    signed = [ours for value in [*filter(None, tags), *ids] if (ours := account.signer.check(value))]
    if any(account.signer.looks_like_ours(i) and not account.signer.check(i) for i in ids):
        heads.flags.add("forged_thread_token")
    others = [i for i in ids if not account.signer.looks_like_ours(i)]
    return tuple(dict.fromkeys(f"mid:{i}" for i in [*signed, *others]))


def fingerprint(data: bytes, root: mime.Part, heads: Headers) -> str:
    """SHA-256 over From, Date and body: parts different mails with one Message-ID, joins copies in two mailboxes."""
    digest = hashlib.sha256(heads.raw("from") + b"\0" + heads.raw("date") + b"\0")
    end = len(data)
    while end > root.start and data[end - 1] in b" \t\r\n":
        end -= 1
    for low in range(root.start, end, CHUNK):
        # Of a line break that lies across two chunks, the LF comes with the next one.
        piece = data[low : min(low + CHUNK, end)].replace(b"\r\n", b"\n")
        digest.update(piece[:-1] if piece[-1:] == b"\r" and data[low + CHUNK : low + CHUNK + 1] == b"\n" else piece)
    return digest.hexdigest()


def cut_off(raw: Raw, account: Account, flags: set[str]) -> tuple[Attachment, ...]:
    """A note for the desk when only the beginning of the mail was read."""
    size = max(int(raw.headers.get(FULL_SIZE, "0")), len(raw.body))
    if size <= account.max_bytes and FULL_SIZE not in raw.headers:
        return ()
    flags.add("truncated")
    return (Attachment(error=f"the mail has {size} bytes: only its beginning was read", size=size),)
