"""Enters a complaint into the running server of an installation, as a person of its own machine."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp
from msgspec import Struct

from connectors.staff.person import prove
from gateway.cli.out import complain, fail

if TYPE_CHECKING:
    from gateway.config import Listen
    from gateway.installation import Channel, Installation

#: The server answers within 20 s or says that it is busy; a scan needs a while on a slow disk.
_PATIENCE_SECONDS = 60.0
_TRIES = 4
_AGAIN = frozenset({409, 429, 503})
_NO_LETTERS = re.compile(r"[^a-z0-9._-]+")
_OPTIONS = {
    "full_name": "--name", "phone": "--phone", "email": "--email", "narrative": "--text", "channel": "--channel",
    "received_at": "--received", "files": "--attach", "power_of_attorney": "--power-of-attorney",
    "Idempotency-Key": "--key",
}  # fmt: skip


class Entry(Struct, frozen=True, kw_only=True):
    """What is entered: fields by the names of the interface, and files by the part they are sent in."""

    fields: dict[str, str]
    files: Sequence[tuple[str, Path]]
    key: str
    person: str


def login_name() -> str:
    """Who runs this command, as the records name people."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        name = ""
    return _NO_LETTERS.sub("-", name.lower()).strip("._-")[:40] or "operator"


def staff_channel(installation: Installation, organisation: str) -> Channel:
    """The channel by which an organisation's staff enter complaints. Ends the command when there is none."""
    found = installation.channel_of(organisation, "staff")
    if found is None:
        fail(
            f"{organisation} has no channel for staff: add `{organisation}-staff: {{kind: staff, organisation: "
            f"{organisation}}}` under `channels` in {installation.file} and restart the server",
            2,
        )
    return found


def secret_in(data_dir: Path) -> bytes:
    """The installation's secret, which makes the proof. Ends the command when it is missing or not ours to read."""
    from connectors.errors import Misconfigured
    from gateway.keys import installation_secret

    try:
        if not (data_dir / "keys" / "secret").is_file():
            fail(f"no server has ever run with {data_dir}: start `aduan serve` with the same configuration first")
        return installation_secret(data_dir)
    except PermissionError:
        fail(f"only the account of the server may read the keys in {data_dir}: run this as that account")
    except Misconfigured as error:
        fail(str(error))


def enter(installation: Installation, organisation: str, entry: Entry, *, pdf: bool) -> tuple[dict[str, Any], bytes]:
    """The answer of the server, and the receipt as PDF when it is wanted.

    Ends the command with 2 when fields are wrong, with 1 when the server cannot be reached or takes nothing.
    """
    return asyncio.run(_enter(installation, organisation, entry, pdf=pdf))


async def _enter(
    installation: Installation, organisation: str, entry: Entry, *, pdf: bool
) -> tuple[dict[str, Any], bytes]:
    from gateway.organisation_pages import page_of

    channel = staff_channel(installation, organisation)
    secret = secret_in(installation.data_dir)
    base = _address(installation.config.listen)
    url = f"{base}/api/v1/organisations/{page_of(installation, organisation).slug}/tickets"
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        tries = 0
        while True:
            tries += 1
            try:
                headers = {
                    "Authorization": prove(secret, channel.id, entry.person, datetime.now(UTC)),
                    "Idempotency-Key": entry.key,
                }
                async with session.post(url, data=_body(entry), headers=headers) as answer:
                    body = await answer.read()
            except aiohttp.ClientConnectorError:
                _not_running(installation, base)
            except (aiohttp.ClientError, TimeoutError) as error:
                why, wait = f"the connection broke ({type(error).__name__})", 1.0
            else:
                if answer.status == 201:
                    said: dict[str, Any] = json.loads(body)
                    return said, await _pdf(session, base, said) if pdf else b""
                if answer.status not in _AGAIN:
                    _refused(installation, answer.status, body)
                why = f"the server answers {answer.status}"
                wait = min(float(answer.headers.get("Retry-After", "1")), 5.0)
            if tries == _TRIES:
                fail(f"{why}. It may be entered or not: the same command with --key {entry.key} enters it once at most")
            await asyncio.sleep(wait)


async def _pdf(session: aiohttp.ClientSession, base: str, said: dict[str, Any]) -> bytes:
    """The receipt behind the link of the answer, from this machine's server; empty when it cannot be had."""
    token = said["receipt_pdf_url"].rpartition("/r/")[2]
    try:
        async with session.get(f"{base}/r/{token}") as answer:
            return await answer.read() if answer.status == 200 else b""
    except (aiohttp.ClientError, TimeoutError):
        return b""


def _body(entry: Entry) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for name, value in entry.fields.items():
        form.add_field(name, value)
    for part, path in entry.files:
        form.add_field(part, BytesIO(path.read_bytes()), filename=path.name, content_type="application/octet-stream")
    return form


def _address(listen: Listen) -> str:
    """Where the server of this machine answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104  # compared, not bound
    return f"http://[{host}]:{listen.port}" if ":" in host else f"http://{host}:{listen.port}"


def _not_running(installation: Installation, base: str) -> NoReturn:
    """Ends the command with what to do before it can be entered."""
    fail(
        f"the server does not answer at {base}, so nothing was entered: start it with "
        f"`aduan serve --config {installation.file}` and run this again / server belum berjalan, pengaduan belum "
        "tercatat: jalankan server lalu ulangi perintah ini"
    )


def _refused(installation: Installation, status: int, body: bytes) -> NoReturn:
    """Ends the command with what the server found wrong."""
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    if status == 401:
        fail(
            "the server does not accept this machine's proof: it runs with another data_dir, or its clock differs by "
            f"more than five minutes; compare its configuration with {installation.file}"
        )
    if status == 404:
        fail(f"the running server does not know this staff channel: restart it with {installation.file}")
    if status == 422:
        fail("this --key was used for another complaint: leave --key out to enter a new one", 2)
    errors = said.get("errors", [])
    for each in errors:
        option = _OPTIONS.get(each["field"], f"--field {each['field']}")
        complain(f"{option}: {each['message_id']} / {each['message_en']}")
    fail(
        f"nothing was entered: {len(errors)} to correct" if errors else f"nothing was entered: {status}",
        2 if errors else 1,
    )
