"""What all wire models share: how they read, how they write, what they show.

Two directions, two manners. What the *service* sends is accepted generously: unknown keys, kinds and enum
values are kept and written back unchanged. What the *application* constructs is checked strictly: a misspelt
key or value raises ``ConfigurationError`` before anything is sent, unless it is put there on purpose with
``extra={...}`` or ``Unlisted("...")``.

``info.mode`` tells the directions apart: JSON text comes from the wire, Python values from the application.

No module of this package postpones its annotations: pydantic would have to compile each of them again, which
doubles the time that importing takes.
"""

from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    SkipValidation,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from voicelive.errors import ConfigurationError
from voicelive.wire._problems import KNOWN_TYPE, describe

__all__ = ["Audio", "Private", "Settings", "Tagged", "Unknown", "Unlisted", "Wire"]


def to_base64(data: bytes) -> str:
    """Standard alphabet with padding; pydantic's own writes the URL-safe one, which the service need not accept."""
    return b2a_base64(data, newline=False).decode("ascii")


class _Withhold:
    """Marks a type whose values never show in a repr (``Field(repr=False)`` has no effect inside ``X | None``)."""


Audio = Annotated[bytes, PlainSerializer(to_base64, return_type=str, when_used="json"), _Withhold()]
"""Raw media bytes; base64 on the wire only, never shown in a repr."""

Private = Annotated[str, _Withhold()]
"""Speech, text of a conversation, or a secret: carried, never shown in a repr."""


class Unlisted(str):
    """A value of an open enum that this version does not list.

    Received unknown values arrive as this class. Wrap a value in it to send one that the service knows
    and this package does not: ``AudioNoiseReduction(type=Unlisted("brand_new"))``.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(cls, core_schema.str_schema()),
            python_schema=core_schema.is_instance_schema(cls),
        )


class Wire(BaseModel):
    """A JSON object of the protocol. Frozen; ``None`` is JSON null, an unset field is absent from the wire."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        val_json_bytes="base64",
        defer_build=True,
        protected_namespaces=(),
        allow_inf_nan=False,
        ser_json_inf_nan="constants",
        hide_input_in_errors=True,
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        withheld = _withheld_fields(type(self))
        for name in type(self).model_fields:
            if name in self.model_fields_set or name == "type":
                value = getattr(self, name)
                yield name, _Withheld(value) if name in withheld and value is not None else value
        if self.model_extra:
            yield "more_keys", sorted(self.model_extra)

    def __str__(self) -> str:
        return repr(self)


class Tagged(Wire):
    """An object whose ``type`` (or other constant) is always sent, though nobody sets it by hand."""

    always_sent: ClassVar[tuple[str, ...]] = ("type",)

    if not TYPE_CHECKING:  # type checkers see the fields' own signature

        def __init__(self, /, **data: Any) -> None:
            try:
                self.__pydantic_validator__.validate_python(data, self_instance=self)
            except ValidationError as error:
                raise ConfigurationError(describe(error, type(self).__name__)) from None
            self.__pydantic_fields_set__.update(self.always_sent)

        __init__.__pydantic_base_init__ = True  # as in pydantic's RootModel: the wire does not pass through here


class Settings(Tagged):
    """What an application may construct: unknown keys and impossible values are refused.

    ``extra={"key": value}`` adds keys of the wire that this version does not model; on received objects it
    holds the keys that are not modelled.
    """

    always_sent: ClassVar[tuple[str, ...]] = ()

    extra: Annotated[Mapping[str, Any] | None, SkipValidation, Field(exclude=True, repr=False)] = None

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        if info.mode == "python":
            self._accept()
        else:
            self._keep_unmodelled()
        return self

    def _keep_unmodelled(self) -> None:
        beyond = self.__pydantic_extra__
        assert beyond is not None, "extra='allow' always makes the dict"
        if "extra" in self.__pydantic_fields_set__:
            beyond["extra"] = self.extra  # a wire key of that name is data like any other
        if beyond:
            object.__setattr__(self, "extra", dict(beyond))

    def _accept(self) -> None:
        beyond = self.__pydantic_extra__
        assert beyond is not None, "extra='allow' always makes the dict"
        if self.extra is not None and not isinstance(self.extra, Mapping):
            raise ValueError(f"extra is a {type(self.extra).__name__}; it must be a mapping of wire keys to values")
        modelled = (type(self).model_fields.keys() - {"extra"}) & (self.extra or {}).keys()
        if modelled:
            raise ValueError(f"extra holds {sorted(modelled)[0]!r}, which is a setting of its own; set it directly")
        unknown = beyond.keys() - (self.extra or {}).keys()
        if unknown:
            known = sorted(type(self).model_fields.keys() - {"extra"})
            raise ValueError(
                f"unknown key {sorted(unknown)[0]!r}; known keys: {', '.join(known)}; "
                "to send a key that this version does not model, use extra={...}"
            )
        beyond.update(self.extra or {})
        self.__pydantic_fields_set__.discard("extra")
        self.__pydantic_fields_set__.update(self.always_sent)
        self._refuse_impossible()

    def _refuse_impossible(self) -> None:
        """Raise ``ValueError`` where single values are fine and their combination is not."""


