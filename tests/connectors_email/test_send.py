"""Handing in answers: headers that nobody can inject, and what each answer of the server means (A11, P25-P27)."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from connectors.email import CONNECTOR, Email
from connectors.email.compose import Origin, compose
from connectors.errors import Ambiguous, AuthFailed, ConnectorError, Refused, Unavailable, Unreachable
from connectors_email.kit import ADDRESS, NOW, SECRET, settings
from connectors_email.servers import Postbox, free_port, server_context
from normalizer.message import File, Ignored, Message, Outgoing, Raw

Build = Callable[..., Email]
OUT = Outgoing(
    key="01KCB3T5S8YV0-1",
    recipient="budi@contoh.example",
    text="Pengaduan Anda kami terima.\nNomor: AKS-20260105-000123-7 — simpan surat ini.\n",
    subject="[AKS-20260105-000123-7] Tanda Bukti Terima Pengaduan / Complaint receipt",
    in_reply_to="<own@contoh.example>",
    references=tuple(f"<{n}@contoh.example>" for n in range(20)),
)
ORIGIN = Origin(
    secret=SECRET, organisation="akseleran", domain="akseleran.example", address=ADDRESS, display_name="Akseleran"
)


def mailbox(postbox: Postbox, **more: Any) -> Any:
    """Settings that lead to `postbox`."""
    return settings(smtp={"port": postbox.port, **more.pop("smtp", {})}, **more)


def read(data: bytes) -> EmailMessage:
    """What another program reads in `data`."""
    found = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


async def test_a_receipt_as_its_receiver_sees_it(postbox: Postbox, build: Build) -> None:
    connector = build(mailbox(postbox, display_name="Akseleran – Pengaduan"))
    pdf = File(name="tanda terima – 7.pdf", mime="application/pdf", content=bytes(range(256)) * 20)
    sent = await connector.send(msgspec.structs.replace(OUT, files=(pdf,)))
    (taken,) = postbox.taken
    assert isinstance(taken.content, bytes)
    found = read(taken.content)
    assert found["From"] == f"Akseleran – Pengaduan <{ADDRESS}>"
    assert found["To"] == "budi@contoh.example"
    assert found["Subject"] == OUT.subject
    assert found["Message-ID"] == sent.provider_id
    assert found["In-Reply-To"] == "<own@contoh.example>"
    assert found["References"].split() == [*(f"<{n}@contoh.example>" for n in range(11, 20)), "<own@contoh.example>"]
    assert found["Auto-Submitted"] == "auto-replied"
    assert found["X-Auto-Response-Suppress"] == "All"
    assert found["Reply-To"] is None
    assert "Bcc" not in found
    body = found.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == OUT.text
    (attached,) = found.iter_attachments()
    assert attached.get_filename() == pdf.name
    assert attached.get_content() == pdf.content
    assert (taken.mail_from, taken.rcpt_tos) == (ADDRESS, ["budi@contoh.example"])
    assert sent.registers == (f"mid:{sent.provider_id}",)
    assert sent.provider_id.startswith("<rcpt.01kcb3t5s8yv0-1.")
    assert sent.at == NOW
    assert max(map(len, taken.content.split(b"\r\n"))) <= 998


async def test_a_retry_keeps_its_id(postbox: Postbox, build: Build) -> None:
    """Sheet A13: receivers drop a repeat by its Message-ID, whichever process sends it."""
    first = await build(mailbox(postbox)).send(OUT)
    again = await build(mailbox(postbox)).send(msgspec.structs.replace(OUT, possible_duplicate=True))
    other = await build(mailbox(postbox)).send(msgspec.structs.replace(OUT, key="01KCB3T5S8YV0-2"))
    assert first.provider_id == again.provider_id != other.provider_id


async def test_answers_find_their_way_back(postbox: Postbox, build: Build) -> None:
    """What we send, answered, bounced or looped back, is recognised by its signed token."""
    connector = build(mailbox(postbox, plus_addressing=True))
    sent = await connector.send(OUT)
    taken = postbox.taken[0]
    assert isinstance(taken.content, bytes)
    found = read(taken.content)
    assert found["Reply-To"] == taken.mail_from != ADDRESS
    assert isinstance(taken.mail_from, str)
    assert taken.mail_from.startswith("cs+")

    def event(data: str | bytes) -> Any:
        body = data.encode() if isinstance(data, str) else data
        return connector.parse(Raw(channel_id="c", received_at=NOW, body=body))[0]

    assert event(taken.content) == Ignored(reason="own mail")
    answer = event(f"From: b@x.example\r\nTo: {found['Reply-To']}\r\nMessage-ID: <1@x.example>\r\n\r\nTerima kasih.")
    assert isinstance(answer, Message)
    assert answer.thread_refs == sent.registers
    assert answer.no_receipt is None


HOSTILE_HEADERS = [
    "a\r\nBcc: evil@x.example",
    "a\nBcc: evil@x.example",
    "a\rBcc: evil@x.example",
    "=?utf-8?q?a=0d=0aBcc:_evil=40x?=",
    "=?utf-8?b?YQ0KQmNjOiBldmlsQHguZXhhbXBsZQ==?=",
    "=?UTF-8*id?Q?a=0ABcc:_x?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0d=3D0aBcc=3A_x=3F=3D?=",
    "a\0b",
    "a\x1b[31m",
    "a\x85Bcc: x",
    "a\x9bb",
    "a\u2028Bcc: x",
    "\ud800",
]


@pytest.mark.parametrize("value", HOSTILE_HEADERS)
@pytest.mark.parametrize("where", ["subject", "recipient", "in_reply_to", "references", "file"])
async def test_headers_cannot_be_injected(value: str, where: str, postbox: Postbox, build: Build) -> None:
    """P27: on this very Python, whose own e-mail library turns an encoded subject into a real Bcc."""
    given: dict[str, dict[str, Any]] = {
        "subject": {"subject": value},
        "recipient": {"recipient": value},
        "in_reply_to": {"in_reply_to": value},
        "references": {"references": (value,)},
        "file": {"files": (File(name=value, mime="application/pdf", content=b"x"),)},
    }
    with pytest.raises((Refused, Unreachable)):
        await build(mailbox(postbox)).send(msgspec.structs.replace(OUT, **given[where]))
    assert postbox.taken == []


@hypothesis(max_examples=200, deadline=None)
@given(
    subject=st.text(max_size=120), name=st.text(max_size=60), mime=st.text(max_size=30), text=st.text(max_size=200),
    ids=st.lists(st.text(max_size=30), max_size=4),
)  # fmt: skip
def test_whatever_is_said_the_headers_stay_ours(subject: str, name: str, mime: str, text: str, ids: list[str]) -> None:
    """Either it is refused, or exactly our headers stand there and the subject comes out as it went in."""
    out = msgspec.structs.replace(
        OUT, subject=subject, text=text, references=tuple(ids), files=(File(name=name, mime=mime, content=b"x"),)
    )
    try:
        data = compose(out, ORIGIN, NOW)
    except Refused:
        return
    head = data.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    allowed = {
        b"from", b"to", b"subject", b"date", b"message-id", b"auto-submitted", b"x-auto-response-suppress",
        b"x-aduan-loop", b"mime-version", b"in-reply-to", b"references", b"content-type",
    }  # fmt: skip
    assert len(names) == len(set(names))
    assert set(names) <= allowed
    assert head.isascii()
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    from connectors.email.headers import decode_words

    raw = next(part for part in head.replace(b"\r\n ", b" ").split(b"\r\n") if part.startswith(b"Subject: "))
    assert decode_words(raw[9:].decode(), 200)[0].strip() == subject.encode("utf-8", "replace").decode().strip()


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("MAIL", "451 4.3.0 later", Unavailable),
        ("MAIL", "452 4.3.1 no space", Unavailable),
        ("MAIL", "550 5.7.1 sender not allowed", Refused),
        ("MAIL", "530 5.7.0 login first", AuthFailed),
        ("RCPT", "450 4.2.0 greylisted", Unavailable),
        ("RCPT", "452 4.2.2 mailbox full", Unavailable),
        ("RCPT", "550 5.1.1 no such user", Unreachable),
        ("RCPT", "550 no such user", Unreachable),
        ("RCPT", "553 no such user", Unreachable),
        ("RCPT", "552 5.2.2 mailbox full", Unreachable),
        ("RCPT", "550 5.7.1 blocked by policy", Refused),
        ("RCPT", "554 5.7.1 relay denied", Refused),
        ("DATA", "451 4.7.1 later", Unavailable),
        ("DATA", "421 4.7.0 too many", Unavailable),
        ("DATA", "552 5.3.4 too large", Refused),
        ("DATA", "554 5.7.1 looks like spam", Refused),
        ("DATA", "550 5.1.1 no such user after all", Unreachable),
    ],
)
async def test_what_the_server_says(
    command: str, answer: str, error: type[ConnectorError], postbox: Postbox, build: Build
) -> None:
    connector = build(mailbox(postbox))
    postbox.answers[command] = [answer]
    with pytest.raises(error) as caught:
        await connector.send(OUT)
    assert "contoh.example" not in str(caught.value)
    assert (await connector.send(OUT)).provider_id, "the next mail goes through"
    assert len(postbox.taken) == 1


async def test_no_answer_after_the_mail_is_ambiguous(postbox: Postbox, build: Build) -> None:
    postbox.delay = 1.5
    connector = build(mailbox(postbox, smtp={"timeout_seconds": 0.4}))
    with pytest.raises(Ambiguous):
        await connector.send(OUT)
    await asyncio.sleep(1.3)


async def test_nobody_there(build: Build) -> None:
    with pytest.raises(Unavailable):
        await build(settings(smtp={"port": free_port()})).send(OUT)


async def test_a_connection_closed_while_idle_is_no_loss(
    postbox: Postbox, build: Build, lay_cable: Callable[[int], Any]
) -> None:
    cable = await lay_cable(postbox.port)
    connector = build(settings(smtp={"port": cable.port}))
    await connector.send(OUT)
    cable.cut()
    await connector.send(OUT)
    assert len(postbox.taken) == 2
    assert cable.accepted == 2


async def test_connections_are_few_and_used_again(postbox: Postbox, build: Build) -> None:
    connector = build(mailbox(postbox, smtp={"connections": 3}))
    outs = [msgspec.structs.replace(OUT, key=f"r-{n}") for n in range(60)]
    sent = await asyncio.gather(*map(connector.send, outs))
    assert len({s.provider_id for s in sent}) == len(postbox.taken) == 60
    assert 1 <= len(postbox.sessions) <= 3


async def test_what_is_too_long_or_no_address_never_reaches_the_server(postbox: Postbox, build: Build) -> None:
    connector = build(mailbox(postbox))
    limit = CONNECTOR.facts.max_text.value
    with pytest.raises(Refused):
        await connector.send(msgspec.structs.replace(OUT, text="x" * (limit + 1)))
    for recipient in ("+6281200000001", "a b@c.example", "budi", "", "a@b.example, c@d.example", "<a@b.example>"):
        with pytest.raises(Unreachable):
            await connector.send(msgspec.structs.replace(OUT, recipient=recipient))
    assert postbox.taken == []


async def test_addresses_beyond_ascii(postbox: Postbox, build: Build) -> None:
    connector = build(mailbox(postbox))
    await connector.send(msgspec.structs.replace(OUT, recipient="budi@bücher.example"))
    await connector.send(msgspec.structs.replace(OUT, recipient="büdi@bücher.example"))
    assert [e.rcpt_tos for e in postbox.taken] == [["budi@xn--bcher-kva.example"], ["büdi@xn--bcher-kva.example"]]


# aiosmtpd warns of what is tested here on purpose: a login without TLS, on loopback.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_login(start_smtp: Callable[..., Postbox], build: Build) -> None:
    from connectors_email.servers import authenticate

    postbox = start_smtp(authenticator=authenticate, auth_required=True, auth_require_tls=False)
    good = {"user": "pengirim", "password": "rahasia-smtp"}
    connector = build(mailbox(postbox, smtp=good))
    await connector._relay.check()
    await connector.send(OUT)
    assert len(postbox.taken) == 1
    with pytest.raises(AuthFailed) as caught:
        await build(mailbox(postbox, smtp={**good, "password": "bukan-ini"})).send(OUT)
    assert "bukan-ini" not in str(caught.value)
    with pytest.raises(AuthFailed):
        await build(mailbox(postbox)).send(OUT)


async def test_tls_is_never_left_out(
    start_smtp: Callable[..., Postbox], build: Build, certificate: tuple[Any, Any]
) -> None:
    """T13: no STARTTLS on offer, or a certificate that is not trusted, and nothing is sent."""
    ca = {"ca_file": str(certificate[0])}
    plain = start_smtp()
    with pytest.raises(Unavailable):
        await build(mailbox(plain, smtp={"tls": "starttls", **ca})).send(OUT)
    assert plain.taken == []
    offered = start_smtp(tls_context=server_context(certificate), require_starttls=True)
    await build(mailbox(offered, smtp={"tls": "starttls", **ca})).send(OUT)
    with pytest.raises(Unavailable):
        await build(mailbox(offered, smtp={"tls": "starttls"})).send(OUT)
    assert len(offered.taken) == 1
    implicit = start_smtp(ssl_context=server_context(certificate))
    await build(mailbox(implicit, smtp={"tls": "implicit", **ca})).send(OUT)
    assert len(implicit.taken) == 1
