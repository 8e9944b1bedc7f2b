"""A limit to what a call may cost, and what has to be said as it comes near. Pure: time and sockets are elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from voicelive.catalogue.money import product
from voicelive.errors import ConfigurationError
from voicelive.events import BudgetReached, BudgetWarning

if TYPE_CHECKING:  # loaded when somebody asks for a bill
    from voicelive.catalogue import Bill, PriceList

__all__ = ["Budget", "BudgetMeter"]

_ACTIONS = ("warn", "end_politely", "end_now")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a call may cost at most. One object serves any number of calls, each with the whole limit.

    The service tells what a response used as it ends, so a call costs up to one response more than its limit. What
    cannot be priced is not in the sum: ``unpriced`` says what then.

    Attributes:
        limit: In the currency of the prices: a ``Decimal``, a text such as ``"0.05"``, or whole.
        on_reached: Called with ``BudgetReached``, as a handler of ``Session.on`` is: sync or async.
        action: ``warn``: events alone. ``end_politely``: no response is asked for any more, what is being said is heard
            to its end, then ``farewell``, then the session is closed. ``end_now``: it is closed.
        warn_at: Shares of the limit at which ``BudgetWarning`` comes, as texts or ``Decimal``.
        prices: What to bill by; ``None``: what the session bills by.
        farewell: What the agent says before a polite end: word for word, or with an OpenAI voice, which takes no ready
            text, as the model is asked to. It costs a little more.
        unpriced: ``report``: what has no price comes as a ``BudgetWarning``. ``refuse``: it ends the call as if the
            limit were reached, and a model of unknown tier is refused before anything is sent.
        finish_within_s: Bound on the time that a polite end takes.

    Raises:
        ConfigurationError: A value makes no sense, or an amount is a float.
    """

    limit: Decimal | str | int
    _: KW_ONLY
    on_reached: Callable[[BudgetReached], Awaitable[object] | object] | None = None
    action: Literal["warn", "end_politely", "end_now"] = "warn"
    warn_at: Iterable[Decimal | str] = ("0.8",)
    prices: PriceList | None = None
    farewell: str | None = field(default=None, repr=False)
    unpriced: Literal["report", "refuse"] = "report"
    finish_within_s: float = 30.0

    def __post_init__(self) -> None:
        limit = _exact("limit", self.limit)
        if not limit:
            raise ConfigurationError("limit is 0; it must be greater than 0")
        if isinstance(self.warn_at, str):
            raise ConfigurationError(f"warn_at is the text {self.warn_at!r}; give several shares, such as ('0.8',)")
        shares = tuple(sorted({_exact("warn_at", share) for share in self.warn_at}))
        for share in shares:
            if not 0 < share < 1:
                raise ConfigurationError(f"warn_at holds {share}; a share is more than 0 and less than 1")
        if self.action not in _ACTIONS:
            raise ConfigurationError(f"action is {self.action!r}; allowed: {', '.join(map(repr, _ACTIONS))}")
        if self.unpriced not in ("report", "refuse"):
            raise ConfigurationError(f"unpriced is {self.unpriced!r}; allowed: 'report', 'refuse'")
        if self.farewell is not None and (self.action != "end_politely" or not self.farewell.strip()):
            raise ConfigurationError("farewell is some text for action='end_politely', which alone says it")
        if self.on_reached is not None and not callable(self.on_reached):
            raise ConfigurationError(f"on_reached is a {type(self.on_reached).__name__}; it must be callable")
        if not self.finish_within_s > 0:
            raise ConfigurationError(f"finish_within_s is {self.finish_within_s!r}; it must be greater than 0")
        object.__setattr__(self, "limit", limit)
        object.__setattr__(self, "warn_at", shares)

    def check(self, model: str | None, byom: str | None) -> None:
        """Refuse a model that nobody can price, where ``unpriced`` says so; ``connect`` does this.

        Raises:
            NotInCatalogueError: Its tier is not known.
        """
        if self.unpriced == "refuse" and model is not None and byom is None:
            from voicelive.catalogue import models
            from voicelive.catalogue.names import require

            require("model", model, model if models.resolve(model) else None, models)


class BudgetMeter:
    """How one call stands to its budget. Pure: same calls, same answers."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.reached = False
        self._limit = _exact("limit", budget.limit)
        self._warnings = [_exact("warn_at", share) for share in budget.warn_at]
        self._told: set[str] = set()

    def look(self, bill: Bill) -> list[BudgetWarning | BudgetReached]:
        """What has to be said about the bill of the call so far; each thing once."""
        if self.reached:
            return []
        spent, said = bill.total, list[BudgetWarning | BudgetReached]()
        while self._warnings and spent >= product(self._limit, self._warnings[0]):
            said.append(BudgetWarning(spent, self._limit, bill.currency, self._warnings.pop(0)))
        new = tuple(one.what for one in bill.unpriced if one.what not in self._told)
        refuses = self.budget.unpriced == "refuse"
        if new and not refuses:
            self._told.update(new)
            said.append(BudgetWarning(spent, self._limit, bill.currency, None, new))
        if spent >= self._limit or (new and refuses):
            self.reached = True
            cause: Literal["limit", "unpriced"] = "limit" if spent >= self._limit else "unpriced"
            said.append(BudgetReached(spent, self._limit, bill.currency, cause, self.budget.action))
        return said


def _exact(name: str, value: Any) -> Decimal:
    if isinstance(value, float):
        raise ConfigurationError(f"{name} is the float {value!r}; write {str(value)!r}, which is exact")
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        raise ConfigurationError(f"{name} is a {type(value).__name__}; it must be a Decimal, a text or whole")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise ConfigurationError(f"{name} is {value!r:.40}; it must be a number such as '0.05'") from None
    if not found.is_finite() or found < 0:
        raise ConfigurationError(f"{name} is {value}; it must be finite and at least 0")
    return found
