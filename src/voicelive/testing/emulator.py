"""The emulated service as a server on this machine: sockets, sessions, and their end.

What a session says is ``service``'s; who is let in, ``door``'s.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from voicelive import wire
from voicelive.testing.avatar.limits import AvatarLedger, AvatarLimits
from voicelive.testing.avatar.look import AvatarPicture
from voicelive.testing.avatar.shared import Avatars
from voicelive.testing.calls.call import Call
from voicelive.testing.connection import Connection
from voicelive.testing.door import Door
from voicelive.testing.faults import HandshakeFaults
from voicelive.testing.ids import Ids
from voicelive.testing.lines import Line
from voicelive.testing.pace import Pace
from voicelive.testing.records import EmulatedSession
from voicelive.testing.replies import Studio
from voicelive.testing.script import Script
from voicelive.testing.service import Service
from voicelive.testing.settings import Settings
from voicelive.testing.small_talk import default_script
from voicelive.testing.stage import Outlet, Stage
from voicelive.testing.tampering import Tamper
from voicelive.testing.threads import Threads
from voicelive.testing.voice import Voice, default_voice

__all__ = ["Emulator"]

_log = logging.getLogger(__name__)

_MAX_FRAME_BYTES = 16 * 1024 * 1024  # an append may carry 15 MiB of base64; no limit of frames is published
_CLOSE_S = 1  # a client that does not read (aiohttp, between two receives) never answers the close frame
_GOING_AWAY = 1001
_BACKLOG = 1024  # many clients may come back at once; beyond, the system leaves them without an answer for seconds
_INTERNAL_ERROR = 1011


class Emulator(HandshakeFaults):
    """A Voice Live service on the loopback interface, for tests and for work without a network.

    ``async with Emulator() as emulator`` starts it; ``emulator.endpoint`` is what a client connects to.

    Args:
        script: What the agent says; by default small talk about weather and time that never runs dry.
        pace: How fast the service is; by default without any waits.
        voice: How the agent sounds; by default shipped recordings, espeak-ng where it is installed, else a tone.
        api_key: The only key accepted. By default every key and every bearer token is.
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        ssl: Context with the server's certificate, for clients that insist on TLS; by default there is none.
        ping_interval_s: A ping goes to each client this often; ``None``: never.
        ping_timeout_s: A client whose pong takes longer is dropped.
        session_s: Lifetime of a session, by default the documented 60 minutes. Then it expires.
        ice_servers: What clients with an avatar over WebRTC are given in ``session.updated``, as
            ``[{"urls": [...], "username": ..., "credential": ...}]``; by default one server under a name that nobody
            has. A client's own take their place.
        keep_events: Keep all events and ended sessions; switch it off where the emulator runs for long.
        avatar_limits: Quotas of avatars; by default those measured with the service, ``AvatarLimits.none()`` has none.
        avatar_picture: Size of the avatars' picture; by default the service's. ``AvatarPicture.small()`` is cheap.
        avatar_peer_ice_servers: STUN and TURN servers of the emulator's own end of a WebRTC link; by default none.
        call_items_on_both: Send item events of WebRTC calls to the socket too, not to the data channel alone: the
            service's guide says both.

    Attributes:
        script: What the agent says; ``script.remaining`` holds the turns that were never used.
        sessions: All sessions so far, oldest first; without ``keep_events`` those that go on.
        tamper: What becomes of outgoing events: maps each to those that go out instead. Each new session works
            with a copy of its own (``EmulatedSession.tamper``).

    Raises:
        ValueError: ``session_s`` is not above 0.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        pace: Pace | None = None,
        voice: Voice | None = None,
        api_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl: SSLContext | None = None,
        ping_interval_s: float | None = 20.0,
        ping_timeout_s: float | None = 20.0,
        session_s: float = 3600.0,
        ice_servers: Sequence[Mapping[str, Any]] | None = None,
        keep_events: bool = True,
        avatar_limits: AvatarLimits | None = None,
        avatar_picture: AvatarPicture | None = None,
        avatar_peer_ice_servers: Sequence[wire.IceServer] = (),
        call_items_on_both: bool = False,
    ) -> None:
        if not session_s > 0:
            raise ValueError(f"session_s is {session_s}; it must be greater than 0")
        super().__init__()
        self.script = default_script() if script is None else script
        self.sessions: list[EmulatedSession] = []
        self.tamper: Tamper | None = None
        self._pace = Pace.instant() if pace is None else pace
        self._studio = Studio(default_voice() if voice is None else voice)
        self._door = Door(self._handshakes, api_key)
        self._address = host, port
        self._ssl = ssl
        self._ping = ping_interval_s, ping_timeout_s
        self._session_s = session_s
        self._ice_servers = ice_servers
        self._keep_events = keep_events
        self._avatars = Avatars(
            AvatarLedger(avatar_limits or AvatarLimits()),
            avatar_picture or AvatarPicture(),
            tuple(avatar_peer_ice_servers),
        )
        self._call_items_on_both = call_items_on_both
        self._server: Server | None = None
        self._endpoint: str | None = None
        self._session_numbers = itertools.count(1)
        self._threads = Threads()
        self._lines: set[Line] = set()
        self._failures: list[BaseException] = []

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``, with TLS ``https://``; known once the emulator was started.

        Raises:
            RuntimeError: It was not.
        """
        if self._endpoint is None:
            raise RuntimeError("the emulator was not started; use 'async with Emulator() as emulator'")
        return self._endpoint

    async def start(self) -> None:
        """Listen for clients; returns when they can connect."""
        interval_s, timeout_s = self._ping
        self._server = await serve(
            self._serve,
            *self._address,
            process_request=self._door.judge,
            create_connection=partial(Line, self._lines),  # type: ignore[arg-type]  # is called as the class would be
            ssl=self._ssl,
            compression=None,
            max_size=_MAX_FRAME_BYTES,
            backlog=_BACKLOG,
            open_timeout=None,  # a handshake may be ordered to take for ever; ``close`` ends it
            ping_interval=interval_s,
            ping_timeout=timeout_s,
            close_timeout=_CLOSE_S,
        )
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        scheme = "http" if self._ssl is None else "https"
        self._endpoint = f"{scheme}://{host}:{port}"

    async def close(self) -> None:
        """End all sessions with code 1001 (going away) and stop listening; may be called twice.

        Raises:
            Exception: The first error of a script's rule, a voice, or the emulator itself: a test must not
                pass over it.
        """
        if self._server is not None:
            for line in list(self._lines):
                line.release()
            self._server.close(code=_GOING_AWAY, reason="the emulator is closing")
            await self._server.wait_closed()
        if self._failures:
            failures, self._failures = self._failures, []
            raise failures[0]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._failures.clear()  # logged already; the error on its way out must not be replaced
        await self.close()

    async def _serve(self, line: ServerConnection) -> None:
        assert isinstance(line, Line), "the server makes no others"
        assert line.admission is not None, "only accepted upgrades come here"
        ids = Ids(next(self._session_numbers))
        thread_id, history = self._threads.of(line.admission, ids)
        connection = Connection(line, keep_events=self._keep_events)
        connection.tamper = copy(self.tamper)
        session = EmulatedSession(ids.session(), line.admission, history, connection, ids)
        self.sessions.append(session)
        call = Call(connection, items_on_both=self._call_items_on_both) if line.admission.webrtc else None
        stage = self._stage(session, thread_id, call or connection)
        if line.opens_silently:
            session.silence()
        stage.spawn(connection.pump())
        stage.spawn(self._expire(session))
        service = Service(stage, line.admission.model, connection.heed, call)
        try:
            await self._converse(service, line)
        except ConnectionClosed:
            pass
        except Exception as error:  # a rule of the script may raise anything; the test has to hear of it
            self._fail(connection, error)
            await connection.ended()
        finally:
            await stage.end()
            await service.close()
            history.settle()
            session.close_code = line.close_code
            if not self._keep_events:
                self.sessions.remove(session)

    async def _converse(self, service: Service, line: Line) -> None:
        service.open()
        while True:
            await service.receive(await line.recv(decode=False))

    async def _expire(self, session: EmulatedSession) -> None:
        await asyncio.sleep(self._session_s)
        session.expire()

    def _stage(self, session: EmulatedSession, thread_id: str | None, outlet: Outlet) -> Stage:
        admission, connection = session.admission, session.connection
        settings = Settings(
            session_id=session.id,
            model=admission.model,
            expires_at=int(time.time() + self._session_s),
            agent=None if admission.agent is None else {**admission.agent, "thread_id": thread_id},
            ice_servers=self._ice_servers,
        )
        return Stage(
            ids=session.ids,
            settings=settings,
            script=self.script,
            pace=self._pace,
            studio=self._studio,
            outlet=outlet,
            failed=lambda error: self._fail(connection, error),
            history=session.history,
            conversation_id=session.ids.conversation(),
            avatars=self._avatars,
        )

    def _fail(self, connection: Connection, error: BaseException) -> None:
        """Keep an error for ``close`` to raise, and end the session as a broken service would."""
        _log.error("= a session of the emulator failed", exc_info=error)
        self._failures.append(error)
        connection.end(_INTERNAL_ERROR, "the emulator failed; see its log")
