"""A complaint enters on Instagram, by message or comment, and its receipt comes back in private (A3-A5, section 8)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from harness import Aduan, start_aduan, until
from harness.customer import NUMBER, code_in, drained, number_in, receipt_state, ticket, views
from harness.settings import impatient
from harness.weather import quick
from simulator.instagram import Instagram
from tickets.store import TicketView
from web_samples import png

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"akseleran": ("instagram_dm", "instagram_comment")}
CHANNEL = "akseleran-instagram"
#: Not waiting long for an answer, looking often for what was missed.
SETTINGS = impatient(CHANNEL, reconcile_seconds=1, check_seconds=1)


def private(account: Instagram, handle: str) -> list[str]:
    """What a person got in private, oldest first."""
    return [sent.text for sent in account.sent if sent.person.handle == handle]


async def test_messages_and_comments_become_complaints(tmp_path: Path) -> None:
    """K2, A3, T21, T33: receipts in private, one neutral line in public, one complaint for each person."""
    async with start_aduan(tmp_path, SETTINGS) as aduan:
        account = quick(aduan, "akseleran", Instagram)
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

        # Who has a complaint by direct message and comments as well gets the line once, and no second complaint.
        joined = await account.inject_comment("sari.w", "Kapan dana saya cair?")
        await until(lambda: [answer for answer in account.answers if answer.parent_id == joined])
        await account.inject_comment("sari.w", "Halo, ada orang?")
        await until(lambda: len(ticket(aduan, view.ticket.ticket_number).messages) == 4)

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
        assert len(account.answers) == 3
        assert not aduan.running.store.quarantine()


def _withdrawn(aduan: Aduan, number: str) -> list[TicketView]:
    view = ticket(aduan, number)
    return [view] if view.messages[0].withdrawn_at else []


async def test_a_comment_that_no_webhook_brought_is_found(tmp_path: Path) -> None:
    """P6: the look for missed comments finds it; the webhook that comes late after all changes nothing."""
    async with start_aduan(tmp_path, SETTINGS) as aduan:
        account = quick(aduan, "akseleran", Instagram)
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
