"""Keeps a leaked event loop of the looptime plugin from failing whichever test runs when it is collected."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_implicit_event_loop() -> None:
    # Before a test that is not async, looptime 0.9 asks the policy for "the" loop; the policy then makes one that
    # nobody closes. Having once set none, the policy answers that there is none, which looptime expects.
    asyncio.set_event_loop(None)
