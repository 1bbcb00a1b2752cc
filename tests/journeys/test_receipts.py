"""A complaint enters on a channel and its receipt comes back there (K2-K6, A3-A6, A8, U2-U4 as far as intake goes)."""

from __future__ import annotations

import pytest

from harness import Aduan, until


@pytest.mark.parametrize("slug", ["klikacc", "akseleran", "klikumkm"])
async def test_whatsapp_by_meta(aduan: Aduan, slug: str) -> None:
    """K2, K3, K4, K5: a message is a complaint at once and its receipt holds number, contact and "keep this"."""
    cloud = aduan.clouds[slug]
    await cloud.inject_text("6281234567890", "Dana saya belum cair sejak tanggal 3, sudah dipotong.")
    sent = await until(lambda: list(cloud.sent))
    (number,) = aduan.ticket_numbers()
    assert number in str(sent[0])
