"""The tools of a session, each name once. Never changes; ``plus`` and ``without`` give another set.

Decides which tool answers to which name; runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Unpack

from voicelive.errors import ConfigurationError
from voicelive.tools.declaring import Dispatch, DispatchedTool, LocalTool, OptionKeywords, ToolOptions
from voicelive.tools.schema import check_name
from voicelive.wire.tools import FunctionTool

__all__ = ["ToolSet"]


class ToolSet:
    """Tools in the order in which the service is told of them."""

    def __init__(
        self, *tools: LocalTool, dispatcher: Dispatch | None = None, dispatcher_options: ToolOptions | None = None
    ) -> None:
        """
        Args:
            tools: What ``@tool`` and ``tool_from_schema`` made.
            dispatcher: Gets every call whose name is not among ``tools``, such as those of a Foundry agent that
                declares its functions itself. Left out: such a call is answered with an error.
            dispatcher_options: How it is run; ``concurrency`` counts all its calls together.

        Raises:
            ConfigurationError: One name twice, something that is no tool, or options without a dispatcher.
        """
        if dispatcher is None and dispatcher_options is not None:
            raise ConfigurationError("dispatcher_options are given but there is no dispatcher")
        self._rest = dispatcher and DispatchedTool(
            FunctionTool(name="*"),  # never told to the service, and no name that a tool can have
            dispatcher,
            dispatcher_options or ToolOptions(),
        )
        self._tools: dict[str, LocalTool] = {}
        for entry in tools:
            if not isinstance(entry, LocalTool):
                raise ConfigurationError(
                    f"{getattr(entry, '__name__', type(entry).__name__)} is no tool; "
                    "decorate the function with @tool, or use tool_from_schema"
                )
            name = entry.definition.name
            if name in self._tools:
                raise ConfigurationError(f"two tools are named {name!r}; give one of them another with name=...")
            self._tools[name] = entry

    @property
    def definitions(self) -> list[FunctionTool]:
        """What the service is told, in order."""
        return [entry.definition for entry in self._tools.values()]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that have a tool of their own, in order."""
        return tuple(self._tools)

    def find(self, name: str) -> LocalTool | None:
        """The tool that answers to a name: its own, else the dispatcher, else none."""
        return self._tools.get(name, self._rest)

    def plus(self, *tools: LocalTool) -> ToolSet:
        """This set with more tools at its end.

        Raises:
            ConfigurationError: As the constructor.
        """
        return self._with(*self, *tools)

    def without(self, *names: str) -> ToolSet:
        """This set less some tools.

        Raises:
            ConfigurationError: No tool has such a name.
        """
        for name in names:
            if name not in self._tools:
                raise ConfigurationError(f"no tool is named {name!r}; there are: {', '.join(self._tools) or 'none'}")
        return self._with(*(entry for name, entry in self._tools.items() if name not in names))

    def with_dispatcher(
        self, definitions: Iterable[FunctionTool], dispatch: Dispatch, **options: Unpack[OptionKeywords]
    ) -> ToolSet:
        """This set with tools that the service is told of and a function of the application's runs.

        Args:
            definitions: What the service is told.
            dispatch: Gets each call as it came, arguments unread, and returns, or is awaited for, the output.
            options: The fields of ``ToolOptions``, for each of the definitions.

        Raises:
            ConfigurationError: As the constructor, or a name that the service would not take.
        """
        chosen = ToolOptions(**options)
        added = [DispatchedTool(definition, dispatch, chosen) for definition in definitions]
        for entry in added:
            check_name(entry.definition.name)
        return self.plus(*added)

    def _with(self, *tools: LocalTool) -> ToolSet:
        if self._rest is None:
            return ToolSet(*tools)
        return ToolSet(*tools, dispatcher=self._rest.dispatch, dispatcher_options=self._rest.options)

    def __iter__(self) -> Iterator[LocalTool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __repr__(self) -> str:
        return f"ToolSet({', '.join(self._tools)})"
