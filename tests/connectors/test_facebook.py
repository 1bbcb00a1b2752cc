"""Facebook against the simulator: what comes in over the wire, both answers to a comment, what was missed (P6, P8)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Ambiguous, AuthFailed, Refused, Unreachable, WindowClosed
from connectors.facebook import CONNECTOR
from connectors.facebook.parse import Reading, parse
from connectors.meta_messaging import Product
from harness.facebook_page import SARI, TONO, Ours, out, page_of
from harness.serving import MakeSetup, Serve
from normalizer.message import Attachment, Deletion, Delivery, Edit, Ignored, Message, Raw
from simulator.facebook import Facebook as Page
from simulator.place import Attachment as File

HOUR = timedelta(hours=1)
PHOTO = File("bukti.jpg", "image/jpeg", b"\xff\xd8\xff\xe0 invented")


@pytest.fixture
async def ours() -> Ours:
    """Our side."""
    return Ours()


@pytest.fixture
async def page(ours: Ours, serve: Serve, make_setup: MakeSetup) -> AsyncIterator[Page]:
    """Meta's side."""
    async with page_of(ours, serve, make_setup) as page:
        yield page


async def test_a_message_is_answered_and_reported(page: Page, ours: Ours) -> None:
    """The echo brings our key back (A13), `delivery` names our message, a read mark names none and is counted."""
    await page.inject_text(SARI, "Dana saya belum kembali")
    heard = ours.last(Message)
    assert heard.reply is not None
    assert heard.account == ours.facebook.account == page.page_id
    sent = await ours.facebook.send(out(recipient=heard.reply.recipient))
    await page.settled()
    assert page.sent[0].metadata == "aduan:01KDFX3Z5Y.1"
    assert [(e.state, e.provider_id, e.outbox_key) for e in ours.all(Delivery)] == [
        ("sent", sent.provider_id, "01KDFX3Z5Y.1"),
        ("delivered", sent.provider_id, None),
    ]
    assert ours.all(Ignored) == [Ignored(reason="conversation event: read")]
    await page.inject_text(SARI, "terima kasih", reply_to=sent.provider_id)
    assert ours.last(Message).thread_refs[0] == sent.registers[0]


async def test_what_people_and_staff_do(page: Page, ours: Ours) -> None:
    """T22, T23, T33: versions and withdrawals name their message; staff's words and reactions are never complaints."""
    mid = await page.inject_text(SARI, "Dana 5 juta")
    await page.inject_edit(SARI, mid, "Dana 6 juta")
    await page.inject_delete(SARI, mid)
    await page.inject_reaction(SARI, mid)
    await page.inject_staff(SARI, "Kami periksa")
    await page.inject_standby(SARI, "untuk aplikasi lain")
    await page.inject_postback(SARI, "COMPLAINT", "Keluhan")
    await page.inject_quick_reply(SARI, "YA", "Ya")
    await page.inject_feed(item="reaction", verb="add", post_id=next(iter(page.posts)))
    first = ours.all(Message)[0]
    assert ours.last(Edit).message_key == ours.last(Deletion).message_key == first.key
    assert [message.text for message in ours.all(Message)] == ["Dana 5 juta", "Keluhan", "Ya"]
    assert [ignored.reason for ignored in ours.all(Ignored)] == [
        "conversation event: reaction",
        "written by staff in the provider's inbox",
        "standby: another app holds the conversation",
        "feed: reaction",
    ]


async def test_a_comment_gets_both_answers(page: Page, ours: Ours) -> None:
    """One line that everybody reads, one private message; the page's own comment comes back and is no complaint."""
    root = await page.comment(SARI, "Dana saya belum kembali!", name="Sari Wulandari")
    heard = ours.last(Message)
    assert (heard.channel, heard.visibility, heard.sender.name) == ("facebook_comment", "public", "Sari Wulandari")
    assert heard.reply is not None
    recipient = heard.reply.recipient
    line = await ours.facebook.send(out(key="p.1", recipient=recipient, text="Mohon lanjutkan lewat DM", public=True))
    receipt = await ours.facebook.send(out(recipient=recipient))
    await page.settled()
    (answer,) = page.answers
    assert (answer.id, answer.parent_id, answer.text) == (line.provider_id, root, "Mohon lanjutkan lewat DM")
    (private,) = page.sent
    assert (private.id, private.comment_id, private.to) == (receipt.provider_id, root, SARI)
    assert "own comment" in [ignored.reason for ignored in ours.all(Ignored)]
    assert len(ours.all(Message)) == 1


async def test_who_answers_the_private_reply_is_recognized(page: Page, ours: Ours) -> None:
    """Sheet A7: Meta does not promise that commenter and Messenger user have one id; our send's answer names it."""
    page.same_ids = False
    await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    sent = await ours.facebook.send(out(recipient=reply.recipient))
    assert page.sent[0].to != SARI
    await page.inject_text(page.sent[0].to, "Ini bukti transfernya")
    assert set(ours.last(Message).thread_refs) & set(sent.registers)


