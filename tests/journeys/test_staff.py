"""A customer calls, comes to the office or writes a letter; somebody enters it and hands over the receipt (K5, A5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from connectors.staff.person import prove
from gateway.keys import installation_secret
from harness import Aduan, start_aduan, until
from harness.customer import code_in, number_in, ticket
from harness.forms import enter, staff_token
from harness.settings import only
from receipts.signature import public_keys
from receipts.verify import verify
from simulator.sms import Sms
from web_samples import form_data, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"klikacc": ("phone", "walk_in", "letter"), "akseleran": ("phone", "walk_in", "letter")}
STORY = "Dana pinjaman saya sudah disetujui tetapi belum cair."
FIRST = datetime(2026, 1, 5, 3, tzinfo=UTC)
ADDRESS = "/api/v1/organisations/klikacc/tickets"
#: Institution and way -> how it counts, by its policy; where that says nothing, a call is oral, the rest is written.
FORMS = {(slug, way): "oral" if way == "phone" else "written" for slug, ways in SHOWN.items() for way in ways}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def institutions(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """Three institutions with mail, two of them with staff; the dates of these tests stay near enough for ever."""

    def change(config: dict[str, Any]) -> None:
        names = [f"{slug}-{kind}" for slug in config["organisations"] for kind in ("staff", "email", "form")]
        del names[names.index("klikumkm-staff")]
        only(*names, "klikacc-sms")(config)
        for slug in ("klikacc", "akseleran"):
            config["channels"][f"{slug}-staff"]["received_within_days"] = 36_500

    async with start_aduan(tmp_path_factory.mktemp("aduan"), change) as running:
        yield running


async def pdf_at(aduan: Aduan, url: str) -> bytes:
    """The receipt that staff print."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        assert response.content_type == "application/pdf"
        return await response.read()


@pytest.mark.parametrize(("slug", "way"), FORMS)
async def test_each_way_gives_a_receipt_to_hand_over(institutions: Aduan, slug: str, way: str, phone: str) -> None:
    """K2-K5, A4, A5, 2.2: number, date, contact and dates to read out in both languages, and a PDF that verifies."""
    fields = {
        "channel": way,
        "narrative": STORY,
        "full_name": "Siti Aminah",
        "received_at": "2026-01-05T10:00:00+07:00",
    }
    status, said = await enter(institutions, slug, f"way-{way}-{phone}", fields)
    assert status == 201, said
    view = ticket(institutions, said["ticket_number"])
    complaint = view.complaint
    assert (complaint.channel, complaint.form) == (way, FORMS[slug, way]) == (said["channel"], said["form"])
    assert complaint.entered_by == said["entered_by"] == "petugas"
    assert complaint.received_at == FIRST
    assert said["receipt_goes_by"] == []
    for language, confirmed in (("id", "Konfirmasi penerimaan"), ("en", "Confirmation: ")):
        text = said["read_out"][language]
        assert number_in(text) == said["ticket_number"]
        assert code_in(text) == said["access_code"]
        assert confirmed in text
        assert ("support@klikacc.com" if slug == "klikacc" else "cs@akseleran.co.id") in text
    assert "Senin, 5 Januari 2026 pukul 10.00 WIB" in said["read_out"]["id"]
    if slug == "klikacc":
        assert said["first_response_due"] == "2026-01-08"
        assert "paling lambat Kamis, 8 Januari 2026" in said["read_out"]["id"]
        assert said["resolve_due"] == (None if way == "phone" else "2026-02-03")
    else:
        assert said["first_response_due"] is None
        assert "2 hari kerja setelah dokumen lengkap" in said["read_out"]["id"]
    verdict = verify(await pdf_at(institutions, said["receipt_pdf_url"]), _keys(institutions))
    assert verdict.reason == "genuine"
    assert verdict.statement is not None
    assert verdict.statement.ticket_number == said["ticket_number"]
    # A letter's writer is not there: somebody must post the print.
    assert view.outbox[0].reason == ("no_route" if way == "letter" else "handed_over")
    assert [task.kind for task in view.tasks] == (["no_route"] if way == "letter" else [])


def _keys(aduan: Aduan) -> Any:
    return public_keys(aduan.installation.data_dir / "keys")


