"""Instagram against the simulator: sends, public and private answers, check, and what each trouble means (P13, P14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
    WindowClosed,
)
from connectors.instagram import Instagram
from harness.serving import MakeSetup
from normalizer.message import Attachment, File, Message, Outgoing, Raw
from simulator.app import start
from simulator.instagram import Instagram as Meta
from simulator.instagram import payloads
from simulator.instagram.payloads import Update
from simulator.whatsapp_cloud.payloads import encode

ACCOUNT, PAGE = "17841400000000001", "106540352249001"
SARI = "sari.w"


def account(**changes: Any) -> Meta:
    """An account at Meta, pretended; nothing is delivered until a test asks for it."""
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "access_token": "invented-access-token",
        "app_secret": "invented-app-secret",
        "verify_token": "invented-verify-token",
    }
    return Meta(**{**given, **changes})


@pytest.fixture(params=[None, PAGE], ids=["instagram-login", "facebook-login"])
async def meta(request: pytest.FixtureRequest) -> AsyncIterator[Meta]:
    """The account by either login: a matter of settings, not of code."""
    pretended = account(page_id=request.param)
    simulation = await start([pretended])
    yield pretended
    await simulation.aclose()


@pytest.fixture
async def connector(meta: Meta, make_setup: MakeSetup) -> AsyncIterator[Instagram]:
    """The connector of that account, impatient."""
    made = Instagram(make_setup("instagram", api_base=meta.base_url, page_id=meta.page_id, timeout_seconds=0.5))
    yield made
    await made.aclose()


def out(recipient: str, **changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "r-17.1", "recipient": recipient, "text": "Nomor tiket: AKS-1", **changes})


def read(connector: Instagram, meta: Meta, *updates: Update) -> list[Message]:
    """What our parse makes of the webhook that the simulator would send."""
    body = encode(payloads.envelope(updates, meta.form))
    found = connector.parse(Raw(channel_id="x", received_at=datetime.now(UTC), body=body))
    return [event for event in found if isinstance(event, Message)]


def said(connector: Instagram, meta: Meta, words: str = "Halo", **more: Any) -> Message:
    """A customer's direct message as our parse reads it; it opens the window at Meta."""
    (found,) = read(connector, meta, meta.update(SARI, {"text": words, **more}))
    return found


def commented(connector: Instagram, meta: Meta, words: str = "Dana saya?", handle: str = SARI, **more: Any) -> Message:
    """A comment as our parse reads it."""
    (found,) = read(connector, meta, meta.comment_update(meta.commented(handle, words, **more)))
    return found


def to(message: Message) -> str:
    """Where an answer to it goes."""
    assert message.reply is not None
    return message.reply.recipient


async def test_a_message_is_answered_in_its_conversation(meta: Meta, connector: Instagram) -> None:
    """The scoped id is the recipient; what quotes our answer finds the complaint by its ref."""
    first = said(connector, meta)
    assert first.channel == "instagram_dm"
    sent = await connector.send(out(to(first)))
    (kept,) = meta.sent
    assert (sent.provider_id, kept.person.handle, kept.comment_id) == (kept.id, SARI, None)
    answer = said(connector, meta, "terima kasih", reply_to={"mid": kept.id})
    assert answer.thread_refs[0] == sent.registers[0]
    assert set(first.registers) & set(answer.thread_refs)


async def test_a_comment_gets_one_line_in_public_and_one_message_in_private(meta: Meta, connector: Instagram) -> None:
    """Section 8, A8: two answers from one recipient; who answers the private one continues the complaint."""
    comment = commented(connector, meta)
    assert (comment.channel, comment.visibility, comment.post_ref) == ("instagram_comment", "public", meta.posts[0].id)
    public = await connector.send(out(to(comment), text="Halo, mohon lanjutkan lewat DM.", public=True))
    private = await connector.send(out(to(comment)))
    assert [each.text for each in meta.answers] == ["Halo, mohon lanjutkan lewat DM."]
    assert public.provider_id == meta.answers[0].id
    assert [(each.text, each.comment_id) for each in meta.sent] == [("Nomor tiket: AKS-1", comment.external_id)]
    answer = said(connector, meta, "Ini nomor saya")
    assert set(private.registers) & set(answer.thread_refs)
    assert answer.sender.key == comment.sender.key


