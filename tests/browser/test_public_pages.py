"""Form, receipt, status and verification in a real browser: with and without script, by keyboard, on a small phone."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FilePayload, Page, expect

from harness import Aduan
from web_samples import HTML, PDF, png

pytestmark = pytest.mark.browser

Opener = Callable[..., Awaitable[Page]]
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


async def assert_accessible(page: Page) -> None:
    """axe finds nothing serious or critical; nothing is wider than the screen."""
    results = await Axe().run(page)
    grave = [
        (found["id"], [node["html"][:120] for node in found["nodes"]])
        for found in results.response["violations"]
        if found["impact"] in {"serious", "critical"}
    ]
    assert grave == [], page.url
    widths = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1], f"{page.url} is wider than the screen"


async def test_from_the_form_to_a_verified_receipt(front: Aduan, open_page: Opener, tmp_path: Path) -> None:
    """K2, A4: the whole way of one customer."""
    page = await open_page()
    await page.goto("/akseleran/")
    await expect(page.locator("html")).to_have_attribute("lang", "id")
    await page.get_by_label("Cerita Anda").fill("Dana saya belum masuk sejak 2 Januari.")
    await page.get_by_label("Kategori").select_option("withdrawal")
    await page.get_by_label("Email").fill("siti@contoh.id")
    await page.get_by_label("Nama lengkap").fill("Siti Rahmawati")
    await page.get_by_text("Tambahkan rincian transaksi").click()
    await page.get_by_label("Tanggal transaksi").fill("2026-01-02")
    await page.get_by_label("Nilai transaksi").fill("1.500.000")
    await page.get_by_label("Foto, tangkapan layar").set_input_files([file("bukti.pdf", PDF), file("layar.png", png())])
    await page.get_by_role("button", name="Kirim pengaduan").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Pengaduan Anda kami terima")
    (number,) = front.ticket_numbers()
    await expect(page.locator("#ticket-number")).to_have_text(number)
    code = await page.locator("#access-code").inner_text()
    await expect(page.get_by_text("bukti.pdf")).to_be_visible()
    await page.reload()
    await expect(page.locator("#ticket-number")).to_have_text(number)
    assert front.ticket_numbers() == [number]
    view = front.running.store.ticket(number)
    assert view is not None
    assert view.complaint.transaction is not None
    assert view.complaint.transaction.amount_idr == 1_500_000
    assert len(view.complaint.attachments) == 2

    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Unduh tanda terima").click()
    download = await downloading.value
    assert download.suggested_filename == f"{number}.pdf"
    pdf = tmp_path / "receipt.pdf"
    await download.save_as(pdf)

    await page.get_by_role("link", name="Cek status pengaduan").click()
    await expect(page.get_by_label("Nomor tiket")).to_have_value(number)
    await page.get_by_label("Kode cek status").fill(code)
    await page.get_by_role("button", name="Lihat status").click()
    await expect(page.locator("#status-word")).to_have_text("diterima")

    await page.get_by_role("link", name="Cek tanda terima").click()
    await page.get_by_label("Berkas PDF tanda terima").set_input_files(pdf)
    await page.get_by_role("button", name="Periksa").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tanda terima ini sah")
    await expect(page.get_by_text(number)).to_be_visible()
    changed = bytearray(pdf.read_bytes())
    changed[len(changed) // 2] ^= 1
    await page.get_by_label("Berkas PDF tanda terima").set_input_files([file("receipt.pdf", bytes(changed))])
    await page.get_by_role("button", name="Periksa").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tanda terima ini tidak sah")


async def test_mistakes_without_script_on_a_phone_in_english(front: Aduan, open_page: Opener) -> None:
    """No script: the summary has the focus, its links lead to the fields, files that were good stay."""
    page = await open_page(java_script_enabled=False, locale="en-GB", **PHONE)
    await page.goto("/akseleran/")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.get_by_label("Email").fill("not an address")
    await page.get_by_label("Full name").fill("Anna <b>Smith</b>")
    await page.get_by_label("Photos, screenshots").set_input_files([file("good.png", png()), file("bad.html", HTML)])
    await page.get_by_role("button", name="Send complaint").tap()

    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await expect(summary.get_by_role("listitem")).to_have_count(3)
    await expect(summary).to_contain_text("bad.html")
    await expect(page.get_by_label("Full name")).to_have_value("Anna <b>Smith</b>")
    await expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("good.png")).to_be_checked()
    await summary.get_by_role("link", name="Your story").tap()
    assert page.url.endswith("#narrative")

    await page.get_by_label("Your story").fill("My withdrawal has not arrived.")
    await page.get_by_label("Email").fill("anna@example.com")
    await page.get_by_role("button", name="Send complaint").tap()
    await expect(page.get_by_role("heading", level=1)).to_have_text("We have received your complaint")
    await expect(page.get_by_text("good.png")).to_be_visible()
    (number,) = front.ticket_numbers()
    await expect(page.locator("#ticket-number")).to_have_text(number)
    view = front.running.store.ticket(number)
    assert view is not None
    assert view.complaint.complainant.language == "en"


async def test_keyboard_only(front: Aduan, open_page: Opener) -> None:
    """From the skip link to the receipt without a pointer; the focus can always be seen, the trap is not in the way."""
    page = await open_page()
    await page.goto("/klikacc/")
    keyboard = page.keyboard
    await keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Langsung ke isi")).to_be_focused()
    await keyboard.press("Enter")
    seen: list[str] = []
    for _ in range(40):
        await keyboard.press("Tab")
        found = await page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.id || e.textContent.trim(), s.outlineStyle, parseFloat(s.outlineWidth)] })()"
        )
        assert found[1] != "none", f"the focus on {found[0]} cannot be seen"
        assert found[2] >= 2
        seen.append(found[0])
        if found[0] == "narrative":
            await keyboard.type("Saldo saya berkurang sendiri.")
        elif found[0] == "phone":
            await keyboard.type("0812 3456 7890")
        elif found[0] == "Kirim pengaduan":
            await keyboard.press("Enter")
            break
    assert "leave_empty" not in seen
    assert seen.index("narrative") < seen.index("files") < seen.index("email") < seen.index("phone")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pengaduan Anda kami terima")
    (number,) = front.ticket_numbers()
    view = front.running.store.ticket(number)
    assert view is not None
    assert view.complaint.complainant.phone == "+6281234567890"


async def test_back_and_change_is_asked_before_it_is_a_second_complaint(front: Aduan, open_page: Opener) -> None:
    page = await open_page()
    await page.goto("/klikumkm/")
    await page.get_by_label("Cerita Anda").fill("Pertama.")
    await page.get_by_role("button", name="Kirim pengaduan").click()
    await expect(page.locator("#ticket-number")).to_be_visible()
    await page.go_back()
    await page.get_by_label("Cerita Anda").fill("Kedua.")
    await page.get_by_role("button", name="Kirim pengaduan").click()
    await expect(page.get_by_role("alert")).to_contain_text("sudah terkirim sebelumnya")
    assert len(front.ticket_numbers()) == 1
    await page.get_by_role("button", name="Kirim pengaduan").click()
    await expect(page.locator("#ticket-number")).to_be_visible()
    assert len(front.ticket_numbers()) == 2


@pytest.mark.parametrize(("screen", "language"), [(PHONE, "id"), ({}, "en")], ids=["phone", "wide"])
async def test_nothing_grave_for_assistive_technology(open_page: Opener, screen: dict[str, Any], language: str) -> None:
    """axe on every page in both languages, with and without mistakes; fits a screen 360 pixels wide."""
    page = await open_page(**screen)
    await page.goto(f"/?lang={language}")
    await expect(page.get_by_role("link", name="KlikACC")).to_be_visible()
    await assert_accessible(page)
    for slug in ("klikacc", "klikumkm", "akseleran"):
        await page.goto(f"/{slug}/?lang={language}")
        await assert_accessible(page)
    await page.locator("summary").first.click()
    await page.locator("#email").fill("x")
    await page.locator("button[type=submit]").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await assert_accessible(page)
    await page.locator("#narrative").fill("x" * 300)
    await page.locator("#email").fill("")
    await page.locator("button[type=submit]").click()
    await expect(page.locator("#ticket-number")).to_be_visible()
    await assert_accessible(page)
    await page.goto(f"/status?lang={language}")
    await assert_accessible(page)
    await page.locator("#number").fill("AKS-20260105-000001-1")
    await page.locator("#code").fill("123456")
    await page.locator("button[type=submit]").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await assert_accessible(page)
    await page.goto(f"/verify?lang={language}")
    await page.locator("#receipt").set_input_files([file("a.pdf", PDF)])
    await page.locator("button[type=submit]").click()
    await expect(page.locator("#verdict")).to_be_visible()
    await assert_accessible(page)
    await page.goto(f"/nobody/?lang={language}")
    await assert_accessible(page)


async def test_targets_are_large_enough_to_touch(open_page: Opener) -> None:
    """Every control of the form is at least 24 pixels high (WCAG 2.2, 2.5.8), the main ones 44."""
    page = await open_page(**PHONE)
    await page.goto("/akseleran/")
    for control in await page.locator("input:visible, select:visible, textarea:visible, button:visible").all():
        if await control.get_attribute("id") == "leave_empty":
            continue
        box = await control.bounding_box()
        assert box is not None
        assert box["height"] >= 44, await control.get_attribute("id")
    assert re.search(r"\bKirim\b", await page.locator("button[type=submit]").inner_text())


async def test_the_language_on_the_screen_stays(open_page: Opener) -> None:
    """A reader who chose Indonesian in a browser that prefers English reads Indonesian to the end."""
    page = await open_page(locale="en-US")
    await page.goto("/?lang=id")
    await page.get_by_role("link", name="KlikACC").click()
    await page.get_by_label("Cerita Anda").fill("Dana saya belum masuk sejak 2 Januari.")
    await page.get_by_role("button", name="Kirim pengaduan").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pengaduan Anda kami terima")
    await page.get_by_role("link", name="Cek status").last.click()
    await expect(page.locator("html")).to_have_attribute("lang", "id")
