"""A complaint enters on Instagram, by message or comment, and its receipt comes back in private (A3-A5, section 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import Aduan, start_aduan, until
from harness.customer import NUMBER, code_in, drained, number_in, receipt_state, ticket
from harness.settings import only
from simulator import Climate, Weather
from simulator.instagram import Instagram
from simulator.weather import CLIMATES
from tickets.store import TicketView
from web_samples import png

CHANNEL = "akseleran-instagram"
#: Where a provider may ask for patience, or leave it open whether it took what was sent.
WAITING = ("rate-limit", "server-errors", "stall")
PASSING = sorted(set(CLIMATES) - {"expired-token", "window-closed", "unsubscribed"})


def impatient(config: dict[str, Any]) -> None:
    """Akseleran on Instagram alone, not waiting long for an answer, looking often for what was missed."""
    only(CHANNEL, reconcile_seconds=1, check_seconds=1)(config)
    config["channels"][CHANNEL]["timeout_seconds"] = 1
    config["outbox"]["ambiguous_wait_seconds"] = 0.3


def pretended(aduan: Aduan, weather: Weather | None = None) -> Instagram:
    """The account at Meta, in this weather, with quick retries."""
    (account,) = (each for each in aduan.simulation.providers if isinstance(each, Instagram))
    account.time_scale = 0.001
    account.weather = weather or Weather()
    return account


def private(account: Instagram, handle: str) -> list[str]:
    """What a person got in private, oldest first."""
    return [sent.text for sent in account.sent if sent.person.handle == handle]


def views(aduan: Aduan) -> Sequence[TicketView]:
    """Every ticket."""
    return [ticket(aduan, number) for number in aduan.ticket_numbers()]


async def test_messages_and_comments_become_complaints(tmp_path: Path) -> None:
    """K2, A3, T21, T33: receipts in private, one neutral line in public, one complaint for each person."""
    async with start_aduan(tmp_path, impatient) as aduan:
        account = pretended(aduan)
        account.echo_first = True

        mid = await account.inject_text("sari.w", "Dana saya belum cair sejak tanggal 3, padahal sudah dipotong.")
        (text,) = await until(lambda: private(account, "sari.w"))
        view = ticket(aduan, number_in(text))
        assert (view.complaint.tenant, view.complaint.channel, view.complaint.form) == (
            "akseleran", "instagram_dm", "written"
        )  # fmt: skip
        assert code_in(text)
        assert len(text.encode()) <= 1_000
        await account.inject_file("sari.w", png(8, 8), "image/png", filename="bukti.png")
        await until(lambda: [a.status for a in ticket(aduan, view.ticket.ticket_number).attachments] == ["stored"])
        await account.inject_seen("sari.w", account.sent[0].id)
        await receipt_state(aduan, view.ticket.ticket_number, "read")

        comment = await account.inject_comment("budi_s", "Min, saya ditagih dua kali! NIK 3174012345678901")
        (receipt,) = await until(lambda: private(account, "budi_s"))
        (line,) = await until(lambda: [answer.text for answer in account.answers])
        assert account.answers[0].parent_id == comment
        assert not NUMBER.search(line)
        assert "pesan pribadi (DM)" in line
        public = ticket(aduan, number_in(receipt))
        assert public.complaint.channel == "instagram_comment"
        assert public.complaint.visibility == "public"
        assert "hide_on_platform" in [task.kind for task in public.tasks]

        # Below it somebody else complains; who commented first goes on in private and in public.
        await account.inject_comment("dewi", "Sama, saya juga ditagih dua kali", parent=comment)
        await until(lambda: private(account, "dewi"))
        await account.inject_text("budi_s", "Ini bukti saya")
        await account.inject_comment("budi_s", "Sudah saya kirim lewat DM ya")
        await until(lambda: len(ticket(aduan, public.ticket.ticket_number).messages) == 3)

        # A change may come before what it changes.
        await account.inject_edit("ani", "aWdfLATE", "Limit saya hilang sejak kemarin")
        await account.inject_text("ani", "Limit saya hilang", mid="aWdfLATE")
        (text,) = await until(lambda: private(account, "ani"))
        assert len(ticket(aduan, number_in(text)).messages[0].versions) == 2

        # What is changed or taken back changes its complaint; nothing of it makes another.
        await account.inject_edit("sari.w", mid, "Dana saya belum cair sejak tanggal 4.")
        await account.inject_deleted("sari.w", mid)
        await account.inject_event("sari.w", {"reaction": {"mid": mid, "action": "react", "emoji": "👍"}})
        await account.inject_echo("sari.w", "Kami sedang memeriksa")
        changed = await until(lambda: _withdrawn(aduan, view.ticket.ticket_number))
        assert [version.text for version in changed[0].messages[0].versions][
            -1
        ] == "Dana saya belum cair sejak tanggal 4."
        await account.settled()
        await drained(aduan)
        assert len(aduan.ticket_numbers()) == 4
        assert Counter(sent.person.handle for sent in account.sent) == dict.fromkeys(
            ("sari.w", "budi_s", "dewi", "ani"), 1
        )
        assert len(account.answers) == 2
        assert not aduan.running.store.quarantine()


def _withdrawn(aduan: Aduan, number: str) -> list[TicketView]:
    view = ticket(aduan, number)
    return [view] if view.messages[0].withdrawn_at else []


async def test_a_comment_that_no_webhook_brought_is_found(tmp_path: Path) -> None:
    """P6: the look for missed comments finds it; the webhook that comes late after all changes nothing."""
    async with start_aduan(tmp_path, impatient) as aduan:
        account = pretended(aduan)
        comment = account.commented("sari.w", "Aplikasi tidak bisa dibuka, dana saya bagaimana?")
        await until(lambda: private(account, "sari.w"))
        await account.put(account.comment_update(comment))
        await account.inject_mention("budi_s", "@akseleran tolong dana saya")
        await until(lambda: len(aduan.ticket_numbers()) == 2)
        (mention,) = (view for view in views(aduan) if "ig:mention:" in str(view.complaint.sender_key))
        # Who mentioned us cannot be answered in private: the public line goes out, and a person has the task.
        await until(lambda: len(account.answers) == 2)
        number = mention.ticket.ticket_number
        await until(lambda: ticket(aduan, number).tasks)
        await until(lambda: [a.status for a in ticket(aduan, number).attachments] == ["stored"])
        assert len(private(account, "sari.w")) == 1
        assert len(account.sent) == 1


@pytest.mark.parametrize("name", PASSING)
async def test_bad_weather_loses_and_doubles_nothing(tmp_path: Path, name: str) -> None:
    """P8, P11, P13: one complaint and one receipt for everybody, or a person knows; a line in public at most once."""
    climate = CLIMATES[name]
    if climate.trouble is not None:
        climate = Climate(trouble=climate.trouble, chance=0.4, spell=1, stall_seconds=2)
    people = [f"orang_{number}" for number in range(3)]
    async with start_aduan(tmp_path, impatient) as aduan:
        account = pretended(aduan, Weather(name=name, climate=climate, seed=5))
        for person in people:
            await account.inject_text(person, "Saldo saya hilang")
            await account.inject_comment(f"{person}.publik", "Saldo saya hilang")
        count = 2 * len(people)
        await until(lambda: len(aduan.ticket_numbers()) == count, seconds=30)
        await until(lambda: all(_answered_for(view, name) for view in views(aduan)), seconds=60)
        await account.settled()
        await drained(aduan)
        got = Counter(sent.person.handle for sent in account.sent)
        assert all(copies == 1 for copies in got.values())
        assert name in WAITING or len(got) == count
        under = Counter(answer.parent_id for answer in account.answers)
        assert all(copies == 1 for copies in under.values())
        assert name in WAITING or len(under) == len(people)
        assert len(aduan.ticket_numbers()) == count
        assert not aduan.running.store.quarantine()


def _answered_for(view: TicketView, name: str) -> bool:
    """Whether everything owed went out, became somebody's task, or waits as long as Meta asked."""
    return all(
        row.state == "sent"
        or (name in WAITING and row.state == "due" and (row.error_class == "Throttled" or row.attempts == 0))
        or (row.state == "failed" and bool(view.tasks))
        for row in view.outbox
    )


