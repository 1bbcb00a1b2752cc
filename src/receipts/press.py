"""Sets a page with typst, puts the signed statement on it as a QR code, and seals the file."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import segno
import typst

from receipts.signature import SigningKey, Statement, sign_statement
from receipts.verify import seal

_TEMPLATES = Path(__file__).parent / "templates"


class Press:
    """Prints one sort of document; may be used from several threads."""

    def __init__(self, template: str, key: SigningKey, *, verify_url: str) -> None:
        self._key = key
        self._verify_url = verify_url
        self._template = str(_TEMPLATES / template)
        # Kept: reading the fonts takes ten times as long as setting a page. It may serve one thread at a time.
        self._compiler: typst.Compiler | None = None
        self._turn = threading.Lock()

    def print(self, page: Mapping[str, object], statement: Statement, *, at: datetime) -> bytes:
        """The sealed PDF (PDF/UA-1) of a page; the same bytes for the same page, statement and moment."""
        data = {**page, "qr": _qr(f"{self._verify_url}?s={sign_statement(statement, self._key)}")}
        with self._turn:
            if self._compiler is None:
                self._compiler = typst.Compiler(self._template, ignore_system_fonts=True)
            pdf = self._compiler.compile(
                format="pdf",
                sys_inputs={"data": msgspec.json.encode(data).decode()},
                pdf_standards=["ua-1"],
                timestamp=int(at.timestamp()),
            )
        if not isinstance(pdf, bytes):
            raise TypeError("a document is one PDF")
        return seal(pdf, statement, self._key)


def _qr(content: str) -> str:
    """A QR code as SVG; error correction L, because it is read from a clean page or a screen."""
    image = io.BytesIO()
    # A fixed mask is legal and saves weighing all eight, which takes longer than the whole page.
    segno.make_qr(content, error="l", mask=2).save(image, kind="svg", xmldecl=False, svgns=True, border=2)
    return image.getvalue().decode()
