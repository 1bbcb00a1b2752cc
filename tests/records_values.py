"""A closed complaint with a secret in every place that could hold one, so that a search finds what erasing forgets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import insert

from normalizer.complaint import (
    Assessment,
    Complainant,
    Complaint,
    Consent,
    Loss,
    Objection,
    Outcome,
    Reason,
    Rejection,
    Representative,
    Transaction,
)
from normalizer.message import Attachment, Deletion, Delivery, Edit, Message, ReplyAddress, Sender
from store_values import Build
from tickets import numbers
from tickets.life import Announced, Answer, Extended, Life, Objected, PersonalDataRequest, PromisedDate, Referred
from tickets.model import AttachmentRow, AuditEvent, MessageRow, Records, Route, Settled, TaskRow, Ticket
from tickets.store import Store, schema_forwards, schema_proposals

RECEIVED = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
CLOSED = datetime(2026, 2, 20, 4, 0, tzinfo=UTC)
DAY = date(2026, 1, 5)
#: What must be nowhere after the erasure: each stands in one or more places below.
SECRETS = (
    "Siti Rahmawati", "Jalan Melati 7", "+6281298765432", "siti.rahmawati@example.com", "NSB-778899", "@siti_rahma",
    "Dana saya hilang sejak kemarin", "penagih menghubungi atasan saya", "kutipan yang diubah", "TRX-5566",
    "Bapak Wirawan", "bukti transfer siti.jpg", "ISI BERKAS RAHASIA", "wamid.SITI1", "wamid.SITI2", "wamid.KIRIM9",
    "kembalikan uang saya", "alasan penolakan yang menyebut namanya", "sebab perpanjangan yang menyebut atasannya",
    "putusan tentang rumahnya", "jawaban atas keberatannya", "teks surat untuknya", "tugas: telepon rumahnya",
    "kata-kata yang diteruskan", "catatan di sistem lain", "aW1hZ2Utc2l0aQ", "telepon kantor suaminya",
)  # fmt: skip
CONTENT = b"ISI BERKAS RAHASIA " * 200


def sha256(content: bytes) -> str:
    """The name of a content in the attachment store."""
    return hashlib.sha256(content).hexdigest()


class Closed:
    """One closed complaint of klikacc; `number` and `complaint_id` name it."""

    def __init__(self, build: Build, place: int = 1, *, key: str = "siti") -> None:
        self.build = build
        self.number = numbers.make("KLA", DAY, place)
        self.complaint_id = build.id("C")
        self.raw_ids = [build.id("R"), build.id("R")]
        self.message_ids = [build.id("M"), build.id("M")]
        self.key = key
        self.outbox_key = build.id("O")

    def add(self, store: Store, **ticket: object) -> None:
        """Records it as the intake and the desk would have left it."""
        build = self.build
        first, second = self.messages()
        raws = [
            replace(build.raw(id_, RECEIVED), raw=replace(build.raw(id_, RECEIVED).raw, body=body.encode()))
            for id_, body in zip(
                self.raw_ids, (f"wamid.SITI1 {first.text} Siti Rahmawati", f"wamid.SITI2 {second.text}"), strict=True
            )
        ]
        rows = [
            MessageRow(
                id=id_,
                organisation="klikacc",
                complaint_id=self.complaint_id,
                raw_id=raw_id,
                channel_id="klikacc-whatsapp",
                digest=sha256(message.text.encode()),
                message=message,
            )
            for id_, raw_id, message in zip(self.message_ids, self.raw_ids, (first, second), strict=True)
        ]
        owed = build.owed(
            self.complaint_id,
            key=self.outbox_key,
            template="answer",
            routes=(Route(channel_id="klikacc-whatsapp", recipient="+6281298765432"),),
            data={"text": "teks surat untuknya"},
        )
        with store.begin() as tx:
            tx.add(
                Records(
                    raws=raws,
                    complaints=[self.complaint()],
                    tickets=[replace(self.ticket(), **ticket)],
                    messages=rows,
                    attachments=[self.attachment()],
                    threads=[("klikacc", f"whatsapp_cloud:1:+6281298765432:{self.key}", self.complaint_id)],
                    outbox=[owed],
                    tasks=[
                        TaskRow(
                            id=build.id("T"),
                            organisation="klikacc",
                            complaint_id=self.complaint_id,
                            kind="needs_agent",
                            reason="tugas: telepon rumahnya",
                            opened_at=RECEIVED,
                        )
                    ],
                    audit=[
                        AuditEvent(
                            at=RECEIVED,
                            actor="intake",
                            type="complaint.received",
                            complaint_id=self.complaint_id,
                            data={"ticket_number": self.number},
                        ),
                        AuditEvent(
                            at=CLOSED,
                            actor="dewi",
                            type="ticket.rejected",
                            complaint_id=self.complaint_id,
                            data={"ground": "unrelated"},
                        ),
                    ],
                )
            )
            tx.edit(
                "klikacc",
                Edit(
                    key=f"wamid.SITI1:edit:{self.key}",
                    message_key=first.key,
                    edited_at=RECEIVED + timedelta(minutes=3),
                    text="kutipan yang diubah",
                ),
            )
            (item,) = [each for each in tx.claim_outbox(CLOSED, 10) if each.row.key == self.outbox_key]
            tx.settle_outbox(
                [
                    Settled(
                        row=replace(item.row, state="sent", parts=1, parts_sent=1),
                        receipt_state="sent",
                        provider_ids=(f"wamid.KIRIM9:{self.key}",),
                        body_hash=sha256(b"teks surat untuknya"),
                        template_version="1",
                        sent_at=CLOSED,
                    )
                ]
            )
            tx.deliveries(
                "klikacc-whatsapp",
                [Delivery(state="delivered", at=CLOSED, provider_id=f"wamid.KIRIM9:{self.key}")],
            )
            self._add_elsewhere(tx)

    def _add_elsewhere(self, tx: object) -> None:
        """What other parts keep: written as their tables are, so that this needs none of their settings."""
        connection = tx._work.connection  # type: ignore[attr-defined]  # no other way to a row that no event makes
        connection.execute(
            insert(schema_forwards.forward_links).values(
                target="rt",
                complaint_id=self.complaint_id,
                organisation="klikacc",
                last_seq=1,
                store_ref="RT-12",
                linked_at=RECEIVED,
                changed_note="catatan di sistem lain",
            )
        )
        connection.execute(
            insert(schema_forwards.forwards).values(
                target="rt",
                complaint_id=self.complaint_id,
                seq=1,
                type="message.added",
                at=RECEIVED,
                text="kata-kata yang diteruskan",
                state="done",
                due_at=RECEIVED,
                attempts=1,
                repeated=0,
            )
        )
        connection.execute(
            insert(schema_proposals.identities).values(
                organisation="klikacc",
                kind="phone",
                digest="aW1hZ2Utc2l0aQ",
                complaint_id=self.complaint_id,
                verified=1,
            )
        )

    def complaint(self) -> Complaint:
        """The complaint, with a secret in every field that can hold one."""
        return self.build.complaint(
            self.complaint_id,
            self.number,
            channel_id="klikacc-whatsapp",
            received_at=RECEIVED,
            effective_received_date=DAY,
            first_response_at=RECEIVED + timedelta(days=1),
            responded_at=CLOSED - timedelta(days=2),
            resolved_at=CLOSED,
            closed_at=CLOSED,
            sender_key="wa:+6281298765432",
            sender_handle="@siti_rahma",
            thread_ref="whatsapp_cloud:1:+6281298765432",
            reply_ref="+6281298765432",
            post_ref="wamid.SITI1",
            entered_by="dewi",
            complainant=Complainant(
                role="user",
                full_name="Siti Rahmawati",
                id_address="Jalan Melati 7",
                phone="+6281298765432",
                email="siti.rahmawati@example.com",
                customer_ref="NSB-778899",
                verified=True,
                vulnerable_tags=("elderly",),
            ),
            representative=Representative(full_name="Bapak Wirawan", poa_status="verified"),
            kind="complaint",
            category="withdrawal",
            product="Pinjaman Modal",
            issue="collector_conduct",
            sub_issue="telepon kantor suaminya",
            subject="Dana saya hilang sejak kemarin",
            narrative="Dana saya hilang sejak kemarin\npenagih menghubungi atasan saya",
            narrative_redacted="Dana saya hilang sejak kemarin\npenagih menghubungi atasan saya",
            transaction=Transaction(type="transfer", date=DAY, reference="TRX-5566", amount_idr=1_234_567),
            loss=Loss(type="actual", amount_idr=1_234_567, claimed=True),
            remedy_requested="kembalikan uang saya",
            assessment=Assessment(
                urgency="high",
                category_reasons=(Reason(term="penagih menghubungi atasan saya", value="x", weight=1.0),),
            ),
            flags=("name_from_profile", "Siti Rahmawati"),
            consent=Consent(privacy_notice_version="1", shown_at=RECEIVED),
            outcome=Outcome(
                finding="partial",
                resolution_type="offer_implemented",
                relief="monetary",
                remedies=("apology", "compensation"),
                compensation_idr=500_000,
                rejection=Rejection(
                    ground="unrelated", reasons="alasan penolakan yang menyebut namanya", sent_in_writing_at=CLOSED
                ),
                acceptance="objected",
                root_cause=170,
                timely=True,
                objection=Objection(received_at=CLOSED, answer="jawaban atas keberatannya", effect=True),
                external_forum="laps_sjk",
            ),
        )

    def ticket(self) -> Ticket:
        """The closed ticket, with everything that a life can hold."""
        return self.build.ticket(
            self.complaint_id,
            self.number,
            state="rejected",
            opened_at=RECEIVED,
            updated_at=CLOSED,
            closed_at=CLOSED,
            life=Life(
                revision=7,
                units=("cs",),
                extensions=(
                    Extended(
                        ground="special_examination",
                        cause="sebab perpanjangan yang menyebut atasannya",
                        notified_at=RECEIVED,
                        old_due=date(2026, 2, 3),
                        new_due=date(2026, 3, 4),
                        days=20,
                    ),
                ),
                answers=(Answer(at=CLOSED, kind="offer", finding="partial", remedies=("apology",)),),
                objections=(Objected(received_at=CLOSED, answered_at=CLOSED, effect=True),),
                referrals=(
                    Referred(
                        forum="laps_sjk",
                        by="complainant",
                        at=CLOSED,
                        decided_at=CLOSED,
                        decision="putusan tentang rumahnya",
                    ),
                ),
                personal_data=(
                    PersonalDataRequest(kind="access", received_at=CLOSED, due_at=CLOSED, answered_at=CLOSED),
                ),
                promised={"resolve": PromisedDate(due=date(2026, 3, 4), calendar_version="2026.1")},
                announced=(Announced(clock="resolve", mark="breached", percent=100, due=date(2026, 2, 3), at=CLOSED),),
                reason="reopened",
            ),
        )

    def messages(self) -> tuple[Message, Message]:
        """The two messages that it came in."""
        sender = Sender(
            key="wa:+6281298765432",
            handle="@siti_rahma",
            name="Siti Rahmawati",
            phone="+6281298765432",
            email="siti.rahmawati@example.com",
            verified=True,
        )
        return (
            Message(
                channel="whatsapp",
                account="1",
                key=f"whatsapp_cloud:1:wamid.SITI1:{self.key}",
                external_id="wamid.SITI1",
                sent_at=RECEIVED,
                sender=sender,
                text="Dana saya hilang sejak kemarin",
                attachments=(Attachment(kind="image", name="bukti transfer siti.jpg", sha256=sha256(CONTENT)),),
                thread_refs=("whatsapp_cloud:1:+6281298765432",),
                reply=ReplyAddress(recipient="+6281298765432", in_reply_to="wamid.SITI1"),
                fields={"customer_ref": "NSB-778899"},
            ),
            Message(
                channel="whatsapp",
                account="1",
                key=f"whatsapp_cloud:1:wamid.SITI2:{self.key}",
                external_id="wamid.SITI2",
                sent_at=RECEIVED + timedelta(minutes=5),
                sender=sender,
                text="penagih menghubungi atasan saya",
            ),
        )

    def attachment(self) -> AttachmentRow:
        """The file of the first message."""
        return AttachmentRow(
            id=self.build.id("A"),
            complaint_id=self.complaint_id,
            message_id=self.message_ids[0],
            channel_id="klikacc-whatsapp",
            name_safe="bukti transfer siti.jpg",
            status="stored",
            attachment=self.messages()[0].attachments[0],
            sha256=sha256(CONTENT),
            mime_sniffed="text/plain",
            size=len(CONTENT),
        )


def deletion(case: Closed, place: int = 0, at: datetime | None = None) -> Deletion:
    """The customer deletes one of the messages of the complaint."""
    message = case.messages()[place]
    return Deletion(
        key=f"{message.key}:deleted", message_key=message.key, deleted_at=at or RECEIVED + timedelta(minutes=9)
    )


def put_file(folder: Path, content: bytes = CONTENT, at: datetime = RECEIVED) -> Path:
    """A file as the attachment store has it, written at that time."""
    path = folder / sha256(content)[:2] / sha256(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def found_in(folder: Path, secrets: Sequence[str] = SECRETS) -> Iterator[tuple[str, str]]:
    """Each file below the folder with each secret that its bytes hold, in UTF-8 or as JSON escapes it."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        with closing(path.open("rb")) as file:
            content = file.read()
        for secret in secrets:
            if secret.encode() in content:
                yield path.name, secret
