"""Every row of the fault matrix over real sockets, and that each one needs its fault."""

from __future__ import annotations

import pytest
from tests.reliability.rows import ROWS, Row, play

_POLICIES = pytest.mark.parametrize("resumes", [True, False], ids=["resume", "none"])
_EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@_POLICIES
@_EACH
@pytest.mark.looptime
async def test_the_application_sees_what_the_matrix_says(row: Row, resumes: bool) -> None:
    await play(row, resumes=resumes)


@_POLICIES
@_EACH
@pytest.mark.looptime
async def test_a_row_fails_without_its_fault(row: Row, resumes: bool) -> None:
    with pytest.raises((AssertionError, TimeoutError, pytest.fail.Exception)):
        await play(row, resumes=resumes, injected=False)
