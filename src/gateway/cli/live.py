"""`aduan check --live`: are our credentials good at every provider, and does our public address lead to us?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp

from connectors.errors import ConnectorError
from gateway import forward_check
from gateway.channels import build_connectors
from gateway.cli.environment import Looked
from gateway.replay import secret_of

if TYPE_CHECKING:
    from connectors.contract import Connector
    from gateway.installation import Installation

#: Longer than any connector's own time-out for one call, and than two mail log-ins.
_PATIENCE_SECONDS = 45.0


def ask(installation: Installation) -> list[Looked]:
    """What every channel's provider, target store and our own public address answered. Changes nothing."""
    return asyncio.run(_ask(installation))


async def _ask(installation: Installation) -> list[Looked]:
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session:
        connectors, broken = build_connectors(
            installation,
            secret=secret_of(installation.data_dir),
            now=lambda: datetime.now(UTC),
            session=lambda: session,
        )
        asked = await asyncio.gather(
            _public(session, installation.config.public_url),
            *(_channel(id_, connector) for id_, connector in connectors.items()),
        )
    targets = await forward_check.ask(installation.config.forward, lambda: datetime.now(UTC))
    return [*asked, *targets, *(Looked(what=f"channel {id_}", good=False, found=why) for id_, why in broken.items())]


async def _channel(id_: str, connector: Connector) -> Looked:
    what = f"channel {id_}"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await connector.check()
    except TimeoutError:
        return Looked(what=what, good=False, found=f"no answer within {_PATIENCE_SECONDS:g} s")
    except ConnectorError as error:
        return Looked(what=what, good=False, found=f"{type(error).__name__}: {error}")
    except Exception as error:  # a bug in a connector: its text may hold anything, its class does not
        return Looked(what=what, good=False, found=f"the check failed with {type(error).__name__}")
    else:
        return Looked(what=what, good=True, found="the provider knows us")
    finally:
        await connector.aclose()


async def _public(session: aiohttp.ClientSession, public_url: str) -> Looked:
    what = f"public_url {public_url}"
    try:
        async with session.get(f"{public_url}/healthz", allow_redirects=False) as answer:
            good = answer.status == 200 and (await answer.json()).get("status") == "alive"
            found = "answers" if good else f"answers {answer.status}, not as Aduan does: check the proxy in front of it"
    except (aiohttp.ClientError, TimeoutError, ValueError, AttributeError) as error:
        why = f"does not answer ({type(error).__name__}): is `aduan serve` running behind it?"
        return Looked(what=what, good=False, found=why)
    return Looked(what=what, good=good, found=found)
