"""What Meta remembers: comments that no webhook brought, and whether something of ours was already said."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from datetime import datetime

import msgspec

from connectors.errors import AuthFailed, Refused, Unreachable
from connectors.facebook import payload
from connectors.json_items import iso_moment
from connectors.meta_graph import Graph, read

COMMENT_FIELDS = "id,message,from,created_time,parent{id},is_hidden,attachment"
#: What was said a moment ago stands at the top: nobody reads a whole history for it.
MOST_PAGES = 10
#: What may stand in an address that we build.
ID = re.compile(r"[0-9]{1,64}(?:_[0-9]{1,64}){0,3}")
_THREAD = re.compile(r"t_[0-9A-Za-z_-]{1,128}")


async def comments_since(
    graph: Graph, page_id: str, moment: datetime, most_posts: int
) -> AsyncGenerator[payload.Listed, None]:
    """Other people's comments since `moment` (UTC) under the newest posts, each as Meta listed it."""
    since = int(moment.timestamp())
    async with aclosing(_posts(graph, page_id, moment, most_posts)) as posts:
        async for post_id in posts:
            listed = graph.pages(
                f"{post_id}/comments",
                fields=COMMENT_FIELDS,
                filter="stream",
                order="reverse_chronological",
                since=since,
            )
            # A post that was deleted just now, or of a kind without comments, is refused: no other one waits for it.
            with suppress(Refused):
                async with aclosing(listed) as pages:
                    async for items in pages:
                        recent = [item for item in items if _is_recent(item, moment)]
                        new = [item for item in recent if not _is_own(item, page_id)]
                        if new:
                            yield payload.Listed(page_id=page_id, post_id=post_id, data=new)
                        if items and not recent:
                            break  # newest first, and Meta does not promise to heed `since`


async def answered_before(
    graph: Graph, page_id: str, places: Iterable[str], text: str, earliest: datetime | None
) -> str | None:
    """The id of the page's own answer with this text under one of these comments, not before `earliest`; or None."""
    for place in places:
        path = f"{place}/comments"
        found = await _said(graph, path, page_id, text, earliest=earliest, order="reverse_chronological")
        if found is not None:
            return found
    return None


async def replied_before(graph: Graph, page_id: str, comment_id: str, text: str) -> str:
    """The id of the private reply with this text, or the comment's own id where Meta does not show the conversation.

    Meta says that the reply was given, but sources contradict each other about the numbers with which it says so, and
    staff may have given one in the inbox. Raises Unreachable when this text is not what the person got (A7, P14).
    """
    try:
        known = await graph.get(comment_id, payload.Privacy, fields="can_reply_privately,private_reply_conversation")
        thread = known.private_reply_conversation
        if thread is None and known.can_reply_privately:
            raise Unreachable("Facebook takes no private reply to this comment")
        if thread is None or not _THREAD.fullmatch(thread.id):
            return comment_id
        given = await _said(graph, f"{thread.id}/messages", page_id, text)
    except (AuthFailed, Refused):
        return comment_id  # Meta shows nothing; its word stands alone
    if given is None:
        raise Unreachable("this comment already had another private reply")
    return given


async def _posts(graph: Graph, page_id: str, moment: datetime, most: int) -> AsyncGenerator[str, None]:
    """The newest posts, at most `most` of them looked at, with something new since `moment`."""
    left = most
    async with aclosing(graph.pages(f"{page_id}/feed", fields="id,updated_time")) as pages:
        async for items in pages:
            for item in items[:left]:
                post = read(item, payload.Post)
                updated = iso_moment(post.updated_time) if post is not None else None
                if post is not None and ID.fullmatch(post.id) and (updated is None or updated >= moment):
                    yield post.id
            left -= len(items)
            if left <= 0:
                return


def _is_recent(item: msgspec.Raw, moment: datetime) -> bool:
    each = read(item, payload.Comment)
    at = iso_moment(each.created_time) if each is not None else None
    # Meta knows whole seconds; whatever cannot be read, a person shall see.
    return at is None or at.timestamp() >= int(moment.timestamp())


def _is_own(item: msgspec.Raw, page_id: str) -> bool:
    each = read(item, payload.Comment)
    return each is not None and each.from_ is not None and str(each.from_.id) == page_id


async def _said(
    graph: Graph, path: str, page_id: str, text: str, *, earliest: datetime | None = None, **params: str
) -> str | None:
    """The id of what the page said with this text among the newest of a list; None when it is not there."""
    left = MOST_PAGES
    async with aclosing(graph.pages(path, fields="id,from,message,created_time", **params)) as pages:
        async for items in pages:
            for item in items:
                each = read(item, payload.Comment)
                if each is None or each.message != text or not _is_own(item, page_id):
                    continue
                if earliest is None or _is_recent(item, earliest):
                    return each.id
            left -= 1
            if not left:
                break
    return None
