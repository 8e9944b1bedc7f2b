"""How a turn reads: its texts, calls and status put together from its items.

Decides nothing about what belongs to a turn (``TurnLog``) and nothing about when it is over (``History``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voicelive.protocol.entries import CALLS, Entry
from voicelive.protocol.item_book import ItemBook
from voicelive.protocol.snapshots import Turn, TurnStatus
from voicelive.protocol.turn_log import TurnRecord

__all__ = ["turn_of"]


def turn_of(turn: TurnRecord, book: ItemBook, places: Mapping[str, int], *, transcribes: bool) -> Turn:
    """The turn as it can be read.

    Args:
        turn: What is known of it.
        book: The items.
        places: Place of each item in the conversation; may be empty where the turn has one item of each side.
        transcribes: Whether transcripts of the caller's audio are to be expected.
    """
    caller, agent = _sorted(turn.caller.values(), places), _sorted(turn.agent.values(), places)
    pending = transcribes and any(entry.awaits_transcript for entry in caller)
    messages = [entry for entry in agent if entry.kind == "message"]
    return Turn(
        id=turn.id,
        status=_status(turn),
        caller_item_ids=tuple(entry.id for entry in caller),
        caller_text=None if pending else _lines(entry.text for entry in caller),
        agent_item_ids=tuple(entry.id for entry in agent),
        agent_text=_lines(entry.text for entry in messages) or "",
        agent_heard_text=_lines(_heard(entry) for entry in messages) or "",
        tool_calls=tuple(book.tool_call(entry) for entry in agent if entry.kind in CALLS),
        citations=tuple(note for entry in agent for note in entry.citations),
        response_ids=tuple(turn.responses),
        usage=tuple(turn.usage),
        latency=turn.watch.read(),
    )


def _sorted(entries: Iterable[Entry], places: Mapping[str, int]) -> list[Entry]:
    return sorted(entries, key=lambda entry: places.get(entry.id, 0)) if places else list(entries)


def _heard(entry: Entry) -> str | None:
    found = entry.heard().text
    return entry.text if found is None else found


def _lines(texts: Iterable[str | None]) -> str | None:
    """Texts one below the other; ``None`` where there is none at all."""
    known = [text for text in texts if text is not None]
    return "\n".join(text for text in known if text) if known else None


def _status(turn: TurnRecord) -> TurnStatus:
    if not turn.closed:
        return "open"
    last = next(reversed(turn.responses.values()), "completed")  # restored turns have no responses
    if last == "failed":
        return "failed"
    if (
        turn.cut_off
        or last in ("cancelled", "incomplete", None)
        or any(entry.interrupted for entry in turn.agent.values())
    ):
        return "interrupted"
    return "finished"
