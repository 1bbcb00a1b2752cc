"""The form as people without script see it: nothing typed is ever lost, nothing is sent twice, nobody else sends it."""

from __future__ import annotations

import asyncio
import re
import secrets
from datetime import UTC, datetime, timedelta

import aiohttp
from yarl import URL

from connectors import form_token
from gateway.keys import installation_secret
from harness import Aduan
from web_samples import HTML, PDF, SVG, errors, form_data, hidden, kept, png, value_of

FORM = "/akseleran/"
STORY = {"narrative": "Dana saya belum masuk.\nSejak 2 Januari.", "email": "siti@contoh.id", "full_name": "Siti"}


async def opened(client: aiohttp.ClientSession, path: str = FORM) -> str:
    async with client.get(path) as response:
        assert response.status == 200
        return await response.text()


async def send(
    client: aiohttp.ClientSession,
    token: str,
    fields: dict[str, str],
    files: list[tuple[str, str, bytes]] | None = None,
    references: list[str] | None = None,
    path: str = FORM,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, str]:
    data = form_data({"token": token})
    for reference in references or []:
        data.add_field("kept", reference)
    for name, value in fields.items():
        data.add_field(name, value)
    for field, name, content in files or []:
        data.add_field(field, content, filename=name, content_type="application/octet-stream")
    async with client.post(path, data=data, headers=headers or {}, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def test_sent_once_with_a_receipt_on_the_screen(front: Aduan, client: aiohttp.ClientSession) -> None:
    """K2, A4: number, date, contact at once; a reload of the receipt sends nothing; a second press neither."""
    page = await opened(client)
    token = hidden(page, "token")
    status, location, _ = await send(client, token, STORY, [("files", "bukti.pdf", PDF)])
    assert status == 303
    async with client.get(location) as response:
        receipt = await response.text()
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response.headers["X-Robots-Tag"]
    (number,) = front.ticket_numbers()
    view = front.running.store.ticket(number)
    assert view is not None
    assert number in receipt
    assert "cs@akseleran.co.id" in receipt
    assert "bukti.pdf" in receipt
    assert re.search(r'id="access-code">\d{6}<', receipt)
    assert view.complaint.narrative == STORY["narrative"]
    assert await send(client, token, STORY, [("files", "bukti.pdf", PDF)]) == (303, location, "")
    assert front.ticket_numbers() == [number]


async def test_double_press_waits_for_the_first(front: Aduan, client: aiohttp.ClientSession) -> None:
    token = hidden(await opened(client), "token")
    answers = await asyncio.gather(*(send(client, token, STORY) for _ in range(8)))
    assert {status for status, _, _ in answers} == {303}
    assert len({location for _, location, _ in answers}) == 1
    assert len(front.ticket_numbers()) == 1


async def test_mistakes_keep_everything_that_was_typed(front: Aduan, client: aiohttp.ClientSession) -> None:
    """Wrong fields, refused files: what was good stays, files too; the corrected form is one complaint."""
    token = hidden(await opened(client), "token")
    typed = {**STORY, "email": "bukan email", "transaction_amount_idr": "banyak", "role": "lender", "category": "login"}
    files = [("files", "baik.png", png()), ("files", "jahat.html", HTML), ("files", "jahat.svg", SVG)]
    status, _, page = await send(client, token, typed, files)
    assert status == 400
    assert hidden(page, "token") == token
    assert set(errors(page)) == {"email", "transaction_amount_idr", "files"}
    assert "jahat.html" in errors(page)["files"]
    assert "jahat.svg" in errors(page)["files"]
    for name in ("narrative", "email", "full_name", "transaction_amount_idr"):
        assert value_of(page, name) == typed[name]
    assert '<option value="lender" selected>' in page
    assert '<option value="login" selected>' in page
    assert "<details open>" in page
    assert 'role="alert"' in page
    assert 'aria-invalid="true"' in page
    for name in ("email", "files"):
        assert f'<a href="#{name}">' in page
        assert f'id="{name}"' in page
    references = kept(page)
    assert len(references) == 1
    assert front.ticket_numbers() == []

    corrected = {**typed, "email": "siti@contoh.id", "transaction_amount_idr": "Rp 1.500.000"}
    status, _, _ = await send(client, token, corrected, references=references)
    assert status == 303
    (number,) = front.ticket_numbers()
    view = front.running.store.ticket(number)
    assert view is not None
    assert [file.name_safe for file in view.complaint.attachments] == ["baik.png"]
    assert view.complaint.transaction is not None
    assert view.complaint.transaction.amount_idr == 1_500_000


async def test_markup_stays_text_when_it_is_shown_again(client: aiohttp.ClientSession) -> None:
    """P27: what a person types comes back as text, in every kind of field and in file names."""
    token = hidden(await opened(client), "token")
    attack = "</textarea><script>alert(1)</script>{{7*7}}\"'><img src=x onerror=1>"
    typed = {"narrative": attack, "email": attack, "full_name": attack, "category": attack, "x<b>": "1"}
    _, _, page = await send(client, token, typed, [("files", "<img src=x>.html", HTML)])
    assert "<script>" not in page
    assert "<img src=x" not in page
    assert "49" not in value_of(page, "full_name")
    assert value_of(page, "narrative") == attack
    assert value_of(page, "full_name") == attack


async def test_a_form_of_yesterday_is_shown_again(front: Aduan, client: aiohttp.ClientSession) -> None:
    """A form older than a day comes back with everything in it and a new token, and then goes through."""
    await opened(client)
    cookie = client.cookie_jar.filter_cookies(URL(front.url))["aduan_form"].value
    secret = installation_secret(front.installation.data_dir)
    old = form_token.issue(
        secret, "akseleran-form", cookie, secrets.token_bytes(16), datetime.now(UTC) - timedelta(hours=25)
    )
    status, _, page = await send(client, old, STORY)
    assert status == 400
    assert value_of(page, "narrative") == STORY["narrative"]
    fresh = hidden(page, "token")
    assert fresh != old
    assert (await send(client, fresh, STORY))[0] == 303


async def test_a_quick_form_waits_and_a_far_too_quick_one_is_shown_again(
    front: Aduan, client: aiohttp.ClientSession
) -> None:
    """sheet A12: nobody fills in a form in no time, but who had help from the browser is not sent away."""
    token = hidden(await opened(client, "/klikumkm/"), "token")
    assert (await send(client, token, STORY, path="/klikumkm/"))[0] == 303
    (number,) = front.ticket_numbers()
    view = front.running.store.ticket(number)
    issued = form_token.read(installation_secret(front.installation.data_dir), "klikumkm-form", token)
    assert view is not None
    assert issued is not None
    assert view.complaint.received_at - issued.issued_at >= timedelta(seconds=3)
    token = hidden(await opened(client, "/klikacc/"), "token")
    status, _, page = await send(client, token, STORY, path="/klikacc/")
    assert status == 400
    assert "terlalu cepat" in page
    assert value_of(page, "narrative") == STORY["narrative"]
    assert hidden(page, "token") == token
    assert front.ticket_numbers() == [number]


async def test_the_trap_never_loses_a_complaint(front: Aduan, client: aiohttp.ClientSession) -> None:
    token = hidden(await opened(client), "token")
    status, _, page = await send(client, token, {**STORY, "leave_empty": "http://spam.example"})
    assert status == 400
    assert value_of(page, "narrative") == STORY["narrative"]
    assert value_of(page, "leave_empty") == ""
    assert (await send(client, token, STORY))[0] == 303
    assert len(front.ticket_numbers()) == 1


async def test_sent_before_with_other_words_is_a_new_complaint_only_when_confirmed(
    front: Aduan, client: aiohttp.ClientSession
) -> None:
    """Back, change, send: the person is told that the first is recorded, and may send the second."""
    token = hidden(await opened(client), "token")
    assert (await send(client, token, STORY))[0] == 303
    other = {**STORY, "narrative": "Cerita lain."}
    status, _, page = await send(client, token, other)
    assert status == 422
    assert value_of(page, "narrative") == "Cerita lain."
    assert len(front.ticket_numbers()) == 1
    assert (await send(client, hidden(page, "token"), other))[0] == 303
    assert len(front.ticket_numbers()) == 2


FORGED: list[tuple[str, dict[str, str], bool]] = [
    # what is wrong, headers, whether the cookie is sent
    ("no cookie", {}, False),
    ("no cookie, other site", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
    ("other site by Origin", {"Origin": "https://evil.example"}, True),
    ("other site by Sec-Fetch-Site", {"Sec-Fetch-Site": "cross-site"}, True),
    ("sibling host", {"Sec-Fetch-Site": "same-site"}, True),
    ("Origin: null", {"Origin": "null"}, True),
]


async def test_forged_forms_are_refused(front: Aduan, client: aiohttp.ClientSession) -> None:
    """ASVS 3.5.1-3.5.3: Origin, Sec-Fetch-Site, cookie and token; the person's words are shown again, never kept."""
    token = hidden(await opened(client), "token")
    for why, headers, with_cookie in FORGED:
        jar = client.cookie_jar if with_cookie else aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(front.url, cookie_jar=jar) as other:
            status, _, page = await send(other, token, STORY, headers=headers)
        assert status == 403, why
        assert value_of(page, "narrative") == STORY["narrative"]
    for wrong in ("", "x", token[:-2] + "AA", token + "A"):
        assert (await send(client, wrong, STORY))[0] == 403
    async with aiohttp.ClientSession(front.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as stranger:
        await opened(stranger)
        assert (await send(stranger, token, STORY))[0] == 403
    async with client.get("/klikacc/") as response:
        foreign = hidden(await response.text(), "token")
    assert (await send(client, foreign, STORY))[0] == 403
    assert front.ticket_numbers() == []


async def test_a_frame_without_cookie_is_believed_by_the_browsers_word(
    front: Aduan, client: aiohttp.ClientSession
) -> None:
    token = hidden(await opened(client), "token")
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": front.url}
    async with aiohttp.ClientSession(front.url, cookie_jar=aiohttp.DummyCookieJar()) as framed:
        assert (await send(framed, token, STORY, headers=headers))[0] == 303
    assert len(front.ticket_numbers()) == 1


async def test_nobody_names_a_file_that_is_not_theirs(front: Aduan, client: aiohttp.ClientSession) -> None:
    """A reference holds in its own browser session only; a digest alone is no reference."""
    token = hidden(await opened(client), "token")
    _, _, page = await send(client, token, {"narrative": ""}, [("files", "rahasia.pdf", PDF)])
    (reference,) = kept(page)
    async with aiohttp.ClientSession(front.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as stranger:
        theirs = hidden(await opened(stranger), "token")
        for forged in (reference, reference[:-4] + "AAAA", "", "0" * 64):
            status, _, page = await send(stranger, theirs, STORY, references=[forged])
            assert status == 400
            assert "files" in errors(page)
    assert front.ticket_numbers() == []


LANGUAGES = [
    ("", None, "id"), ("", "id-ID,id;q=0.9,en;q=0.8", "id"), ("", "en-GB,en;q=0.9", "en"), ("", "fr", "id"),
    ("?lang=en", "id-ID", "en"), ("?lang=id", "en", "id"), ("?lang=xx", None, "id"),
]  # fmt: skip


async def test_language(client: aiohttp.ClientSession) -> None:
    for query, accept, language in LANGUAGES:
        headers = {"Accept-Language": accept} if accept else {}
        async with client.get(FORM + query, headers=headers) as response:
            page = await response.text()
        assert f'<html lang="{language}">' in page
        assert response.headers["Content-Language"] == language
        assert ("Sampaikan pengaduan Anda" in page) == (language == "id")


async def test_every_page_carries_its_headers(front: Aduan, client: aiohttp.ClientSession) -> None:
    for path in (FORM, "/status", "/verify", "/r/" + "x" * 22, "/nobody/", "/nobody"):
        async with client.get(path) as response:
            page = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        framing = "frame-ancestors 'self' https://www.partner.example" if path == FORM else "frame-ancestors 'none'"
        assert framing in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in page
        assert " style=" not in page
        assert not re.search(r'(?:src|href)="(?:https?:)?//(?!127)', page.replace("https://wa.me/", ""))
        assets = re.findall(r'"(/assets/[^"]+)"', page)
        assert assets
        async with client.get(assets[0]) as asset:
            assert asset.status == 200
            assert "immutable" in asset.headers["Cache-Control"]
        async with client.head(path) as response:
            assert response.status == (404 if path.startswith(("/r/", "/nobody")) else 200)
    async with client.get("/assets/..%2fpages.py") as response:
        assert response.status == 404
    async with client.get("/akseleran", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, FORM)


async def test_status_page(client: aiohttp.ClientSession) -> None:
    """B6, section 7: the word, the last update, the next date; wrong is wrong in one way; then locked."""
    token = hidden(await opened(client), "token")
    _, location, _ = await send(client, token, STORY)
    async with client.get(location) as response:
        receipt = await response.text()
    number = re.search(r'id="ticket-number">([^<]+)<', receipt)
    code = re.search(r'id="access-code">([^<]+)<', receipt)
    assert number
    assert code

    async def ask(number: str, code: str) -> tuple[int, str]:
        async with client.post("/status", data={"number": number, "code": code}) as response:
            return response.status, await response.text()

    status, page = await ask(number[1].lower(), code[1])
    assert status == 200
    assert "diterima" in page
    assert "siti" not in page.lower()
    assert (await ask("", ""))[0] == 400
    wrong = "000000" if code[1] != "000000" else "000001"
    unknown = await ask("AKS-20260105-999999-9", wrong)
    known = await ask(number[1], wrong)
    assert (unknown[0], unknown[1].replace("AKS-20260105-999999-9", "")) == (404, known[1].replace(number[1], ""))
    for _ in range(3):
        status, page = await ask(number[1], wrong)
    assert status == 429
    assert (await ask(number[1], code[1]))[0] == 429
    async with client.post(
        "/status", data={"number": number[1], "code": code[1]}, headers={"Origin": "https://evil.example"}
    ) as response:
        assert response.status == 403


async def test_receipt_as_pdf_and_its_verification(client: aiohttp.ClientSession) -> None:
    token = hidden(await opened(client), "token")
    _, location, _ = await send(client, token, STORY)
    async with client.get(f"{location.partition('?')[0]}.pdf") as response:
        pdf = await response.read()
        assert response.headers["Content-Disposition"].startswith('attachment; filename="AKS-')
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Robots-Tag"].startswith("noindex")

    async def verify(content: bytes) -> tuple[int, str]:
        async with client.post("/verify", data=form_data({}, [("receipt", "r.pdf", content)])) as response:
            return response.status, await response.text()

    status, page = await verify(pdf)
    assert (status, "verdict-good" in page) == (200, True)
    changed = pdf.replace(b"%PDF-1.7", b"%PDF-1.6", 1) if b"%PDF-1.7" in pdf else pdf[:-40] + b" " * 40
    status, page = await verify(changed)
    assert (status, "verdict-bad" in page) == (200, True)
    assert (await verify(PDF))[1].count("verdict-bad") == 1
    assert (await verify(b"no pdf"))[0] == 400
    assert (await verify(b""))[0] == 400
    assert (await verify(b"%PDF-" + bytes(6 * 1024 * 1024)))[0] == 413
    for path in ("/r/" + "A" * 22, "/r/" + "A" * 22 + ".pdf", "/r/x", "/r/..%2f..%2fetc"):
        async with client.get(path) as response:
            assert response.status == 404, path


async def test_urlencoded_works_too(front: Aduan, client: aiohttp.ClientSession) -> None:
    token = hidden(await opened(client), "token")
    async with client.post(FORM, data={"token": token, **STORY}, allow_redirects=False) as response:
        assert response.status == 303
    async with client.post(FORM, data=b"{}", headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 415
        assert response.content_type == "text/html"
    assert len(front.ticket_numbers()) == 1
