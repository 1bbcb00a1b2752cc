"""Files through the real door (P23, sheet A12): refused ones are named, the rest goes on, nothing stays."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import aiohttp

from harness import Aduan, until
from web_samples import HTML, MP4, PDF, SVG, docx, form_data, jpeg, png

PATH = "/api/v1/organisations/akseleran/complaints"
MB = 1024 * 1024
File = tuple[str, str, bytes]


async def send(client: aiohttp.ClientSession, files: list[File], key: str = "files-0001") -> tuple[int, dict[str, Any]]:
    data = form_data({"narrative": "Lihat lampiran."}, files)
    async with client.post(PATH, data=data, headers={"Idempotency-Key": key}) as response:
        return response.status, await response.json(content_type=None)


def stored(front: Aduan) -> dict[str, Path]:
    return {path.name: path for path in (front.installation.data_dir / "attachments").rglob("*") if path.is_file()}


async def test_files_lie_under_their_digest(front: Aduan, client: aiohttp.ClientSession) -> None:
    files = [("files", "bukti.pdf", PDF), ("files", "layar.png", png()), ("power_of_attorney", "kuasa.jpg", jpeg())]
    status, answer = await send(client, files)
    assert status == 201
    assert set(stored(front)) == {hashlib.sha256(content).hexdigest() for _, _, content in files}
    view = front.running.store.ticket(answer["ticket_number"])
    assert view is not None
    found = {file.sha256: file for file in view.complaint.attachments}
    assert set(found) == set(stored(front))
    assert {file.mime_sniffed for file in found.values()} == {"application/pdf", "image/png", "image/jpeg"}
    assert view.complaint.representative is not None
    # The same again is the same complaint, and the same files.
    assert (await send(client, files))[1] == answer
    assert len(stored(front)) == 3


REFUSED: list[tuple[list[File], str]] = [
    ([("files", "a.html", HTML)], "type_not_allowed"),
    ([("files", "a.svg", SVG)], "type_not_allowed"),
    ([("files", "a.exe", b"MZ" + bytes(100))], "type_not_allowed"),
    ([("files", "a.zip", docx())], "type_not_allowed"),
    ([("files", "foto.png", HTML)], "not_what_it_says"),
    ([("files", "foto.jpg", SVG)], "not_what_it_says"),
    ([("files", "surat.pdf", png())], "not_what_it_says"),
    ([("files", "surat.docx", docx("word/vbaProject.bin"))], "macros"),
    ([("files", "kosong.pdf", b"")], "empty_file"),
    ([("files", "besar.png", png(100_000, 100_000))], "picture_too_large"),
    ([("files", "rusak.jpg", b"\xff\xd8\xff\xe0")], "damaged"),
    ([("files", "berat.pdf", PDF + bytes(10 * MB))], "file_too_large"),
    ([("files", f"{n}.png", png()) for n in range(11)], "too_many_files"),
    ([("files", f"{n}.pdf", PDF + bytes(9 * MB) + bytes([n])) for n in range(3)], "files_too_large"),
]
TOO_MUCH = {"file_too_large", "files_too_large", "too_many_files"}


async def test_refused_files_are_named(front: Aduan, client: aiohttp.ClientSession) -> None:
    """P23: each refusal names the file and says what is taken instead; nothing of it stays."""
    for files, expected in REFUSED:
        status, answer = await send(client, files)
        assert status == (413 if expected in TOO_MUCH else 400), expected
        assert [(error["field"], error["code"]) for error in answer["errors"]] == [("files", expected)]
        assert files[-1][1].rpartition(".")[0] in answer["errors"][0]["message_id"]
    assert front.ticket_numbers() == []
    assert not [name for name in stored(front) if name.startswith("new-")]


async def test_every_problem_at_once(client: aiohttp.ClientSession) -> None:
    data = form_data(
        {"narrative": "", "email": "x"}, [("files", "a.html", HTML), ("files", "b.svg", SVG), ("other", "c.pdf", PDF)]
    )
    async with client.post(PATH, data=data, headers={"Idempotency-Key": "all-at-once"}) as response:
        answer = await response.json(content_type=None)
    found = sorted((error["field"], error["code"]) for error in answer["errors"])
    assert found == [
        ("email", "not_an_email"), ("files", "type_not_allowed"), ("files", "type_not_allowed"),
        ("narrative", "required"), ("other", "unknown_field"),
    ]  # fmt: skip


NAMES = [
    ("../../etc/passwd.pdf", "passwd.pdf"),
    ("C:\\fakepath\\bukti.pdf", "bukti.pdf"),
    ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
    ("foto", "foto.pdf"),
    ("CON.pdf", "_CON.pdf"),
    ("kuitansi Jan\u0301.pdf", "kuitansi Ja\u0144.pdf"),
]


async def test_names_are_made_safe(front: Aduan, client: aiohttp.ClientSession) -> None:
    for number, (given, shown) in enumerate(NAMES):
        status, answer = await send(client, [("files", given, PDF)], f"names-{number:04}")
        assert status == 201, answer
        view = front.running.store.ticket(answer["ticket_number"])
        assert view is not None
        assert [file.name_safe for file in view.complaint.attachments] == [shown]
    status, answer = await send(client, [("files", "x" * 4_000 + ".pdf", PDF)], "names-long")
    view = front.running.store.ticket(answer["ticket_number"])
    assert view is not None
    (file,) = view.complaint.attachments
    assert file.name_safe.endswith(".pdf")
    assert len(file.name_safe) <= 120


async def test_thirty_megabytes_keep_what_was_typed(front: Aduan, client: aiohttp.ClientSession) -> None:
    files = [("files", f"{n}.mp4", MP4 + bytes(9 * MB) + bytes([n])) for n in range(4)]
    async with client.post(
        PATH, data=form_data({"narrative": "Cerita.", "email": "a"}, files), headers={"Idempotency-Key": "k" * 9}
    ) as response:
        answer = await response.json(content_type=None)
    assert response.status == 400
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [
        ("email", "not_an_email"), ("files", "files_too_large"), ("files", "files_too_large"),
    ]  # fmt: skip
    assert len(stored(front)) == 2


async def test_a_client_that_goes_away_leaves_nothing(front: Aduan) -> None:
    host, port = front.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nIdempotency-Key: gone-away-1\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n'
    )
    writer.write(head.encode() + PDF + bytes(600_000))
    await writer.drain()
    await until(lambda: any(name.startswith("new-") for name in stored(front)))
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    await until(lambda: not stored(front))
    assert front.ticket_numbers() == []


NARRATIVE = b'--b\r\nContent-Disposition: form-data; name="narrative"'
BROKEN = [
    b"", b"--b--\r\n", b"no boundary at all", b"--b\r\n\r\nno header\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="narrative"\r\n\r\nnever ends',
    NARRATIVE + b"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--\r\n",
    NARRATIVE + b"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="narrative"\r\n\r\n\xff\xfe\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="narrative"\r\n\r\na\x00b\r\n--b--\r\n',
    b"".join(b'--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\nx\r\n' % n for n in range(200)) + b"--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="narrative"\r\n\r\nx\r\n' * 2 + b"--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="' + b"n" * 9_000 + b'"\r\n\r\nx\r\n--b--\r\n',
]  # fmt: skip


async def test_broken_multipart_is_bad_input(front: Aduan, client: aiohttp.ClientSession) -> None:
    """P32: never 500, nothing kept."""
    for body in BROKEN:
        headers = {"Idempotency-Key": "broken-0001", "Content-Type": "multipart/form-data; boundary=b"}
        async with client.post(PATH, data=body, headers=headers) as response:
            assert response.status == 400, (body[:80], await response.text())
    headers = {"Idempotency-Key": "broken-0001", "Content-Type": "multipart/form-data"}
    async with client.post(PATH, data=b"x", headers=headers) as response:
        assert response.status == 400
    assert front.ticket_numbers() == []
