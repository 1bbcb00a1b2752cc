"""Tickets as flat rows, and as CSV, JSON and XLSX that no spreadsheet takes for formulas (OWASP CSV injection, P27)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, TextIO

import msgspec

from tickets.life import Life
from tickets.store.views import TicketView

Cell = str | int | float | bool | date | datetime | None

#: What a spreadsheet takes for the beginning of a formula; full-width forms are folded by some of them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Where a spreadsheet that separates by semicolon, as with Indonesian settings, or by tab lets a cell of its own begin.
_PIECE = re.compile(r"([;\t\r\n][\"\s]*)(?=[=+\-@＝＋－＠])")
#: A sheet of a workbook has room for no more rows.
XLSX_ROWS = 1_048_576
#: A cell of a workbook has room for no more characters.
_XLSX_CELL = 32_767


def _words(given: Sequence[str]) -> str | None:
    return ", ".join(given) or None


def _breached(life: Life) -> list[str]:
    """The clocks that ran out, each once, in the order in which they did."""
    return list(dict.fromkeys(each.clock for each in life.announced if each.mark == "breached"))


_FIELDS: Mapping[str, Callable[[TicketView], Cell]] = {
    "ticket_number": lambda v: v.ticket.ticket_number,
    "complaint_id": lambda v: v.complaint.complaint_id,
    "organisation": lambda v: v.ticket.organisation,
    "channel": lambda v: v.complaint.channel,
    "channel_id": lambda v: v.complaint.channel_id,
    "form": lambda v: v.complaint.form,
    "kind": lambda v: v.complaint.kind,
    "category": lambda v: v.complaint.category,
    "product": lambda v: v.complaint.product,
    "issue": lambda v: v.complaint.issue,
    "urgency": lambda v: v.complaint.assessment.urgency,
    "severity": lambda v: v.complaint.assessment.severity,
    "tier": lambda v: v.ticket.tier,
    "state": lambda v: v.ticket.state,
    "level": lambda v: v.ticket.level,
    "received_at": lambda v: v.complaint.received_at,
    "effective_received_date": lambda v: v.complaint.effective_received_date,
    "first_response_due": lambda v: v.ticket.first_response_due,
    "first_response_at": lambda v: v.complaint.first_response_at,
    "resolve_due": lambda v: v.ticket.resolve_due,
    "responded_at": lambda v: v.complaint.responded_at,
    "resolved_at": lambda v: v.complaint.resolved_at,
    "closed_at": lambda v: v.ticket.closed_at,
    "complainant_role": lambda v: v.complaint.complainant.role,
    "complainant_name": lambda v: v.complaint.complainant.full_name,
    "complainant_phone": lambda v: v.complaint.complainant.phone,
    "complainant_email": lambda v: v.complaint.complainant.email,
    "customer_ref": lambda v: v.complaint.complainant.customer_ref,
    "language": lambda v: v.complaint.complainant.language,
    "subject": lambda v: v.complaint.subject,
    "narrative": lambda v: v.complaint.narrative,
    "loss_amount_idr": lambda v: v.complaint.loss.amount_idr,
    "needs_agent": lambda v: v.complaint.needs_agent,
    "messages": lambda v: len(v.messages),
    "attachments": lambda v: len(v.complaint.attachments),
    "receipt_state": lambda v: v.complaint.receipts[0].state if v.complaint.receipts else None,
    "receipt_channel": lambda v: v.complaint.receipts[0].channel if v.complaint.receipts else None,
    "open_tasks": lambda v: sum(task.closed_at is None for task in v.tasks),
    "finding": lambda v: v.complaint.outcome.finding,
    "resolution_type": lambda v: v.complaint.outcome.resolution_type,
    "compensation_idr": lambda v: v.complaint.outcome.compensation_idr,
    "relief": lambda v: v.complaint.outcome.relief,
    "remedies": lambda v: _words(v.complaint.outcome.remedies),
    "acceptance": lambda v: v.complaint.outcome.acceptance,
    "rejection_ground": lambda v: v.complaint.outcome.rejection.ground if v.complaint.outcome.rejection else None,
    "root_cause": lambda v: v.complaint.outcome.root_cause,
    "timely": lambda v: v.complaint.outcome.timely,
    "units": lambda v: _words(v.ticket.life.units),
    "extensions": lambda v: len(v.ticket.life.extensions),
    "extended_to": lambda v: v.ticket.life.extensions[-1].new_due if v.ticket.life.extensions else None,
    "breaches": lambda v: _words(_breached(v.ticket.life)),
    "answers": lambda v: len(v.ticket.life.answers),
    "objections": lambda v: len(v.ticket.life.objections),
    "objected_at": lambda v: v.ticket.life.objections[-1].received_at if v.ticket.life.objections else None,
    "objection_answered_at": lambda v: v.ticket.life.objections[-1].answered_at if v.ticket.life.objections else None,
    "referred_to": lambda v: v.ticket.life.referrals[-1].forum if v.ticket.life.referrals else None,
    "referred_at": lambda v: v.ticket.life.referrals[-1].at if v.ticket.life.referrals else None,
    "forum_decided_at": lambda v: v.ticket.life.referrals[-1].decided_at if v.ticket.life.referrals else None,
    "legal_hold": lambda v: v.ticket.life.hold is not None,
    "policy_version": lambda v: v.complaint.policy_version,
    "calendar_version": lambda v: v.complaint.calendar_version,
}
#: Every column that may be exported, in their usual order. No access codes, home addresses or raws.
COLUMNS: tuple[str, ...] = tuple(_FIELDS)


def flat(view: TicketView, columns: Sequence[str] = COLUMNS) -> dict[str, Cell]:
    """The ticket as one flat row of the named columns."""
    return {name: _FIELDS[name](view) for name in columns}


def safe_text(text: str) -> str:
    """The text as a spreadsheet cell that shows it and never computes it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_text(text: str) -> str:
    """The text as a cell of a CSV file that is no formula, and has none within, whatever it is separated by."""
    # A NUL ends the file for some readers.
    return _PIECE.sub(r"\1'", safe_text(text.replace("\0", "")))


