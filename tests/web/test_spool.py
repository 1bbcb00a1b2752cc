"""The spool alone and behind a real server: a file is whole or not there, and nobody waits for ever (P20, P23)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from web import problem
from web.problem import ProblemError
from web.public.body import read_json, read_multipart
from web.settings import UploadLimits
from web.uploads import Refused, Spool
from web_samples import PDF

LIMITS = UploadLimits(max_file_bytes=1_000_000)


async def pieces(content: bytes, size: int = 1_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_same_content_is_one_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMITS)
    content = PDF + bytes(700_000)
    first = await spool.store("a.pdf", pieces(content), 10**9)
    second = await spool.store("b.pdf", pieces(content, 7_777), 10**9)
    digest = hashlib.sha256(content).hexdigest()
    assert (first.sha256, second.sha256) == (digest, digest)
    assert (first.name, second.name) == ("a.pdf", "b.pdf")
    assert left(tmp_path) == [digest]
    assert spool.path(digest).read_bytes() == content
    assert spool.path(digest).parent.name == digest[:2]


async def test_a_refused_file_is_read_to_its_end(tmp_path: Path) -> None:
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        async for piece in pieces(PDF + bytes(2_000_000), 50_000):
            read += len(piece)
            yield piece

    with pytest.raises(Refused) as caught:
        await Spool(tmp_path, LIMITS).store("a.pdf", counted(), 10**9)
    assert caught.value.code == "file_too_large"
    assert read == len(PDF) + 2_000_000
    assert left(tmp_path) == []


async def test_a_cancelled_upload_leaves_nothing(tmp_path: Path) -> None:
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield PDF
        for _ in range(6):
            yield bytes(100_000)
        started.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(Spool(tmp_path, LIMITS).store("a.pdf", endless(), 10**9))
    await started.wait()
    assert len(left(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(tmp_path) == []


async def test_a_failing_stream_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PDF + bytes(400_000)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await Spool(tmp_path, LIMITS).store("a.pdf", broken(), 10**9)
    assert left(tmp_path) == []


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[tuple[str, int]]:
    """A server that reads bodies with small limits."""
    limits = UploadLimits(max_body_bytes=100_000, grace_seconds=0.3, min_bytes_per_second=100_000, max_text_bytes=5_000)
    spool = Spool(tmp_path, limits)

    async def take(request: web.Request) -> web.Response:
        try:
            if request.content_type == "application/json":
                return web.json_response(await read_json(request, limits))
            found = await read_multipart(request, spool, limits)
        except ProblemError as error:
            return problem.respond(error)
        return web.json_response({"texts": found.texts, "files": len(found.uploads)})

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield str(host), int(port)
    await runner.cleanup()


async def raw(door: tuple[str, int], head: str, body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*door)
    writer.write(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
    await writer.drain()
    answer = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    return answer


async def test_who_sends_too_slowly_is_let_go(door: tuple[str, int]) -> None:
    """P20: nothing more comes after the first bytes; the answer is 408, whatever the shape of the body."""
    part = b'--b\r\nContent-Disposition: form-data; name="narrative"\r\n\r\nx'
    multipart = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000"
    for head, body in (
        (multipart, b""), (multipart, b"--b\r\nContent-Di"), (multipart, part),
        (multipart, part.replace(b'name="narrative"', b'name="files"; filename="a.pdf"')),
        ("Content-Type: application/json\r\nContent-Length: 50", b'{"na'),
        ("Content-Type: application/json\r\nTransfer-Encoding: chunked", b"5\r\n"),
    ):  # fmt: skip
        assert b" 408 " in await raw(door, head, body), (head, body)


async def test_too_much_is_cut_off(door: tuple[str, int]) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n'
    multipart = "Content-Type: multipart/form-data; boundary=b\r\n"
    assert b" 413 " in await raw(door, f"{multipart}Content-Length: 100001", b"")
    assert b" 413 " in await raw(door, f"{multipart}Content-Length: 90000", part + b"x" * 80_000)
    assert b" 413 " in await raw(door, "Content-Type: application/json\r\nContent-Length: 9000", b'"' + b"x" * 8_999)
    for size in (20_000, 60_000):
        chunk = f"{size:x}\r\n".encode() + b"y" * size + b"\r\n"
        assert b" 400 " in await raw(door, f"{multipart}Transfer-Encoding: chunked", chunk + b"0\r\n\r\n")


async def test_what_is_in_order_goes_through(door: tuple[str, int]) -> None:
    async with aiohttp.ClientSession() as session:
        data = aiohttp.FormData(default_to_multipart=True)
        data.add_field("narrative", "cerita\r\nkedua")
        data.add_field("files", PDF, filename="a.pdf")
        data.add_field("files", b"", filename="")
        async with session.post(f"http://{door[0]}:{door[1]}/", data=data) as response:
            assert await response.json() == {"texts": {"narrative": ["cerita\r\nkedua"]}, "files": 1}
