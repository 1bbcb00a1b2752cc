"""A complaint enters by the web form or the app, and the receipt is on the screen at once (A4, A5, U2)."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from harness import Aduan, until
from harness.customer import number_in, ticket
from harness.forms import app_key, post_complaint
from web_samples import form_data, hidden, png

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {
    "klikacc": ("web_form", "app_form"),
    "akseleran": ("web_form", "app_form"),
    "klikumkm": ("web_form", "app_form"),
}
SLUGS = tuple(SHOWN)
STORY = "Dana pinjaman saya sudah disetujui tetapi belum cair."


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("door", ["web_form", "app_form"])
async def test_the_receipt_is_the_answer(institutions: Aduan, slug: str, door: str, phone: str) -> None:
    """K2, K3, A4, A5, A8, U2: 201 after the commit with number, date, contact and the promised dates."""
    key = app_key(institutions) if door == "app_form" else None
    fields = {"narrative": STORY, "full_name": "Siti Aminah"}
    status, said = await post_complaint(institutions, slug, f"key-{phone}", fields, key)
    assert status == 201, said
    view = ticket(institutions, said["ticket_number"])
    assert view.complaint.channel == door
    assert view.complaint.tenant == slug
    assert view.complaint.narrative == STORY
    due = view.ticket.first_response_due
    assert said["first_response_due"] == (due.isoformat() if due else None)
    assert (due is None) == (slug != "klikacc")
    assert said["received_at"].endswith("+07:00")
    assert said["contact"]
    assert view.outbox[0].state == "suppressed"
    assert view.outbox[0].reason == "handed_over"
    assert not view.tasks


async def test_the_same_key_is_the_same_complaint(institutions: Aduan, phone: str) -> None:
    """Sheet A12: a client that tries again gets the same 201; the key with other words is 422."""
    fields = {"narrative": STORY, "email": f"siti{phone}@pelanggan.example"}
    first = await post_complaint(institutions, "akseleran", f"again-{phone}", fields)
    before = len(institutions.ticket_numbers())
    assert await post_complaint(institutions, "akseleran", f"again-{phone}", fields) == first
    status, _ = await post_complaint(institutions, "akseleran", f"again-{phone}", fields | {"narrative": "Lain"})
    assert status == 422
    assert len(institutions.ticket_numbers()) == before
    await until(lambda: [m for m in institutions.mail.outbox if fields["email"] in m.recipients])


async def test_what_people_type_in_place_of_a_number_is_kept_nowhere(institutions: Aduan) -> None:
    """Somebody types their telephone number: it is counted and locked, and the log that nobody can erase lacks it."""
    typed = "081298765432-siti"
    async with aiohttp.ClientSession(institutions.url) as session:
        for expected in ((404,), (404,), (404, 429), (429,)):
            headers = {"X-Access-Code": "123456"}
            async with session.get(f"/api/v1/complaints/{typed}", headers=headers) as response:
                assert response.status in expected
    data = institutions.installation.data_dir
    assert [path.name for path in data.rglob("tickets.db*") if typed.encode() in path.read_bytes()] == []


async def test_status_by_number_and_code(institutions: Aduan, phone: str) -> None:
    """B6, section 7: number and code give the word; unknown and wrong are answered alike; three wrong lock."""
    _, said = await post_complaint(institutions, "klikumkm", f"status-{phone}", {"narrative": STORY})
    number, code = said["ticket_number"], said["access_code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    async with aiohttp.ClientSession(institutions.url) as session:

        async def ask(which: str, with_code: str) -> tuple[int, Any]:
            headers = {"X-Access-Code": with_code}
            async with session.get(f"/api/v1/complaints/{which}", headers=headers) as response:
                return response.status, json.loads(await response.read())

        status, found = await ask(number, code)
        assert status == 200
        assert found["status_label"]["id"] == "diterima"
        assert set(found) == {"ticket_number", "status", "status_label", "last_update", "next_due"}
        unknown = await ask("UMK-20200101-000001-0", code)
        assert unknown[0] == 404
        assert await ask(number, wrong) == unknown
        assert (await ask(number, wrong))[0] == 404
        assert (await ask(number, wrong))[0] in (404, 429)
        assert (await ask(number, code))[0] == 429


async def test_the_form_with_a_file_and_its_receipt(institutions: Aduan, phone: str) -> None:
    """A4, K4: the form works without script; its receipt is a page and a PDF that /verify calls genuine."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(institutions.url, cookie_jar=jar) as browser:
        async with browser.get("/akseleran/") as response:
            token = hidden(await response.text(), "token")
        picture = png(int(phone) % 50 + 1, 5)
        data = form_data({"token": token, "narrative": STORY, "full_name": "Siti"}, [("files", "bukti.png", picture)])
        async with browser.post("/akseleran/", data=data, allow_redirects=False) as response:
            assert response.status == 303
            place = response.headers["Location"]
        async with browser.get(place) as response:
            page = await response.text()
        number = number_in(page)
        assert [file.status for file in ticket(institutions, number).attachments] == ["stored"]
        async with browser.get(f"{place.partition('?')[0]}.pdf") as response:
            pdf = await response.read()
            assert response.content_type == "application/pdf"
        assert (await _verdict(browser, pdf), await _verdict(browser, pdf[:-200] + b"x" + pdf[-199:])) == (True, False)


async def _verdict(browser: aiohttp.ClientSession, pdf: bytes) -> bool:
    async with browser.get("/verify") as response:
        page = await response.text()
    fields = {"token": hidden(page, "token")} if 'name="token"' in page else {}
    async with browser.post("/verify", data=form_data(fields, [("receipt", "receipt.pdf", pdf)])) as response:
        assert response.status == 200
        text = await response.text()
    assert ("Asli:" in text) != ("jangan percayai" in text)
    return "Asli:" in text


async def test_bad_input_names_every_field_and_makes_nothing(institutions: Aduan, phone: str) -> None:
    """Interface: 400 with problem+json names every field at once; nothing is recorded."""
    before = len(institutions.ticket_numbers())
    fields = {"narrative": "", "email": "no address", "loss": {"amount_idr": -5}, "category": "unknown"}
    status, said = await post_complaint(institutions, "akseleran", f"bad-{phone}", fields)
    assert status == 400
    assert {"narrative", "email", "loss_amount_idr", "category"} <= {each["field"] for each in said["errors"]}
    assert len(institutions.ticket_numbers()) == before
