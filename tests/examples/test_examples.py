"""The examples run as their readers run them: each in a process and an empty directory of its own.

They take real time, since they speak at the speed of speech; so all run side by side, once for all tests. Without a
service in the environment each starts an emulator of its own.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from voicelive import wire
from voicelive.audio import WavFile
from voicelive.testing import Call, Emulator, Script, Turn
from voicelive.wire.items import FunctionCallOutputItem

_EXAMPLES = Path(__file__).parent.parent.parent / "examples"
_LIMIT_S = 50  # the longest one takes about 23
_PROGRAMS = sorted([*_EXAMPLES.glob("*.py"), *_EXAMPLES.glob("*/server.py")])
_ARGUMENTS = {"microphone": ["--self-test"], "browser": ["--self-test"], "avatar": ["--self-test"]}
_ARGUMENTS["choose_a_model"] = ["--region", "swedencentral", "--currency", "EUR", "--rate", "0.868"]
_IN_STEP_S = 0.08
_LOUD = 0.01  # of 1; beyond the noise of the codecs
_THROAT_LUMA = 45  # nothing else of the drawn face is as dark
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def _name(path: Path) -> str:
    return path.parent.name if path.stem == "server" else path.stem


@dataclass(frozen=True)
class Run:
    """What one example left behind; its output with every number as ``#``."""

    status: int
    lines: list[str]
    numbers: list[list[float]]
    errors: str
    directory: Path


