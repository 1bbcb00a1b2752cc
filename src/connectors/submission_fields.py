"""What a form or an app may say, field by field: one rule each, and the sentence for what is wrong with it.

Nothing is cut and no topic is refused (U3): a value is taken whole or named with the reason why not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, get_args

from msgspec import Struct

from normalizer import identity
from normalizer.complaint import FIELDS, Kind, Language, Role


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong with one field, in both languages."""

    field: str
    #: A stable word for programs ("required", "too_long").
    code: str
    message_id: str
    message_en: str


class _Wrong(Exception):
    """A value that its rule does not take."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


_SENTENCES: dict[str, tuple[str, str]] = {
    "required": ("Bagian ini wajib diisi.", "This is required."),
    "too_long": (
        "Terlalu panjang: {length} karakter, paling banyak {limit}.",
        "Too long: {length} characters, at most {limit}.",
    ),
    "not_text": ("Harus berupa teks.", "Must be text."),
    "not_characters": (
        "Memuat karakter yang tidak dapat disimpan (NUL atau potongan karakter).",
        "Contains characters that cannot be kept (NUL or half a character).",
    ),
    "not_one_line": (
        "Harus satu baris tanpa karakter kendali.",
        "Must be one line without control characters.",
    ),
    "not_a_choice": ("Pilih salah satu: {choices}.", "Choose one of: {choices}."),
    "not_a_word": (
        "Hanya huruf kecil, angka, dan garis bawah.",
        "Only lower-case letters, digits and underscores.",
    ),
    "not_a_date": (
        "Bukan tanggal. Tulis tahun-bulan-hari, misalnya 2026-01-31.",
        "Not a date. Write year-month-day, for example 2026-01-31.",
    ),
    "not_an_amount": (
        "Bukan jumlah rupiah. Tulis angka bulat, misalnya 1500000.",
        "Not an amount in rupiah. Write a whole number, for example 1500000.",
    ),
    "not_a_flag": ("Jawab true atau false.", "Answer true or false."),
    "not_a_phone": (
        "Bukan nomor telepon yang lengkap. Contoh: 0812 3456 7890.",
        "Not a complete phone number. Example: +62 812 3456 7890.",
    ),
    "not_an_email": (
        "Bukan alamat email yang lengkap. Contoh: nama@contoh.id.",
        "Not a complete email address. Example: name@example.com.",
    ),
    "not_a_moment": (
        "Bukan waktu. Tulis 2026-01-31 atau 2026-01-31T14:05:00+07:00.",
        "Not a time. Write 2026-01-31, or 2026-01-31T14:05:00+07:00.",
    ),
    "needs_time": (
        "Tulis juga jamnya, misalnya 2026-01-31T14:05:00+07:00: jam kerja menentukan hari pertama panggilan telepon.",
        "Give the hour too, as 2026-01-31T14:05:00+07:00: office hours decide from which day a call counts.",
    ),
    "in_the_future": (
        "Waktu ini belum tiba: pengaduan tidak mungkin sudah diterima.",
        "This time has not come yet: nothing can have been received then.",
    ),
    "too_long_ago": (
        "Lebih dari {days} hari yang lalu: periksa tahunnya.",
        "More than {days} days ago: look at the year.",
    ),
    "unknown_field": ("Isian ini tidak dikenal.", "There is no such field."),
    "not_an_object": ("Harus berupa objek JSON.", "Must be a JSON object."),
    "not_a_key": (
        "Kunci idempotensi harus 8-128 karakter ASCII tanpa spasi.",
        "The idempotency key must be 8-128 ASCII characters without spaces.",
    ),
    "not_an_attachment": ("Rujukan lampiran tidak sah.", "Not a valid reference to an attachment."),
    "given_twice": ("Isian ini dikirim lebih dari sekali.", "This field was sent more than once."),
    "no_choice": (
        "Lembaga ini tidak memakai kategori; kosongkan.",
        "This organisation has no categories; leave it out.",
    ),
    "file_lost": (
        "Berkas yang tadi dikirim tidak ditemukan lagi. Silakan pilih berkasnya sekali lagi.",
        "A file that was sent before cannot be found any more. Please choose it again.",
    ),
    "not_with_self": (
        "Nama perwakilan diisi hanya bila Anda bertindak sebagai perwakilan.",
        "A representative's name is given only when acting as a representative.",
    ),
    "form_unknown": (
        "Formulir ini tidak dapat diperiksa. Silakan tekan kirim sekali lagi.",
        "This form could not be checked. Please press send once more.",
    ),
    "form_expired": (
        "Formulir ini sudah terbuka terlalu lama. Isian Anda masih ada; silakan tekan kirim sekali lagi.",
        "This form was open for too long. What you wrote is still here; please press send once more.",
    ),
    "form_too_fast": (
        "Formulir terkirim terlalu cepat. Silakan periksa isian Anda, lalu tekan kirim sekali lagi.",
        "The form was sent too quickly. Please look over what you wrote, then press send once more.",
    ),
    "must_be_empty": (
        "Kosongkan kolom ini; kolom ini hanya untuk menangkap program otomatis.",
        "Leave this field empty; it is there only to catch automatic programs.",
    ),
}


def problem(field: str, code: str, **values: object) -> Problem:
    """The problem `code` of a field, in both languages."""
    indonesian, english = _SENTENCES[code]
    return Problem(field=field, code=code, message_id=indonesian.format(**values), message_en=english.format(**values))


#: The longest value each field takes, characters; the schema gives none, so these bound what a person types.
LONGEST: Mapping[str, int] = {
    "narrative": 20_000, "full_name": 200, "id_address": 500, "phone": 40, "email": 254, "customer_ref": 100,
    "role": 40, "language": 10, "kind": 40, "category": 64, "subject": 200, "acting_as": 20,
    "representative_name": 200, "transaction_type": 200, "transaction_date": 10, "transaction_reference": 100,
    "transaction_amount_idr": 40, "loss_amount_idr": 40, "remedy_requested": 2_000, "publish_narrative": 5,
    "privacy_notice_version": 64,
}  # fmt: skip
NAMES = ("narrative", *FIELDS)
ACTING_AS = ("self", "representative")
_MANY_LINES = frozenset({"narrative", "remedy_requested", "id_address"})

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
# The sign before "00" differs from the one between thousands: "1.500.00" could be misread and is asked again.
_AMOUNT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,00)?|[0-9]{1,3}(?:,[0-9]{3})+(?:\.00)?|[0-9]+(?:[.,]00)?")
_FLAGS = {"true": "true", "false": "false", "on": "true", "yes": "true", "ya": "true", "1": "true", "0": "false"}
_MOST_RUPIAH_DIGITS = 15


def check(fields: Mapping[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    """The fields in their one spelling without the empty ones, and everything that is wrong with them."""
    taken: dict[str, str] = {}
    problems: list[Problem] = []
    for name in sorted(fields, key=str):
        if name not in LONGEST:
            problems.append(problem(_printable(name), "unknown_field"))
            continue
        try:
            value = _read(name, fields[name])
        except _Wrong as wrong:
            problems.append(problem(name, wrong.code, **wrong.values))
        else:
            if value:
                taken[name] = value
    named = {p.field for p in problems}
    if "narrative" not in taken and "narrative" not in named:
        problems.append(problem("narrative", "required"))
    if taken.get("representative_name") and taken.get("acting_as") == "self":
        problems.append(problem("representative_name", "not_with_self"))
    elif taken.get("representative_name") and "acting_as" not in named:
        taken["acting_as"] = "representative"
    return taken, problems


def _read(name: str, value: Any) -> str:
    if isinstance(value, bool) and name == "publish_narrative":
        return "true" if value else "false"
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_idr"):
        if not 0 <= value < 10**_MOST_RUPIAH_DIGITS:
            raise _Wrong("not_an_amount")
        return str(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong("not_text")
    if _UNSTORABLE.search(value):
        raise _Wrong("not_characters")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST[name]:
        raise _Wrong("too_long", length=len(text), limit=LONGEST[name])
    if name not in _MANY_LINES and _CONTROL.search(text):
        raise _Wrong("not_one_line")
    if not text:
        return ""
    rule = _RULES.get(name)
    return rule(text) if rule else text


def _choice(*choices: str) -> Callable[[str], str]:
    def rule(text: str) -> str:
        if text not in choices:
            raise _Wrong("not_a_choice", choices=", ".join(choices))
        return text

    return rule


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise _Wrong("not_a_word")
    return text


def _date(text: str) -> str:
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Wrong("not_a_date") from None


def rupiah(text: str) -> str:
    """Whole rupiah as digits, from what people type ("Rp 1.500.000,00"). Raises ValueError when it is no amount."""
    bare = re.sub(r"(?i)^(?:rp\.?|idr)\s*|[\s\u00a0]+|,-$", "", text)
    if not bare.isascii() or not _AMOUNT.fullmatch(bare):
        raise ValueError("not an amount in rupiah")
    whole = bare[:-3] if bare[-3:] in {".00", ",00"} else bare
    digits = whole.replace(".", "").replace(",", "").lstrip("0") or "0"
    if len(digits) > _MOST_RUPIAH_DIGITS:
        raise ValueError("not an amount in rupiah")
    return digits


def _rupiah(text: str) -> str:
    try:
        return rupiah(text)
    except ValueError:
        raise _Wrong("not_an_amount") from None


def _flag(text: str) -> str:
    if text.lower() not in _FLAGS:
        raise _Wrong("not_a_flag")
    return _FLAGS[text.lower()]


def _phone(text: str) -> str:
    if identity.phone(text) is None:
        raise _Wrong("not_a_phone")
    return text


def _email(text: str) -> str:
    if identity.email(text) is None:
        raise _Wrong("not_an_email")
    return text


_RULES: dict[str, Callable[[str], str]] = {
    "phone": _phone,
    "email": _email,
    "role": _choice(*get_args(Role)),
    "language": _choice(*get_args(Language)),
    "kind": _choice(*get_args(Kind)),
    "category": _word,
    "acting_as": _choice(*ACTING_AS),
    "transaction_date": _date,
    "transaction_amount_idr": _rupiah,
    "loss_amount_idr": _rupiah,
    "publish_narrative": _flag,
}


def _printable(name: object) -> str:
    """A field name as it may stand in an answer: short, without anything that could break a line or a page."""
    return _UNSTORABLE.sub("?", _CONTROL.sub("?", str(name)))[:64]
