"""What a mail means: who wrote, to which thread it belongs, and whether it may be answered (A10, RFC 3834)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from connectors.email import charset
from connectors.email.addresses import normal
from connectors.email.parse import parse
from connectors.email.token import Signer, fold
from connectors_email.hostile import ACCOUNT, ADDRESS, AT, SIGNER, html, mail, multipart, plain, whole
from normalizer.message import Event, Ignored, Message, Raw

KEY = "01KCB3T5S8YV0-1"
OURS = SIGNER.message_id(KEY)
TOKEN = SIGNER.token(KEY)
FORGED = OURS[:-30] + "a" + OURS[-29:]


def read(data: bytes, **headers: str) -> Event:
    """The event of one mail."""
    (event,) = parse(Raw(channel_id="c", received_at=AT, body=data, headers=headers), ACCOUNT)
    return event


def message(data: bytes) -> Message:
    """The event of a mail that is a message."""
    event = read(data)
    assert isinstance(event, Message)
    return event


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", None),
        ("Auto-Submitted: no", None),
        ("auto-submitted: NO", None),
        ("AUTO-SUBMITTED: no (a person); x=y", None),
        ("Auto-Submitted: auto-generated", "auto-submitted: auto-generated"),
        ("Auto-Submitted: auto-notified; owner-token=x", "auto-submitted: auto-notified"),
        ("Return-Path: <>", "empty return path"),
        ("Precedence: bulk", "precedence: bulk"),
        ("precedence: LIST", "precedence: list"),
        ("Precedence: junk", "precedence: junk"),
        ("Precedence: first-class", None),
        ("List-Id: <a.b>", "mailing list: list-id"),
        ("List-Unsubscribe: <mailto:x@y>", "mailing list: list-unsubscribe"),
        ("X-Auto-Response-Suppress: All", "x-auto-response-suppress: all"),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", "x-auto-response-suppress: autoreply"),
        ("X-Auto-Response-Suppress: DR, RN, NRN", None),
        ("X-Auto-Response-Suppress: None", None),
        ("Feedback-Type: abuse", "feedback report"),
        ("X-Spam-Flag: YES", "marked as spam"),
        ("X-Spam-Flag: NO", None),
        ("X-Aduan-Loop: ofanotherinstallation", "answer of another complaint system"),
        ("Subject: Out of Office: Keluhan", "subject of an automatic reply"),
        ("Subject: Balasan Otomatis", "subject of an automatic reply"),
        ("X-Autoreply: no", None),
    ],
)
def test_who_gets_no_receipt(header: str, reason: str | None) -> None:
    """Stored as a complaint all the same (RFC 3834 section 2, T34)."""
    found = message(mail(more=f"{header}\r\n".encode() if header else b""))
    assert found.no_receipt == reason
    assert found.text == "Dana saya belum kembali."


@pytest.mark.parametrize(
    "sender",
    [
        "noreply@contoh.example", "No-Reply <no-reply@contoh.example>", "do_not_reply+x@contoh.example",
        "MAILER-DAEMON@contoh.example", "postmaster@contoh.example", "bounces-7=a@lists.example",
    ],
)  # fmt: skip
def test_a_sender_nobody_reads_gets_no_receipt(sender: str) -> None:
    assert message(mail(sender=sender)).no_receipt == "sender cannot be answered"


def test_mail_that_is_not_addressed_to_us_gets_no_receipt() -> None:
    data = mail().replace(f"To: {ADDRESS}".encode(), b"To: lain@contoh.example")
    assert message(data).no_receipt == "not addressed to us"
    assert (
        message(mail(start=f"Cc: X <{ADDRESS.upper()}>\r\n".encode()).replace(b"\r\nTo: cs", b"\r\nTo: x")).no_receipt
        is None
    )
    tagged = mail().replace(b"To: cs@", b"To: cs+apa@")
    assert message(tagged).no_receipt is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Auto-Submitted: auto-replied", "auto-reply"),
        ("Auto-submitted: AUTO-REPLIED (vacation); owner-email=x", "auto-reply"),
        ("X-Autoreply: yes", "auto-reply"),
        ("X-Autorespond: 1", "auto-reply"),
        ("Precedence: auto_reply", "auto-reply"),
        ("Auto-Submitted: auto-generated\r\nSubject: Automatic reply: x", "auto-reply"),
        (f"Message-ID: {OURS}", "own mail"),
        (f"X-Aduan-Loop: {SIGNER.loop_mark()}", "own mail"),
    ],
)
def test_what_machines_and_we_ourselves_wrote_is_ignored(header: str, reason: str) -> None:
    assert read(mail(more=f"{header}\r\n".encode())) == Ignored(reason=reason)


def test_our_own_address_is_ignored() -> None:
    assert read(mail(sender=f"Kami <{ADDRESS.upper()}>")) == Ignored(reason="own mail")
    assert read(mail(sender=f"cs+{TOKEN}@akseleran.example")) == Ignored(reason="own mail")


def test_threads_in_their_order() -> None:
    """Our signed token first, then In-Reply-To, then References from the newest on."""
    refs = f"In-Reply-To: <b@x>\r\nReferences: <a@x> {OURS} <b@x>\r\n".encode()
    assert message(mail(more=refs)).thread_refs == (f"mid:{OURS}", "mid:<b@x>", "mid:<a@x>")
    to_tag = mail().replace(b"To: cs@", f"To: cs+{TOKEN.upper()}@".encode())
    assert message(to_tag).thread_refs == (f"mid:{OURS}",)
    delivered = mail(start=f"Delivered-To: cs+{TOKEN}@akseleran.example\r\n".encode())
    assert message(delivered).thread_refs == (f"mid:{OURS}",)


@pytest.mark.parametrize("forged", [FORGED, OURS.replace("rcpt.01", "rcpt.02"), "<rcpt.1@akseleran.example>"])
def test_an_unsigned_id_of_ours_leads_nowhere(forged: str) -> None:
    """CVE-2026-47123: the signature is checked, not only written."""
    found = message(mail(more=f"In-Reply-To: {forged}\r\nReferences: {forged} <a@x>\r\n".encode()))
    assert found.thread_refs == ("mid:<a@x>",)
    assert "forged_thread_token" in found.flags


def test_a_token_of_another_organisation_is_wrong() -> None:
    other = msgspec.structs.replace(SIGNER, organisation="klikacc")
    assert SIGNER.check(other.message_id(KEY)) is None
    assert other.check(OURS) is None
    assert Signer(secret=bytes(32), organisation="akseleran", domain="akseleran.example").check(OURS) is None


@pytest.mark.parametrize("key", ["01KCB3T5S8YV0-1", "r-1", "a.b", "a:b", "MiXed", "b32-x", "é", "x" * 80, ""])
def test_tokens_survive_a_change_of_case(key: str) -> None:
    assert SIGNER.check(SIGNER.message_id(key).upper()) == SIGNER.message_id(key)
    assert SIGNER.check(SIGNER.token(key).upper()) == SIGNER.message_id(key)


def test_keys_never_share_a_token() -> None:
    keys = ["A", "b", "Ab", "aB", "a.b", "a:b", "a b", "b32-IFRA", "B32-IFRA", "", "é"]
    assert len({fold(key) for key in keys}) == len(keys)


def test_a_number_in_the_subject_is_only_a_hint() -> None:
    """P28: a guessed or leaked number never threads."""
    found = message(mail(more=b"Subject: Re: [KLA-20260105-000123-7] Tanda terima\r\n"))
    assert found.thread_refs == ()
    assert set(found.flags) == {"possible_follow_up", "ticket:KLA-20260105-000123-7"}
    threaded = message(mail(more=f"Subject: [KLA-20260105-000123-7]\r\nIn-Reply-To: {OURS}\r\n".encode()))
    assert threaded.flags == ("ticket:KLA-20260105-000123-7",)
    assert message(mail(more=b"Subject: [penting] pinjaman 123456\r\n")).flags == ()


def test_the_reply_continues_the_thread() -> None:
    refs = " ".join(f"<{n}@x>" for n in range(30))
    found = message(mail(more=f"Message-ID: <own@x>\r\nReferences: {refs}\r\n".encode()))
    assert found.reply is not None
    assert found.reply.recipient == "budi@contoh.example"
    assert found.reply.in_reply_to == "<own@x>"
    assert found.reply.references == (*(f"<{n}@x>" for n in range(21, 30)), "<own@x>")
    assert found.registers == ("mid:<own@x>",)
    assert len(found.thread_refs) == 10


def test_the_answer_goes_to_from_and_never_to_reply_to() -> None:
    found = message(mail(more=b"Reply-To: lain@evil.example\r\n"))
    assert found.reply is not None
    assert found.reply.recipient == "budi@contoh.example"
    assert "reply_to_differs" in found.flags


def test_the_clock_of_the_sender_does_not_count() -> None:
    """R10: the arrival at the server, whatever the Date header says (T11)."""
    assert message(mail().replace(b"2026", b"1999")).sent_at == AT


def test_the_same_mail_in_two_mailboxes_has_one_key() -> None:
    one = mail(start=b"Delivered-To: cs@akseleran.example\r\n", more=b"Message-ID: <m@x>\r\n")
    two = mail(
        start=b"Received: by other\r\nDelivered-To: support@akseleran.example\r\n", more=b"Message-ID: <m@x>\r\n"
    )
    assert message(one).key == message(two.replace(b"\r\n", b"\n")).key
    other = mail("Lain.", more=b"Message-ID: <m@x>\r\n")
    assert message(other).key != message(one).key
    assert message(mail()).key != message(mail("Lain.")).key
    account = msgspec.structs.replace(ACCOUNT, organisation="klikacc")
    (elsewhere,) = parse(Raw(channel_id="c", received_at=AT, body=one), account)
    assert isinstance(elsewhere, Message)
    assert elsewhere.key != message(one).key, "each organisation has its own complaint"


@pytest.mark.parametrize(
    ("results", "verified"),
    [
        (["mx.akseleran.example; dmarc=pass header.from=contoh.example"], True),
        (["MX.Akseleran.Example 1; spf=fail; dmarc=pass (p=none) header.from=Contoh.Example"], True),
        (["mx.akseleran.example; dmarc=fail header.from=contoh.example"], False),
        (["mx.akseleran.example; dmarc=pass header.from=other.example"], False),
        (["mx.akseleran.example; dmarc=pass header.from=sub.contoh.example"], False),
        (["evil.example; dmarc=pass header.from=contoh.example"], False),
        (["mx.akseleran.example.evil.example; dmarc=pass header.from=contoh.example"], False),
        (["mx.akseleran.example; none (dmarc=pass header.from=contoh.example)"], False),
        (['mx.akseleran.example; x="dmarc=pass header.from=contoh.example"'], False),
        (["mx.akseleran.example; spf=pass", "mx.akseleran.example; dmarc=pass header.from=contoh.example"], True),
        (
            [
                "mx.akseleran.example; dmarc=fail header.from=contoh.example",
                "mx.akseleran.example; dmarc=pass header.from=contoh.example",
            ],
            False,
        ),
        (["mx.akseleran.example; dkim=pass header.d=contoh.example"], False),
        ([], False),
    ],
)
def test_only_our_own_server_vouches(results: list[str], verified: bool) -> None:
    start = b"".join(f"Authentication-Results: {r}\r\n".encode() for r in results)
    assert message(mail(start=start)).sender.verified is verified
    if verified:
        account = msgspec.structs.replace(ACCOUNT, authserv_id=None)
        (event,) = parse(Raw(channel_id="c", received_at=AT, body=mail(start=start)), account)
        assert isinstance(event, Message)
        assert not event.sender.verified, "nothing is believed unless the operator names the server"


@pytest.mark.parametrize(
    ("sender", "email", "name", "flag"),
    [
        ("budi@contoh.example", "budi@contoh.example", None, None),
        ('"Santoso, Budi" <Budi@Contoh.Example>', "Budi@contoh.example", "Santoso, Budi", None),
        ("=?utf-8?q?Budi_=E2=98=BA?= <b@x.example>", "b@x.example", "Budi ☺", None),
        ("b@x.example (Budi)", "b@x.example", None, None),
        ("Grup: a@x.example, b@x.example;", "a@x.example", None, "multiple_from"),
        ("<@relay.example:b@x.example>", "b@x.example", None, None),
        ('"ceo@bank.example" <b@evil.example>', "b@evil.example", "ceo@bank.example", "display_name_address"),
        ("b@bücher.example", "b@xn--bcher-kva.example", None, "idn_domain"),
        ("b@аkseleran.example", "b@xn--kseleran-q3a.example", None, "confusable_domain"),
        ("bukan alamat", None, "bukan alamat", None),
        ("a@b@c d", None, None, None),
    ],
)
def test_senders(sender: str, email: str | None, name: str | None, flag: str | None) -> None:
    found = message(mail(sender=sender))
    if flag == "confusable_domain":
        assert found.sender.email is not None
        assert found.sender.email.startswith("b@xn--")
    else:
        assert found.sender.email == email
    if email:
        assert found.sender.name == name
        assert found.sender.key == f"mailto:{(found.sender.email or '').lower()}"
    else:
        assert found.no_receipt == "no sender address"
        assert found.reply is None
    assert (flag is None) or (flag in found.flags)


def test_senders_without_address_are_not_one_person() -> None:
    assert message(mail("a", sender="x")).sender.key != message(mail("b", sender="x")).sender.key


@pytest.mark.parametrize(
    "value", ["a b@c.d", "a@", "@b.c", "a@b..c", "a@-", "a@b.c\r\nX: y", "a@b c", "a" * 65 + "@b.c"]
)
def test_no_addresses(value: str) -> None:
    assert normal(value) == ""


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("Rp 5.000 – é".encode(), "utf-8", "Rp 5.000 – é"),
        ("é –".encode(), "iso-8859-1", "é –"),
        ("é –".encode(), "us-ascii", "é –"),
        ("é –".encode(), None, "é –"),
        ("prêt – ’".encode("cp1252"), "iso-8859-1", "prêt – ’"),
        ("prêt".encode("cp1252"), "utf-8", "prêt"),
        ("prêt".encode("cp1252"), "klingon", "prêt"),
        ("Привет, где мои деньги".encode("koi8-r"), None, "Привет, где мои деньги"),
        ("Привет, где мои деньги".encode("cp1251"), "x-unknown", "Привет, где мои деньги"),
        ("Привет".encode("koi8-r"), "koi8-r", "Привет"),
        ("苦情です".encode("iso-2022-jp"), "iso-2022-jp", "苦情です"),
        ("苦情です".encode("shift_jis"), "Shift_JIS", "苦情です"),
        ("投诉".encode("gb18030"), "gb2312", "投诉"),
        ("投訴".encode("big5"), "big5", "投訴"),
        ("halo é".encode("utf-16"), "utf-16", "halo é"),
        ("halo".encode("utf-16-le"), "utf-16le", "halo"),
        ("\ufeffhalo".encode(), "utf-8", "halo"),
        (b"a\x00b\x1b[31mc", "utf-8", "ab[31mc"),
        (b"a\r\nb\rc", "utf-8", "a\nb\nc"),
    ],
)  # fmt: skip
def test_charsets(data: bytes, label: str | None, text: str) -> None:
    assert charset.decode(data, label)[0] == text


def test_attachments_survive_eight_bit_neighbours() -> None:
    """T16: bytes are never decoded before they are parted."""
    content = bytes(range(256)) * 4
    part = b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + content
    found = message(whole(multipart("mixed", [b"Content-Type: text/plain; charset=utf-8\r\n\r\nhalo \xff", part])))
    assert found.attachments[0].content == content
    assert found.attachments[0].size == 1024


def test_many_attachments_are_all_kept() -> None:
    """T15: none of 60 files is dropped."""
    parts = [f"Content-Type: image/png; name={n}.png\r\n\r\n{n}".encode() for n in range(60)]
    found = message(whole(multipart("mixed", [b"\r\nhalo", *parts])))
    assert [a.name for a in found.attachments] == [f"{n}.png" for n in range(60)]
    assert {a.kind for a in found.attachments} == {"image"}


def test_beyond_the_parts_that_are_read_stands_a_note() -> None:
    found = message(whole(multipart("mixed", [b"Content-Type: image/png\r\n\r\nx"] * 300)))
    assert len(found.attachments) == 200
    assert found.attachments[-1].error is not None


def test_plain_text_is_preferred_unless_it_is_blank() -> None:
    both = [b"Content-Type: text/plain\r\n\r\nbiasa", b"Content-Type: text/html\r\n\r\n<p>kaya</p>"]
    assert message(whole(multipart("alternative", both))).text == "biasa"
    blank = [b"Content-Type: text/plain\r\n\r\n \xc2\xa0\r\n", both[1]]
    assert message(whole(multipart("alternative", blank))).text == "kaya"
    assert message(html("<p>kaya</p>")).text == "kaya"


def test_the_whole_text_is_kept_quotes_included() -> None:
    """Pain 31: nothing is cut off here; folding is for the reader."""
    text = "Jawaban saya.\n\nPada Sen, 5 Jan 2026 CS menulis:\n> Halo\n> Budi\n\nSaya lanjut di bawah."
    assert message(mail(text)).text == text


def test_flowed_text_is_joined() -> None:
    found = message(plain(b"Satu \r\ndua.\r\n> kutipan \r\n> lagi\r\n-- \r\nBudi", "utf-8; format=flowed"))
    assert found.text == "Satu dua.\n> kutipan\n> lagi\n--\nBudi"


def test_an_oversized_mail_is_kept_as_far_as_it_came() -> None:
    event = read(mail("Halo."), **{"x-full-size": "99000000"})
    assert isinstance(event, Message)
    assert "truncated" in event.flags
    assert event.attachments[0].size == 99_000_000


def test_times_are_utc() -> None:
    assert message(mail()).sent_at == datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