async def test_whoever_answers_our_line_stays_in_the_thread(page: Page, ours: Ours) -> None:
    """A reply below our public line finds the complaint, when Meta names our line as its parent."""
    root = await page.comment(SARI, "Dana saya belum kembali!")
    first = ours.last(Message)
    assert first.reply is not None
    line = await ours.facebook.send(out(recipient=first.reply.recipient, public=True))
    await page.comment(SARI, "sudah saya kirim", parent=root)
    assert ours.last(Message).thread_refs == first.registers
    await page.put("changes", {"field": "feed", "value": {
        "item": "comment", "verb": "add", "comment_id": "1_999", "post_id": first.post_ref,
        "parent_id": line.provider_id, "from": {"id": SARI}, "message": "halo?", "created_time": int(page.clock()),
    }})  # fmt: skip
    assert ours.last(Message).thread_refs == line.registers


async def test_a_private_text_never_goes_out_in_public(page: Page, ours: Ours) -> None:
    """Whatever the recipient looks like: only a line that is meant to be public is posted, and only below a comment."""
    await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    await ours.facebook.send(out(recipient=reply.recipient))
    assert len(page.answers) == 0
    for wrong in (SARI, "../feed", "me", ""):
        with pytest.raises((Refused, Unreachable)):
            await ours.facebook.send(out(recipient=wrong, public=True))
    for wrong in ("../feed/1", "me/", "1_2?x=/3"):
        with pytest.raises(Unreachable):
            await ours.facebook.send(out(recipient=wrong))
    assert len(page.answers) == 0


@pytest.mark.parametrize("number", [10900, 2534013, 2534014, 2534025])
async def test_a_second_private_reply_counts_as_sent(page: Page, ours: Ours, number: int) -> None:
    """Sheet A7, A13: sources contradict about the number; the comment itself says that the reply was given."""
    page.already_replied = number
    root = await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    page.faults.reset(accepted=True)
    with pytest.raises(Ambiguous):
        await ours.facebook.send(out(recipient=reply.recipient))
    again = await ours.facebook.send(out(recipient=reply.recipient, possible_duplicate=True))
    assert [sent.id for sent in page.sent] == [again.provider_id]
    assert page.sent[0].comment_id == root


async def test_the_same_number_without_a_reply_is_no_success(page: Page, ours: Ours) -> None:
    """P14: one of the contested numbers may mean "no such user"; then nobody was answered, and the next route is."""
    await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    page.faults.code(2534014)
    with pytest.raises(Unreachable):
        await ours.facebook.send(out(recipient=reply.recipient))
    page.faults.code(10900)
    await page.remove_comment(reply.recipient.partition("/")[0])
    assert (await ours.facebook.send(out(recipient=reply.recipient))).provider_id


async def test_what_staff_said_in_private_is_not_our_receipt(page: Page, ours: Ours) -> None:
    """P14: a comment has one private reply; when it was another one, the receipt takes the next route."""
    await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    await ours.facebook.send(out(recipient=reply.recipient, text="Halo, ini petugas"))
    with pytest.raises(Unreachable):
        await ours.facebook.send(out(recipient=reply.recipient))


async def test_a_doubtful_public_line_is_looked_for(page: Page, ours: Ours) -> None:
    """Sheet A13: never a blind second try where everybody reads it."""
    await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    line = out(recipient=reply.recipient, public=True)
    page.faults.reset(accepted=True)
    with pytest.raises(Ambiguous):
        await ours.facebook.send(line)
    for later in (
        {"possible_duplicate": True},
        {"first_attempt_at": datetime.now(UTC) - timedelta(seconds=2)},  # a 5xx is not flagged
    ):
        again = await ours.facebook.send(out(recipient=reply.recipient, public=True, **later))
        assert [answer.id for answer in page.answers] == [again.provider_id]


async def test_whoever_meta_does_not_name_is_answered_too(page: Page, ours: Ours) -> None:
    """Sheet A7: without the permission a comment has no author; both answers need only the comment."""
    page.authors = False
    root = await page.comment(SARI, "Dana saya belum kembali!")
    reply = ours.last(Message).reply
    assert reply is not None
    await ours.facebook.send(out(recipient=reply.recipient, public=True))
    await ours.facebook.send(out(recipient=reply.recipient))
    assert [answer.parent_id for answer in page.answers] == [sent.comment_id for sent in page.sent] == [root]


async def test_windows_close(page: Page, ours: Ours) -> None:
    """P14: 24 hours after a message, 7 days after a comment."""
    await page.inject_text(SARI, "Halo", at=page.clock() - 86_500)
    with pytest.raises(WindowClosed):
        await ours.facebook.send(out())
    await page.comment(TONO, "Halo", at=page.clock() - 7 * 86_400 - 60)
    old = ours.last(Message)
    assert old.reply is not None
    assert old.reply.window_until is not None
    assert old.reply.window_until < datetime.now(UTC)
    with pytest.raises(WindowClosed):
        await ours.facebook.send(out(recipient=old.reply.recipient))


