"""What people read of an evidence bag: the summary as one HTML page, and how to check the bag. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime

from tickets.calendar import WIB
from tickets.records_case import Case
from tickets.store.views import MessageView

#: Characters that turn or hide text: written out, so that nobody reads something else than what stands there.
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.3em .5em;text-align:left;"
    "vertical-align:top}pre{white-space:pre-wrap;border-left:3px solid #888;padding-left:1em}"
)


def summary(case: Case) -> str:
    """The complaint as one page without scripts or links, Indonesian first."""
    parts = "\n".join(_sections(case))
    number = _text(case.view.ticket.ticket_number)
    return (
        f'<!doctype html>\n<html lang="id">\n<meta charset="utf-8">\n<title>{number}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{number}</h1>\n{parts}\n</html>\n"
    )


def _sections(case: Case) -> Iterator[str]:
    view = case.view
    complaint, ticket, person = view.complaint, view.ticket, view.complaint.complainant
    outcome = complaint.outcome
    yield _heading("Pengaduan", "Complaint")
    yield _table(
        (
            ("Lembaga / Institution", case.organisation),
            ("Nomor lain / Also known as", ", ".join(view.aliases)),
            ("Diterima / Received", f"{_wib(complaint.received_at)} ({complaint.channel}, {complaint.form})"),
            ("Dihitung sejak / Counts from", str(complaint.effective_received_date)),
            ("Jenis, kategori / Kind, category", f"{complaint.kind}, {complaint.category or '-'}"),
            ("Status / State", ticket.state),
            ("Jawaban paling lambat / First answer by", str(ticket.first_response_due or "-")),
            ("Selesai paling lambat / Resolution by", str(ticket.resolve_due or "-")),
            ("Ditutup / Closed", _wib(ticket.closed_at)),
            ("Hasil / Outcome", ", ".join(filter(None, (outcome.finding, outcome.resolution_type, *outcome.remedies)))),
            ("Penahanan hukum / Legal hold", ticket.life.hold.reason if ticket.life.hold else ""),
            ("Ringkasan dibuat / Summary made", _wib(case.made_at)),
        )
    )
    yield _heading("Pelapor", "Complainant")
    yield _table(
        (
            ("Nama / Name", person.full_name or ""),
            ("Telepon / Phone", person.phone or ""),
            ("Surel / E-mail", person.email or ""),
            ("Alamat / Address", person.id_address or ""),
            ("Nomor nasabah / Customer number", person.customer_ref or ""),
            ("Akun / Account", complaint.sender_handle or ""),
            ("Terverifikasi / Verified", "ya / yes" if person.verified else "tidak / no"),
        )
    )
    yield _heading("Pesan", "Messages")
    for place, message in enumerate(view.messages, 1):
        yield from _message(place, message)
    yield _heading("Lampiran", "Attachments")
    yield _table((file.name_safe, f"{file.status}, SHA-256 {file.sha256 or '-'}") for file in view.attachments)
    yield _heading("Perpanjangan dan keterlambatan", "Extensions and breaches")
    life = ticket.life
    yield _table(
        (
            *((f"{each.old_due} → {each.new_due}", f"{each.ground}: {each.cause}") for each in life.extensions),
            *((f"{each.clock} {each.mark}", f"{each.due}, {_wib(each.at)}") for each in life.announced),
        )
    )
    yield _heading("Pesan yang kami kirim", "What we sent")
    texts = {text.key: text for text in case.texts}
    outbox = [row for each in case.views for row in each.outbox]
    yield _table(
        (row.template, f"{row.state}, {_wib(texts[row.key].sent_at)}, SHA-256 {texts[row.key].body_hash or '-'}")
        for row in outbox
        if row.key in texts
    )
    for row in outbox:
        if row.data.get("text"):
            yield f"<h3>{_text(row.template)}</h3>"
            yield f"<pre>{_text(row.data['text'])}</pre>"
    yield _heading("Catatan kejadian", "Audit log")
    yield _table(
        (f"{link.seq}  {_wib(link.event.at)}", f"{link.event.actor}  {link.event.type}") for link in case.chain
    )


def _message(place: int, message: MessageView) -> Iterator[str]:
    itself = message.row.message
    who = itself.sender.name or itself.sender.handle or itself.sender.key
    yield f"<h3>{place}. {_text(_wib(itself.sent_at))} · {_text(itself.channel)} · {_text(who)}</h3>"
    for number, version in enumerate(message.versions):
        if number:
            yield f"<p>Diubah / Edited {_text(_wib(version.at))}</p>"
        if version.subject:
            yield f"<p><strong>{_text(version.subject)}</strong></p>"
        yield f"<pre>{_text(version.text)}</pre>"
    if message.withdrawn_at is not None:
        yield f"<p>Dihapus pengirim / Deleted by its sender {_text(_wib(message.withdrawn_at))}</p>"


def _heading(indonesian: str, english: str) -> str:
    return f"<h2>{_text(indonesian)} / <em>{_text(english)}</em></h2>"


def _table(rows: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    lines = [f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows if value]
    return "<table>\n" + "\n".join(lines) + "\n</table>" if lines else "<p>-</p>"


def _text(value: str) -> str:
    shown = _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    return html.escape(shown)


def _wib(moment: datetime | None) -> str:
    return "-" if moment is None else moment.astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S WIB")


def readme(case: Case) -> str:
    """How the bag is laid out and how anybody can check it without us."""
    number = case.view.ticket.ticket_number
    return _README.format(number=number, organisation=case.organisation, head=case.log_head, events=case.log_events)


_README = """\
BERKAS BUKTI {number} ({organisation})

