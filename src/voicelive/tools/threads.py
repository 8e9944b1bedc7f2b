"""A blocking function in a thread of its own, awaited from the event loop.

Not the loop's executor: that one has few threads, resolves host names too, and is waited for when the loop closes, so
a few tools that hang would stop more than themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable

__all__ = ["in_thread"]


async def in_thread(function: Callable[[], object], *, name: str, ended: Callable[[], None]) -> object:
    """Run ``function`` with the caller's context variables, and return or raise what it does.

    Cancelling returns at once and leaves the thread behind. It is a daemon, so it does not keep the process alive.

    Args:
        function: What blocks.
        name: The thread's.
        ended: Called on the event loop when the thread has ended, also long after it was left behind; once.

    Raises:
        RuntimeError: The system has no more threads; ``ended`` was called.
    """
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[tuple[object, Exception | None]] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(value: object, error: Exception | None) -> None:
        ended()
        if not finished.done():
            finished.set_result((value, error))  # as a result: a future refuses some exceptions

    def work() -> None:
        value: object = None
        error: Exception | None = None
        try:
            value = context.run(function)
        except Exception as raised:
            error = raised
        except (
            BaseException
        ) as raised:  # sys.exit in a thread ends the thread; out of the loop it would end the program
            error = RuntimeError(f"{type(raised).__name__} in a thread")
            error.__cause__ = raised
        with contextlib.suppress(RuntimeError):  # the loop has closed, so nobody waits
            loop.call_soon_threadsafe(deliver, value, error)

    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError:
        ended()
        raise
    value, error = await finished
    if error is not None:
        raise error
    return value
