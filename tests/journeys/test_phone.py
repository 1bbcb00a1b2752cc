"""A complaint enters by telephone: the caller hears number and date, the recording lies with the ticket (K6, A6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors_voice.kit import read_back
from harness import Aduan, start_aduan, until
from harness.customer import drained, ticket
from harness.settings import only
from simulator.sms import Sms
from simulator.twilio_voice import Key, Silence, Speech, TwilioVoice
from simulator.twilio_voice.calls import Act, Call, recording, speech

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"klikacc": ("phone",), "akseleran": ("phone",)}
SARI = "+6281200000001"
#: The receipt also goes out by SMS here.
SMS = "klikacc-sms"
CHANNELS = {"klikacc": "klikacc-phone", "akseleran": "akseleran-phone"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """KlikACC and Akseleran on the telephone."""
    async with start_aduan(tmp_path_factory.mktemp("phones"), only(*CHANNELS.values(), SMS)) as running:
        yield running


def line_of(aduan: Aduan, slug: str = "akseleran") -> TwilioVoice:
    """The pretended number of an institution."""
    name = aduan.installation.organisations[slug].name
    (line,) = (each for each in aduan.simulation.providers if isinstance(each, TwilioVoice) and each.name == name)
    return line


def heard_number(call: Call, language: str = "id") -> str:
    """The ticket number that the voice read out, twice the same."""
    first, second = read_back(call, "en" if language == "en" else "id")
    assert first == second
    prefix, day, sequence, check = first[:3], first[3:11], first[11:-1], first[-1]
    return f"{prefix}-{day}-{sequence}-{check}"


def complains(words: str = "Dana saya belum cair", *, language: str = "1", message: str = "2") -> list[Act]:
    """What a caller does who complains and confirms."""
    return [Key(language), Key(message), speech(words), Key("1"), Silence()]


@pytest.mark.parametrize("slug", CHANNELS)
async def test_an_oral_complaint_is_confirmed_in_the_call(phones: Aduan, slug: str) -> None:
    """K6, A6, section 8: oral, numbered at once, number and date read out; the recording is kept with the ticket."""
    line = line_of(phones, slug)
    call = await line.dial(SARI, complains())
    view = ticket(phones, heard_number(call))
    assert view.complaint.tenant == slug
    assert view.complaint.channel == "phone"
    assert view.complaint.form == "oral"
    assert view.complaint.complainant.phone == SARI
    assert not view.complaint.complainant.verified
    close = "17" if slug == "klikacc" else "18"
    assert f"pukul 9 sampai pukul {close} Waktu Indonesia Barat" in call.heard
    counts = re.search(r"dihitung diterima mulai \w+, (\d+) ", call.heard)
    effective = view.complaint.effective_received_date
    assert (
        effective.day == int(counts[1]) if counts else effective.isoformat() in view.complaint.received_at.isoformat()
    )
    (file,) = view.attachments
    assert file.name_safe is not None
    await until(lambda: ticket(phones, view.ticket.ticket_number).attachments[0].status == "stored")
    (kept,) = call.recordings
    assert ticket(phones, view.ticket.ticket_number).attachments[0].sha256 == hashlib.sha256(kept.content).hexdigest()
    await drained(phones)
    assert [task.kind for task in ticket(phones, view.ticket.ticket_number).tasks if not task.closed_at] == [
        "needs_agent"
    ]


@pytest.mark.parametrize(("key", "texts"), [("1", 1), ("", 1), ("2", 0)])
async def test_the_receipt_follows_to_the_number_that_called(phones: Aduan, key: str, texts: int) -> None:
    """K6, section 8: number and date read out, then a message; who refuses it gets none, and nobody is bothered."""
    (sms,) = (each for each in phones.simulation.providers if isinstance(each, Sms))
    sms.time_scale = 0.001
    line, caller = line_of(phones, "klikacc"), f"+628130000000{ord(key or '0')}"
    call = await line.dial(caller, [Key("1"), Key(key) if key else Silence(), speech("Tagihan"), Key("1"), Silence()])
    number = heard_number(call)
    if texts:
        (sent,) = await until(lambda: [each.text for each in sms.sent if f"+{each.to}" == caller])
        assert number in sent
        await until(lambda: ticket(phones, number).complaint.receipts[0].state == "delivered")
    else:
        await line.settled()
        await drained(phones)
        (row,) = ticket(phones, number).outbox
        assert (row.state, row.reason) == ("suppressed", "handed_over")
        assert not [each for each in sms.sent if f"+{each.to}" == caller]


@pytest.mark.parametrize(
    ("acts", "heard"),
    [
        ([speech("Tagihan")], False),
        ([Speech(b"ID3 x", 3.0, "hangup")], False),
        ([speech("Tagihan"), Key("2"), speech("Tagihan ganda")], False),
        ([speech("Tagihan"), Key("1")], True),
        ([speech("Tagihan"), Key("1"), Key("1"), Silence()], True),
    ],
)
async def test_a_number_that_nobody_heard_is_a_persons_task(phones: Aduan, acts: list[Act], heard: bool) -> None:
    """K2, section 8: a receipt is handed over when the voice read it out to the end, not when a ticket was made."""
    line = line_of(phones)
    before = set(phones.ticket_numbers())
    await line.dial(SARI, [Key("1"), Key("2"), *acts])
    await line.settled()
    await drained(phones)
    (number,) = set(phones.ticket_numbers()) - before
    view = ticket(phones, number)
    (row,) = view.outbox
    assert (row.state, row.reason) == ("suppressed", "handed_over" if heard else "no_route")
    todo = [task.kind for task in view.tasks if task.closed_at is None]
    assert sorted(todo) == (["needs_agent"] if heard else ["needs_agent", "no_route"])


async def test_a_forged_caller_id_does_not_ring_at_a_stranger_for_ever(phones: Aduan) -> None:
    """P26, section 8: every call is a sender of its own, but the texts go to one number: at most three in a day."""
    (sms,) = (each for each in phones.simulation.providers if isinstance(each, Sms))
    sms.time_scale = 0.001
    line, stranger = line_of(phones, "klikacc"), "+6281300000099"
    numbers = [heard_number(await line.dial(stranger, complains(message="1"))) for _ in range(4)]
    await drained(phones)
    (row,) = ticket(phones, numbers[-1]).outbox
    assert (row.state, row.reason) == ("suppressed", "sender_limit")
    await until(lambda: all(ticket(phones, n).complaint.receipts[0].state == "delivered" for n in numbers[:3]))
    assert len([each for each in sms.sent if f"+{each.to}" == stranger]) == 3


async def test_who_chose_english_has_an_english_complaint(phones: Aduan) -> None:
    """B7: the key decides the language of everything that follows."""
    call = await line_of(phones).dial(SARI, complains("My loan is shown as overdue", language="2"))
    view = ticket(phones, heard_number(call, "en"))
    assert view.complaint.complainant.language == "en"


async def test_one_call_is_one_complaint(phones: Aduan) -> None:
    """Recording again adds to the ticket whose number is read out; the first recording is marked as withdrawn."""
    line = line_of(phones)
    before = len(phones.ticket_numbers())
    again: list[Act] = [Key("1"), Key("2"), speech("Salah"), Key("2"), speech("Yang benar"), Key("1"), Silence()]
    call = await line.dial(SARI, again)
    await line.settled()
    await drained(phones)
    view = ticket(phones, heard_number(call))
    assert [message.withdrawn_at is not None for message in view.messages] == [True, False]
    assert len(phones.ticket_numbers()) == before + 1
    assert len(view.attachments) == 2


async def test_a_call_without_a_word_is_no_complaint(phones: Aduan) -> None:
    """Sheet A4: a contact that is kept and counted."""
    line = line_of(phones)
    before = len(phones.ticket_numbers())
    await line.dial(SARI, [])
    await line.dial(SARI, [Key("1"), Key("2"), Silence(), Silence(), Silence(), Silence()])
    await line.settled()
    await drained(phones)
    assert len(phones.ticket_numbers()) == before


async def test_what_is_said_before_hanging_up_counts(phones: Aduan) -> None:
    """K2: nothing that a customer said is lost, number heard or not."""
    line = line_of(phones)
    before = len(phones.ticket_numbers())
    await line.dial(SARI, [Key("1"), Key("2"), Speech(b"ID3 x", 3.0, "hangup")])
    await line.settled()
    await drained(phones)
    assert len(phones.ticket_numbers()) == before + 1


async def test_what_every_webhook_missed_is_found_in_the_list(tmp_path: Path) -> None:
    """P6, A0.6: nothing of ours answered after the recording; a look at Twilio's list makes the same complaint."""
    async with start_aduan(tmp_path, only("akseleran-phone", reconcile_seconds=1)) as aduan:
        line = line_of(aduan)
        went, line.webhook_url = line.webhook_url, "http://127.0.0.1:9/in/akseleran-phone"
        await line.dial(SARI, complains())
        kept = speech("Saldo saya hilang")
        call = Call("CA" + "b" * 32, line.account_sid, SARI, line.number, line.clock(), "completed", line.clock())
        line.calls[call.sid] = call
        line.remember_recording(recording(call, kept, line.clock(), line.clock()))
        (number,) = await until(aduan.ticket_numbers)
        await until(lambda: [a.status for a in ticket(aduan, number).attachments] == ["stored"])
        assert ticket(aduan, number).complaint.complainant.phone == SARI
        line.webhook_url = went
        await line.dial(SARI, complains())
        await until(lambda: len(aduan.ticket_numbers()) == 2)
        assert datetime.now(UTC) > ticket(aduan, number).complaint.received_at


async def test_a_receipt_follows_by_whatsapp_where_a_template_is_approved(tmp_path: Path) -> None:
    """K6, section 8, P14: who called never wrote, so no window is open: the approved template is the way."""

    def with_template(config: dict[str, Any]) -> None:
        only("klikacc-phone", "klikacc-whatsapp")(config)
        config["channels"]["klikacc-whatsapp"]["templates"] = {"receipt": {"name": "tanda_terima"}}

    async with start_aduan(tmp_path, with_template) as aduan:
        cloud = aduan.clouds["klikacc"]
        cloud.time_scale = 0.001
        call = await line_of(aduan, "klikacc").dial(SARI, [Key("1"), Key("1"), speech("Tagihan"), Key("1"), Silence()])
        number = heard_number(call)
        (sent,) = await until(lambda: [sent for sent in cloud.sent if f"+{sent.to}" == SARI])
        assert sent.payload["template"]["name"] == "tanda_terima"
        assert number in str(sent.payload)
        await until(lambda: ticket(aduan, number).complaint.receipts[0].state in ("delivered", "read"))
        assert ticket(aduan, number).complaint.channel == "phone"
        await until(lambda: [file.status for file in ticket(aduan, number).attachments] == ["stored"])
