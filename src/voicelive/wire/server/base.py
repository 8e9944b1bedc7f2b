"""What server events share.

Every field but ``type`` may be missing on the wire. A field that the schema promises has a neutral value then
(``""``, ``0``, ``b""``), so that its type stays honest for the common case; ``model_fields_set`` tells.
"""

from voicelive.wire.base import Wire

__all__ = ["ItemEvent", "OutputEvent", "PartEvent", "ServerEventBase"]


class ServerEventBase(Wire):
    """What every server event can carry."""

    event_id: str | None = None


class ItemEvent(ServerEventBase):
    """About one item of the conversation."""

    item_id: str = ""


class OutputEvent(ItemEvent):
    """About one item of a response."""

    response_id: str = ""
    output_index: int = 0
    """Place of the item in the response's output."""


class PartEvent(OutputEvent):
    """About one content part of an item of a response."""

    content_index: int = 0
    """Place of the part in the item's content."""
