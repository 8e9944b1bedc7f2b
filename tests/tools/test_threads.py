from __future__ import annotations

import asyncio
import contextvars
import threading
from unittest import mock

import pytest

from voicelive.tools.threads import in_thread

WHO = contextvars.ContextVar[str]("WHO")


class Ends:
    """Counts how often it was told that a thread has ended, and can be waited for."""

    def __init__(self) -> None:
        self.count = 0
        self.told = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self.told.set()


async def test_the_function_runs_in_a_thread_of_that_name_with_the_callers_context() -> None:
    WHO.set("caller")

    def function() -> tuple[str, str, bool]:
        return WHO.get(), threading.current_thread().name, threading.current_thread().daemon

    ends = Ends()

    assert await in_thread(function, name="worker", ended=ends) == ("caller", "worker", True)
    assert ends.count == 1


@pytest.mark.parametrize("error", [ValueError("x"), StopIteration()])
async def test_what_it_raises_is_raised(error: Exception) -> None:
    def function() -> None:
        raise error

    ends = Ends()

    with pytest.raises((type(error), RuntimeError)):  # a coroutine turns StopIteration into the latter
        await in_thread(function, name="worker", ended=ends)
    assert ends.count == 1


async def test_leaving_the_thread_by_sys_exit_does_not_end_the_program() -> None:
    def function() -> None:
        raise SystemExit

    with pytest.raises(RuntimeError, match="SystemExit in a thread"):
        await in_thread(function, name="worker", ended=Ends())


async def test_cancelling_returns_at_once_and_the_end_is_told_when_it_comes() -> None:
    begun, release = threading.Event(), threading.Event()

    def function() -> None:
        begun.set()
        release.wait()

    ends = Ends()
    running = asyncio.create_task(in_thread(function, name="worker", ended=ends))
    await asyncio.to_thread(begun.wait)
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert ends.count == 0
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    release.set()
    await ends.told.wait()
    assert (ends.count, complaints) == (1, [])


def test_a_loop_that_closed_meanwhile_is_no_error_of_the_thread() -> None:
    begun, release = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def function() -> None:
        threads.append(threading.current_thread())
        begun.set()
        release.wait()

    async def leave() -> None:
        running = asyncio.create_task(in_thread(function, name="worker", ended=lambda: None))
        await asyncio.to_thread(begun.wait)
        running.cancel()

    asyncio.run(leave())
    release.set()
    threads[0].join()  # an exception in it would be a warning, and warnings fail the test


async def test_where_no_thread_can_be_had_the_end_is_told_too() -> None:
    ends = Ends()

    with (
        mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")),
        pytest.raises(RuntimeError, match="can't start"),
    ):
        await in_thread(lambda: None, name="worker", ended=ends)
    assert ends.count == 1
