"""A complaint enters on X, by message or mention, and its receipt comes back in private (A3-A5, section 8)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import start_aduan, until
from harness.customer import NUMBER, code_in, drained, number_in, receipt_state, ticket, views
from harness.settings import impatient
from harness.weather import quick
from simulator.place import Attachment
from simulator.x import X
from web_samples import png

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"akseleran": ("x_dm", "x_mention")}
CHANNEL = "akseleran-x"
#: Not waiting long for an answer, looking often for what was missed.
SETTINGS = impatient(CHANNEL, reconcile_seconds=1, check_seconds=1)


def asking(config: dict[str, Any]) -> None:
    """The same by asking: X calls nobody."""
    SETTINGS(config)
    config["channels"][CHANNEL] |= {"mode": "poll", "poll_seconds": 0.3}


def private(account: X, handle: str) -> list[str]:
    """What a person got in private, oldest first."""
    return [sent.text for sent in account.sent if sent.recipient.handle == handle]


async def test_messages_and_mentions_become_complaints(tmp_path: Path) -> None:
    """K2, A3, A5, T21, T33: receipts in private, one neutral line in public, one complaint for each person."""
    async with start_aduan(tmp_path, SETTINGS) as aduan:
        account = quick(aduan, "akseleran", X)
        await account.inject_text("sari_w", "Dana saya belum cair sejak tanggal 3, padahal sudah dipotong.")
        (text,) = await until(lambda: private(account, "sari_w"))
        view = ticket(aduan, number_in(text))
        assert (view.complaint.tenant, view.complaint.channel, view.complaint.form) == ("akseleran", "x_dm", "written")
        assert code_in(text)
        await account.inject_read(account.sent[0])
        await receipt_state(aduan, view.ticket.ticket_number, "read")

        post = await account.inject_mention(
            "budi_s", "saya ditagih dua kali! NIK 3174012345678901", files=[Attachment("a.png", "image/png", png(8, 8))]
        )
        (receipt,) = await until(lambda: private(account, "budi_s"))
        (line,) = await until(lambda: [answer.text for answer in account.answers])
        assert account.answers[0].in_reply_to is not None
        assert account.answers[0].in_reply_to.id == post
        assert not NUMBER.search(line)
        assert "pesan pribadi (DM)" in line
        public = ticket(aduan, number_in(receipt))
        assert (public.complaint.channel, public.complaint.visibility) == ("x_mention", "public")
        assert "hide_on_platform" in [task.kind for task in public.tasks]
        number = public.ticket.ticket_number
        await until(lambda: [a.status for a in ticket(aduan, number).attachments] == ["stored"])

        # Below it somebody else complains; who posted first goes on in private and in public.
        first = next(each for each in account.posts if each.id == post)
        await account.inject_mention("dewi_a", "sama, saya juga ditagih, tolong @akseleran", reply_to=first)
        await until(lambda: private(account, "dewi_a"))
        await account.inject_text("budi_s", "Ini bukti saya")
        await account.inject_mention("budi_s", "sudah saya kirim lewat DM ya")
        await until(lambda: len(ticket(aduan, number).messages) == 3)

        # What nobody summoned us for gets no line in public, and its receipt all the same.
        await account.inject_reply("tono", "kenapa dana saya belum cair?", account.own_post("Promo"))
        await until(lambda: private(account, "tono"))
        await account.inject_edit(post, "@akseleran saya ditagih tiga kali!")
        await until(lambda: ticket(aduan, number).messages[0].text == "@akseleran saya ditagih tiga kali!")
        await account.inject_typing("sari_w")
        await account.settled()
        await drained(aduan)
        assert len(aduan.ticket_numbers()) == 4
        assert Counter(sent.recipient.handle for sent in account.sent) == {
            "sari_w": 1, "budi_s": 1, "dewi_a": 1, "tono": 1
        }  # fmt: skip
        assert len(account.answers) == 2
        assert not aduan.running.store.quarantine()


async def test_an_encrypted_message_reaches_a_person(tmp_path: Path) -> None:
    """A0.3: nobody here can read it, so it is set aside where people look, with what to do."""
    async with start_aduan(tmp_path, SETTINGS) as aduan:
        await quick(aduan, "akseleran", X).inject_encrypted("sari_w")
        (aside,) = await until(lambda: aduan.running.store.quarantine())
        assert "aplikasi X" in aside.reason
        assert not aduan.ticket_numbers()


async def test_who_takes_no_messages_is_a_persons_task(tmp_path: Path) -> None:
    """A5, P14: the line in public goes out, the private receipt cannot: never silently "sent"."""
    async with start_aduan(tmp_path, SETTINGS) as aduan:
        account = quick(aduan, "akseleran", X)
        account.closed.add("sari_w")
        await account.inject_mention("sari_w", "saldo saya hilang")
        await until(lambda: account.answers)
        await until(lambda: aduan.running.store.open_tasks())
        (view,) = views(aduan)
        assert view.complaint.receipts[0].state == "failed"
        assert not account.sent


async def test_asking_brings_the_same(tmp_path: Path) -> None:
    """A9, P6: no webhook at all; what came before the last stop is not taken twice, what came meanwhile is taken."""
    async with start_aduan(tmp_path, asking) as aduan:
        account = quick(aduan, "akseleran", X)
        long_ago = datetime.now(UTC) - timedelta(days=3)
        account.wrote("lama", "pesan lama", at=long_ago.timestamp())
        account.wrote("sari_w", "Saldo saya hilang")
        account.posted("budi_s", "@akseleran saldo saya hilang")
        await until(lambda: private(account, "sari_w") and private(account, "budi_s") and len(account.answers))
        await aduan.running.aclose()
        account.wrote("dewi_a", "Tagihan saya salah")
        aduan.running = await type(aduan.running).start(aduan.installation)
        await until(lambda: private(account, "dewi_a"))
        await drained(aduan)
        assert len(aduan.ticket_numbers()) == len(account.sent) == 3
