"""Where items stand in the conversation, told by what each of them follows.

Inserting an item behind another one pushes everything that stood there further back. So the conversation is a tree:
an item is the first child of the one it follows, and the order is the tree read from the top. The same claims give
the same order whatever the order of arrival; only two items that follow the same one are told apart by it, as on the
service. An item that is named but has not come keeps its place empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["ROOT", "Order"]

ROOT: Final = "root"  # what an item follows that is put at the very beginning


@dataclass(slots=True, eq=False)
class _Node:
    item_id: str
    parent: _Node | None
    told: bool = False
    """Whether its place was told; until then it stands at the end."""
    following: list[_Node] = field(default_factory=list)


class Order:
    """The order of one conversation's ids, ids that were only named included. Pure: same calls, same answers."""

    def __init__(self) -> None:
        self._top = _Node("", None)
        self._nodes: dict[str, _Node] = {}

    def place(self, item_id: str, previous_id: str | None) -> None:
        """Put an item behind another one; the first place that is told counts.

        Args:
            item_id: The item.
            previous_id: What it follows: an id, known or not; ``"root"``; ``None`` where nothing tells, then a new
                item goes to the end. The service also says ``None`` of the very first item.
        """
        node = self._node(item_id)
        if previous_id is None or node.told:
            return
        target = self._top if previous_id == ROOT else self._node(previous_id)
        if node.following and _is_above(node, target):  # two items that claim to follow each other
            return
        if node is target:
            return
        assert node.parent is not None, "only the top has none, and it has no id"
        node.parent.following.remove(node)
        target.following.insert(0, node)
        node.parent, node.told = target, True

    def __iter__(self) -> Iterator[str]:
        """Ids in the order of the conversation."""
        waiting = list(reversed(self._top.following))
        while waiting:
            node = waiting.pop()
            yield node.item_id
            waiting.extend(reversed(node.following))

    def _node(self, item_id: str) -> _Node:
        node = self._nodes.get(item_id)
        if node is None:
            node = self._nodes[item_id] = _Node(item_id, self._top)
            self._top.following.append(node)
        return node


def _is_above(node: _Node, other: _Node) -> bool:
    at: _Node | None = other
    while at is not None and at is not node:
        at = at.parent
    return at is node