async def test_refused_credentials_halt_sending_and_nothing_else(tmp_path: Path) -> None:
    """P13, T7: complaints go on being recorded and what is owed waits; it goes out when the token is mended."""
    async with start_aduan(tmp_path, impatient) as aduan:
        account = pretended(aduan, Weather.named("expired-token"))
        await account.inject_text("sari.w", "Saldo saya hilang")
        await account.inject_comment("budi_s", "Saldo saya hilang")
        await until(lambda: len(aduan.ticket_numbers()) == 2)
        await until(lambda: aduan.running.outbox.halted == {CHANNEL: "AuthFailed"})
        assert not account.sent
        pretended(aduan)

        def mended() -> bool:
            # A send that was under way when the channel halted may halt it once more.
            if aduan.running.outbox.halted:
                aduan.running.outbox.resume(CHANNEL)
            return bool(private(account, "sari.w") and private(account, "budi_s") and len(account.answers))

        await until(mended)


async def test_a_closed_window_is_a_persons_task(tmp_path: Path) -> None:
    """P14, A8: no template exists on Instagram; never silently "sent"."""
    async with start_aduan(tmp_path, impatient) as aduan:
        account = pretended(aduan, Weather.named("window-closed"))
        await account.inject_text("sari.w", "Saldo saya hilang")
        await until(lambda: len(aduan.ticket_numbers()) == 1)
        await until(lambda: aduan.running.store.open_tasks())
        (view,) = views(aduan)
        assert view.complaint.receipts[0].state == "failed"
        assert not account.sent


async def test_a_dropped_subscription_is_told_and_comments_still_come(tmp_path: Path) -> None:
    """A0.7: after an hour of failures nothing is delivered; a person is told, the history brings the comments."""
    async with start_aduan(tmp_path, impatient) as aduan:
        account = pretended(aduan, Weather.named("unsubscribed"))
        await account.inject_comment("sari.w", "Saldo saya hilang")
        await until(lambda: private(account, "sari.w"))
        await until(lambda: aduan.running.health.state(CHANNEL) == "broken")
        assert "subscribed" in str(aduan.running.health.states[CHANNEL].reason)
