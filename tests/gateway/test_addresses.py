"""One webhook address, spelled in every way that HTTP allows: the same rules hold, whichever way the request is led."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan
from harness.hostile import META, kept, secret_of
from harness.meta import body_of, signed, text_message
from harness.settings import only
from harness.wire import answer, connected, head

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPELLINGS = {
    "plain": META,
    "percent-encoded": META.replace("-", "%2D"),
    "absolute": f"http://aduan{META}",
    "with a query": f"{META}?source=meta",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    async with start_aduan(tmp_path_factory.mktemp("aduan"), only("klikacc-whatsapp")) as running:
        yield running


async def posted(gateway: Aduan, target: str, body: bytes, secret: str, *, expect: bool) -> int:
    """The status of the answer to a signed body; with `expect` the body waits until the server asks for it."""
    headers = [("Content-Length", str(len(body))), *signed(body, secret).items()]
    async with connected(gateway.url) as (reader, writer):
        if expect:
            writer.write(head(target, [*headers, ("Expect", "100-continue")]))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(body)
        else:
            writer.write(head(target, headers) + body)
        return (await answer(reader))[0]


@pytest.mark.parametrize("expect", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_message_is_kept_and_a_forged_one_is_not(gateway: Aduan, spelling: str, expect: bool) -> None:
    """P18, P20: query, encoding, absolute form and `Expect` change nothing about who is believed."""
    tickets, parked, waiting = await kept(gateway)
    name = f"{spelling}-{expect}".replace(" ", "-")
    number = f"62818{list(SPELLINGS).index(spelling):04d}{expect:04d}"
    body = body_of("100000000001", [text_message(f"wamid.{name}", number, "Dana saya belum cair")])
    assert await posted(gateway, SPELLINGS[spelling], body, secret_of(gateway), expect=expect) == 200
    assert await posted(gateway, SPELLINGS[spelling], body + b" ", "another secret", expect=expect) == 401
    assert await kept(gateway) == (tickets + 1, parked, waiting)


@pytest.mark.parametrize("target", ["/in/", "/in", "/in/nobody", META + "/", "/in//klikacc-whatsapp", META.upper()])
async def test_what_only_looks_like_an_address_of_ours_is_none(gateway: Aduan, target: str) -> None:
    before = await kept(gateway)
    body = body_of("100000000001", [text_message("wamid.elsewhere", "6281800000002", "Halo")])
    assert await posted(gateway, target, body, secret_of(gateway), expect=False) in (404, 405)
    assert await kept(gateway) == before
