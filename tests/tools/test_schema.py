"""Functions as the model sees them. Annotations are postponed here, as in many applications."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, Union, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import to_json
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from voicelive.errors import ConfigurationError
from voicelive.session import Session
from voicelive.tools.arguments import InvalidArgumentsError
from voicelive.tools.context import ToolContext
from voicelive.tools.schema import FunctionSchema, read_function

if TYPE_CHECKING:
    from decimal import Decimal  # on purpose: this name does not exist at run time

CONTEXT = ToolContext(cast("Session", object()), "call_1", "tool", "resp_1", "item_1")


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Address(BaseModel):
    """Where it goes."""

    street: str
    number: int = 1


@dataclass
class Point:
    x: float
    y: float


class Person(TypedDict):
    name: str


def properties(function: Callable[..., object]) -> dict[str, Any]:
    found: dict[str, Any] = read_function(function).parameters["properties"]
    return found


def problems(schema: FunctionSchema, arguments: object) -> dict[str, str]:
    with pytest.raises(InvalidArgumentsError) as caught:
        schema.arguments(json.dumps(arguments), CONTEXT)
    return {problem.argument: problem.problem for problem in caught.value.problems}


def refusal(function: Callable[..., object], **options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_function(function, **options)
    return str(caught.value)


# --- the schema ---


def test_a_whole_function_becomes_a_definition() -> None:
    def get_weather(city: str, days: int = 1, *, unit: Literal["c", "f"] = "c") -> str:
        """Say what the weather will be.

        Only for places on land.

        Args:
            city: Name of the city,
                without the country.
            days: How many days ahead.

        Returns:
            Prose.
        """
        return city

    schema = read_function(get_weather)

    assert schema.name == "get_weather"
    assert schema.description == "Say what the weather will be.\n\nOnly for places on land."
    assert schema.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city, without the country."},
            "days": {"type": "integer", "default": 1, "description": "How many days ahead."},
            "unit": {"enum": ["c", "f"], "type": "string", "default": "c"},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    def now() -> str:
        return ""

    schema = read_function(now)

    assert schema.description is None
    assert schema.parameters == {"type": "object", "properties": {}, "additionalProperties": False}


def test_shared_classes_stand_under_defs() -> None:
    def ship(to: Address, back: Address | None = None, size: Size = Size.SMALL) -> None: ...

    assert read_function(ship).parameters == {
        "$defs": {
            "Address": {
                "description": "Where it goes.",
                "properties": {"street": {"type": "string"}, "number": {"default": 1, "type": "integer"}},
                "required": ["street"],
                "title": "Address",
                "type": "object",
            },
            "Size": {"enum": ["small", "large"], "title": "Size", "type": "string"},
        },
        "type": "object",
        "properties": {
            "to": {"$ref": "#/$defs/Address"},
            "back": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}], "default": None},
            "size": {"$ref": "#/$defs/Size", "default": "small"},
        },
        "required": ["to"],
        "additionalProperties": False,
    }


def test_types_that_json_shares_are_described_exactly() -> None:
    def function(
        a: Optional[int],  # noqa: UP045  # the old spelling is what is tested
        b: Union[int, str],  # noqa: UP007  # likewise
        c: list[float],
        d: dict[str, bool],
        e: tuple[int, str],
        f: dt.date,
        g: uuid.UUID,
        h: Any,
    ) -> None: ...

    assert properties(function) == {
        "a": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "b": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "c": {"type": "array", "items": {"type": "number"}},
        "d": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "e": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
        "f": {"type": "string", "format": "date"},
        "g": {"type": "string", "format": "uuid"},
        "h": {},
    }


def test_dataclasses_and_typed_dicts_are_objects() -> None:
    def function(point: Point, person: Person) -> None: ...

    definitions = read_function(function).parameters["$defs"]
    # pydantic says so of dataclasses from 2.14 on; earlier ones refuse further keys without saying it
    definitions["Point"].setdefault("additionalProperties", False)
    assert definitions == {
        "Point": {
            "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
            "required": ["x", "y"],
            "additionalProperties": False,
            "title": "Point",
            "type": "object",
        },
        "Person": {
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
            "title": "Person",
            "type": "object",
        },
    }


def test_a_field_describes_limits_and_wins_over_the_docstring() -> None:
    def book(seats: Annotated[int, Field(ge=1, le=9, description="from the field")], row: int = Field(3, gt=0)) -> None:
        """Book.

        Args:
            seats: from the docstring
            row: from the docstring
        """

    assert properties(book) == {
        "seats": {"type": "integer", "minimum": 1, "maximum": 9, "description": "from the field"},
        "row": {"type": "integer", "exclusiveMinimum": 0, "default": 3, "description": "from the docstring"},
    }


def test_an_alias_lets_the_model_see_a_name_that_python_reserves() -> None:
    def fly(origin: Annotated[str, Field(alias="from")], destination: str) -> None:
        """Fly.

        Args:
            origin: where it starts
            destination: where it ends
        """

    schema = read_function(fly)

    assert schema.parameters["properties"]["from"] == {"type": "string", "description": "where it starts"}
    assert schema.arguments('{"from": "a", "destination": "b"}', CONTEXT) == {"origin": "a", "destination": "b"}


def test_parameters_may_have_names_that_pydantic_uses_itself() -> None:
    def function(copy: int, model_config: int, _private: int, schema: int) -> None: ...

    names = {"copy": 1, "model_config": 2, "_private": 3, "schema": 4}

    assert read_function(function).arguments(json.dumps(names), CONTEXT) == names


def test_a_default_that_json_cannot_express_is_left_out_and_still_applies() -> None:
    sentinel = object()

    def function(value: Any = sentinel) -> None: ...

    schema = read_function(function)

    assert schema.parameters["properties"] == {"value": {}}
    assert schema.arguments("{}", CONTEXT) == {"value": sentinel}


def test_one_call_cannot_change_the_default_of_the_next() -> None:
    def function(items: list[int] = []) -> None: ...  # noqa: B006  # the slip that is tested

    schema = read_function(function)
    schema.arguments("{}", CONTEXT)["items"].append(1)

    assert schema.arguments("{}", CONTEXT) == {"items": []}


def test_annotations_may_be_objects_as_well_as_text() -> None:
    def function(sizes: object, context: object) -> None: ...

    function.__annotations__ = {"sizes": list["Size"], "context": ToolContext}

    assert read_function(function).arguments('{"sizes": ["small"]}', CONTEXT) == {
        "sizes": [Size.SMALL],
        "context": CONTEXT,
    }


# --- docstrings ---

GOOGLE = """Do it.

