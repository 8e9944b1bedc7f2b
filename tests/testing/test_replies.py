"""Replies before they are sent: pieces rejoin, caps hold, the same text is rendered once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelive.audio.formats import AudioFormat
from voicelive.testing.replies import Reply, Studio, TimedWord, pieces_of_json, pieces_of_text
from voicelive.testing.script import Call

PCM8 = AudioFormat("pcm16", 8_000)


class Counting:
    """A voice that counts how often it speaks: 10 ms of sound a character, loud enough to be heard."""

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def speak(self, text: str, rate_hz: int) -> bytes:
        self.spoken.append(text)
        return b"\x00\x10" * (rate_hz // 100 * len(text))


@given(st.text())
def test_pieces_rejoin_to_the_text(text: str) -> None:
    assert "".join(pieces_of_text(text)) == text
    assert "".join(pieces_of_json(text)) == text


def test_words_keep_the_space_before_them_and_punctuation_stands_apart() -> None:
    assert pieces_of_text("It's half past, right?") == ["It", "'", "s", " half", " past", ",", " right", "?"]


@given(st.integers(20, 2_000), st.integers(0, 5_000))
def test_audio_pieces_rejoin_and_have_the_size_asked_for(piece_ms: int, audio_ms: int) -> None:
    reply = Reply("x", bytes(16 * audio_ms), PCM8)
    pieces = reply.audio_pieces(piece_ms)
    assert b"".join(pieces) == reply.audio
    assert all(len(piece) == 16 * piece_ms for piece in pieces[:-1])


@given(st.text(min_size=1, max_size=200), st.integers(0, 20_000), st.integers(1, 300), st.booleans())
def test_a_cap_on_tokens_holds(text: str, audio_ms: int, cap: int, calls: bool) -> None:
    audio_format = PCM8 if audio_ms else None
    reply = Reply(text, bytes(16 * audio_ms), audio_format, calls=(Call("f", {"a": 1}),) if calls else ())
    cut = reply.within(cap)
    assert cut.complete == (reply.tokens <= cap)
    assert cut.tokens <= max(cap, 1) + 1  # text and audio are rounded apart
    assert text.startswith(cut.text or "")
    assert reply.within(None) is reply


def test_words_beyond_the_cut_have_no_times() -> None:
    words = (TimedWord("one", 0, 500), TimedWord("two", 500, 500))
    cut = Reply("one two", bytes(16_000), PCM8, words).within(10)
    assert [word.text for word in cut.words] == ["one"]


async def test_a_text_is_rendered_once_for_each_format() -> None:
    voice = Counting()
    studio = Studio(voice)
    first = await studio.speak("Hello", PCM8)
    again = await studio.speak("Hello", PCM8)
    telephone = await studio.speak("Hello", AudioFormat("g711_ulaw", 8_000))
    assert first == again
    assert len(telephone.audio) * 2 == len(first.audio)
    assert voice.spoken == ["Hello", "Hello"]


async def test_times_of_words_fill_the_audio() -> None:
    reply = await Studio(Counting()).speak("two words", PCM8, times_words=True)
    assert [word.text for word in reply.words] == ["two", "words"]
    assert reply.words[-1].start_ms + reply.words[-1].duration_ms == reply.audio_ms == 90


async def test_shapes_of_the_mouth_are_made_where_asked_for_and_cut_with_the_audio() -> None:
    plain = await Studio(Counting()).speak("two words", PCM8, times_words=True)
    shaped = await Studio(Counting()).speak("two words", PCM8, shapes_mouth=True)
    assert (plain.visemes, shaped.words) == ((), ())
    assert [shape.viseme_id for shape in shaped.visemes][:2] == [19, 7]
    cut = shaped.within(3)
    assert 0 < len(cut.visemes) < len(shaped.visemes)
    assert all(shape.start_ms < cut.audio_ms for shape in cut.visemes)


async def test_a_face_is_made_where_asked_for_has_sixty_frames_a_second_and_is_cut_with_the_audio() -> None:
    reply = await Studio(Counting()).speak("two words", PCM8, shapes_face=True)
    assert (reply.visemes, len(reply.blendshapes)) == ((), 6), "90 ms"
    assert {len(frame) for frame in reply.blendshapes} == {55}
    cut = reply.within(3)
    assert (cut.audio_ms, len(cut.blendshapes)) == (54, 4)
    assert cut.blendshapes == reply.blendshapes[:4]


async def test_the_face_of_a_telephone_voice_is_made_from_what_is_heard() -> None:
    telephone, wide = [
        await Studio(Counting()).speak("two words", AudioFormat(encoding, 8_000), shapes_mouth=True, shapes_face=True)
        for encoding in ("g711_ulaw", "pcm16")
    ]
    assert telephone.visemes == wide.visemes
    assert telephone.blendshapes == wide.blendshapes


@pytest.mark.parametrize("text", ["", "  "])
async def test_a_silent_text_has_no_face(text: str) -> None:
    reply = await Studio(Counting()).speak(text, PCM8, shapes_mouth=True, shapes_face=True)
    assert (len(reply.visemes), len(reply.blendshapes)) == (0, 0)


@pytest.mark.parametrize("text", ["", "  "])
async def test_a_text_without_words_is_silent(text: str) -> None:
    voice = Counting()
    assert (await Studio(voice).speak(text, PCM8)).audio == b""
    assert voice.spoken == []


async def test_the_studio_forgets_the_oldest_of_what_is_too_much() -> None:
    class Long:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def speak(self, text: str, rate_hz: int) -> bytes:
            self.asked.append(text)
            return bytes(3 * 1024 * 1024)

    voice = Long()
    studio = Studio(voice)
    for text in ("one", "two", "three", "three", "two", "one", "far too long"):
        await studio.speak(text, PCM8)

    assert voice.asked == ["one", "two", "three", "one", "far too long"]
