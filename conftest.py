"""What has to be settled before the first test runs."""

import asyncio

from hypothesis import settings


def pytest_configure() -> None:
    # Around every synchronous test, looptime asks for the thread's event loop. Before Python 3.14 that makes one, which
    # nobody closes: a ResourceWarning in some later, innocent test. After this call the question is refused instead.
    asyncio.set_event_loop(None)

    # A deadline in milliseconds judges the machine and the coverage measurement, not the code.
    settings.register_profile("no-deadline", deadline=None)
    settings.load_profile("no-deadline")
