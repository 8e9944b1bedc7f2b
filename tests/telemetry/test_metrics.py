"""What OpenTelemetry is told of a call, read back from the SDK's own reader."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tests.conftest import OpenSession
from tests.support.streams import settle
from tests.test_usage import usage_of

from voicelive import AzureStandardVoice, SessionConfig, VoiceLiveClient
from voicelive._version import __version__
from voicelive.catalogue import prices
from voicelive.telemetry import metrics
from voicelive.testing import Emulator, Pace


class Told:
    """A meter, and what it was told."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])
        self.meter = self.provider.get_meter("test")

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        found = [
            point
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]
        return sorted(found, key=lambda point: sorted(map(str, point.attributes.items())))


@pytest.fixture
def told() -> Any:
    told = Told()
    yield told
    told.provider.shutdown()


async def test_a_call_of_a_client_is_told_whole(told: Told) -> None:
    config = SessionConfig(voice=AzureStandardVoice(name="en-US-AvaNeural"))
    async with Emulator(pace=Pace.instant()) as emulator, VoiceLiveClient(emulator.endpoint, "key") as client:
        metrics.attach(client, meter=told.meter)
        async with client.connect("gpt-realtime", config=config) as session:
            await session.ask("Hello?")
            await session.ask("And then?")

    used, bill = session.usage.tokens, session.usage.bill
    usage = {point.attributes["gen_ai.token.type"]: point for point in told.points("gen_ai.client.token.usage")}
    assert (usage["input"].count, usage["output"].count) == (2, 2)
    assert usage["input"].sum + usage["output"].sum == used.total
    assert usage["input"].attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.voicelive",
        "gen_ai.response.model": "gpt-realtime-global-standard",
        "gen_ai.token.type": "input",
    }
    assert usage["input"].explicit_bounds[:4] == (1, 4, 16, 64)
    assert usage["input"].explicit_bounds[-1] == 67_108_864
    tokens = {
        (point.attributes["voicelive.tier"], point.attributes["voicelive.meter"]): point.value
        for point in told.points("voicelive.tokens")
    }
    assert tokens == {(line.tier, line.category): line.tokens for line in bill.lines if line.tokens}
    (cost,) = told.points("voicelive.cost")
    assert type(cost.value) is int
    assert cost.value == int(bill.total * 1_000_000)
    assert cost.attributes["voicelive.currency"] == "USD"
    (duration,) = told.points("voicelive.session.duration")
    assert duration.count == 1
    assert duration.attributes["voicelive.close_code"] == "1000"


async def test_a_session_is_told_of_from_then_on_and_fractions_are_carried(
    told: Told, open_session: OpenSession
) -> None:
    session, peer = open_session()
    metrics.attach(session, meter=told.meter)
    await peer.create(model="gpt-realtime-mini")
    for number in range(3):  # 0.66 millionths each
        done = {"id": f"r{number}", "status": "completed", "usage": usage_of(text=1)}
        await peer.say("response.done", response=done)
        await settle()

    assert [point.value for point in told.points("voicelive.cost")] == [1]
    session.usage.use(prices.converted(prices.tokens[("lite", "text_output")], "USD"))
    await peer.say("response.done", response={"id": "free", "usage": None})
    await settle()
    assert [point.value for point in told.points("voicelive.cost")] == [1], "a counter does not go back"
    assert len(told.points("gen_ai.client.token.usage")) == 2, "nothing is told of what nobody told"
    assert told.points("voicelive.session.duration") == []


def test_without_the_extra_nothing_is_imported_and_its_name_is_told() -> None:
    program = """
import sys
sys.modules["opentelemetry"] = sys.modules["opentelemetry.metrics"] = None
import voicelive.session, voicelive.usage
from voicelive.telemetry import metrics
assert not any(name.startswith("opentelemetry.") and sys.modules[name] for name in sys.modules)
try:
    metrics.attach(object())
except ModuleNotFoundError as missing:
    print(missing)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.strip() == "metrics need OpenTelemetry: pip install 'voicelive[otel]'"


def test_the_global_meter_is_used_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def get_meter(*names: str) -> NoOpMeter:
        asked.append(names)
        return NoOpMeter("none")

    monkeypatch.setattr("opentelemetry.metrics.get_meter", get_meter)

    metrics.attach(VoiceLiveClient("https://example.com", "key"))

    assert asked == [("voicelive", __version__)]


def test_neither_prices_nor_telemetry_are_loaded_by_a_session() -> None:
    program = "import voicelive.session, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    loaded = set(done.stdout.split())
    assert not {name for name in loaded if name.startswith(("voicelive.catalogue", "opentelemetry"))}
    assert not {"voicelive.budget", "voicelive.call_record", "voicelive.usage_bills"} & loaded
