"""Measure the streaming resampler beside soxr, PyAV and ``audioop``, and print a table; see docs/audio.md.

    python benchmarks/resampling.py [--quick] [--write]

The exit status tells whether ours meets the bounds between all usual rates.
"""

import argparse
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.fidelity import Fidelity

_RATES_HZ: tuple[int, ...] = (48_000, 44_100, 24_000, 16_000, 8_000)
_SHOWN_HZ = ((24_000, 8_000), (8_000, 24_000), (48_000, 24_000), (24_000, 48_000), (44_100, 24_000), (16_000, 24_000))
_DOCS = Path(__file__).parent.parent / "docs"
_BEGIN, _END = "<!-- figures: begin, written by make figures -->\n", "<!-- figures: end -->\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the streaming resampler beside others.")
    parser.add_argument("--quick", action="store_true", help="a few tones: does it run?")
    parser.add_argument("--write", action="store_true", help="write table and plot into docs/")
    wanted = parser.parse_args()
    lines, good = _report(tones=3 if wanted.quick else 30, rounds=1 if wanted.quick else 9)
    print("\n".join(lines))
    if wanted.write:
        from benchmarks.response_plot import draw

        draw(_DOCS / "audio-resampler.png")
        _write(_DOCS / "audio.md", "\n".join(lines) + "\n")
    return 0 if good else 1


def _report(tones: int, rounds: int) -> tuple[list[str], bool]:
    """The lines to show, and whether ours meets the bounds everywhere."""
    from benchmarks.converters import converters
    from benchmarks.fidelity import measure

    lines = [
        "| from, to kHz | converter | held back ms | flatness dB | noise dB | aliases dB | µs for 20 ms | real time |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    made = converters()
    ours = {pair: measure(made["voicelive"], *pair, tones=tones, rounds=rounds) for pair in permutations(_RATES_HZ, 2)}
    for pair in _SHOWN_HZ:
        for name, make in made.items():
            found = ours[pair] if name == "voicelive" else measure(make, *pair, tones=tones, rounds=rounds)
            lines.append(_row(pair, name, found))
    lines += ["", *_summary(list(ours.values())), "", f"Measured with {_versions()}."]
    return lines, all(found.good for found in ours.values())


def _summary(ours: "list[Fidelity]") -> list[str]:
    good = sum(found.good for found in ours)
    held_ms = max(found.held_ms for found in ours)
    flatness_db = max(found.flatness_db for found in ours)
    noise_db = min(found.noise_db for found in ours)
    alias_db = max(found.alias_db for found in ours if found.alias_db is not None)
    times_real = min(found.times_real for found in ours)
    return [
        f"voicelive between any two of 8, 16, 24, 44.1 and 48 kHz: {good} of {len(ours)} pairs meet the bounds.",
        f"At most {held_ms:.2f} ms held back, flat within {flatness_db:.4f} dB, noise {-noise_db:.1f} dB, aliases",
        f"{alias_db:.1f} dB, at least {times_real:,.0f} times real time.",
    ]


def _row(pair: tuple[int, int], name: str, found: "Fidelity") -> str:
    bold = "**" if name == "voicelive" else ""
    cells = (
        f"{pair[0] / 1000:g} → {pair[1] / 1000:g}",
        f"{bold}{name}{bold}",
        f"{found.held_ms:.2f}",
        f"{found.flatness_db:.4f}" if found.flatness_db < 0.01 else f"{found.flatness_db:.2f}",
        f"{-found.noise_db:.1f}",
        "" if found.alias_db is None else f"{found.alias_db:.1f}",
        f"{found.chunk_us:.0f}",
        f"{found.times_real:,.0f} times",
    )
    return "| " + " | ".join(cells) + " |"


def _versions() -> str:
    """What was measured, as far as it is installed."""
    named = [f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"]
    for package in ("numpy", "soxr", "av"):
        try:
            named.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(named)


def _write(page: Path, text: str) -> None:
    """Replace what stands between the markers of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{page} lacks the lines {_BEGIN.strip()!r} and {_END.strip()!r}")
    page.write_text(f"{before}{_BEGIN}\n{text}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # this directory is a package of the checkout
    sys.exit(main())