Isi
  summary.html          ringkasan untuk dibaca
  complaint.json, ticket.json, deadlines.json   pengaduan, tiket, dan tenggat beserta hari yang dihitung
  messages/NNNN.json    tiap pesan sebagaimana diterima, semua versinya, dan saat dihapus pengirimnya
  messages/NNNN.raw     kiriman penyedia kanal, bita demi bita, bila masih tersimpan
  attachments/          lampiran; nama berkas adalah SHA-256 isinya (daftarnya di attachments.json)
  sent.json             tanda terima dan pemberitahuan: SHA-256 teksnya dan status pengirimannya
  decisions.json        keputusan atas tiket; tasks.json tugas petugas
  merged/               pengaduan yang digabung ke tiket ini beserta tiketnya; kiriman, keputusan, tugas, dan
                        kejadiannya ada di berkas-berkas lain di sini, dengan nomornya masing-masing
  audit.jsonl           catatan kejadian pengaduan ini; audit-log.json keadaan seluruh catatan saat berkas dibuat
  manifest.json         daftar semua berkas dengan ukuran dan SHA-256, serta apa yang tidak ada dan sebabnya

Cara memeriksa (tanpa perangkat lunak kami)
  1. Tanda tangan Ed25519 atas manifest.json. Dapatkan kunci publik langsung dari lembaga, lalu cocokkan dengan
     public-key.pem di sini:
       openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
  2. SHA-256 tiap berkas harus sama dengan yang tertulis di manifest.json (sha256sum BERKAS).
  3. Tiap baris audit.jsonl: SHA-256 dari 32 bita `prev_hash` diikuti teks `hashed` (UTF-8) harus sama dengan `hash`.
     Bila `seq` dua baris berurutan, `hash` yang pertama adalah `prev_hash` yang kedua. Di antara baris yang tidak
     berurutan ada kejadian pengaduan orang lain yang tidak diserahkan; lembaga dapat menunjukkan bahwa rantainya utuh
     sampai kejadian ke-{events} dengan hash {head}.
  Dengan Aduan: `aduan verify BERKAS.zip`.


EVIDENCE BAG {number} ({organisation})

Contents
  summary.html          the summary to read
  complaint.json, ticket.json, deadlines.json   the complaint, its ticket, and its deadlines with the days that counted
  messages/NNNN.json    each message as received, all its versions, and when its sender deleted it
  messages/NNNN.raw     the delivery of the channel's provider, byte for byte, where it is still kept
  attachments/          attachments; a file's name is the SHA-256 of its content (attachments.json lists them)
  sent.json             receipts and notices: the SHA-256 of their texts and what became of them
  decisions.json        decisions on the ticket; tasks.json the staff's tasks
  merged/               complaints that were merged into this one, with their tickets; what was sent, decided, asked and
                        recorded of them stands in the other files here, under their own numbers and ids
  audit.jsonl           the events of this complaint; audit-log.json the state of the whole log when this was made
  manifest.json         every file with its size and SHA-256, and what is not here and why

How to check it (without our software)
  1. The Ed25519 signature of manifest.json. Get the public key from the institution itself and compare it with
     public-key.pem in here:
       openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
  2. The SHA-256 of every file must be the one in manifest.json (sha256sum FILE).
  3. Each line of audit.jsonl: the SHA-256 of the 32 bytes `prev_hash` followed by the text `hashed` (UTF-8) must be
     `hash`. Where the `seq` of two lines are neighbours, the `hash` of the first is the `prev_hash` of the second.
     Between other lines lie events of other people's complaints, which are not handed out; the institution can show
     that the chain is whole up to event {events} with the hash {head}.
  With Aduan: `aduan verify FILE.zip`.
"""
