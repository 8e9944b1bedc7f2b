"""What both kinds of files share. What it converts is tested with each of them."""

from __future__ import annotations

import pytest

from voicelive.audio import AudioFile, Recording, WavFile


@pytest.mark.parametrize("kind", [WavFile, AudioFile])
def test_both_kinds_of_files_are_recordings(kind: type) -> None:
    assert issubclass(kind, Recording)
