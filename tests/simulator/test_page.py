"""The page as a visitor without JavaScript uses it, and the simulator started from an operator's accounts."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

import simulator
from simulator import Account, Mail, Simulation, Twilio, WhatsAppCloud
from simulator.services import providers

BUDI = "+6281234567890"


@pytest.fixture
async def running(business: Any) -> AsyncIterator[Simulation]:
    numbers = [
        Account(
            kind="whatsapp_cloud",
            name=f"Perusahaan {n}",
            webhook_url=f"{business.url}/in/wa{n}",
            settings={
                "phone_number_id": str(n),
                "waba_id": f"10{n}",
                "access_token": f"t{n}",
                "app_secrets": [f"s{n}"],
                "verify_token": "v",
            },
        )
        for n in range(2)
    ]
    sender = Account(
        kind="whatsapp_twilio",
        name="<KlikUMKM>",
        webhook_url=f"{business.url}/in/tw",
        settings={"account_sid": "AC" + "0" * 32, "auth_tokens": ["t"], "number": "+622150000000"},
    )
    mailbox = Account(
        kind="email",
        name="Akseleran",
        webhook_url="",
        settings={"address": "cs@aks.example", "imap": {"password": "p"}},
    )
    form = Account(kind="web_form", name="Akseleran", webhook_url="", settings={})
    async with await simulator.start(providers([*numbers, sender, mailbox, form])) as simulation:
        yield simulation


async def get(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_home_lists_every_counterpart(running: Simulation, http: aiohttp.ClientSession) -> None:
    async with http.get(running.urls["page"]) as answer:
        text = await answer.text()
        assert "script" not in text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert len(re.findall(r"<option value=", text)) == 4
    assert "&lt;KlikUMKM&gt;" in text
    for field in ("talk", "number", "email", "text", "file", "weather", "seed"):
        assert f'<label for="{field}"' in text
        assert f'id="{field}"' in text
    assert text.index("Tulis sebagai nasabah") < text.index("Write as a customer")


async def test_write_over_whatsapp_and_see_the_answer(
    running: Simulation, business: Any, http: aiohttp.ClientSession
) -> None:
    fields = {"talk": "1", "number": "0812 3456 7890", "text": "Uang saya <b>hilang</b>"}
    form = aiohttp.FormData(fields, quote_fields=False)
    form.add_field("file", b"%PDF-1.7 bukti", filename="bukti é.pdf", content_type="application/pdf")
    async with http.post(running.base_url + "/messages", data=form) as answer:
        text = await answer.text()
        assert answer.status == 200
        assert answer.url.path == "/talk/1"
    assert 'http-equiv="refresh"' in text
    assert "Uang saya &lt;b&gt;hilang&lt;/b&gt;" in text
    assert business.calls[0].path == "/in/wa1"
    cloud = running.providers[1]
    assert isinstance(cloud, WhatsAppCloud)
    send = {
        "messaging_product": "whatsapp",
        "to": BUDI,
        "type": "interactive",
        "interactive": {
            "type": "button",
            "body": {"text": "Lanjut? https://aduan.example/r/1"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Ya"}}]},
        },
    }
    url = f"{cloud.base_url}/v26.0/1/messages"
    async with http.post(url, json=send, headers={"Authorization": "Bearer t1"}) as answer:
        assert answer.status == 200
    text = await get(http, running.base_url + "/talk/1?person=%2B6281234567890&follow=3")
    assert 'http-equiv="refresh"' not in text
    assert 'href="https://aduan.example/r/1"' in text
    link = html.unescape(next(iter(re.findall(r'href="(/talk/1/files/[^"]+)"', text))))
    async with http.get(running.base_url + link) as answer:
        assert await answer.read() == b"%PDF-1.7 bukti"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''bukti%20%C3%A9.pdf"
    choice = {"person": BUDI, "id": "yes", "title": "Ya"}
    async with http.post(running.base_url + "/talk/1/choose", data=choice) as answer:
        assert answer.status == 200
    assert cloud.received[-1].content.fields["interactive"]["button_reply"] == {"id": "yes", "title": "Ya"}


async def test_write_over_twilio_and_mail(running: Simulation, business: Any, http: aiohttp.ClientSession) -> None:
    async with http.post(
        running.base_url + "/messages", data={"talk": "2", "number": BUDI, "text": "lewat Twilio"}
    ) as answer:
        assert answer.status == 200
    twilio, mail = running.providers[2], running.providers[3]
    assert isinstance(twilio, Twilio)
    assert isinstance(mail, Mail)
    assert twilio.received[-1].from_ == f"whatsapp:{BUDI}"
    async with http.post(
        running.base_url + "/messages", data={"talk": "3", "email": "budi@mail.example", "text": "lewat e-mail"}
    ) as answer:
        assert "lewat e-mail" in await answer.text()
    assert await mail.imap.count("cs@aks.example") == 1
    assert set(running.urls) == {"page", "whatsapp_cloud", "twilio", "imap", "smtp"}


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({"talk": "0", "number": "abc", "text": "x"}, "Nomor"),
        ({"talk": "3", "email": "abc", "text": "x"}, "e-mail"),
        ({"talk": "0", "number": BUDI, "text": "  "}, "Tulis pesan"),
        ({"talk": "99", "number": BUDI, "text": "x"}, "Pilih saluran"),
    ],
)
async def test_mistakes_are_named_and_nothing_is_lost(
    running: Simulation, http: aiohttp.ClientSession, form: dict[str, str], word: str
) -> None:
    async with http.post(running.base_url + "/messages", data=form) as answer:
        text = await answer.text()
        assert answer.status == 400
    assert word in text.partition('role="alert">')[2].partition("</p>")[0]
    assert html.escape(form.get("number", form.get("email", ""))) in text


async def test_weather_is_set_for_all(running: Simulation, http: aiohttp.ClientSession) -> None:
    async with http.post(running.base_url + "/weather", data={"weather": "duplicates", "seed": "5"}) as answer:
        assert "<strong>duplicates</strong>" in await answer.text()
    assert {provider.weather.name for provider in running.providers} == {"duplicates"}
    assert [provider.weather.seed for provider in running.providers] == [5, 6, 7, 8]
    async with http.post(running.base_url + "/weather", data={"weather": "x", "seed": "5"}) as answer:
        assert answer.status == 400


async def test_forms_of_other_sites_are_refused(running: Simulation, http: aiohttp.ClientSession) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with http.post(running.base_url + "/weather", data={"weather": "calm"}, headers=headers) as answer:
        assert answer.status == 403


async def test_unknown_pages(running: Simulation, http: aiohttp.ClientSession) -> None:
    for path in ("/talk/99", "/talk/0/files/0/0", "/nothing"):
        async with http.get(running.base_url + path) as answer:
            assert answer.status == 404


async def test_a_taken_port_leaves_nothing_behind(running: Simulation) -> None:
    port = int(running.base_url.rpartition(":")[2])
    account = WhatsAppCloud(app_secret="s", access_token="t", phone_number_id="1", waba_id="2", verify_token="v")
    with pytest.raises(OSError, match="address already in use"):
        await simulator.start([account], port=port)
