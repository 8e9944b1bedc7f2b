"""How an application says what the model may call: ``@tool``, a plain schema with a callable, a hand-off.

Decides what each kind of tool does with the arguments of a call. Runs nothing.
"""

from __future__ import annotations

import functools
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, ParamSpec, TypeAlias, TypedDict, TypeVar, Unpack, get_args, overload

from voicelive.errors import ConfigurationError
from voicelive.tools.arguments import read_object
from voicelive.tools.context import ToolCall, ToolContext
from voicelive.tools.schema import check_name, read_function
from voicelive.wire.tools import FunctionTool

__all__ = [
    "Dispatch",
    "DispatchedTool",
    "LocalTool",
    "OnBargeIn",
    "PythonTool",
    "SchemaTool",
    "ToolOptions",
    "tool",
    "tool_from_schema",
]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

OnBargeIn: TypeAlias = Literal["cancel", "finish", "finish_silently"]
"""What becomes of a running call when the user talks over the agent: it is cancelled; it finishes and the model speaks
about the result; it finishes and the result is added to the conversation without a response."""

Dispatch: TypeAlias = Callable[[ToolCall], object]
"""Takes a call as it came and returns, or is awaited for, what the model gets."""

_SAY_AFTER_S = 1.0  # a pause in a telephone call that begins to feel like a lost line


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """How a tool is run.

    Attributes:
        timeout_s: Seconds from the call to its result, waiting for a free slot included; ``None`` waits for ever.
        concurrency: Most runs of this tool at a time within one session's ``ToolSet``, ``None`` for no limit. A
            thread that was abandoned counts until it ends.
        on_barge_in: What becomes of the run when the user talks over the agent.
        say: A phrase for the agent to speak where the tool is slow, such as "One moment, please".
        say_after_s: Seconds of silence before it; left out: 1.0 where there is a phrase.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    timeout_s: float | None = 30.0
    concurrency: int | None = None
    on_barge_in: OnBargeIn = "finish"
    say: str | None = None
    say_after_s: float | None = None

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not (math.isfinite(self.timeout_s) and self.timeout_s > 0):
            raise ConfigurationError(f"timeout_s is {self.timeout_s!r}; it must be over 0, or None for no limit")
        if self.concurrency is not None and self.concurrency < 1:
            raise ConfigurationError(
                f"concurrency is {self.concurrency!r}; it must be at least 1, or None for no limit"
            )
        if self.on_barge_in not in get_args(OnBargeIn):
            raise ConfigurationError(f"on_barge_in is {self.on_barge_in!r}; allowed: {', '.join(get_args(OnBargeIn))}")
        if self.say is not None and not self.say.strip():
            raise ConfigurationError("say is blank; give a phrase, or None for silence")
        if self.say_after_s is None:
            object.__setattr__(self, "say_after_s", None if self.say is None else _SAY_AFTER_S)
        elif self.say is None:
            raise ConfigurationError(f"say_after_s is {self.say_after_s!r} but there is no phrase; give say=... too")
        elif not (math.isfinite(self.say_after_s) and self.say_after_s >= 0):
            raise ConfigurationError(f"say_after_s is {self.say_after_s!r}; it must be 0 or more")


class OptionKeywords(TypedDict, total=False):
    """The fields of ``ToolOptions`` as keywords."""

    timeout_s: float | None
    concurrency: int | None
    on_barge_in: OnBargeIn
    say: str | None
    say_after_s: float | None


class LocalTool(ABC):
    """A tool that this process runs.

    Attributes:
        definition: What the service is told.
        options: How it is run.
        in_thread: Whether it blocks, so that it needs a thread.
    """

    def __init__(self, definition: FunctionTool, options: ToolOptions, *, in_thread: bool) -> None:
        self.definition, self.options, self.in_thread = definition, options, in_thread

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.definition.name!r})"

    @abstractmethod
    def bind(self, call: ToolCall, context: ToolContext) -> Callable[[], Any]:
        """Check the arguments and give a function that runs the tool with them.

        Raises:
            InvalidArgumentsError: They do not fit.
        """


class PythonTool(LocalTool, Generic[P, R_co]):
    """What ``@tool`` makes of a function. Calling it calls the function, unchecked, as if it were not decorated."""

    def __init__(
        self, function: Callable[P, R_co], options: ToolOptions, *, name: str | None, description: str | None
    ) -> None:
        if not callable(function):
            raise ConfigurationError(f"a {type(function).__name__} cannot be a tool; it must be a function")
        functools.update_wrapper(self, function)  # first: it brings the function's own attributes, which may be any
        self._schema = read_function(function, name=name, description=description)
        super().__init__(
            _definition(self._schema.name, self._schema.description, self._schema.parameters),
            options,
            in_thread=_blocks(function, self._schema.name),
        )
        self.function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self.function(*args, **kwargs)

    def bind(self, call: ToolCall, context: ToolContext) -> Callable[[], Any]:
        return functools.partial(self.function, **self._schema.arguments(call.arguments_json, context))


class SchemaTool(LocalTool):
    """What ``tool_from_schema`` makes: the arguments are a JSON object, and that is all that is checked."""

    def __init__(
        self, definition: FunctionTool, function: Callable[[dict[str, Any]], object], options: ToolOptions
    ) -> None:
        super().__init__(definition, options, in_thread=_blocks(function, definition.name))
        _check_definition(definition)
        self.function = function

    def bind(self, call: ToolCall, context: ToolContext) -> Callable[[], Any]:
        return functools.partial(self.function, read_object(call.arguments_json))


class DispatchedTool(LocalTool):
    """Handed to a dispatcher of the application, arguments unread."""

    def __init__(self, definition: FunctionTool, dispatch: Dispatch, options: ToolOptions) -> None:
        super().__init__(definition, options, in_thread=_blocks(dispatch, definition.name))
        self.dispatch = dispatch

    def bind(self, call: ToolCall, context: ToolContext) -> Callable[[], Any]:
        return functools.partial(self.dispatch, call)


@overload
def tool(function: Callable[P, R], /) -> PythonTool[P, R]: ...


@overload
def tool(
    *, name: str | None = None, description: str | None = None, **options: Unpack[OptionKeywords]
) -> Callable[[Callable[P, R]], PythonTool[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    **options: Unpack[OptionKeywords],
) -> Any:
    """Make a typed function a tool, with or without options.

    A synchronous function runs in a thread of its own, with the caller's context variables; when it times out or is
    cancelled the thread is left behind, since Python cannot stop it. A coroutine function runs on the event loop.

    Args:
        function: Every parameter annotated; one may be a ``ToolContext``.
        name: Left out: the function's own.
        description: Left out: the docstring before its sections.
        options: The fields of ``ToolOptions``.

    Raises:
        ConfigurationError: The function cannot be a tool, or an option makes no sense.
    """
    if function is not None:
        return PythonTool(function, ToolOptions(), name=name, description=description)
    chosen = ToolOptions(**options)
    return lambda decorated: PythonTool(decorated, chosen, name=name, description=description)


def tool_from_schema(
    definition: FunctionTool, function: Callable[[dict[str, Any]], object], **options: Unpack[OptionKeywords]
) -> SchemaTool:
    """Make a tool of a definition written by hand and a function, sync or async, that takes the arguments as one dict.

    The arguments are checked to be a JSON object and are not validated against the schema: that is the function's part.

    Raises:
        ConfigurationError: The definition's name or schema, the function or an option makes no sense.
    """
    return SchemaTool(definition, function, ToolOptions(**options))


def _definition(name: str, description: str | None, parameters: dict[str, Any]) -> FunctionTool:
    if description is None:  # null is not absent
        return FunctionTool(name=name, parameters=parameters)
    return FunctionTool(name=name, description=description, parameters=parameters)


def _check_definition(definition: FunctionTool) -> None:
    check_name(definition.name)
    schema = definition.parameters
    if schema is not None and not (isinstance(schema, Mapping) and schema.get("type") == "object"):
        raise ConfigurationError(f'tool {definition.name!r}: parameters must be a JSON schema with "type": "object"')


def _blocks(function: Callable[..., object], name: str) -> bool:
    """Whether a function does its work in the call itself rather than when awaited."""
    if not callable(function):
        raise ConfigurationError(f"tool {name!r}: a {type(function).__name__} cannot be called; it must be a function")
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    forms = (inner, getattr(inner, "__call__", inner))  # noqa: B004  # the method of a callable object
    if any(inspect.isasyncgenfunction(form) or inspect.isgeneratorfunction(form) for form in forms):
        raise ConfigurationError(f"tool {name!r} is a generator; return one result instead of yielding several")
    return not any(inspect.iscoroutinefunction(form) for form in forms)
