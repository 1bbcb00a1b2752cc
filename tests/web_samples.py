"""Small files that really are what they say, and forms as a browser sends them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from html import unescape

import aiohttp

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
MP4 = struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isommp42" + bytes(64)


def png(width: int = 2, height: int = 2) -> bytes:
    """A picture whose header says this size; the pixels of a large one are not there."""
    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height)) if width * height < 10_000 else b""
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + _chunk(
        b"IDAT", zlib.compress(rows)
    ) + _chunk(b"IEND", b"")  # fmt: skip


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int = 4, height: int = 3, before: int = 0) -> bytes:
    """A JPEG head with `before` bytes of other segments ahead of the frame."""
    other = b""
    while before > 0:
        size = min(before, 60_000)
        other += b"\xff\xe1" + struct.pack(">H", size + 2) + bytes(size)
        before -= size
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + other + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + bytes(40) + b"\xff\xd9"


def docx(*members: str) -> bytes:
    """A zip with the members of a Word file and `members`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("[Content_Types].xml", "word/document.xml", *members):
            archive.writestr(name, "<x/>")
    return file.getvalue()


def form_data(fields: dict[str, str], files: Sequence[tuple[str, str, bytes]] = ()) -> aiohttp.FormData:
    """A multipart form; each file is (field, name, content)."""
    data = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
    for name, value in fields.items():
        data.add_field(name, value)
    for field, name, content in files:
        data.add_field(field, io.BytesIO(content), filename=name, content_type="image/png")
    return data


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, f"no hidden field {name}"
    return unescape(found[1])


def value_of(page: str, name: str) -> str:
    """What a text field or text area holds when the page is shown."""
    area = re.search(rf'<textarea id="{name}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    if area:
        return unescape(area[1])
    field = re.search(rf'<input id="{name}"[^>]* value="([^"]*)"', page)
    assert field, f"no field {name}"
    return unescape(field[1])


def kept(page: str) -> list[str]:
    """The references of files that need not be sent again."""
    return [unescape(found) for found in re.findall(r'name="kept" value="([^"]*)" checked', page)]


def errors(page: str) -> dict[str, str]:
    """The sentence of each error that stands at its field."""
    return {name: unescape(text) for name, text in re.findall(r'<p class="error" id="(\w+)-error">(.*?)</p>', page)}