def _environment(**service: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_VOICELIVE_")}
    return {**kept, **service, "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}


def _run(process: "subprocess.Popen[str]", directory: Path) -> Run:
    output, errors = process.communicate(timeout=_LIMIT_S)
    lines = output.splitlines()
    numbers = [[float(number) for number in _NUMBER.findall(line)] for line in lines]
    return Run(process.returncode, [_NUMBER.sub("#", line) for line in lines], numbers, errors, directory)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Run]]:
    """The finished runs of all examples, by name."""
    directories = {path: tmp_path_factory.mktemp(_name(path)) for path in _PROGRAMS}
    started = {
        path: subprocess.Popen(
            [sys.executable, str(path), *_ARGUMENTS.get(_name(path), ())],
            cwd=directory,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for path, directory in directories.items()
    }
    try:
        yield {_name(path): _run(process, directories[path]) for path, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
            process.communicate()


@pytest.mark.parametrize("name", [_name(path) for path in _PROGRAMS])
def test_an_example_ends_well_and_complains_about_nothing(runs: Mapping[str, Run], name: str) -> None:
    assert (runs[name].status, runs[name].errors) == (0, "")


def test_the_microphone_example_talks_to_itself(runs: Mapping[str, Run]) -> None:
    run = runs["microphone"]

    assert run.lines == [
        "  you: What is the weather in Lisbon today?",
        "agent: It is sunny in Lisbon, with # degrees.",
        "The self-test heard # s of the agent's voice.",
    ]
    assert run.numbers[-1][0] > 1


def test_the_quickstart_shows_both_sides_the_tool_and_the_figures(runs: Mapping[str, Run]) -> None:
    run = runs["quickstart"]

    assert "talking to the emulator" in run.lines[0]
    assert run.lines[2:] == [
        "caller: What is the weather in Lisbon today?",
        '  tool: get_weather -> {"city":"Lisbon","sky":"sunny","celsius":#}',
        " agent: It is sunny in Lisbon, with # degrees.",
        "",
        "The answer is in demo-reply.wav: # s of speech.",
        "# turn, first audio # ms after the question, # tokens.",
    ]
    assert WavFile(run.directory / "demo-reply.wav").duration_ms / 1000 == pytest.approx(run.numbers[-2][0], abs=0.1)
    turns, first_audio_ms, tokens = run.numbers[-1]
    assert turns == 1
    assert 1000 < first_audio_ms < 5000, "two responses at the measured pace, on a slow machine"
    assert tokens > 0


def test_a_call_of_twilio_is_answered_and_cut_where_the_caller_spoke(runs: Mapping[str, Run]) -> None:
    call, key, greeting, answer, end = runs["twilio_call"].lines[2:]

    assert (call, key) == ("  call: {'language': 'English'}", "   key: #")
    assert greeting.startswith(" agent: Good")
    assert not greeting.endswith("?"), "the caller spoke over it"
    assert (answer, end) == (" agent: It is sunny in Lisbon.", " ended: hung_up")


def test_a_call_of_azure_ends_when_the_farewell_was_heard(runs: Mapping[str, Run]) -> None:
    run = runs["acs_call"]

    assert sorted(run.lines[2:]) == [
        "  call: PCM at # Hz",
        " agent: It is sunny in Lisbon. Good bye!",
        " ended: session",
        "caller: heard # s",
    ]


def test_a_call_of_a_page_shows_its_tool_and_is_cut_where_it_was_heard(runs: Mapping[str, Run]) -> None:
    *lines, agent, end = runs["browser"].lines[1:]

    assert lines == [
        "serving",
        "  tool: get_weather started",
        "  tool: get_weather finished",
        "caller: What is the weather in Lisbon today?",
    ]
    assert agent.startswith(" agent: It is sunny")
    assert not agent.endswith("sea.")
    assert end == " ended: caller"


def test_a_call_with_a_visible_agent_is_seen_and_heard(runs: Mapping[str, Run]) -> None:
    assert runs["avatar"].lines[1:] == [
        "serving",
        "  page: a picture of # x #",
        "  page: the agent was heard for a second",
        " ended: caller",
    ]


def test_an_avatar_is_written_into_a_file_with_picture_and_voice_in_step(runs: Mapping[str, Run]) -> None:
    run = runs["avatar_to_mp4"]
    assert run.lines[1:] == ["avatar.mp#: # kB"]

    with av.open(run.directory / "avatar.mp4") as film:
        rate_hz = film.streams.audio[0].rate
        open_at, loud_at, shapes = [], [], set()
        for frame in film.decode(video=0, audio=0):
            assert isinstance(frame, av.AudioFrame | av.VideoFrame)
            assert frame.time is not None
            if isinstance(frame, av.AudioFrame):
                sound = np.abs(frame.to_ndarray()).max(axis=0)
                loud_at += [frame.time + place / rate_hz for place in np.flatnonzero(sound > _LOUD)]
            else:
                luma = frame.to_ndarray()[: frame.height]
                shapes.add(int((luma < _THROAT_LUMA).sum()))
                open_at += [frame.time] if shapes and (luma < _THROAT_LUMA).any() else []

    assert len(shapes) > 5, "the mouth moves"
    assert loud_at[-1] - loud_at[0] > 3
    assert abs(open_at[0] - loud_at[0]) <= _IN_STEP_S
    assert abs(open_at[-1] - loud_at[-1]) <= _IN_STEP_S


def test_parallel_tools_are_all_answered_and_spoken_of_once(runs: Mapping[str, Run]) -> None:
    lines = runs["tools"].lines

    assert {line for line in lines if line.endswith("started")} == {
        f"  {name}: started"
        for name in ("opening_hours", "count_stock", "look_up_price", "reserve", "estimate_delivery")
    }
    finished = [line.split(" after ")[0].strip() for line in lines if " after " in line]
    assert sorted(finished) == [
        "count_stock: answered",
        "estimate_delivery: timeout",
        "look_up_price: raised",
        "opening_hours: answered",
        "reserve: invalid_arguments",
    ]
    assert finished[-2:] == ["estimate_delivery: timeout", "count_stock: answered"], "the slow ones held up no other"
    assert not any("internal" in line for line in lines), "the text of an exception stays inside"
    assert lines[-3:] == [
        " agent: We are open until six, and three red bicycles are here. I could not find out the rest.",
        "",
        "# calls, # answered, # follow-up response.",
    ]
    assert runs["tools"].numbers[-1] == [5, 5, 1]


def test_the_mouths_of_an_answer_are_drawn_in_a_strip(runs: Mapping[str, Run]) -> None:
    run = runs["visemes"]

    assert run.lines[2:] == [
        "caller: What is the weather in Lisbon today?",
        " agent: It is sunny in Lisbon, with # degrees.",
        "",
        "# mouths for # s of speech are in mouths.svg.",
    ]
    count, speech_s = run.numbers[-1]
    drawn = ElementTree.parse(run.directory / "mouths.svg")
    labels = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert len(labels) == count > 10
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}ellipse"))) == count
    places = [int(label.split(" ms: ")[0]) for label in labels]
    assert places == sorted(set(places))
    assert places[-1] < speech_s * 1000
    assert labels[-1].endswith(": 0"), "the mouth is shut in the end"


def test_the_assistant_holds_a_call_with_two_tools_and_a_barge_in(runs: Mapping[str, Run]) -> None:
    lines = runs["assistant"].lines

    assert lines == [
        " agent: Hello, how can I help you?",
        "caller: What is the weather in Lisbon today?",
        '  tool: get_weather {"sky":"sunny","celsius":#}',
        " agent: It is sunny in Lisbon, with # degrees.",
        "caller: And what time is it there?",
        "  tool: get_time #:#",
        " agent: It is half past three in the afternoon in Lisbon.",
        "   cut: # of # ms were heard",
        lines[8],
        "caller: Wait, stop. Tell me about tomorrow instead.",
        " agent: Tomorrow will be cloudy, with a chance of rain in the evening.",
        "turn_#, finished: audio after # ms, heard after # ms",
        "turn_#, finished: audio after # ms, heard after # ms",
        "turn_#, interrupted: audio after # ms, heard after # ms",
        "turn_#, finished: audio after # ms, heard after # ms",
    ]
    assert lines[6].startswith(lines[8])
    assert lines[8] != lines[6], "the caller did not hear all of it"
    heard_ms, total_ms = runs["assistant"].numbers[7]
    assert 0 < heard_ms < total_ms


def test_models_are_compared_by_the_price_of_an_hour_cheapest_first(runs: Mapping[str, Run]) -> None:
    run = runs["choose_a_model"]
    rows = [[cell.strip(" *") for cell in line.split("│")[1:-1]] for line in run.lines if "│" in line]

    assert "in EUR, prices of" in run.lines[0]
    assert len(rows) > 15
    assert {row[1] for row in rows} == {"pro", "standard", "lite"}
    listed = [numbers[-3:] for line, numbers in zip(run.lines, run.numbers, strict=True) if "│" in line]
    assert all(low <= expected <= high for low, expected, high in listed)
    assert [expected for _, expected, _ in listed] == sorted(expected for _, expected, _ in listed)
    assert run.lines[-2].endswith("# EUR for one USD.")
    drawn = run.lines[-1] == "The chart is in models.png."
    assert drawn or run.lines[-1] == "For a chart as well: pip install matplotlib"
    assert (run.directory / "models.png").exists() is drawn


def test_the_assistant_is_shorter_than_sixty_lines() -> None:
    assert len((_EXAMPLES / "assistant.py").read_text(encoding="utf-8").splitlines()) < 60


async def test_an_example_talks_to_the_service_that_the_environment_names(tmp_path: Path) -> None:
    calls = [Call("opening_hours"), Call("reserve", {"product": "red bicycle", "pieces": "two"})]
    async with Emulator(Script(Turn(calls=calls, reply_after_calls="Done."))) as emulator:
        environment = _environment(AZURE_VOICELIVE_ENDPOINT=emulator.endpoint, AZURE_VOICELIVE_API_KEY="any-key")
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(_EXAMPLES / "tools.py"), cwd=tmp_path, env=environment, stdout=subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), _LIMIT_S)

    (session,) = emulator.sessions
    items = [event.item for event in session.received_of(wire.ConversationItemCreate)]
    assert sum(isinstance(item, FunctionCallOutputItem) for item in items) == 2
    assert len(session.received_of(wire.ResponseCreate)) == 2, "one for the question and one for both results"
    assert output.decode().splitlines()[-1] == "2 calls, 2 answered, 1 follow-up response."
