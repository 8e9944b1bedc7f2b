"""The comparison with a busy handler runs; what it shows of the other client is that client's business."""

import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent


def test_a_busy_handler_is_given_every_event() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/busy_handler.py", "--ping-s", "0.1"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^ voicelive +600 of 600 +all delivered +1000", done.stdout, re.MULTILINE)
    assert re.search(r"^ azure-ai-voicelive +\d+ of 600", done.stdout, re.MULTILINE)
