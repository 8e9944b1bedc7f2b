"""The service's end of a call, without a service."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.support.rtc_page import Page

from voicelive.testing.calls.peer import Peer


def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work)


def silence(byte_count: int) -> bytes:
    return bytes(byte_count)


async def test_what_is_told_before_the_channel_is_open_comes_when_it_is_and_in_order() -> None:
    heard: list[bytes] = []
    async with Page() as page:
        peer = Peer(silence, heard.append, spawn)
        answer = await peer.answer(page.offer)
        for number in range(3):
            peer.tell(f'{{"type":"{number}"}}')
        await page.begin(answer)
        await page.until(lambda: len(page.told) == 3 and heard)
        peer.tell('{"type":"3"}')
        await page.until(lambda: page.told == ["0", "1", "2", "3"])
        await peer.close()
        peer.tell("nobody listens any more")
        await peer.close()
    assert len(heard[0]) == 1920, "20 ms, mono at 48 kHz"


async def test_a_channel_of_another_name_is_not_told_anything() -> None:
    async with Page(channel="other") as page:
        peer = Peer(silence, lambda _: None, spawn)
        await page.begin(await peer.answer(page.offer))
        await page.until(lambda: page.connected)
        peer.tell('{"type":"0"}')
        await asyncio.sleep(0.05)
        assert not page.told
        await peer.close()