async def test_comments_of_two_people_share_nothing(meta: Meta, connector: Instagram) -> None:
    """T21: a reply below the comment of somebody else is not that person's complaint; one person's comments are one."""
    first = commented(connector, meta)
    other = commented(connector, meta, "Saya juga!", handle="budi_s", parent=first.external_id)
    again = commented(connector, meta, "Masih belum")
    assert not set(first.registers) & set(other.thread_refs)
    assert set(first.registers) & set(again.thread_refs)


@pytest.mark.parametrize("number", [10900, 2534013, 2534014, 2534025])
async def test_answered_already_counts_as_sent(meta: Meta, connector: Instagram, number: int) -> None:
    """Sheet A13: a second private answer to one comment is refused; with which number depends on whom one asks."""
    meta.already_replied = number
    comment = commented(connector, meta)
    first = await connector.send(out(to(comment)))
    again = await connector.send(out(to(comment)))
    assert again.provider_id == first.provider_id
    # Where no author is known the conversation cannot be asked: Meta's word stands alone.
    nameless = await connector.send(out(to(comment).partition("/")[0]))
    assert nameless.provider_id == comment.external_id
    # Staff may have been faster: what they said is not our receipt (P14).
    with pytest.raises(Unreachable):
        await connector.send(out(to(comment), text="Nomor tiket: AKS-2"))
    assert len(meta.sent) == 1


async def test_a_refusal_without_an_answer_is_no_receipt(meta: Meta, connector: Instagram) -> None:
    """P14: one of these numbers also means that no such person is there; what was never said does not count as sent."""
    comment = commented(connector, meta)
    await connector.send(out(to(said(connector, meta)), text="Nomor tiket: AKS-0"))  # the receipt of another complaint
    meta.faults.code(2534014)
    with pytest.raises(Unreachable):
        await connector.send(out(to(comment)))


async def test_nothing_private_takes_the_public_way(meta: Meta, connector: Instagram) -> None:
    """A private text never becomes a comment, a public one never a message; a mention has no private answer."""
    message = said(connector, meta)
    with pytest.raises(Refused):
        await connector.send(out(to(message), public=True))
    with pytest.raises(Unreachable):
        await connector.send(out("mention:1790001/1780001"))
    for odd in ("comment:../../me", "comment:", "comment:1780001?fields=x"):
        for public in (True, False):
            with pytest.raises(Unreachable):
                await connector.send(out(odd, public=public))
    assert not meta.answers
    assert not meta.sent


async def test_a_mention_is_answered_where_it_stands(meta: Meta, connector: Instagram) -> None:
    """Its words come as a file, its author stays unknown; comment and caption alike."""
    for in_caption in (False, True):
        id_ = await meta.inject_mention("budi_s", "@akseleran dana saya mana?", in_caption=in_caption)
        mention = meta.comments[id_]
        ids = {"media_id": mention.media_id} | ({} if in_caption else {"comment_id": id_})
        (found,) = read(connector, meta, Update(meta.account_id, mention.at, ids, "mentions"))
        (file,) = found.attachments
        assert await fetched(connector, file) == b"@akseleran dana saya mana?"
        await connector.send(out(to(found), text="Halo, mohon lewat DM.", public=True))
        assert meta.answers[-1].parent_id == id_
    for wrong in ("mentioned_comment:1780", "mentioned_comment:1){id},name(1", "other:1", "1790001"):
        with pytest.raises((Refused, Unreachable)):
            await fetched(connector, Attachment(ref=wrong))


async def test_what_the_caller_must_not_send(meta: Meta, connector: Instagram) -> None:
    """T31: 1,000 bytes, not characters; empty, with files, by template: refused before Meta sees it."""
    person = to(said(connector, meta))
    comment = to(commented(connector, meta))
    await connector.send(out(person, text="é" * 500))
    pdf = File(name="a.pdf", mime="application/pdf", content=b"")
    for wrong in (
        out(person, text="é" * 501),
        out(person, text=""),
        out(person, files=(pdf,)),
        out(person, template="notice"),
        out(comment, text="x" * 301, public=True),
    ):
        with pytest.raises(Refused):
            await connector.send(wrong)
    assert len(meta.sent) == 1