def write_csv(rows: Iterable[Mapping[str, Any]], out: TextIO, columns: Sequence[str] = COLUMNS) -> int:
    """How many rows were written as RFC 4180 CSV with a header line; open `out` with newline=""."""
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_csv_cell(row[name]) for name in columns])
        count += 1
    return count


def write_json(rows: Iterable[Mapping[str, Any]], out: BinaryIO) -> int:
    """How many rows were written as one JSON array, a row per line; times are RFC 3339."""
    encode = msgspec.json.Encoder().encode
    count = 0
    out.write(b"[")
    for row in rows:
        out.write(b",\n" if count else b"\n")
        out.write(encode(row))
        count += 1
    out.write(b"\n]\n")
    return count


def write_xlsx(rows: Iterable[Mapping[str, Any]], out: BinaryIO, columns: Sequence[str] = COLUMNS) -> int:
    """How many rows were written as a workbook; ValueError when they do not fit into one sheet."""
    import xlsxwriter  # only who exports a workbook needs it loaded

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        # Spreadsheets know no time zone: moments are written as UTC text.
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("tickets")
        sheet.write_row(0, 0, columns)
        count = 0
        for row in rows:
            count += 1
            if count >= XLSX_ROWS:
                raise ValueError("more tickets than a sheet has rows: export a shorter period")
            for position, name in enumerate(columns):
                _write_cell(sheet, count, position, row[name])
    return count


def _csv_cell(value: Cell) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case datetime() | date():
            return value.isoformat()
        case str():
            return csv_text(value)


def _write_cell(sheet: Any, row: int, column: int, value: Cell) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | float():
            sheet.write_number(row, column, value)
        case datetime():
            sheet.write_string(row, column, value.isoformat())
        case date():
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day))  # noqa: DTZ001  # a date
        case str():
            sheet.write_string(row, column, safe_text(_printable(value))[:_XLSX_CELL])


def _printable(text: str) -> str:
    """The text without the control characters that XML 1.0 cannot carry."""
    return "".join(char for char in text if char >= " " or char in "\t\n\r")
