"""From a typed function to what the model is told of it, and from the model's arguments to the function's own types.

One pydantic model of the parameters does both, so that schema and validation cannot differ. Validation is strict, in
pydantic's JSON sense: ``"5"`` is no integer and ``1`` no boolean, while dates, UUIDs, enums and whatever else JSON has
no form for are read from strings. Dated versions of the API have no field "strict" on a function, so strictness is a
matter of this module: ``additionalProperties`` is false and every argument has to fit. That holds for dataclasses and
typed dicts inside the arguments too; pydantic models keep their own rule for unknown keys.

Knows no call, no thread and no event loop.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import CoreSchema, to_json

from voicelive.errors import ConfigurationError
from voicelive.tools.arguments import ArgumentProblem, InvalidArgumentsError, problems_of, read_object
from voicelive.tools.context import ToolContext

__all__ = ["FunctionSchema", "check_name", "read_function"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what realtime models accept as the name of a function


@dataclass(frozen=True, slots=True)
class FunctionSchema:
    """What a function's signature and docstring say.

    Attributes:
        name: What the model calls.
        description: What the docstring says before its sections, if anything.
        parameters: JSON schema of type object; shared classes stand under ``$defs``.
        context_parameter: The parameter that takes the ``ToolContext``, which is no part of the schema.
    """

    name: str
    description: str | None
    parameters: dict[str, Any]
    context_parameter: str | None
    _fields: dict[str, str]  # field of the model -> parameter
    _model: type[BaseModel]

    def arguments(self, text: str, context: ToolContext) -> dict[str, Any]:
        """The model's JSON text as keyword arguments of the function, defaults filled in.

        Raises:
            InvalidArgumentsError: The text does not fit the schema; a sentence for each argument says why.
        """
        given = read_object(text)
        try:
            # the model validates JSON, not Python values: only there is a string a strict form of a date
            found = self._model.model_validate_json(_to_json(given), strict=True)
        except ValidationError as error:
            raise InvalidArgumentsError(*problems_of(error, given)) from None
        arguments = {parameter: getattr(found, field) for field, parameter in self._fields.items()}
        if self.context_parameter is not None:
            arguments[self.context_parameter] = context
        return arguments


def read_function(
    function: Callable[..., object], *, name: str | None = None, description: str | None = None
) -> FunctionSchema:
    """Read a function's name, description and parameters; ``name`` and ``description`` win over its own.

    Descriptions of parameters come from ``Annotated[..., Field(description=...)]``, else from the docstring in Google,
    NumPy, reST or Epydoc style. Sections on results, exceptions and examples are not told to the model. A default that
    JSON cannot express is left out of the schema and still applies.

    Raises:
        ConfigurationError: The function cannot be a tool; the message names it, the parameter and the remedy.
    """
    found = name if name is not None else getattr(function, "__name__", None)
    if not isinstance(found, str):
        raise ConfigurationError(f"a {type(function).__name__} has no name of its own; give the tool one with name=...")
    check_name(found)
    plain = _plain_function(function)
    annotations = _annotations(function, plain, found)
    context = _context_parameter(annotations, found)
    annotations.pop(context or "", None)
    documented, descriptions = _docstring(inspect.getdoc(plain))
    fields = {f"p{index}": parameter for index, parameter in enumerate(annotations)}
    model = _model(found, function, plain.__module__, fields, annotations, descriptions)
    schema = _json_schema(found, model, annotations)
    described = description if description is not None else documented
    return FunctionSchema(found, described, schema, context, fields, model)


def check_name(name: str) -> None:
    """Refuse a name that the service would not take."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"tool name {name!r:.80}: only 1 to 64 letters, digits, _ and - are allowed")


