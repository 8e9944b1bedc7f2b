"""The Python snippets of README.md and docs/ run as their readers would run them.

Each ```` ```python ```` block is a whole program: it runs as ``__main__`` in an empty directory that holds
``question.wav``, with the endpoint and key of a local emulator of its own in the environment. A block that cannot run
here is preceded by ``<!-- not run: the reason -->``. What a snippet should do is not known here; it must run through.
"""

import asyncio
import gc
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser

_ROOT = Path(__file__).parent.parent
_START_TIMEOUT_S = 10
_NOT_RUN = re.compile(r"<!--\s*not run(?P<reason>(?:(?!-->).)*)-->\s*\Z", re.DOTALL)


def _snippets(document: Path) -> list[Example]:
    markdown = Sybil(parsers=[CodeBlockParser(language="python", evaluator=_run_as_program)])
    return list(markdown.parse(document).examples())


def _name(snippet: Example) -> str:
    return f"{Path(snippet.path).relative_to(_ROOT).as_posix()}:{snippet.line}"


def _reason_not_to_run(text_before: str) -> str | None:
    """Return the reason given right before a block, empty where it is missing, ``None`` where it is to be run."""
    comment = _NOT_RUN.search(text_before)
    return None if comment is None else comment["reason"].strip().removeprefix(":").strip()


def _run_as_program(snippet: Example) -> None:
    program = ModuleType("__main__")
    lines_above = "\n" * (snippet.line + snippet.parsed.line_offset)  # tracebacks then show the document's lines
    code = compile(lines_above + snippet.parsed, snippet.path, "exec", dont_inherit=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", program)
        patch.setattr(sys, "argv", ["snippet.py"])
        exec(code, vars(program))


@contextmanager
def _emulator_in_a_thread() -> Iterator[str]:
    """Yield the endpoint of an emulator with an event loop of its own: snippets bring theirs."""
    # Imported late: the tests of this module's own rules need no emulator.
    from voicelive.testing import Emulator, Pace

    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with Emulator(pace=Pace.instant()) as emulator:
            started.set_result((emulator.endpoint, lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    def give_up(serving: Future[None]) -> None:
        if not started.done():
            started.set_exception(serving.exception() or RuntimeError("the emulator ended at once"))

    with ThreadPoolExecutor(max_workers=1) as thread:
        serving = thread.submit(asyncio.run, serve())
        serving.add_done_callback(give_up)
        endpoint, stop = started.result(timeout=_START_TIMEOUT_S)
        try:
            yield endpoint
        finally:
            stop()
            serving.result()


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a reader has who followed the README: endpoint, key, and a question to ask."""
    shutil.copy(_ROOT / "examples" / "audio" / "question.wav", tmp_path)
    monkeypatch.chdir(tmp_path)
    with _emulator_in_a_thread() as endpoint:
        monkeypatch.setenv("AZURE_VOICELIVE_ENDPOINT", endpoint)
        monkeypatch.setenv("AZURE_VOICELIVE_API_KEY", "key-of-the-emulator")
        yield
    gc.collect()  # what a snippet forgot to close is then blamed on it, not on a later test


_DOCUMENTS = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
_ALL = [snippet for document in _DOCUMENTS for snippet in _snippets(document)]
_RUN = [snippet for snippet in _ALL if _reason_not_to_run(snippet.document.text[: snippet.start]) is None]


@pytest.mark.parametrize("snippet", _RUN, ids=_name)
@pytest.mark.usefixtures("surroundings")
def test_a_snippet_runs_against_the_emulator(snippet: Example) -> None:
    try:
        snippet.evaluate()
    except (Exception, SystemExit):  # whatever it is, the report shows it whole, with the document's own lines
        pytest.fail(traceback.format_exc(), pytrace=False)


@pytest.mark.parametrize("snippet", [snippet for snippet in _ALL if snippet not in _RUN], ids=_name)
def test_a_snippet_that_is_not_run_says_why(snippet: Example) -> None:
    assert _reason_not_to_run(snippet.document.text[: snippet.start])
    compile(snippet.parsed, snippet.path, "exec")  # whoever has what it needs can run it


@pytest.mark.parametrize(
    ("text_before", "reason"),
    [
        ("Some text.\n\n", None),
        ("<!-- not run: needs a microphone -->\n", "needs a microphone"),
        ("<!-- not run: needs\na microphone -->\n\n", "needs\na microphone"),
        ("<!-- not run: for another block -->\ntext\n", None),
        ("<!-- not run: for another block -->\n<!-- a remark -->\n", None),
        ("<!-- not run -->\n", ""),
        ("<!-- not run: -->\n", ""),
    ],
)
def test_only_a_comment_right_before_a_block_keeps_it_from_running(text_before: str, reason: str | None) -> None:
    assert _reason_not_to_run(text_before) == reason


def test_every_python_block_is_found_and_no_other(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "```python\nfirst = 1\n```\n```bash\nmake demo\n```\n1. Step\n\n   ```python\n   second = 2\n   ```\n"
        "```pycon\n>>> third\n```\n",
        encoding="utf-8",
    )

    assert [str(snippet.parsed).strip() for snippet in _snippets(document)] == ["first = 1", "second = 2"]


def test_a_fault_is_reported_at_its_line_of_the_document(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("# Title\n\n```python\nfine = 1\nraise LookupError\n```\n", encoding="utf-8")
    (snippet,) = _snippets(document)

    with pytest.raises(LookupError) as caught:
        snippet.evaluate()

    assert (Path(caught.traceback[-1].path), caught.traceback[-1].lineno + 1) == (document, 5)