#: Institution, said to have come -> day that counts, first answer (K7).
HOURS = [
    ("klikacc", "2026-01-05T09:00:00+07:00", "2026-01-05", "2026-01-08"),
    ("klikacc", "2026-01-05T16:59:59+07:00", "2026-01-05", "2026-01-08"),
    ("klikacc", "2026-01-05T10:00:00Z", "2026-01-06", "2026-01-09"),
    ("klikacc", "2026-01-05T08:59:00+07:00", "2026-01-06", "2026-01-09"),
    ("klikacc", "2026-01-10T10:00:00+07:00", "2026-01-12", "2026-01-15"),
    ("akseleran", "2026-01-05T17:30:00+07:00", "2026-01-05", None),
    ("akseleran", "2026-01-05T18:00:00+07:00", "2026-01-06", None),
]


@pytest.mark.parametrize(("slug", "received", "counts_from", "answer"), HOURS)
async def test_a_call_outside_office_hours_counts_from_the_next_working_day(
    institutions: Aduan, slug: str, received: str, counts_from: str, answer: str | None, phone: str
) -> None:
    """K6, A6, R5, worked case 5: the published hours decide the day of a call; a letter knows no hours."""
    fields = {"channel": "phone", "narrative": STORY, "received_at": received, "phone": f"+{phone}"}
    status, said = await enter(institutions, slug, f"hours-{phone}", fields)
    assert status == 201, said
    assert (said["counts_from"], said["first_response_due"]) == (counts_from, answer)
    written = {**fields, "channel": "letter"}
    _, letter = await enter(institutions, slug, f"letter-{phone}", written)
    arrived = datetime.fromisoformat(received) + timedelta(hours=7 if received.endswith("Z") else 0)
    assert letter["counts_from"] == arrived.date().isoformat()


async def test_a_letter_with_its_scan_is_mailed_a_receipt(institutions: Aduan, phone: str) -> None:
    """Section 8, A10: staff vouch for the address, so the mail carries number, code and the signed PDF."""
    address = f"made{phone}@pelanggan.example"
    fields = {"channel": "letter", "narrative": STORY, "email": address, "received_at": "2026-03-02"}
    status, said = await enter(institutions, "klikacc", f"scan-{phone}", fields, png(7, int(phone) % 90 + 1))
    assert status == 201, said
    assert said["received_date"] == "2026-03-02"
    assert said["resolve_due"] == "2026-04-07"
    assert said["receipt_goes_by"] == ["email"]
    (mail,) = await until(lambda: [m for m in institutions.mail.outbox if address in m.recipients])
    body = mail.message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert (number_in(text), code_in(text)) == (said["ticket_number"], said["access_code"])
    (attached,) = mail.message.iter_attachments()
    assert verify(attached.get_content(), _keys(institutions)).reason == "genuine"
    view = ticket(institutions, said["ticket_number"])
    assert [file.status for file in view.attachments] == ["stored"]
    assert not view.tasks


async def test_a_call_with_papers_is_treated_as_written(institutions: Aduan, phone: str) -> None:
    """K8, K10, G9: a call with documents is solved as a written complaint; it is answered as any call."""
    fields = {"channel": "phone", "narrative": STORY, "received_at": "2026-01-05T10:00:00+07:00"}
    _, said = await enter(institutions, "klikacc", f"papers-{phone}", fields, png(9, int(phone) % 90 + 1))
    assert said["form"] == "oral"
    assert (said["first_response_due"], said["resolve_due"]) == ("2026-01-08", "2026-02-03")
    assert ticket(institutions, said["ticket_number"]).audit[0].data["entered_by"] == "petugas"


async def test_the_same_key_is_the_same_ticket(institutions: Aduan, phone: str) -> None:
    """Sheet A12: a repeat gives the same 201; another word, channel or moment under the key is 422."""
    fields = {"channel": "phone", "narrative": STORY, "phone": f"+{phone}"}
    first = await enter(institutions, "klikacc", f"again-{phone}", fields)
    assert first[0] == 201
    before = len(institutions.ticket_numbers())
    assert await enter(institutions, "klikacc", f"again-{phone}", fields) == first
    for change in ({"narrative": "Lain"}, {"channel": "walk_in"}, {"received_at": "2026-01-05T10:00:00+07:00"}):
        status, said = await enter(institutions, "klikacc", f"again-{phone}", fields | change)
        assert (status, said["type"]) == (422, "urn:aduan:problem:key_reused"), change
    assert len(institutions.ticket_numbers()) == before


