"""Write the fault matrix into docs/reliability.md, from the rows that the tests play; ``--check`` only compares."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the rows live among the tests, which are no package that is installed

from tests.reliability.phases import PHASES, Phase  # noqa: E402 - found by the line above
from tests.reliability.row import Row  # noqa: E402 - found by the line above
from tests.reliability.rows import ROWS  # noqa: E402

PAGE: Final = ROOT / "docs" / "reliability.md"
BEGIN: Final = "<!-- the fault matrix: written by scripts/reliability_table.py, from tests/reliability -->"
END: Final = "<!-- end of the fault matrix -->"
_ARROWS: Final = {"up": "↑", "down": "↓", "both": "↑↓", "": "-"}


def table() -> str:
    """The whole matrix in Markdown, a section for each phase."""
    return "\n\n".join("\n".join(_section(phase)) for phase in PHASES)


def page(text: str) -> str:
    """The page with the present matrix between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _section(phase: Phase) -> Iterator[str]:
    rows = [row for row in ROWS if row.phase is phase]
    yield f"### {phase.name[0].upper()}{phase.name[1:]}"
    yield ""
    yield phase.situation
    yield ""
    if all(row.checks == (True,) for row in rows):
        yield "| fault | | injected | the application sees | lost |"
        yield "| --- | --- | --- | --- | --- |"
    else:
        yield "| fault | | injected | with `Resume` | lost then | with `resume=None` | lost then |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
    both = any(row.checks != (True,) for row in rows)
    yield from (_line(row, both=both) for row in rows)


def _line(row: Row, *, both: bool) -> str:
    fault, phase = row.fault, row.phase
    cells = [fault.name, _ARROWS[fault.direction], fault.words, row.resumed.words(phase), row.resumed.lost(phase)]
    if both and row.ended is not None:
        same = row.checks == (True,)
        cells += ["the same" if same else row.ended.words(phase), "the same" if same else row.ended.lost(phase)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: list[str]) -> int:
    text = PAGE.read_text(encoding="utf-8")
    wanted = page(text)
    if arguments == ["--check"]:
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
