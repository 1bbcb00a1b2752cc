"""What Instagram still knows: comments under the newest posts, what we said in a conversation or under a comment."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import datetime

import msgspec

from connectors.errors import Refused
from connectors.instagram.payload import Conversations, Listed, ListedComment, Written
from connectors.json_items import iso_moment
from connectors.meta_graph import Graph, read
from connectors.meta_payload import Node

MOST_REPLIES = 50  # listed below one comment
MOST_PAGES = 10  # of replies that are searched for one of ours
WORDS = "id,text,timestamp,from,user,parent_id"
MESSAGES = "messages.limit(20){id,created_time,from,message}"


async def comments_since(graph: Graph, account: str, moment: datetime, most_posts: int) -> AsyncGenerator[Listed, None]:
    """Comments and replies since `moment` (UTC) under the newest posts, one value for each post that has any."""
    fields = f"{WORDS},replies.limit({MOST_REPLIES}){{{WORDS}}}"
    async with aclosing(_posts(graph, account, most_posts)) as posts:
        async for post in posts:
            new: list[msgspec.Raw] = []
            # A post that was deleted just now is refused: no other one waits for it.
            with suppress(Refused):
                async with aclosing(graph.pages(f"{post}/comments", fields=fields)) as pages:
                    async for page in pages:
                        found = [item for comment in page for item in _since(comment, moment)]
                        new += found
                        # Newest first: a whole page without anything new ends the looking under this post.
                        if page and not found:
                            break
            if new:
                yield Listed(account=account, media=post, comments=new)


async def said_to(graph: Graph, node: str, person: str) -> list[Written]:
    """Our newest messages to a person; `node` is where messages live. Empty when there is no conversation."""
    found = await graph.get(
        f"{node}/conversations", Conversations, platform="instagram", user_id=person, fields=MESSAGES
    )
    messages = [message for each in found.data if each.messages is not None for message in each.messages.data]
    return [each for each in messages if each.from_ is not None and each.from_.id != person]


async def said_under(graph: Graph, account: str, comment: str) -> list[Written]:
    """Our replies under a comment."""
    found: list[Written] = []
    left = MOST_PAGES
    async with aclosing(graph.pages(f"{comment}/replies", fields=WORDS)) as pages:
        async for page in pages:
            replies = [read(item, Written) for item in page]
            found += [each for each in replies if each is not None and each.may_be_of(account)]
            left -= 1
            if not left:
                break
    return found


async def _posts(graph: Graph, account: str, most: int) -> AsyncGenerator[str, None]:
    left = most
    async with aclosing(graph.pages(f"{account}/media", fields="id")) as pages:
        async for page in pages:
            for item in page[:left]:
                post = read(item, Node)
                if post is not None and post.id.isdecimal():
                    yield post.id
            left -= len(page)
            if left <= 0:
                return


def _since(item: msgspec.Raw, moment: datetime) -> list[msgspec.Raw]:
    """The comment and its replies as far as they are not older than `moment`; what cannot be read counts as new."""
    found = read(item, ListedComment)
    if found is None:
        return [item]
    at = iso_moment(found.timestamp)
    new = [item] if at is None or at >= moment else []
    for reply in found.replies.data if found.replies is not None else ():
        new += _since(reply, moment)
    return new
