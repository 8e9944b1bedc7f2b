"""Settings that depend on what is talked to, and tools from two places."""

import pytest

from voicelive.errors import ConfigurationError
from voicelive.protocol.settings import join_tools, refuse_impossible
from voicelive.wire.client_events import SessionUpdate
from voicelive.wire.codec import encode
from voicelive.wire.session import SessionConfig
from voicelive.wire.tools import FunctionTool
from voicelive.wire.turn_detection import AzureSemanticDetection, AzureSemanticVad, ServerVad

WEATHER = FunctionTool(name="weather")
CLOCK = FunctionTool(name="clock")
WITH_END_OF_UTTERANCE = SessionConfig(
    turn_detection=AzureSemanticVad(end_of_utterance_detection=AzureSemanticDetection())
)


def names(config: SessionConfig | None) -> list[str]:
    assert config is not None
    assert config.tools is not None
    return [tool.name for tool in config.tools if isinstance(tool, FunctionTool)]


def test_without_further_tools_the_settings_stay_what_they_are() -> None:
    config = SessionConfig(tools=[WEATHER])

    assert join_tools(config, ()) is config
    assert join_tools(None, ()) is None


def test_further_tools_come_behind_those_of_the_settings() -> None:
    assert names(join_tools(SessionConfig(tools=[WEATHER]), [CLOCK])) == ["weather", "clock"]
    assert names(join_tools(None, [CLOCK, WEATHER])) == ["clock", "weather"]
    assert names(join_tools(SessionConfig(tools=None), [CLOCK])) == ["clock"]


def test_joining_keeps_everything_else_and_sets_nothing_new() -> None:
    config = SessionConfig(instructions="Be brief.", turn_detection=None, extra={"brand_new": 1})

    joined = join_tools(config, [CLOCK])

    assert joined is not None
    assert encode(SessionUpdate(session=joined)) == (
        b'{"type":"session.update","session":{"instructions":"Be brief.","turn_detection":null,'
        b'"tools":[{"type":"function","name":"clock"}],"brand_new":1}}'
    )
    assert config.tools is None, "the application's own settings are not touched"


@pytest.mark.parametrize(
    ("config", "tools"), [(SessionConfig(tools=[CLOCK]), [CLOCK]), (None, [CLOCK, WEATHER, CLOCK])]
)
def test_one_function_name_twice_is_refused(config: SessionConfig | None, tools: list[FunctionTool]) -> None:
    with pytest.raises(ConfigurationError, match="'clock' twice"):
        join_tools(config, tools)


@pytest.mark.parametrize("name", ["instructions", "temperature"])
def test_an_agent_brings_its_own_instructions_and_temperature(name: str) -> None:
    config = SessionConfig(**{name: "x" if name == "instructions" else 0.5})  # type: ignore[arg-type]  # one of two fields

    with pytest.raises(ConfigurationError, match=rf"config\.{name} .*agent"):
        refuse_impossible(config, model=None, agent=True)
    refuse_impossible(config, model="gpt-realtime", agent=False)


def test_even_null_instructions_are_refused_with_an_agent() -> None:
    with pytest.raises(ConfigurationError, match="instructions"):
        refuse_impossible(SessionConfig(instructions=None), model=None, agent=True)


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-mini", "phi4-mm-realtime", "azure-realtime"])
def test_models_that_hear_by_themselves_have_no_end_of_utterance_detection(model: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"end_of_utterance_detection .*'{model}'"):
        refuse_impossible(WITH_END_OF_UTTERANCE, model=model, agent=False)


@pytest.mark.parametrize(("model", "agent"), [("gpt-4.1", False), (None, True), (None, False), ("my-model", False)])
def test_other_models_and_agents_may_detect_the_end_of_an_utterance(model: str | None, agent: bool) -> None:
    refuse_impossible(WITH_END_OF_UTTERANCE, model=model, agent=agent)


@pytest.mark.parametrize("config", [SessionConfig(), SessionConfig(turn_detection=None)])
def test_settings_that_ask_for_nothing_special_pass(config: SessionConfig) -> None:
    refuse_impossible(config, model="gpt-realtime", agent=True)
    refuse_impossible(SessionConfig(turn_detection=ServerVad()), model="gpt-realtime", agent=False)
