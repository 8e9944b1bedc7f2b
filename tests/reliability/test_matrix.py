"""Every row of the fault matrix over real sockets, and that each one needs its fault."""

from __future__ import annotations

import pytest
from tests.reliability.row import Row, play
from tests.reliability.rows import ROWS


def _name(row: Row, resumes: bool) -> str:
    return f"{row.name}-{'resume' if resumes else 'none'}"


_CASES = [(row, resumes) for row in ROWS for resumes in row.policies]
_CHECKS = [(row, resumes) for row in ROWS for resumes in row.checks]


@pytest.mark.parametrize(("row", "resumes"), _CASES, ids=[_name(*case) for case in _CASES])
@pytest.mark.looptime
async def test_the_application_sees_what_the_matrix_says(row: Row, resumes: bool) -> None:
    await play(row, resumes=resumes)


@pytest.mark.parametrize(("row", "resumes"), _CHECKS, ids=[_name(*case) for case in _CHECKS])
@pytest.mark.looptime
async def test_a_row_fails_without_its_fault(row: Row, resumes: bool) -> None:
    with pytest.raises((AssertionError, TimeoutError, pytest.fail.Exception)):
        await play(row, resumes=resumes, injected=False)
