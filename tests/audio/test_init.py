"""The package's surface."""

from __future__ import annotations

import subprocess
import sys

import voicelive.audio


def test_every_exported_name_exists_and_is_listed_in_order() -> None:
    names = voicelive.audio.__all__

    assert all(hasattr(voicelive.audio, name) for name in names)
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_importing_it_loads_neither_the_resampler_nor_numpy() -> None:
    program = "import sys, voicelive.audio; print({'numpy', 'voicelive.audio.resampling'} & set(sys.modules))"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "set()"
