"""IMAP servers that stumble or speak in odd packets, scripted: no mail is skipped, none blocks the others (P7, T9)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from connectors.email import Email
from connectors.errors import AuthFailed, Malformed, Unavailable
from connectors_email.kit import settings
from connectors_email.servers import FOLDER, ImapServer
from connectors_email.test_pull import imap_of, mail, take
from normalizer.message import Raw

Build = Callable[..., Email]


class OddServer:
    """Speaks as much IMAP as a reader needs; what it says can be bent."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: dict[int, bytes] = {}
        #: UIDs on which FETCH of the body answers NO.
        self.broken: set[int] = set()
        #: Instead of the usual answer, by command.
        self.says: dict[str, str] = {}
        #: UIDs that appear while IDLE begins, told in one packet with the continuation.
        self.arrive_with_idle: dict[int, bytes] = {}
        self.commands: list[str] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def aclose(self) -> None:
        """Ends."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.says.get("GREETING", "* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n").encode())
        with contextlib.suppress(ConnectionError):
            while line := (await reader.readline()).decode().rstrip():
                tag, _, rest = line.partition(" ")
                self.commands.append(rest)
                if rest == "IDLE":
                    news = (
                        f"* {len(self.mails) + len(self.arrive_with_idle)} EXISTS\r\n" if self.arrive_with_idle else ""
                    )
                    self.mails |= self.arrive_with_idle
                    self.arrive_with_idle = {}
                    writer.write(f"+ idling\r\n{news}".encode())
                    await reader.readline()
                    writer.write(f"{tag} OK done\r\n".encode())
                else:
                    writer.write(self._answer(tag, rest))
        writer.close()

    def _answer(self, tag: str, rest: str) -> bytes:
        word = rest.split()[0].upper() if not rest.upper().startswith("UID") else " ".join(rest.split()[:2]).upper()
        if word in self.says:
            return f"{tag} {self.says[word]}\r\n".encode()
        match word:
            case "CAPABILITY":
                return f"* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n".encode()
            case "EXAMINE":
                uidnext = max(self.mails, default=0) + 1
                return (
                    f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {uidnext}] x\r\n"
                    f"{tag} OK [READ-ONLY] opened\r\n"
                ).encode()
            case "UID SEARCH":
                found = re.search(r"UID (\d+):\*", rest.upper().removeprefix("UID SEARCH"))
                only = re.search(r"UID (\d+)$", rest.upper().removeprefix("UID SEARCH"))
                if found:
                    low = int(found.group(1))
                    uids = [u for u in sorted(self.mails) if u >= low] or sorted(self.mails)[-1:]
                else:
                    uids = [u for u in self.mails if only and u == int(only.group(1))]
                return f"* SEARCH {' '.join(map(str, uids))}\r\n{tag} OK done\r\n".encode()
            case "UID FETCH":
                return self._fetched(tag, rest)
            case _:
                return f"{tag} OK done\r\n".encode()

    def _fetched(self, tag: str, rest: str) -> bytes:
        wanted = {int(u) for u in rest.split()[2].split(",")}
        if "BODY" in rest and wanted & self.broken:
            return f"{tag} NO the message is damaged\r\n".encode()
        out = b""
        for number, uid in enumerate(sorted(self.mails), 1):
            if uid not in wanted:
                continue
            body = self.mails[uid]
            items = f"UID {uid} RFC822.SIZE {len(body)}"
            if "INTERNALDATE" in rest:
                items += ' INTERNALDATE "05-Jan-2026 10:00:00 +0700"'
            out += f"* {number} FETCH ({items}".encode()
            if "BODY" in rest:
                out += f" BODY[] {{{len(body)}}}\r\n".encode() + body
            out += b")\r\n"
        return out + f"{tag} OK done\r\n".encode()


@pytest.fixture
async def odd() -> AsyncIterator[OddServer]:
    """A server to be bent."""
    server = OddServer()
    await server.open()
    yield server
    await server.aclose()


def reading(build: Build, server: OddServer, **more: object) -> Email:
    """A connector that reads `server`."""
    return build(settings({"port": server.port, "folder": FOLDER, **more}))


async def test_one_damaged_mail_does_not_block_the_others(odd: OddServer, build: Build) -> None:
    """It goes to quarantine with its position; its neighbours are complaints."""
    odd.mails = {uid: mail(uid) for uid in range(1, 8)}
    odd.broken = {4}
    connector = reading(build, odd)
    raws, got = await take(connector, None, 7)
    assert [r.ref for r in raws] == [f"7:{uid}" for uid in range(1, 8)]
    assert [r.body for r in raws if r.ref != "7:4"] == [mail(u) for u in range(1, 8) if u != 4]
    with pytest.raises(Malformed):
        connector.parse(raws[3])
    assert got[-1].cursor == "7:7"


async def test_uids_may_be_four_billion_apart(odd: OddServer, build: Build) -> None:
    odd.mails = {1: mail(1), 2_000_000_000: mail(2), 4_294_967_294: mail(3)}
    raws, got = await take(reading(build, odd), None, 3)
    assert [r.body for r in raws] == [mail(1), mail(2), mail(3)]
    assert got[-1].cursor == "7:4294967294"


async def test_news_that_come_with_the_word_to_wait(odd: OddServer, build: Build) -> None:
    """A report in one packet with the answer to IDLE is in no socket any more: polling alone would sleep on it."""
    odd.mails = {1: mail(1)}
    odd.arrive_with_idle = {2: mail(2)}
    raws, _ = await take(reading(build, odd, check_every_seconds=500), None, 2)
    assert [r.body for r in raws] == [mail(1), mail(2)]


async def test_only_reading_commands_are_sent(odd: OddServer, build: Build) -> None:
    odd.mails = {1: mail(1)}
    await take(reading(build, odd), None, 1)
    words = {
        " ".join(c.split()[:2]).upper() if c.upper().startswith("UID") else c.split()[0].upper() for c in odd.commands
    }
    assert words <= {"CAPABILITY", "LOGIN", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE", "NOOP", "LOGOUT"}
    assert all("PEEK" in c for c in odd.commands if "BODY" in c)


@pytest.mark.parametrize(
    ("word", "says", "error"),
    [
        ("LOGIN", "NO [AUTHENTICATIONFAILED] no such user or password", AuthFailed),
        ("LOGIN", "NO [UNAVAILABLE] user database is away", Unavailable),
        ("LOGIN", "NO [LIMIT] too many connections", Unavailable),
        ("EXAMINE", "NO no such folder", Unavailable),
        ("GREETING", "* BYE too busy\r\n", Unavailable),
        ("GREETING", "220 this is not imap\r\n", Unavailable),
    ],
)
async def test_what_an_unwilling_server_means(
    word: str, says: str, error: type[Exception], odd: OddServer, build: Build
) -> None:
    odd.says[word] = says
    with pytest.raises(error):
        await anext(reading(build, odd).pull(None))


async def test_a_server_that_says_nothing(odd: OddServer, build: Build) -> None:
    odd.says["GREETING"] = ""
    with pytest.raises(Unavailable):
        await asyncio.wait_for(anext(reading(build, odd, timeout_seconds=0.5).pull(None)), 20)


async def test_a_damaged_cursor_reads_again_from_the_start(odd: OddServer, build: Build) -> None:
    odd.mails = {1: mail(1)}
    for cursor in ("", "x", "7:", ":7", "7:-1", "9:9", "7:1:1"):
        raws, _ = await take(reading(build, odd), cursor, 1)
        assert [r.ref for r in raws] == ["7:1"], cursor


async def test_arrival_is_utc_wherever_we_run(
    pymap_server: ImapServer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R10: IMAPClient gives local time without a zone unless it is told not to."""
    arrived = datetime(2026, 1, 5, 16, 59, 30, tzinfo=UTC)
    pymap_server.fresh()
    pymap_server.deliver(mail(1), at=arrived)
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    time.tzset()
    try:
        raws, _ = await take(build(settings(imap_of(pymap_server))), None, 1)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert raws[0].received_at == arrived


def test_the_key_of_a_large_mail_does_not_depend_on_line_ends(build: Build) -> None:
    """Copies in two mailboxes may come with CRLF and with LF; the body is hashed in pieces."""
    from connectors.email.parse import parse
    from connectors_email.hostile import ACCOUNT, AT
    from connectors_email.hostile import mail as odd_mail

    for size in (2**20 - 3, 2**20 - 2, 2**20 - 1, 2**20, 2**20 + 1):
        crlf = odd_mail(b"\r\n" * 7 + b"x" * size + b"\r\n" * 5 + b"ya\r\n" * 400_000)
        keys = {
            getattr(parse(Raw(channel_id="c", received_at=AT, body=data), ACCOUNT)[0], "key", None)
            for data in (crlf, crlf.replace(b"\r\n", b"\n"), crlf + b"\r\n \r\n")
        }
        assert len(keys) == 1