async def test_bad_input_names_every_field_and_makes_nothing(institutions: Aduan, phone: str) -> None:
    """Interface: 400 with problem+json names every field at once, those of staff first."""
    before = len(institutions.ticket_numbers())
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    fields = {"channel": "email", "received_at": tomorrow, "email": "no address", "category": "unknown", "x": "1"}
    status, said = await enter(institutions, "akseleran", "short", fields)
    assert status == 400
    found = {each["field"]: each["code"] for each in said["errors"]}
    assert list(found)[:2] == ["channel", "received_at"]
    assert found == {
        "channel": "not_a_choice", "received_at": "in_the_future", "email": "not_an_email", "narrative": "required",
        "category": "not_a_choice", "x": "unknown_field", "Idempotency-Key": "not_a_key",
    }  # fmt: skip
    assert len(institutions.ticket_numbers()) == before


async def test_a_caller_without_mail_gets_an_sms(institutions: Aduan, phone: str) -> None:
    """Section 8: read out, then sent to the number that staff were given; the number counts as proven (A10)."""
    (aggregator,) = (each for each in institutions.simulation.providers if isinstance(each, Sms))
    aggregator.time_scale = 0.001
    fields = {"channel": "phone", "narrative": STORY, "phone": f"+{phone}"}
    status, said = await enter(institutions, "klikacc", f"sms-{phone}", fields)
    assert status == 201, said
    assert said["receipt_goes_by"] == ["sms"]
    (sent,) = await until(lambda: [each for each in aggregator.sent if each.to == phone])
    assert number_in(sent.text) == said["ticket_number"]
    assert said["access_code"] in sent.text


async def test_only_its_own_people_enter(institutions: Aduan, phone: str) -> None:
    """P18: without a token of this institution nothing is read and nothing kept, whatever the body."""
    before = len(institutions.ticket_numbers())
    files = institutions.installation.data_dir / "attachments"
    stored = sorted(files.rglob("*"))
    other = prove(installation_secret(institutions.installation.data_dir), "akseleran-staff", "rina", datetime.now(UTC))
    async with aiohttp.ClientSession(institutions.url) as session:
        for authorization in ("", "Bearer wrong", f"Basic {staff_token(institutions, 'klikacc')}", other):
            headers = {"Idempotency-Key": f"key-{phone}", "Authorization": authorization}
            body = form_data({"channel": "phone"}, [("files", "x.png", png(3, 3))])
            async with session.post(ADDRESS, headers=headers, data=body) as response:
                assert response.status == 401
                assert response.content_type == "application/problem+json"
    assert sorted(files.rglob("*")) == stored
    assert len(institutions.ticket_numbers()) == before


async def test_who_guesses_tokens_is_slowed_down(institutions: Aduan) -> None:
    """P26: wrong tokens are counted by address; a person with a good one is not kept waiting by them."""
    async with aiohttp.ClientSession(institutions.url) as session:

        async def guess() -> int:
            async with session.post(ADDRESS, headers={"Authorization": "Bearer guessed"}, data=b"") as response:
                return response.status

        statuses = [await guess() for _ in range(305)]
    assert set(statuses) == {401, 429}
    assert statuses[0] == 401
    assert statuses[-1] == 429
    status, _ = await enter(institutions, "klikacc", "while-guessed", {"channel": "walk_in", "narrative": STORY})
    assert status == 201


async def test_an_institution_without_staff_says_so(institutions: Aduan) -> None:
    """404, and an address that nobody has."""
    async with aiohttp.ClientSession(institutions.url) as session:
        for slug in ("klikumkm", "nobody"):
            async with session.post(f"/api/v1/organisations/{slug}/tickets") as response:
                assert response.status == 404


@pytest.mark.parametrize("way", ["json", "groups"])
async def test_the_groups_of_the_schema_may_be_sent_as_they_are(institutions: Aduan, way: str, phone: str) -> None:
    """Interface: as for apps, `complainant` may stand as a group or flat."""
    who = {"full_name": "Dewi", "email": f"dewi{phone}@pelanggan.example"}
    fields: dict[str, Any] = {"channel": "walk_in", "narrative": STORY}
    fields |= who if way == "json" else {"complainant": who}
    status, said = await enter(institutions, "akseleran", f"groups-{phone}", fields)
    assert status == 201, said
    complainant = ticket(institutions, said["ticket_number"]).complaint.complainant
    assert (complainant.full_name, complainant.email) == ("Dewi", who["email"])