async def test_comments_that_no_webhook_brought_are_listed(page: Page, ours: Ours) -> None:
    """P6, A7: over several pages, nested, photos alone; with the keys, threads and words of a webhook."""
    page.page_size = 2
    root = await page.comment(SARI, "pertama", name="Sari Wulandari")
    await page.comment(SARI, parent=root, photo=PHOTO)
    pushed = ours.all(Message)
    missed = [await page.comment(TONO, f"keluhan {n}", seen=False, name="Tono") for n in range(5)]
    missed.append(await page.comment(TONO, parent=root, photo=PHOTO, seen=False))
    missed.append(await page.comment(SARI, "di pos lain", post=f"{page.page_id}_7", seen=False))
    await page.comment(SARI, "lama", at=page.clock() - 7200, seen=False)
    page.posts[f"{page.page_id}_9"] = page.clock() - 7200
    page.add_comment(page.page_id, page.name, "kami", parent=root, post=None)
    found = [event for event in await ours.listed(datetime.now(UTC) - HOUR) if isinstance(event, Message)]
    assert {each.external_id for each in found} == {*missed, *(each.external_id for each in pushed)}
    by_key = {each.key: each for each in found}
    for each in pushed:
        same = by_key[each.key]
        assert (same.thread_refs, same.text, same.sender, same.reply) == (
            each.thread_refs, each.text, each.sender, each.reply,
        )  # fmt: skip
        assert [a.url for a in same.attachments] == [a.url for a in each.attachments]


async def test_listing_says_when_the_token_is_refused(page: Page, ours: Ours) -> None:
    """A gap that cannot be closed is heard of."""
    page.page_token = "another"
    with pytest.raises(AuthFailed):
        await ours.listed(datetime.now(UTC) - HOUR)


async def test_files_are_fetched_without_the_token(page: Page, ours: Ours) -> None:
    """P22: the address is on another origin, nothing of ours goes along; an expired one is gone for good."""
    await page.inject_file(SARI, PHOTO.content, PHOTO.media_type, filename="bukti.jpg")
    (file,) = ours.last(Message).attachments
    assert await _content(ours, file) == PHOTO.content
    await page.comment(SARI, photo=PHOTO)
    (photo,) = ours.last(Message).attachments
    assert await _content(ours, photo) == PHOTO.content
    page.files.clear()
    for lost in (
        file,
        Attachment(url="https://evil.example/x.jpg"),
        Attachment(url="http://127.0.0.1:22/"),
        Attachment(),
    ):
        with pytest.raises(Unreachable):
            await _content(ours, lost)


async def _content(ours: Ours, file: Attachment) -> bytes:
    async with aclosing(ours.facebook.open(file)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_the_handshake_is_answered(page: Page) -> None:
    """The word is ours; another one gets nothing."""
    assert (await page.handshake()).ok
    assert (await page.handshake(verify_token="guess")).status == 403


PEOPLE = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=12)


@given(written=PEOPLE)
def test_nobody_shares_a_complaint_with_somebody_else(written: list[tuple[int, int]]) -> None:
    """T21: whoever comments below whom, the references of two people never meet."""
    product = Product(object="page", prefix="fb", channel="facebook_dm", window=HOUR)
    changes = [
        {"field": "feed", "value": {
            "item": "comment", "verb": "add", "comment_id": f"1_{n}", "post_id": "9_1",
            "parent_id": f"1_{parent}" if parent else "9_1", "from": {"id": str(author)}, "message": "halo",
        }}
        for n, (author, parent) in enumerate(written, 1)
    ]  # fmt: skip
    body = json.dumps({"object": "page", "entry": [{"id": "9", "changes": changes}]}).encode()
    raw = Raw(channel_id="x", received_at=datetime(2026, 1, 5, 3, 0, tzinfo=UTC), body=body)
    refs: dict[str, str] = {}
    for event in parse(raw, Reading(product=product, window=HOUR)):
        assert isinstance(event, Message)
        for ref in {*event.thread_refs, *event.registers}:
            assert refs.setdefault(ref, event.sender.key) == event.sender.key


def test_facts_differ_under_a_comment() -> None:
    """One private reply within 7 days, nothing tells who read it."""
    comment, message = CONNECTOR.facts.of("facebook_comment"), CONNECTOR.facts.of("facebook_dm")
    assert comment.private_reply.value == "from_comment_once"
    assert (comment.reply_window_hours.value, message.reply_window_hours.value) == (168, 24)
    assert (comment.delivery_reports.value, message.delivery_reports.value) == (False, True)
