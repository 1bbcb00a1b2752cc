"""Refusals that need more than one ticket and its policy, each with the sentence that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gateway.handling_values import Refused
from tickets.lifecycle_values import Refusal


class _Sentences(Struct, frozen=True):
    id: str
    en: str
    #: Where the rule stands.
    rule: str
    sources: tuple[str, ...] = ()
    why: Literal["unknown", "changed", "not_allowed"] = "not_allowed"


_KNOWN: Mapping[str, _Sentences] = {
    "unknown_ticket": _Sentences(
        "Tidak ada tiket dengan nomor {number}: periksa nomornya.",
        "There is no ticket {number}: check the number.",
        "ticket_number",
        why="unknown",
    ),
    "changed_since": _Sentences(
        "Tiket ini sudah berubah sejak Anda melihatnya (perubahan ke-{revision}, Anda melihat ke-{seen}): buka lagi "
        "tiketnya, lalu putuskan.",
        "The ticket has changed since you saw it (change {revision}, you saw {seen}): open it again, then decide.",
        "revision",
        why="changed",
    ),
    "key_used": _Sentences(
        "Kunci ini sudah dipakai untuk langkah {event}: beri kunci lain untuk langkah yang baru.",
        "This key was used for {event} before: give another one for a new step.",
        "key",
        why="changed",
    ),
    "erased": _Sentences(
        "Data pribadi tiket {number} sudah dihapus: tiket ini tidak dapat dilanjutkan. Buka tiket baru bila perlu.",
        "The personal data of ticket {number} were erased: it cannot go on. Open a new ticket if need be.",
        "retention_years",
    ),
    "in_the_future": _Sentences(
        "Waktu {at} belum tiba: catat langkah setelah terjadi.",
        "{at} has not come yet: record a step when it has happened.",
        "at",
    ),
    "wrote_meanwhile": _Sentences(
        "Pelanggan sudah menulis lagi pada {at}: baca pesannya dan putuskan; lewatnya tenggat tidak menutup tiket.",
        "The customer wrote again at {at}: read the message and decide; the end of the window closes nothing.",
        "objection.window",
        ("G10",),
    ),
    "answer_not_arrived": _Sentences(
        "Jawaban belum sampai kepada pelanggan: kirim atau antarkan dahulu, lalu tutup tugasnya; sebelum itu diamnya "
        "tidak berarti apa-apa.",
        "The answer has not reached the customer: send or bring it, then close its task; until then silence says "
        "nothing.",
        "objection.window",
        ("G10",),
    ),
    "sent_files_meanwhile": _Sentences(
        "Pelanggan sudah mengirim pesan atau berkas pada {at}: periksa dahulu sebelum dianggap tidak ada yang datang.",
        "The customer wrote or sent files at {at}: look at that before it counts as nothing having come.",
        "documents.window",
        ("G7",),
    ),
    "group_unknown": _Sentences(
        "Tidak ada tiket {parent} yang dapat mewakili kejadian massal: periksa nomornya.",
        "There is no ticket {parent} to stand for a mass event: check the number.",
        "parent",
    ),
    "group_elsewhere": _Sentences(
        "{parent} adalah pengaduan kepada lembaga lain: tidak dapat mewakili tiket ini.",
        "{parent} is a complaint to another institution: it cannot stand for this one.",
        "parent",
    ),
    "group_nested": _Sentences(
        "{number} sendiri tergabung di bawah {parent}: gabungkan tiket ini langsung di bawah {parent}.",
        "{number} itself is grouped under {parent}: group this ticket under {parent}.",
        "parent",
    ),
    "group_has_children": _Sentences(
        "{number} mewakili tiket lain: lepaskan dahulu tiket-tiket itu.",
        "{number} stands for other tickets: take those out of its group first.",
        "parent",
    ),
    "merge_unknown": _Sentences(
        "Tidak ada tiket {into} sebagai tujuan penggabungan: periksa nomornya.",
        "There is no ticket {into} to merge into: check the number.",
        "into",
    ),
    "merge_itself": _Sentences(
        "Tiket tidak dapat digabungkan dengan dirinya sendiri; {into} adalah tiket yang sama.",
        "A ticket cannot be merged into itself; {into} is the same one.",
        "into",
    ),
    "merge_elsewhere": _Sentences(
        "{into} adalah pengaduan kepada lembaga lain: tidak dapat digabungkan.",
        "{into} is a complaint to another institution: they cannot be merged.",
        "into",
    ),
    "merge_closed": _Sentences(
        "Tiket {into} sudah ditutup ({state}): buka kembali dahulu, atau lanjutkan tiket yang baru.",
        "Ticket {into} is closed ({state}): reopen it first, or go on with the new one.",
        "into",
    ),
}
#: Every code that is refused here.
CODES = frozenset(_KNOWN)


def refused(code: str, **values: str) -> Refused:
    """The refusal of this code. KeyError for a code that is not in CODES."""
    known = _KNOWN[code]
    return Refused(why=known.why, refusal=Refusal(code=code, rule=known.rule, sources=known.sources, values=values))


def sentence(refusal: Refusal, language: Literal["id", "en"]) -> str:
    """What a person reads of any refusal, of a ticket's rules or of its handling."""
    known = _KNOWN.get(refusal.code)
    if known is None:
        from tickets.refusal_texts import sentence as of_the_rules

        return of_the_rules(refusal, language)
    return (known.id if language == "id" else known.en).format_map(refusal.values)
