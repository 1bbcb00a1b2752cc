"""The pretended mail server, used with IMAPClient and aiosmtplib as a business does."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import imapclient
import pytest

import simulator
from simulator import Attachment, Mail, Mailbox, Weather

CS = "cs@aks.example"
BUDI = "budi@mail.example"


@pytest.fixture
async def mail() -> AsyncIterator[Mail]:
    server = Mail([Mailbox(CS, "imap-pass", "Akseleran"), Mailbox("cs@kla.example", "other", "KlikACC")])
    async with await simulator.start([server]):
        yield server


def fetch_all(mail: Mail, user: str = CS, password: str = "imap-pass") -> list[bytes]:
    """Every mail of the INBOX, as IMAPClient reads it in a thread."""
    with imapclient.IMAPClient("127.0.0.1", mail.imap_port, ssl=False, timeout=10) as client:
        client.login(user, password)
        client.select_folder("INBOX")
        found = client.fetch(client.search(), ["BODY.PEEK[]", "RFC822.SIZE"])
        return [found[uid][b"BODY[]"] for uid in sorted(found)]


async def send(mail: Mail, to: str = BUDI, *, from_: str = CS, text: str = "Laporan diterima", **more: Any) -> Any:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = from_, to, "Tanda terima"
    message["Message-ID"] = "<rcpt.7@aks.example>"
    message.set_content(text)
    return await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=mail.smtp_port,
        username=more.pop("username", CS),
        password=more.pop("password", "imap-pass"),
        start_tls=False,
        timeout=10,
        **more,
    )


async def test_exact_bytes_arrive(mail: Mail) -> None:
    raw = b"From: x@y.example\r\nSubject: =?utf-8?q?uang_saya?=\r\nX-Raw: caf\xe9\r\n\r\nbody \xff\r\n"
    await mail.deliver(raw, to=CS)
    await mail.deliver(b"From: z@y.example\r\n\r\ntwo", to="cs+tag@aks.example")
    assert await asyncio.to_thread(fetch_all, mail) == [raw, b"From: z@y.example\r\n\r\ntwo"]
    assert await asyncio.to_thread(fetch_all, mail, "cs@kla.example", "other") == []


async def test_a_customers_mail_looks_received(mail: Mail) -> None:
    photo = Attachment("bukti.png", "image/png", b"\x89PNG")
    await mail.write(BUDI, CS, "Tagihan ganda", "Saya ditagih dua kali.", name="Budi", attachments=[photo])
    (raw,) = await asyncio.to_thread(fetch_all, mail)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Return-Path"] == f"<{BUDI}>"
    assert message["Authentication-Results"].startswith("mx.simulator.invalid; dkim=pass")
    assert "dmarc=pass" in message["Authentication-Results"]
    assert message["Message-ID"]
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Saya ditagih dua kali."
    assert [part.get_filename() for part in message.iter_attachments()] == ["bukti.png"]


async def test_wrong_password(mail: Mail) -> None:
    with pytest.raises(imapclient.exceptions.LoginError):
        await asyncio.to_thread(fetch_all, mail, CS, "wrong")
    mail.imap.set_password(CS, "rotated")
    assert await asyncio.to_thread(fetch_all, mail, CS, "rotated") == []


async def test_idle_wakes(mail: Mail) -> None:
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_mail() -> list[Any]:
        with imapclient.IMAPClient("127.0.0.1", mail.imap_port, ssl=False, timeout=10) as client:
            client.login(CS, "imap-pass")
            client.select_folder("INBOX")
            client.idle()
            loop.call_soon_threadsafe(ready.set)
            responses: list[Any] = client.idle_check(timeout=5)
            client.idle_done()
            return responses

    waiting = asyncio.create_task(asyncio.to_thread(wait_for_mail))
    await ready.wait()
    await mail.write(BUDI, CS, "Halo", "Halo")
    assert (1, b"EXISTS") in await waiting


async def test_dead_connection_and_restart(mail: Mail) -> None:
    client = await asyncio.to_thread(imapclient.IMAPClient, "127.0.0.1", mail.imap_port, ssl=False, timeout=5)
    await asyncio.to_thread(client.login, CS, "imap-pass")
    mail.imap.drop_connections()
    with pytest.raises((ConnectionError, imapclient.exceptions.IMAPClientAbortError)):
        await asyncio.to_thread(client.noop)
    client.shutdown()
    port = mail.imap_port
    await mail.stop_imap()
    await mail.write(BUDI, CS, "Selama mati", "x")
    await mail.start_imap()
    assert mail.imap_port == port
    assert len(await asyncio.to_thread(fetch_all, mail)) == 1


async def test_recreated_mailbox_has_another_uidvalidity(mail: Mail) -> None:
    def validity() -> Any:
        with imapclient.IMAPClient("127.0.0.1", mail.imap_port, ssl=False, timeout=5) as client:
            client.login(CS, "imap-pass")
            return client.select_folder("INBOX")[b"UIDVALIDITY"]

    before = await asyncio.to_thread(validity)
    mail.imap.recreate(CS)
    assert await asyncio.to_thread(validity) != before


async def test_outbox_is_parsed(mail: Mail) -> None:
    await send(mail, sender="bounces+7@aks.example")
    (sent,) = await mail.outbox.wait()
    assert (sent.subject, sent.text, sent.message_id) == ("Tanda terima", "Laporan diterima", "<rcpt.7@aks.example>")
    assert (sent.mail_from, sent.recipients) == ("bounces+7@aks.example", (BUDI,))


async def test_login_is_needed(mail: Mail) -> None:
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(mail, password="wrong")
    mail.weather = Weather.named("expired-token")
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(mail)
    assert len(mail.outbox) == 0


async def test_scripted_replies(mail: Mail) -> None:
    mail.reply("451 4.7.1 greylisted")
    mail.reply("554 5.7.1 policy")
    for code in (451, 554):
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(mail)
        assert refused.value.code == code
    mail.unknown.add(BUDI)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as unknown:
        await send(mail)
    assert unknown.value.recipients[0].code == 550
    assert len(mail.outbox) == 0


@pytest.mark.parametrize("accepted", [True, False])
async def test_break_after_data(mail: Mail, accepted: bool) -> None:
    mail.drop(accepted=accepted)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(mail)
    assert len(mail.outbox) == int(accepted)
    await send(mail)


async def test_bounce_comes_back_to_the_envelope_sender(mail: Mail) -> None:
    mail.bouncing[BUDI] = "5.1.1"
    await send(mail, sender="bounces+7@aks.example")
    await mail.settled()
    (raw,) = await asyncio.to_thread(fetch_all, mail)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Return-Path"] == "<>"
    assert message.get_content_type() == "multipart/report"
    report = next(part for part in message.walk() if part.get_content_type() == "message/delivery-status")
    fields = str(report)
    assert f"Final-Recipient: rfc822; {BUDI}" in fields
    assert "Action: failed" in fields
    assert "Status: 5.1.1" in fields
    assert b"<rcpt.7@aks.example>" in raw


async def test_mail_between_our_own_mailboxes_arrives(mail: Mail) -> None:
    await send(mail, to="cs@kla.example")
    await mail.settled()
    assert len(await asyncio.to_thread(fetch_all, mail, "cs@kla.example", "other")) == 1


async def test_conversation(mail: Mail) -> None:
    talk = next(each for each in mail.talks() if each.address == CS)
    await talk.say(BUDI, "Uang saya belum kembali", Attachment("a.pdf", "application/pdf", b"%PDF"))
    await send(mail)
    lines = talk.conversation(BUDI)
    assert [(line.mine, line.text) for line in lines] == [
        (True, "Uang saya belum kembali"),
        (False, "Laporan diterima"),
    ]
    assert lines[0].attachments[0].content == b"%PDF"
    assert [each.conversation(BUDI) for each in mail.talks() if each.address != CS] == [[]]


async def test_weather(mail: Mail) -> None:
    mail.weather = Weather.named("rate-limit", seed=1)
    outcomes = []
    for _ in range(12):
        try:
            await send(mail)
            outcomes.append(250)
        except aiosmtplib.SMTPDataError as refused:
            outcomes.append(refused.code)
    assert set(outcomes) == {250, 451}
    mail.weather = Weather.named("duplicates", seed=1)
    for number in range(10):
        await mail.write(BUDI, CS, f"S{number}", "x")
    await mail.settled()
    assert len(await asyncio.to_thread(fetch_all, mail)) > 10


async def test_mailboxes_are_bounded() -> None:
    server = Mail([Mailbox(CS, "p")], keep=5)
    async with await simulator.start([server]):
        for number in range(12):
            await server.deliver(b"Subject: %d\r\n\r\n" % number, to=CS)
        assert await server.imap.count(CS) == 5
        assert (await asyncio.to_thread(fetch_all, server, CS, "p"))[0] == b"Subject: 7\r\n\r\n"
