"""A notice of each kind, with everything that its event gives."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from tickets.lifecycle_values import Notice, NoticeKind

INSTITUTIONS = ("klikacc", "akseleran", "klikumkm")
TEXT = "Dana Anda sudah kami periksa bersama bank mitra."
#: A notice of each kind with all that its event gives.
FULL: dict[NoticeKind, Notice] = {
    "first_response": Notice(kind="first_response", text=TEXT, due=date(2026, 2, 2)),
    "documents_requested": Notice(kind="documents_requested", text=TEXT, due=date(2026, 1, 20)),
    "documents_reminder": Notice(kind="documents_reminder", due=date(2026, 2, 3)),
    "extension": Notice(
        kind="extension", text=TEXT, ground="external_party", old_due=date(2026, 2, 2), due=date(2026, 3, 3),
        letter=True,
    ),
    "answer": Notice(
        kind="answer", text=TEXT, forums=("court", "laps_sjk"), remedies=("apology", "compensation"),
        compensation_idr=1_500_000, due=date(2026, 1, 21), closes=date(2026, 1, 21),
    ),
    "objection_answer": Notice(
        kind="objection_answer", text=TEXT, forums=("court", "laps_sjk"), due=date(2026, 2, 9), closes=date(2026, 2, 9)
    ),
    "rejection": Notice(
        kind="rejection", text=TEXT, ground="already_settled", forums=("court", "laps_sjk"), letter=True
    ),
    "closing": Notice(kind="closing"),
    "referral": Notice(kind="referral", forums=("laps_sjk",)),
    "misdirected": Notice(kind="misdirected", text="Bank mitra, 1500-123"),
    "withdrawal": Notice(kind="withdrawal"),
    "merged": Notice(kind="merged", number="KLA-20260104-000007-2"),
    "reopened": Notice(kind="reopened", due=date(2026, 2, 2)),
}  # fmt: skip
DOCUMENTS = {
    "klikacc": ("supporting_documents",),
    "akseleran": ("id_address", "power_of_attorney", "screenshot_or_recording"),
    "klikumkm": (),
}


def notice_of(kind: NoticeKind, organisation: str) -> Notice:
    asks = kind in {"documents_requested", "documents_reminder"}
    return replace(FULL[kind], documents=DOCUMENTS[organisation]) if asks else FULL[kind]
