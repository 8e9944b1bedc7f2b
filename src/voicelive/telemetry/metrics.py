"""Tokens, money and length of calls as OpenTelemetry metrics.

``metrics.attach(client)`` or ``metrics.attach(session)``; without it nothing is recorded, and OpenTelemetry is not even
imported. Where the GenAI conventions have a name, it is theirs: https://opentelemetry.io/docs/specs/semconv/gen-ai/
gen-ai-metrics/, read 2026-11-26, status development. Names that begin with ``voicelive.`` are this package's own.

| instrument | kind, unit | attributes |
| --- | --- | --- |
| ``gen_ai.client.token.usage`` | histogram, ``{token}``, per response | those of the conventions |
| ``voicelive.tokens`` | counter, ``{token}`` | the same, ``voicelive.tier``, ``voicelive.meter`` |
| ``voicelive.cost`` | counter, millionths of a unit of ``voicelive.currency`` | ``voicelive.currency``, model |
| ``voicelive.session.duration`` | histogram, ``s`` | model, ``voicelive.close_code`` |

The cost counts whole millionths, so that no amount of money becomes a float; the fraction that is left is counted with
what follows it. ``session.usage`` and ``CallRecord`` have the exact sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final

from voicelive._version import __version__
from voicelive.client import VoiceLiveClient

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from voicelive.catalogue import Bill
    from voicelive.session import Session
    from voicelive.usage import ResponseCost

__all__ = ["attach"]

PROVIDER: Final = "azure.ai.voicelive"  # the conventions have no word for it, and allow one's own then

_TOKEN_BUCKETS: Final = tuple(4**power for power in range(14))  # 1 to 67108864, as the conventions want it
_DURATION_BUCKETS_S: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_MILLION: Final = 1_000_000


def attach(target: VoiceLiveClient | Session, *, meter: Meter | None = None) -> None:
    """Record what a session uses from now on, or every session that a client makes from now on.

    Args:
        target: A client, or a session.
        meter: Where to; default: the global meter provider's, as the application has set it up.

    Raises:
        ModuleNotFoundError: The extra ``otel`` is not installed.
    """
    instruments = _Instruments(_global_meter() if meter is None else meter)
    if isinstance(target, VoiceLiveClient):
        target.on_connect(lambda session: _observe(session, instruments))
    else:
        _observe(target, instruments)


def _global_meter() -> Meter:
    try:
        from opentelemetry.metrics import get_meter
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "metrics need OpenTelemetry: pip install 'voicelive[otel]'", name=missing.name
        ) from missing
    return get_meter("voicelive", __version__)


def _observe(session: Session, instruments: _Instruments) -> None:
    session.usage.observe(_Recorder(session, instruments))


class _Instruments:
    """The instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
        self.usage = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKEN_BUCKETS,
        )
        self.tokens = meter.create_counter("voicelive.tokens", unit="{token}", description="Tokens by meter.")
        self.cost = meter.create_counter(
            "voicelive.cost", unit="{millionth}", description="Cost in millionths of a unit of the currency."
        )
        self.duration = meter.create_histogram(
            "voicelive.session.duration",
            unit="s",
            description="How long a session lasted.",
            explicit_bucket_boundaries_advisory=_DURATION_BUCKETS_S,
        )


class _Recorder:
    """Records what one session uses."""

    def __init__(self, session: Session, instruments: _Instruments) -> None:
        self._session, self._instruments = session, instruments
        self._seen = 0
        self._counted: dict[str, int] = {}

    def responded(self) -> None:
        responses = self._session.usage.responses
        new, self._seen = responses[self._seen :], len(responses)
        for response in new:
            self._count_tokens(response)
        self._count_cost()

    def ended(self) -> None:
        self.responded()
        info = self._session.close_info
        code = None if info is None else info.code
        record = self._session.usage.record()
        self._instruments.duration.record(
            record.duration_ms / 1000, {**_model(self._session.config.model), "voicelive.close_code": str(code)}
        )

    def _count_tokens(self, response: ResponseCost) -> None:
        common = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": PROVIDER, **_model(response.model)}
        usage = response.usage
        if usage is not None:
            for direction, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
                if count is not None and count >= 0:
                    self._instruments.usage.record(count, {**common, "gen_ai.token.type": direction})
        for line in response.bill.lines:
            if line.tokens:
                direction = "output" if line.category.endswith("output") else "input"
                meter = {"voicelive.tier": line.tier, "voicelive.meter": line.category}
                self._instruments.tokens.add(line.tokens, {**common, "gen_ai.token.type": direction, **meter})

    def _count_cost(self) -> None:
        bill = self._session.usage.bill
        spent = _millionths(bill)
        before = self._counted.get(bill.currency, 0)
        if spent > before:  # other prices may make less of what was counted: a counter does not go back
            self._counted[bill.currency] = spent
            attributes = {"voicelive.currency": bill.currency, **_model(self._session.config.model)}
            self._instruments.cost.add(spent - before, attributes)


def _millionths(bill: Bill) -> int:
    return int((bill.total * Decimal(_MILLION)).to_integral_value(ROUND_FLOOR))


def _model(name: str | None) -> Mapping[str, str]:
    return {} if name is None else {"gen_ai.response.model": name}
