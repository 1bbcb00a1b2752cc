"""Reads a posted body piece by piece: JSON, or multipart whose files go to the spool. Never more than the limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from msgspec import Struct

from connectors.submission import Upload
from connectors.submission_fields import Problem, problem
from web import file_types
from web.kept_files import purpose_of
from web.problem import ProblemError
from web.settings import UploadLimits
from web.uploads import Refused, Spool

FILE_FIELDS = ("files", "power_of_attorney")
#: Longest part name that is looked at; a longer one is no field of ours.
_LONGEST_NAME = 100
_CHUNK = 64 * 1024


class Received(Struct, kw_only=True):
    """What came in, field by field, and what was wrong with it so far."""

    #: Values in the order they came; more than one where a field stands several times.
    texts: dict[str, list[Any]]
    uploads: list[Upload]
    problems: list[Problem]

    def one(self, name: str) -> str:
        """The first value of a field when it is text, else nothing."""
        values = self.texts.get(name, [])
        return values[0] if values and isinstance(values[0], str) else ""


#: Finds a file that was taken earlier by its signed reference; None when there is none.
Kept = Callable[[str, Received], Upload | None]


class Pace:
    """Time for one body: a grace, then a minimum rate (P20). Counts every byte that came."""

    def __init__(self, request: web.BaseRequest, limits: UploadLimits) -> None:
        self._content = request.content
        self._limits = limits
        self._started = asyncio.get_running_loop().time()
        self._before = request.content.total_bytes
        if request.content_length is not None and request.content_length > limits.max_body_bytes:
            _too_large()
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ProblemError(415, "content_encoding", "Send the body as it is, without Content-Encoding.")

    def deadline(self) -> float:
        """The loop time by which the next bytes must be there. Raises ProblemError(413) when there were too many."""
        count = self._content.total_bytes
        if count > self._limits.max_body_bytes:
            _too_large()
        return self._started + self._limits.grace_seconds + count / self._limits.min_bytes_per_second


async def read_json(request: web.BaseRequest, limits: UploadLimits) -> dict[str, Any]:
    """The JSON object in the body. Raises ProblemError 400, 408, 413, 415. Duplicate names and NaN are refused."""
    body = await _read_all(request, limits, limits.max_text_bytes)
    try:
        given = json.loads(body.decode("utf-8"), object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "not_json", "The body is not JSON in UTF-8, or names a field twice.") from error
    if not isinstance(given, dict):
        raise ProblemError(400, "not_json", "The body must be a JSON object.")
    return given


async def read_urlencoded(request: web.BaseRequest, limits: UploadLimits) -> Received:
    """The fields of a plain form. Raises ProblemError 400, 408, 413, 415."""
    body = await _read_all(request, limits, limits.max_text_bytes)
    received = Received(texts={}, uploads=[], problems=[])
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="surrogateescape", max_num_fields=limits.max_parts
        )
    except ValueError as error:
        raise ProblemError(400, "not_a_form", "The form cannot be read.") from error
    for name, value in pairs:
        received.texts.setdefault(name, []).append(value)
    return received


async def read_file(request: web.BaseRequest, limits: UploadLimits, field: str, most: int) -> bytes:
    """The first file in `field` of a multipart body, in memory. Raises ProblemError 400, 408, 413 (above `most`)."""
    pace = Pace(request, limits)
    async with _in_time(), _well_formed():
        reader = await request.multipart()
        for _ in range(limits.max_parts):
            async with asyncio.timeout_at(pace.deadline()):
                part = await reader.next()
            if part is None:
                break
            if isinstance(part, MultipartReader):
                raise ValueError("a multipart within a part")
            found = bytearray()
            async for chunk in _chunks(part, pace):
                if part.name == field:
                    found += chunk
                if len(found) > most:
                    _too_large()
            if found:
                return bytes(found)
    raise ProblemError(400, "no_file", "No file was sent.")


async def read_multipart(
    request: web.BaseRequest, spool: Spool, limits: UploadLimits, kept: Kept | None = None
) -> Received:
    """The parts of a multipart body, its files spooled; `kept` finds a file that was taken earlier by its reference.

    A file that is refused is named in `problems` and the rest is still read. Raises ProblemError 400, 408, 413, 415.
    """
    received = Received(texts={}, uploads=[], problems=[])
    pace = Pace(request, limits)
    room = _Room(limits, kept)
    async with _in_time(), _well_formed():
        reader = await request.multipart()
        for _ in range(limits.max_parts):
            async with asyncio.timeout_at(pace.deadline()):
                part = await reader.next()
            if part is None:
                return received
            await _read_part(part, received, spool, pace, room)
    raise ProblemError(400, "too_many_parts", f"The form has more than {limits.max_parts} parts.")


class _Room:
    """What may still come."""

    def __init__(self, limits: UploadLimits, kept: Kept | None) -> None:
        self.limits = limits
        self.kept = kept
        self.text_bytes = limits.max_text_bytes
        self.files = limits.max_files
        self.file_bytes = limits.max_total_bytes

    def take(self, upload: Upload, received: Received) -> None:
        self.files -= 1
        self.file_bytes -= upload.size
        received.uploads.append(upload)


async def _read_part(
    part: MultipartReader | BodyPartReader, received: Received, spool: Spool, pace: Pace, room: _Room
) -> None:
    if isinstance(part, MultipartReader) or not part.name or len(part.name) > _LONGEST_NAME:
        raise ValueError("a part without a name of ours")
    for header, plain in (
        ("Content-Transfer-Encoding", {"binary", "8bit", "7bit"}),
        ("Content-Encoding", {"identity"}),
    ):
        if part.headers.get(header, next(iter(plain))).lower() not in plain:
            raise ValueError("an encoded part")
    if part.filename is None:
        value = await _text(part, pace, room)
        if part.name == "kept" and room.kept is not None:
            _take_kept(value, received, room)
        else:
            received.texts.setdefault(part.name, []).append(value)
        return
    name = part.name
    if part.filename == "":
        # A file field that nobody used.
        async for chunk in _chunks(part, pace):
            if chunk:
                raise ValueError("a file without a name")
        return
    try:
        if name not in FILE_FIELDS:
            await _drain(part, pace)
            # No text: the field check names it.
            received.texts.setdefault(name, []).append(0)
        elif room.files <= 0:
            await _drain(part, pace)
            raise Refused("too_many_files", file_types.safe_name(part.filename))
        else:
            stored = await spool.store(part.filename, _chunks(part, pace), max(0, room.file_bytes))
            upload = Upload(
                sha256=stored.sha256, size=stored.size, name=stored.name, mime=stored.mime, purpose=purpose_of(name)
            )
            room.take(upload, received)
    except Refused as refused:
        received.problems.append(refused.problem(name, room.limits))


async def _chunks(part: BodyPartReader, pace: Pace) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout_at(pace.deadline()):
            chunk = await part.read_chunk(_CHUNK)
        if not chunk:
            return
        yield chunk


async def _drain(part: BodyPartReader, pace: Pace) -> None:
    async for _ in _chunks(part, pace):
        pass


async def _text(part: BodyPartReader, pace: Pace, room: _Room) -> str:
    data = bytearray()
    async for chunk in _chunks(part, pace):
        room.text_bytes -= len(chunk)
        if room.text_bytes < 0:
            _too_large()
        data += chunk
    # Bytes that are not UTF-8 become half characters, which the field check names.
    return data.decode("utf-8", "surrogateescape")


def _take_kept(reference: str, received: Received, room: _Room) -> None:
    upload = room.kept(reference, received) if room.kept is not None else None
    if upload is None:
        received.problems.append(problem("files", "file_lost"))
    elif room.files <= 0 or room.file_bytes < upload.size:
        received.problems.append(Refused("too_many_files", upload.name).problem("files", room.limits))
    else:
        room.take(upload, received)


async def _read_all(request: web.BaseRequest, limits: UploadLimits, most: int) -> bytes:
    pace = Pace(request, limits)
    body = bytearray()
    async with _in_time():
        while True:
            async with asyncio.timeout_at(pace.deadline()):
                chunk = await request.content.read(_CHUNK)
            if not chunk:
                return bytes(body)
            body += chunk
            if len(body) > most:
                _too_large()


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ProblemError(408, "too_slow", "The body came too slowly.", headers={"Connection": "close"}) from error


@asynccontextmanager
async def _well_formed() -> AsyncIterator[None]:
    try:
        yield
    except (ValueError, AssertionError, RuntimeError, BadHttpMessage, LookupError) as error:
        raise ProblemError(400, "not_multipart", "The multipart body cannot be read.") from error


def _too_large() -> NoReturn:
    raise ProblemError(413, "too_large", "The request is too large.", headers={"Connection": "close"})


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