def _plain_function(function: Callable[..., object]) -> Callable[..., object]:
    """Below partials, decorators and callable objects: what has the docstring and the module's names."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    return function if inspect.isroutine(function) else type(function).__call__


def _annotations(function: Callable[..., object], plain: Callable[..., object], tool: str) -> dict[str, Any]:
    """Parameter to annotation, strings evaluated; refuses parameters that JSON arguments cannot fill."""
    try:
        parameters = inspect.signature(function).parameters
    except (ValueError, NameError) as error:  # no signature at all; a postponed annotation that is missing a name
        raise ConfigurationError(f"tool {tool!r}: its signature cannot be read: {error}") from None
    for parameter in parameters.values():
        _refuse_kind(parameter, tool)
        if parameter.annotation is parameter.empty:
            _refuse_bare(parameter.name, tool)
    names = getattr(plain, "__globals__", {})
    return {parameter.name: _evaluated(parameter, names, tool) for parameter in parameters.values()}


def _refuse_kind(parameter: inspect.Parameter, tool: str) -> None:
    remedies: dict[object, str] = {
        parameter.POSITIONAL_ONLY: "is positional-only; arguments come by name, so remove the / from the signature",
        parameter.VAR_POSITIONAL: "takes any number of arguments; declare one parameter, such as items: list[str]",
        parameter.VAR_KEYWORD: "takes any argument; declare each, or one parameter such as values: dict[str, str]",
    }
    if parameter.kind in remedies:
        raise ConfigurationError(f"tool {tool!r}: parameter {parameter.name!r} {remedies[parameter.kind]}")


def _refuse_bare(parameter: str, tool: str) -> None:
    remedy = (
        "make a tool of the bound method instead: tool(instance.method)"
        if parameter in {"self", "cls"}
        else f"write its type, such as {parameter}: str"
    )
    raise ConfigurationError(f"tool {tool!r}: parameter {parameter!r} has no annotation; {remedy}")


def _evaluated(parameter: inspect.Parameter, names: dict[str, Any], tool: str) -> Any:
    """One by one, so that an error knows its parameter and the return annotation may name anything."""
    stand_in = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return typing.get_type_hints(stand_in, names, include_extras=True)[parameter.name]
    except Exception as error:  # an annotation is any expression, so evaluating it may raise anything
        raise ConfigurationError(
            f"tool {tool!r}: annotation {parameter.annotation!r} of parameter {parameter.name!r} cannot be evaluated "
            f"({type(error).__name__}: {error}); its names must exist at run time, at the top of the module"
        ) from None


def _context_parameter(annotations: dict[str, Any], tool: str) -> str | None:
    found = [name for name, annotation in annotations.items() if _takes_context(annotation)]
    if len(found) > 1:
        raise ConfigurationError(f"tool {tool!r}: parameters {', '.join(found)} take a ToolContext; only one may")
    return found[0] if found else None


def _takes_context(annotation: Any) -> bool:
    if get_origin(annotation) in {Annotated, Union, types.UnionType}:
        return any(_takes_context(member) for member in get_args(annotation))
    return annotation is ToolContext


def _model(
    tool: str,
    function: Callable[..., object],
    module: str,
    fields: dict[str, str],
    annotations: dict[str, Any],
    descriptions: dict[str, str],
) -> type[BaseModel]:
    """A model of the arguments. Neutral field names, so that a parameter may be called ``copy`` or ``_id``."""
    parameters = inspect.signature(function).parameters
    definitions: dict[str, Any] = {}
    for field, name in fields.items():
        default = parameters[name].default
        annotation = _with_name(annotations[name], name, descriptions.get(name))
        definitions[field] = (annotation, ... if default is inspect.Parameter.empty else default)
    # no alias generator: dataclasses and typed dicts inside the arguments would use it too
    config = ConfigDict(extra="forbid")
    try:
        return create_model(tool, __config__=config, __module__=module, **definitions)
    except (PydanticUserError, TypeError) as error:  # TypeError: a constraint that does not fit the type
        raise _unfit(tool, annotations, error) from None


def _with_name(annotation: Any, name: str, description: str | None) -> Any:
    """The annotation with what the signature and the docstring say, placed first so that its own fields win."""
    inner, *notes = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    return Annotated[inner, Field(alias=name, description=description), *notes]


class _Schema(GenerateJsonSchema):
    """Without what only repeats the names of the arguments, and would be paid for in every session."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # as pydantic declares it

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def generate(
        self, schema: CoreSchema, mode: typing.Literal["validation", "serialization"] = "validation"
    ) -> JsonSchemaValue:
        found = super().generate(schema, mode)
        found.pop("title", None)
        return found


def _json_schema(tool: str, model: type[BaseModel], annotations: dict[str, Any]) -> dict[str, Any]:
    try:
        schema = model.model_json_schema(schema_generator=_Schema)
    except PydanticUserError as error:
        raise _unfit(tool, annotations, error) from None
    schema.setdefault("properties", {})
    if len(schema["properties"]) != len(annotations):
        raise ConfigurationError(f"tool {tool!r}: two parameters have the same alias")
    return schema


def _unfit(tool: str, annotations: dict[str, Any], error: Exception) -> ConfigurationError:
    """Says which parameter it was; pydantic speaks of the whole."""
    for parameter, annotation in annotations.items():
        try:
            TypeAdapter(annotation).json_schema()
        except (PydanticUserError, TypeError) as reason:
            where, error = f"parameter {parameter!r} of type {_shown(annotation)}", reason
            break
    else:
        where = "its parameters"
    first_line = str(error).partition("\n")[0]
    return ConfigurationError(
        f"tool {tool!r}: {where} cannot be described by a JSON schema ({first_line}); "
        "use JSON's own types, enums, dataclasses, TypedDicts or pydantic models"
    )


def _shown(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else repr(annotation)


def _docstring(text: str | None) -> tuple[str | None, dict[str, str]]:
    """Description of the function, and of each parameter that the docstring describes."""
    if not text:
        return None, {}
    import docstring_parser  # only an application that declares tools pays for it

    parsed = docstring_parser.parse(text)
    return (parsed.description or "").strip() or None, {
        name.strip(): " ".join(entry.description.split())
        for entry in parsed.params
        if entry.description
        for name in entry.arg_name.split(",")  # NumPy style may describe several at once
    }


def _to_json(arguments: dict[str, Any]) -> bytes:
    try:
        return to_json(arguments)
    except ValueError:  # half of a surrogate pair, which JSON's escapes can express and UTF-8 cannot
        raise InvalidArgumentsError(ArgumentProblem("", "must be valid Unicode")) from None