async def test_windows(meta: Meta, connector: Instagram) -> None:
    """P14: 24 hours for messages, 7 days for comments, by the provider's clock; a live video ends at once."""
    at = datetime.now(UTC)
    message, comment = said(connector, meta), commented(connector, meta)
    assert message.reply is not None
    assert comment.reply is not None
    assert message.reply.window_until is not None
    assert comment.reply.window_until is not None
    assert abs(message.reply.window_until - at - timedelta(hours=24)) < timedelta(seconds=5)
    assert abs(comment.reply.window_until - at - timedelta(days=7)) < timedelta(seconds=5)
    meta.close_window(SARI)
    with pytest.raises(WindowClosed):
        await connector.send(out(to(message)))
    old = commented(connector, meta, at=at.timestamp() - 8 * 86_400)
    with pytest.raises(WindowClosed):
        await connector.send(out(to(old)))
    post = meta.publish("Siaran langsung", live=True)
    live = commented(connector, meta, post=post)
    assert "no_public_answer" in live.flags
    with pytest.raises(Refused):
        await connector.send(out(to(live), public=True))
    meta.posts.remove(post)
    with pytest.raises(WindowClosed):
        await connector.send(out(to(live)))


CODES = [
    (1, "Unavailable"), (2, "Unavailable"), (1545133, "Unavailable"),
    (4, "Throttled"), (17, "Throttled"), (32, "Throttled"), (613, "Throttled"), (80006, "Throttled"),
    (3, "AuthFailed"), (10, "AuthFailed"), (190, "AuthFailed"), (200, "AuthFailed"), (299, "AuthFailed"),
    (368, "AuthFailed"), (1893063, "AuthFailed"),
    (2018278, "WindowClosed"), (2534022, "WindowClosed"),
    (230, "Unreachable"), (551, "Unreachable"), (2534001, "Unreachable"), (2534013, "Unreachable"),
    (2534014, "Unreachable"), (2534025, "Unreachable"),
    (33, "Refused"), (100, "Refused"), (1545041, "Refused"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "name"), CODES)
async def test_codes_in_the_providers_own_shape(meta: Meta, connector: Instagram, code: int, name: str) -> None:
    """Sheet A6, A8: code and subcode give the class of codes.yaml; no word of the answer is repeated."""
    person = to(said(connector, meta))
    meta.faults.code(code)
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out(person))
    assert "invented" not in str(caught.value)