class Unknown(Wire):
    """Something of the service that this version does not know, kept whole.

    ``kind`` is the wire's own word for it; ``raw`` the object as received, ``extra`` the same without the word.
    ``type`` is the constant ``"unknown"``, so that type checkers can tell this class from all known ones.
    To send one on purpose: ``UnknownTool(type="brand_new", extra={"key": "value"})``.
    """

    type: ClassVar[Literal["unknown"]] = "unknown"
    known: ClassVar[frozenset[str]] = frozenset()
    told_by: ClassVar[str] = "type"
    """The wire's key whose value tells the kinds apart."""

    if TYPE_CHECKING:  # what the constructor takes; real fields would collide with keys of the wire
        kind: str | None = Field(None, alias="type")
        extra: Mapping[str, Any] | None = None
    else:

        def __init__(self, /, *, extra: Mapping[str, Any] | None = None, **raw: Any) -> None:
            kind = raw.get(self.told_by)
            if not isinstance(kind, str) or kind in self.known:
                raise ConfigurationError(
                    f"{type(self).__name__}: {self.told_by} is {kind!r:.60}; it must be a word other than the known "
                    f"{', '.join(sorted(self.known))}"
                )
            whole = {**raw, **(extra or {})}
            self.__pydantic_validator__.validate_python(whole, self_instance=self, context="on purpose")

        __init__.__pydantic_base_init__ = True

        @property
        def kind(self) -> str | None:
            found = self.__pydantic_extra__.get(self.told_by)
            return found if isinstance(found, str) else None

        @property
        def extra(self) -> dict[str, Any]:
            return {key: value for key, value in self.raw.items() if key != self.told_by}

    @model_validator(mode="before")
    @classmethod
    def _refuse_mapping(cls, value: Any, info: ValidationInfo) -> Any:
        """The application constructs unknown things by name; a mapping of its own is a slip of the pen."""
        if info.mode == "python" and isinstance(value, Mapping) and info.context != "on purpose":
            kind = value.get(cls.told_by)
            if kind is None or kind in cls.known:
                raise PydanticCustomError(KNOWN_TYPE, "the known classes say what is wrong")
            raise ValueError(
                f"unknown {cls.told_by} {kind!r:.60}; known: {', '.join(sorted(cls.known))}; "
                f"to send another on purpose, construct {cls.__name__}({cls.told_by}=...)"
            )
        return value

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield "kind", self.kind
        yield "more_keys", sorted(self.extra or ())

    @property
    def raw(self) -> dict[str, Any]:
        """The object as it stands on the wire."""
        return dict(self.model_extra or {})


class _Withheld:
    """Stands in a repr for what must not be shown."""

    def __init__(self, value: object) -> None:
        size = f"{len(value)} " if isinstance(value, str | bytes | Sequence) else ""
        unit = "bytes" if isinstance(value, bytes) else "characters" if isinstance(value, str) else "withheld"
        self._text = f"<{size}{unit}>"

    def __repr__(self) -> str:
        return self._text


@cache
def _withheld_fields(cls: type[Wire]) -> frozenset[str]:
    def marked(annotation: object) -> bool:
        return any(isinstance(note, _Withhold) for note in getattr(annotation, "__metadata__", ())) or any(
            marked(member) for member in get_args(annotation)
        )

    return frozenset(
        name
        for name, field in cls.model_fields.items()
        if not field.repr or marked(field.annotation) or any(isinstance(note, _Withhold) for note in field.metadata)
    )


def tags(union: object, key: str = "type") -> frozenset[str]:
    """All constants by which the classes of a union are told apart."""
    found: set[str] = set()
    for cls in get_args(union):
        found.update(tags_of(cls, key))
    return frozenset(found)


def tags_of(cls: type[Wire], key: str = "type") -> tuple[str, ...]:
    """The constants that one class answers to."""
    return tuple(tag for tag in get_args(cls.model_fields[key].annotation) if isinstance(tag, str))
