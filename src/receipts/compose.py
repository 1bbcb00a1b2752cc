"""A due message becomes the texts that go out, each within the channel's limit. Pure; `texts` says what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from connectors.facts import Facts
from normalizer.message import Channel, File, Outgoing
from receipts.notice_values import is_to_representative
from receipts.route import PRIVATE_OF, PUBLIC, proven
from receipts.split import split
from receipts.terms import Terms
from receipts.texts import SHORT, Links, Written, is_news, kind_of, template_of, write
from receipts.wording import Medium, Wording
from tickets.model import OutboxItem, Route

_MEDIA: Mapping[Channel, Medium] = {
    "email": "email",
    "sms": "short",
    "web_form": "screen",
    "app_form": "screen",
    "phone": "oral",
    "walk_in": "oral",
    "letter": "oral",
}


def part_key(row_key: str, index: int) -> str:
    """The key of the part `index` (from 0) of an outbox row, as providers give it back: the first is the row's own."""
    return row_key if index == 0 else f"{row_key}.{index + 1}"


def row_key(key: str) -> str:
    """The outbox row of a part's key."""
    return key.partition(".")[0]


def may_know(item: OutboxItem, route: Route) -> bool:
    """Whether who reads the address of a route may hear what the case is about (A10, A12)."""
    return is_to_representative(item.row.data) or proven(item.complaint, route, item.row.routes)


def medium_of(item: OutboxItem, route: Route) -> Medium:
    """How a text is written for a route; the public line wherever others could read along."""
    template, channel = template_of(item.row.template), route.channel or item.complaint.channel
    if template == "public_reply" or channel in PUBLIC:
        return "public"
    # The text is the one variable of a template: a single short line (sheet A1, 132012).
    medium = "short" if route.template is not None else _MEDIA.get(channel, "chat")
    if may_know(item, route):
        return medium
    if medium == "email":
        return "email_unproven"
    return "short_unproven" if is_news(template) else medium


def compose(
    item: OutboxItem,
    *,
    wording: Wording,
    terms: Terms,
    facts: Facts,
    access_code: str | None,
    links: Links,
    document: File | None = None,
) -> tuple[Outgoing, ...]:
    """What is sent on the route in use, one `Outgoing` per part; the same for the same item, so that parts can resume.

    Where the address is not proven, no code goes out: it opens the case (A10, A12). `document` is attached where it is
    and the channel takes files. Raises ValueError when the channel's limit leaves no room for a text, KeyError for an
    unknown template.
    """
    row = item.row
    route = row.routes[row.route]
    own = facts.of(route.channel or item.complaint.channel)
    tongue = wording.tongues[row.language]
    # A comment may be answered in private once: a second part would be refused (sheets A7, A8).
    once = route.template is not None or _answers_comment(item, route)

    def said(medium: Medium, data: Mapping[str, str]) -> tuple[Written, tuple[str, ...]]:
        written = write(
            "public_reply" if medium == "public" else template_of(row.template),
            medium,
            item.complaint,
            item.ticket,
            wording=wording,
            terms=terms,
            language=row.language,
            access_code=access_code if may_know(item, route) else None,
            links=links,
            data=data,
        )
        parts = split(
            written.body,
            own.max_text.value,
            own.text_unit.value,
            lambda part, parts: tongue.phrase("part", part=str(part), parts=str(parts)),
        )
        return written, parts

    forms = _forms(item, medium_of(item, route), once=once)
    medium, data = forms[0]
    written, parts = said(medium, data)
    for shorter, less in forms[1:]:
        if len(parts) == 1:
            break
        medium = shorter
        written, parts = said(shorter, less)
    if len(parts) > 1 and once:
        raise ValueError(f"what may be sent once has no room in {own.max_text.value} {own.text_unit.value}")
    attached = (document,) if document and medium == "email" and own.attachments_out.value else ()
    return tuple(
        Outgoing(
            key=part_key(row.key, index),
            recipient=route.recipient,
            text=text,
            subject=written.subject,
            in_reply_to=route.in_reply_to,
            references=route.references,
            files=attached if index == 0 else (),
            public=medium == "public",
            template=route.template,
            possible_duplicate=row.possible_duplicate,
            first_attempt_at=row.first_attempt_at,
        )
        for index, text in enumerate(parts)
    )


def _forms(item: OutboxItem, medium: Medium, *, once: bool) -> list[tuple[Medium, Mapping[str, str]]]:
    """In which ways a text may be written where there is little room, the whole one first."""
    data = item.row.data
    forms: list[tuple[Medium, Mapping[str, str]]] = [(medium, data)]
    if medium == "short" and kind_of(template_of(item.row.template)) is not None:
        # One short message: what does not fit is told by its dates, then only that there is news; a letter brings it.
        without_text = {name: value for name, value in data.items() if name != "text"}
        forms += [("short", without_text), ("short_unproven", {})]
    elif once and medium not in SHORT:
        forms.append(("short", data))
    return forms


def _answers_comment(item: OutboxItem, route: Route) -> bool:
    complaint = item.complaint
    if kind_of(template_of(item.row.template)) is not None:
        return False  # a notice takes the conversation that the customer began, never the comment's one answer
    return route.channel_id == complaint.channel_id and route.channel == PRIVATE_OF.get(complaint.channel, "")


def body_hash(outgoing: tuple[Outgoing, ...]) -> str:
    """SHA-256 (hex) of what is said, over all parts: what the receipt's record keeps instead of the text."""
    return hashlib.sha256("\n".join(out.text for out in outgoing).encode()).hexdigest()