async def test_trouble_on_the_way(meta: Meta, connector: Instagram) -> None:
    """P13: 429, 500, 502 HTML, truncated JSON, silence, reset, 200 with an error, 200 without an id."""
    person = to(said(connector, meta))
    comment = to(commented(connector, meta))
    meta.faults.http(429, b"", headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as throttled:
        await connector.send(out(person))
    assert throttled.value.after == 7
    for status, body in ((500, b'{"error":{"code":1}}'), (502, b"<html>"), (500, b'{"error":{"mess'), (503, b"")):
        meta.faults.http(status, body)
        with pytest.raises(Unavailable):
            await connector.send(out(person))
    meta.faults.http(200, b'{"error":{"code":10,"error_subcode":2534022}}', content_type="application/json")
    with pytest.raises(WindowClosed):
        await connector.send(out(person))
    for body in (b"{}", b"[]", b"<html>", b'{"recipient_id":"17'):
        for outgoing in (out(person), out(comment, public=True)):
            meta.faults.http(200, body)
            with pytest.raises(Ambiguous):
                await connector.send(outgoing)
    meta.faults.http(401, b"<html>")
    with pytest.raises(AuthFailed):
        await connector.send(out(person))


@pytest.mark.parametrize("taken", [True, False])
async def test_an_ambiguous_send_is_looked_for(meta: Meta, connector: Instagram, taken: bool) -> None:
    """Sheet A13: the same words in the conversation, or under the comment, are an earlier attempt that went through."""
    message, comment = said(connector, meta), commented(connector, meta)
    below = commented(connector, meta, "Saya juga", handle="budi_s", parent=comment.external_id)
    assert below.reply is not None
    began = datetime.now(UTC)
    for outgoing in (
        out(to(message), first_attempt_at=began),
        out(to(comment), text="Halo, mohon lewat DM.", public=True, first_attempt_at=began),
        out(to(comment), text="Nomor tiket: AKS-2", first_attempt_at=began),
        # The answer to a reply stands below the top level.
        out(to(below), text="Lewat DM.", public=True, in_reply_to=below.reply.in_reply_to, first_attempt_at=began),
    ):
        if outgoing.public:
            meta.faults.reset(accepted=taken)
        else:
            meta.faults.stall(2, accepted=taken)
        with pytest.raises(Ambiguous):
            await connector.send(outgoing)
        found = await connector.find(outgoing)
        if taken:
            assert found is not None
            assert found.provider_id == (meta.answers[-1].id if outgoing.public else meta.sent[-1].id)
        else:
            assert found is None
    # The customer's own words, an older send and another text are not it.
    said(connector, meta, "Nomor tiket: AKS-9")
    for other in (
        out(to(message), text="Nomor tiket: AKS-9", first_attempt_at=began),
        out(to(message), first_attempt_at=began + timedelta(minutes=10)),
        out(to(comment), text="Nomor tiket: AKS-3", first_attempt_at=began),
        out("comment:1780001", first_attempt_at=began),
    ):
        assert await connector.find(other) is None
    with pytest.raises(Unreachable):
        await connector.find(out("mention:1790001", public=True, first_attempt_at=began))


async def test_a_private_answer_without_answer_is_never_doubled(meta: Meta, connector: Instagram) -> None:
    """Sheet A13: where no author is known nothing lists it, but the second try is refused and counts as sent."""
    comment = to(commented(connector, meta)).partition("/")[0]
    meta.faults.stall(2, accepted=True)
    with pytest.raises(Ambiguous):
        await connector.send(out(comment))
    assert (await connector.send(out(comment, possible_duplicate=True))).provider_id
    assert len(meta.sent) == 1


async def test_check_asks_and_changes_nothing(meta: Meta, connector: Instagram, make_setup: MakeSetup) -> None:
    """Good credentials pass once an app listens; a bad token is AuthFailed, a wrong account is told."""
    await connector.check()
    for settings, error in (
        ({"access_token": "another-token"}, AuthFailed),
        ({"account_id": "999", "page_id": None}, (AuthFailed, Refused, Misconfigured)),
    ):
        given = {"api_base": meta.base_url, "page_id": meta.page_id, **settings}
        wrong = Instagram(make_setup("instagram", **given))
        with pytest.raises(error):
            await wrong.check()
    if meta.page_id is None:
        meta.subscribed_fields = ["messages"]
        with pytest.raises(Misconfigured, match="comments"):
            await connector.check()
    meta.subscribed = False
    with pytest.raises(Misconfigured, match="subscribed"):
        await connector.check()
    assert not meta.sent


async def test_missed_comments_are_listed(meta: Meta, connector: Instagram) -> None:
    """P6: every comment and reply since the moment, over pages, as the webhook would have brought it; no old one."""
    now = datetime.now(UTC)
    first = meta.posts[0]
    other = meta.publish("Promo kedua")
    for number in range(120):
        meta.commented(f"orang_{number}", f"keluhan {number}", post=first, at=now.timestamp() - number)
    for number in range(60):
        meta.commented("lama", "dari bulan lalu", post=first, at=now.timestamp() - 40 * 86_400 - number)
    top = meta.commented("lama", "Minggu lalu", post=other, at=now.timestamp() - 7 * 86_400)
    meta.commented(SARI, "Balasan baru", post=other, parent=top.id, at=now.timestamp())
    webhook = commented(connector, meta, "Lewat webhook juga", post=other)
    found: list[Message] = []
    async with aclosing(connector.since(now - timedelta(hours=1))) as batches:
        async for batch in batches:
            for raw in batch.keep:
                found += [event for event in connector.parse(raw) if isinstance(event, Message)]
    texts = [message.text for message in found]
    assert sorted(texts) == sorted([*(f"keluhan {n}" for n in range(120)), "Balasan baru", "Lewat webhook juga"])
    again = next(message for message in found if message.text == "Lewat webhook juga")
    assert (again.key, again.thread_refs, to(again)) == (webhook.key, webhook.thread_refs, to(webhook))


async def test_files_are_fetched_without_the_token(meta: Meta, connector: Instagram) -> None:
    """A signed address is enough; one whose time is over is gone; nothing off the list is asked (P22)."""
    content = bytes(range(256)) * 1_000
    media = meta.add_media(content, "image/jpeg", "bukti.jpg")
    attachment = Attachment(kind="image", url=meta.media_address(media))
    assert await fetched(connector, attachment) == content
    meta.media_faults.http(403)
    with pytest.raises(Unreachable):
        await fetched(connector, attachment)
    meta.media.expire_addresses()
    with pytest.raises(Unreachable):
        await fetched(connector, attachment)
    for wrong in ("https://example.com/a.jpg", "http://169.254.169.254/", ""):
        with pytest.raises(Unreachable):
            await fetched(connector, Attachment(url=wrong))


async def fetched(connector: Instagram, attachment: Attachment) -> bytes:
    """The bytes of an attachment."""
    found = bytearray()
    async with aclosing(connector.open(attachment)) as chunks:
        async for chunk in chunks:
            found += chunk
    return bytes(found)