Args:
    first (int, optional): The first: with a colon.
    second: The
        second.
"""
NUMPY = """Do it.

Parameters
----------
first : int, optional
    The first: with a colon.
second
    The
    second.
"""
REST = """Do it.

:param int first: The first: with a colon.
:param second: The
    second.
:returns: nothing
"""
EPYDOC = """Do it.

@param first: The first: with a colon.
@param second: The
    second.
"""


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, REST, EPYDOC], ids=["google", "numpy", "rest", "epydoc"])
def test_all_styles_of_docstring_describe_parameters(docstring: str) -> None:
    def function(first: int, second: int) -> None: ...

    function.__doc__ = docstring
    schema = read_function(function)

    assert schema.description == "Do it."
    assert {name: entry["description"] for name, entry in schema.parameters["properties"].items()} == {
        "first": "The first: with a colon.",
        "second": "The second.",
    }


def test_numpy_style_may_describe_several_parameters_at_once() -> None:
    def function(x: int, y: int) -> None:
        """Do it.

        Parameters
        ----------
        x, y : int
            A coordinate.
        """

    assert {entry["description"] for entry in properties(function).values()} == {"A coordinate."}


@given(st.text())
def test_any_docstring_is_taken(docstring: str) -> None:
    def function(x: int) -> None: ...

    function.__doc__ = docstring

    assert read_function(function).name == "function"


def test_the_docstring_parser_loads_with_the_first_docstring_only() -> None:
    program = "import sys, voicelive.tools; print('docstring_parser' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


def test_name_and_description_can_be_given() -> None:
    def function() -> None:
        """Its own."""

    schema = read_function(function, name="other", description="Given.")

    assert (schema.name, schema.description) == ("other", "Given.")


# --- other callables ---


class Desk:
    """A class's docstring is not its method's."""

    def call(self, city: str) -> str:
        """Call the desk."""
        return city

    def __call__(self, city: str) -> str:
        """Ask the desk."""
        return city


def test_a_bound_method_is_a_function_without_self() -> None:
    schema = read_function(Desk().call)

    assert (schema.name, schema.description, [*schema.parameters["properties"]]) == ("call", "Call the desk.", ["city"])


def test_a_callable_object_needs_a_name_and_is_described_by_its_call() -> None:
    schema = read_function(Desk(), name="desk")

    assert (schema.description, [*schema.parameters["properties"]]) == ("Ask the desk.", ["city"])
    assert refusal(Desk()) == "a Desk has no name of its own; give the tool one with name=..."


def test_a_partial_keeps_what_is_bound_as_a_default() -> None:
    def function(city: str, days: int) -> None:
        """Look it up."""

    schema = read_function(functools.partial(function, days=3), name="look_up")

    assert schema.description == "Look it up."
    assert schema.arguments('{"city": "Rome"}', CONTEXT) == {"city": "Rome", "days": 3}


def test_a_wrapped_function_is_seen_through() -> None:
    def function(size: Size) -> None:
        """Wrapped."""

    elsewhere: dict[str, Any] = {}  # a decorator's module, which does not know this one's names
    exec("def wrapper(*args, **kwargs): ...", elsewhere)
    schema = read_function(functools.update_wrapper(elsewhere["wrapper"], function))

    assert (schema.name, schema.description) == ("function", "Wrapped.")
    assert schema.arguments('{"size": "small"}', CONTEXT) == {"size": Size.SMALL}


# --- the context ---


def test_the_context_is_found_by_its_annotation_and_is_no_argument_of_the_model() -> None:
    def function(city: str, whatever: ToolContext) -> None: ...

    schema = read_function(function)

    assert [*schema.parameters["properties"]] == ["city"]
    assert schema.arguments('{"city": "Rome"}', CONTEXT) == {"city": "Rome", "whatever": CONTEXT}
    assert problems(schema, {"city": "Rome", "whatever": {}}) == {"whatever": "is not an argument of this function"}


def test_the_context_may_be_optional_or_annotated() -> None:
    def optional(context: ToolContext | None = None) -> None: ...
    def annotated(context: Annotated[ToolContext, "note"]) -> None: ...
    def old(context: Optional[ToolContext] = None) -> None: ...  # noqa: UP045  # the old spelling is what is tested

    for function in (optional, annotated, old):
        assert read_function(function).arguments("{}", CONTEXT) == {"context": CONTEXT}


def test_the_context_may_come_only_once() -> None:
    def function(a: ToolContext, b: ToolContext) -> None: ...

    assert refusal(function) == "tool 'function': parameters a, b take a ToolContext; only one may"


# --- refused functions ---


def test_parameters_that_json_cannot_fill_are_refused_by_name() -> None:
    def rest(*items: str) -> None: ...
    def more(**values: str) -> None: ...
    def positional(city: str, /) -> None: ...

    assert "tool 'rest': parameter 'items' takes any number" in refusal(rest)
    assert "tool 'more': parameter 'values' takes any argument" in refusal(more)
    assert "tool 'positional': parameter 'city' is positional-only" in refusal(positional)


def test_a_missing_annotation_is_refused_with_what_to_write() -> None:
    def function(city) -> None: ...  # type: ignore[no-untyped-def]  # the slip that is tested

    assert refusal(function) == "tool 'function': parameter 'city' has no annotation; write its type, such as city: str"
    assert "tool(instance.method)" in refusal(Desk.call)


def test_a_name_that_exists_for_type_checkers_only_is_refused() -> None:
    def function(price: Decimal) -> None: ...

    assert refusal(function) == (
        "tool 'function': annotation 'Decimal' of parameter 'price' cannot be evaluated "
        "(NameError: name 'Decimal' is not defined); its names must exist at run time, at the top of the module"
    )


def test_the_return_annotation_may_name_anything() -> None:
    def function(city: str) -> Decimal:
        raise NotImplementedError

    assert [*properties(function)] == ["city"]


def test_a_type_without_a_schema_is_refused_by_parameter() -> None:
    def plain(city: str, desk: Desk) -> None: ...
    def callback(city: str, then: Callable[[], None]) -> None: ...
    def union(city: str, count: Annotated[int, Field(discriminator="kind")]) -> None: ...

    assert "tool 'plain': parameter 'desk' of type Desk cannot be described by a JSON schema" in refusal(plain)
    assert "parameter 'then' of type collections.abc.Callable[[], None] cannot" in refusal(callback)
    assert "parameter 'count' of type " in refusal(union)


def test_a_default_that_does_not_fit_its_annotation_is_refused() -> None:
    def function(count: int = Field(discriminator="kind")) -> None: ...

    assert "tool 'function': its parameters cannot be described by a JSON schema" in refusal(function)


def test_two_parameters_with_one_alias_are_refused() -> None:
    def function(a: Annotated[int, Field(alias="x")], b: Annotated[int, Field(alias="x")]) -> None: ...

    assert refusal(function) == "tool 'function': two parameters have the same alias"


@pytest.mark.parametrize("name", ["", "get weather", "wetter_für", "x" * 65, "a.b", "a\n"])
def test_names_that_the_service_refuses_are_refused(name: str) -> None:
    def function() -> None: ...

    assert "only 1 to 64 letters, digits, _ and - are allowed" in refusal(function, name=name)


def test_a_lambda_needs_a_name() -> None:
    assert "tool name '<lambda>'" in refusal(lambda: None)
    assert read_function(lambda: None, name="nothing").name == "nothing"


def test_a_builtin_without_signature_is_refused() -> None:
    assert "tool 'max': its signature cannot be read" in refusal(max)


# --- the arguments ---


def function_of_all(
    text: str, count: int, ratio: float, flag: bool, size: Size, day: dt.date, key: uuid.UUID, tags: frozenset[str]
) -> None: ...


FUNCTION_OF_ALL = read_function(function_of_all)


@given(
    st.fixed_dictionaries(
        {
            "text": st.text(),
            "count": st.integers(-(2**70), 2**70),
            "ratio": st.floats(allow_nan=False, allow_infinity=False),
            "flag": st.booleans(),
            "size": st.sampled_from(Size),
            "day": st.dates(),
            "key": st.uuids(),
            "tags": st.frozensets(st.text(), max_size=3),
        }
    )
)
def test_arguments_reach_the_function_as_its_own_types(arguments: dict[str, Any]) -> None:
    found = FUNCTION_OF_ALL.arguments(to_json(arguments).decode(), CONTEXT)

    assert found == arguments
    assert {name: type(value) for name, value in found.items()} == {n: type(v) for n, v in arguments.items()}


def test_nested_classes_are_made() -> None:
    def function(address: Address, points: list[Point], person: Person) -> None: ...

    text = '{"address": {"street": "Low"}, "points": [{"x": 1, "y": 2.5}], "person": {"name": "Ada"}}'

    assert read_function(function).arguments(text, CONTEXT) == {
        "address": Address(street="Low", number=1),
        "points": [Point(1.0, 2.5)],
        "person": {"name": "Ada"},
    }


@pytest.mark.parametrize(
    ("argument", "value"),
    [("count", "5"), ("count", True), ("count", 1.5), ("count", None), ("ratio", "1"), ("flag", 1), ("flag", "true")],
)
def test_values_of_another_json_type_are_not_bent_into_shape(argument: str, value: object) -> None:
    def function(count: int = 0, ratio: float = 0, flag: bool = False) -> None: ...

    assert [*problems(read_function(function), {argument: value})] == [argument]


def test_strictness_reaches_into_nested_classes() -> None:
    def function(address: Address) -> None: ...

    assert problems(read_function(function), {"address": {"street": "Low", "number": "5"}}) == {
        "address.number": "should be a valid integer"
    }


def test_every_problem_is_told_by_place_in_words_without_python() -> None:
    def order(size: Size, to: Address, counts: list[int], code: int | str, city: str) -> None: ...

    wrong = {"size": "huge", "to": 5, "counts": [1, "two"], "code": None, "town": "Rome"}

    assert problems(read_function(order), wrong) == {
        "size": "should be 'small' or 'large'",
        "to": "should be an object",
        "counts.1": "should be a valid integer",
        "code": "should be a valid integer or should be a valid string",
        "city": "is required",
        "town": "is not an argument of this function",
    }


def test_a_missing_key_inside_an_argument_is_named_with_its_place() -> None:
    def order(addresses: list[Address]) -> None: ...

    assert problems(read_function(order), {"addresses": [{"street": "Low"}, {}]}) == {
        "addresses.1.street": "is required"
    }


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


def test_the_words_of_the_applications_own_validator_reach_the_model() -> None:
    def function(count: Annotated[int, AfterValidator(_even)]) -> None: ...

    assert problems(read_function(function), {"count": 3}) == {"count": "must be even"}


def test_the_number_of_problems_is_bounded() -> None:
    def function() -> None: ...

    assert len(problems(read_function(function), {f"a{index}": 1 for index in range(1000)})) == 10


def test_half_of_a_surrogate_pair_is_refused() -> None:
    def function(city: str) -> None: ...

    assert problems(read_function(function), {"city": "\ud800"}) == {"": "must be valid Unicode"}
