"""Asks target stores whether they would take tickets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.cli.environment import Looked
from gateway.forward_settings import Target
from gateway.forward_targets import forwarder_of
from tickets.forwarders.errors import ForwardError

#: Longer than a check's few calls take together.
_PATIENCE_SECONDS = 60.0


async def ask(targets: Sequence[Target], now: Callable[[], datetime]) -> Sequence[Looked]:
    """What every target answered, in their order. Changes nothing anywhere."""
    return await asyncio.gather(*(_ask(each, now) for each in targets))


async def _ask(settings: Target, now: Callable[[], datetime]) -> Looked:
    what = f"forward {settings.name}"
    forwarder = forwarder_of(settings, now)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await forwarder.check()
    except TimeoutError:
        return Looked(what=what, good=False, found=f"no answer within {_PATIENCE_SECONDS:g} s")
    except ForwardError as error:
        return Looked(what=what, good=False, found=f"{type(error).__name__}: {error}")
    finally:
        await forwarder.aclose()
    return Looked(what=what, good=True, found="it takes tickets")
