"""Signed WhatsApp webhooks as Meta posts them, 1.5 KB each, every one from another sender."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator

APP_SECRET = "bench-app-secret"
#: Meta raises a busy number's pace to 1,000 messages a second: with that and a few numbers it is not what is measured.
NUMBERS = 4
SENDS_PER_SECOND = 1_000
_TEXT = (
    "Selamat siang, saya {name} ingin menyampaikan pengaduan. Pada tanggal 3 Januari saya sudah melunasi cicilan "
    "pinjaman sebesar Rp1.250.000 lewat virtual account bank, buktinya ada, tetapi di aplikasi status pinjaman saya "
    "masih menunggak dan denda terus bertambah setiap hari. Sejak kemarin petugas penagihan juga menelepon kantor "
    "dan keluarga saya berkali-kali dengan kata-kata yang kasar, padahal tagihannya sudah saya bayar lunas. Mohon "
    "dicek nomor pinjaman LN-{number:08d}, tolong perbaiki statusnya, hapus dendanya, dan hentikan penagihan ini. "
    "Saya sudah dua kali menghubungi layanan pelanggan tetapi belum ada jawaban sampai hari ini. Yang pertama tanggal "
    "5 Januari, dijawab akan dicek dalam dua hari kerja; yang kedua tanggal 9 Januari, tidak dijawab sama sekali. "
    "Kalau memang ada kesalahan dari pihak bank, mohon dibantu komunikasinya, saya siap mengirim bukti transfer dan "
    "rekening koran yang diperlukan. Terima kasih."
)
_NAMES = ("Sari", "Budi", "Tono", "Dewi", "Agus", "Rina", "Putri", "Andi", "Wulan", "Joko")


def channel(index: int) -> str:
    """The channel id of a number."""
    return f"bench-wa-{index:02d}"


def phone_number_id(index: int) -> str:
    """Meta's id of a number."""
    return f"1000000{index:05d}"


def signed(first: int, count: int) -> Iterator[tuple[str, str, bytes]]:
    """Path, signature and body of messages `first` to `first + count`; no two of a run share an id or a sender."""
    key = APP_SECRET.encode()
    at = int(time.time())
    frames = [_frame(index, at) for index in range(NUMBERS)]
    for n in range(first, first + count):
        number = n % NUMBERS
        name = _NAMES[n % len(_NAMES)]
        wa_id = f"62813{n:08d}"
        wamid = f"wamid.HBgNNjI4MTIzNDU2Nzg5MBUCABIYFjNFQjA{n:012d}AA=="
        text = _TEXT.format(name=name, number=n % 10**8)
        body = frames[number] % {"wa_id": wa_id, "wamid": wamid, "name": name, "text": text}
        raw = body.encode()
        yield f"/in/{channel(number)}", hmac.new(key, raw, hashlib.sha256).hexdigest(), raw


def _frame(index: int, at: int) -> str:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": f"62215099{index:04d}", "phone_number_id": phone_number_id(index)},
        "contacts": [{"profile": {"name": "%(name)s"}, "wa_id": "%(wa_id)s", "user_id": "ID.%(wa_id)s90871"}],
        "messages": [
            {
                "from": "%(wa_id)s",
                "from_user_id": "ID.%(wa_id)s90871",
                "id": "%(wamid)s",
                "timestamp": str(at),
                "type": "text",
                "text": {"body": "%(text)s"},
            }
        ],
    }
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "200000000001", "changes": [{"field": "messages", "value": value}]}],
    }
    return json.dumps(envelope, separators=(",", ":"))
