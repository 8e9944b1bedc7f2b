"""The upgrade requests of one emulator: judged, noted, and answered as a test ordered it.

Whom the service would let in is decided in ``handshake``; what goes wrong on the way, in ``faults``.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from voicelive.testing.faults import Answer, Mishap, Order, Orders, Upgrade
from voicelive.testing.handshake import RejectedUpgrade, admit
from voicelive.testing.lines import Line

__all__ = ["Door"]


class Door:
    """Answers upgrade requests.

    Args:
        orders: What goes wrong; requests are noted there.
        api_key: The only key accepted; ``None``: any credential is.
    """

    def __init__(self, orders: Orders, api_key: str | None) -> None:
        self._orders = orders
        self._api_key = api_key
        self._refused = 0

    async def judge(self, line: ServerConnection, request: Request) -> Response | None:
        """The answer that refuses a request; ``None`` lets the client in."""
        assert isinstance(line, Line), "the server makes no others"
        upgrade = Upgrade(urlsplit(request.path).path, asyncio.get_running_loop().time())
        self._orders.upgrades.append(upgrade)
        order = self._orders.take()
        if await self._gave_up(line, order):
            return line.respond(503, "")  # goes nowhere
        answer = order if isinstance(order, Answer) else self._admit(line, request)
        line.opens_silently = order is Mishap.SILENT
        if answer is None:
            upgrade.status = 101
            return None
        upgrade.status = answer.status
        return self._response(line, answer)

    async def _gave_up(self, line: Line, order: Order | None) -> bool:
        if order is Mishap.UNANSWERED:
            return await line.lost_within(None)
        delay_s = self._orders.delay_s
        return delay_s > 0 and await line.lost_within(delay_s)

    def _admit(self, line: Line, request: Request) -> Answer | None:
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        try:
            line.admission = admit(request.path, headers, api_key=self._api_key)
        except RejectedUpgrade as rejection:
            return Answer(rejection.status, rejection.body, {"Content-Type": "application/json"})
        return None

    def _response(self, line: Line, answer: Answer) -> Response:
        self._refused += 1
        response = line.respond(answer.status, answer.body)
        del response.headers["Content-Type"]
        for name, value in {**answer.headers, "x-request-id": f"req_{self._refused:04d}"}.items():
            response.headers[name] = value
        return response
