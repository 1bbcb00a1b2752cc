"""A mailbox of complaints: 300 mails, median 14 KB with text and HTML, one with 2 MB attached; always the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

COUNT = 300
_ATTACHED_BYTES = 2 * 1024 * 1024
_SENTENCES = (
    "Saya sudah membayar cicilan bulan ini lewat virtual account, tetapi statusnya masih menunggak.",
    "Denda terus bertambah setiap hari padahal bukti transfernya sudah saya kirim.",
    "Petugas penagihan menelepon kantor saya dan berbicara dengan kata-kata yang kasar.",
    "Mohon dicek kembali nomor pinjaman saya dan tolong perbaiki datanya.",
    "Aplikasi selalu gagal ketika saya mau mengunggah dokumen, sudah saya coba berkali-kali.",
    "Sampai hari ini belum ada jawaban dari layanan pelanggan, padahal sudah saya hubungi dua kali.",
    "Kalau perlu, rekening koran dan foto KTP akan saya kirim menyusul.",
    "Terima kasih atas perhatiannya, saya tunggu kabar baiknya secepat mungkin.",
)
_CELL = '<td style="padding:4px 8px;font-family:Arial,sans-serif;font-size:14px;color:#333333">{}</td>'


def mails(address: str) -> list[bytes]:
    """The mails to `address`, each from another sender, as they lie in a mailbox."""
    random_ = random.Random(20260105)
    return [_mail(n, address, random_) for n in range(COUNT)]


def _mail(n: int, address: str, random_: random.Random) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Pelanggan {n} <pelanggan{n}@contoh.example>"
    mail["To"] = address
    mail["Subject"] = f"Pengaduan cicilan nomor {n}: sudah lunas tetapi masih ditagih"
    mail["Date"] = format_datetime(datetime(2026, 1, 5, 2, tzinfo=UTC) + timedelta(seconds=n))
    mail["Message-ID"] = f"<{n}.{random_.getrandbits(64):x}@contoh.example>"
    mail["X-Mailer"] = "Bench 1.0"
    sentences = [random_.choice(_SENTENCES) for _ in range(random_.randint(28, 44))]
    mail.set_content("Yth. Akseleran,\n\n" + "\n".join(sentences) + "\n")
    rows = "".join(f"<tr>{_CELL.format(i + 1)}{_CELL.format(each)}</tr>" for i, each in enumerate(sentences))
    mail.add_alternative(f"<html><body><p>Yth. Akseleran,</p><table>{rows}</table></body></html>", subtype="html")
    if n == COUNT // 2:
        content = b"%PDF-1.7\n" + random_.randbytes(_ATTACHED_BYTES)
        mail.add_attachment(content, maintype="application", subtype="pdf", filename="rekening-koran.pdf")
    return mail.as_bytes()
