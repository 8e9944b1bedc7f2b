"""Draws what converters make of tones from 24 kHz to 8 kHz; needs matplotlib (``make figures`` brings it)."""

from importlib import import_module
from pathlib import Path

import numpy as np
from benchmarks.converters import converters
from benchmarks.fidelity import PASS_BAND, gain_db, leaked_db

_IN_HZ, _OUT_HZ = 24_000, 8_000
_COLOURS = {"voicelive": "#0050b0", "soxr": "#2a9d4a", "PyAV": "#d9820f", "audioop": "#c03030"}
_STYLES = {"voicelive": "-", "soxr": "--", "PyAV": "-.", "audioop": ":"}


def draw(picture: Path) -> None:
    """Write the figure as PNG."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("Agg")  # no display
    plt = import_module("matplotlib.pyplot")
    figure, (whole, flat) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(3, 2), layout="constrained")
    tones_hz = np.linspace(100, 0.49 * _IN_HZ, 160)
    low_hz = np.linspace(100, PASS_BAND * _OUT_HZ, 40)
    above_hz = tones_hz[tones_hz >= (1 - PASS_BAND) * _OUT_HZ]
    for name, make in converters().items():
        colour = _COLOURS[name]
        gains = [gain_db(make, _IN_HZ, _OUT_HZ, float(hz)) for hz in tones_hz]
        whole.plot(tones_hz / 1000, gains, color=colour, linewidth=1, alpha=0.5)
        aliases = [leaked_db(make, _IN_HZ, _OUT_HZ, float(hz)) for hz in above_hz]
        whole.plot(above_hz / 1000, aliases, color=colour, linewidth=1.6, label=name)
        gains = [gain_db(make, _IN_HZ, _OUT_HZ, float(hz)) for hz in low_hz]
        flat.plot(low_hz / 1000, gains, color=colour, linestyle=_STYLES[name], linewidth=1.6, label=name)
    whole.axhline(-80, color="grey", linestyle=":", linewidth=1)
    whole.axvspan(0, PASS_BAND * _OUT_HZ / 1000, color="grey", alpha=0.12)
    whole.set(xlabel="tone, kHz", ylabel="what comes of it, dB", ylim=(-110, 5), xlim=(0, 12))
    whole.set_title("24 kHz to 8 kHz: bold is what falls into the pass band (grey)", fontsize=9)
    flat.axhspan(-0.1, 0.1, color="grey", alpha=0.12)
    flat.set(xlabel="tone, kHz", ylabel="gain, dB", ylim=(-0.5, 0.2), xlim=(0, 3.4))
    flat.set_title("the pass band; grey is what is allowed", fontsize=9)
    whole.legend(fontsize=9, loc="lower left")
    figure.savefig(picture, dpi=110, metadata={"Software": None})
