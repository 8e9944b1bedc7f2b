"""What an hour of conversation costs, by model and tier, in your region and currency: a table, and a chart as PNG.

Works offline with the list prices that come with the package; no account is needed.

    python examples/choose_a_model.py --region swedencentral
    python examples/choose_a_model.py --currency EUR --rate 0.868        a rate of yours
    python examples/choose_a_model.py --region swedencentral --currency EUR --live    asks the Retail Prices API

The table needs rich, the chart matplotlib.
"""

from __future__ import annotations

import argparse
import asyncio
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from voicelive import AzureStandardVoice, SessionConfig
from voicelive.catalogue import Estimate, Model, PriceList, estimate, models, prices

CHART = Path("models.png")
AZURE_VOICE = SessionConfig(voice=AzureStandardVoice(name="en-US-AvaMultilingualNeural"))
HALF_HOUR = Decimal(30)  # each side speaks for half of the hour


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What an hour of conversation costs, by model.")
    parser.add_argument("--region", help="only models offered there, such as swedencentral")
    parser.add_argument("--currency", default="USD", help="such as EUR; without --live, --rate says what one USD is")
    parser.add_argument("--rate", type=Decimal, help="units of the currency for one USD, such as 0.868")
    parser.add_argument("--live", action="store_true", help="ask the Azure Retail Prices API; needs --region")
    return parser.parse_args()


async def price_list(region: str | None, currency: str, rate: Decimal | None, *, live: bool) -> PriceList:
    if live:
        if region is None:
            raise SystemExit("--live needs --region: prices are those of a region")
        from voicelive.catalogue import RetailPrices

        async with RetailPrices(currency=currency) as retail:
            return await retail.fetch(region)
    if rate is not None:
        return prices.converted(rate, currency)
    if currency != prices.currency:
        raise SystemExit(f"--currency {currency} needs --rate or --live: the package's prices are in {prices.currency}")
    return prices


def hour(model: Model, listed: PriceList) -> Estimate:
    """An hour with the model's own voice where it has one, otherwise with a standard Azure voice."""
    config = None if model.native_out else AZURE_VOICE
    return estimate(model, caller_minutes=HALF_HOUR, agent_minutes=HALF_HOUR, config=config, prices=listed)


def table(found: list[tuple[Model, Estimate]], listed: PriceList) -> Table:
    shown = Table(title=f"An hour of conversation in {listed.currency}, prices of {listed.as_of}")
    for name in ("model", "tier", "kind", "voice"):
        shown.add_column(name)
    for name in ("low", "expected", "high"):
        shown.add_column(name, justify="right")
    for model, call in found:
        figures = (f"{outlay.per_hour:.2f}" for outlay in (call.low, call.expected, call.high))
        incomplete = "*" if call.unpriced else ""
        shown.add_row(model.id + incomplete, model.tier, model.kind, call.mode.audio_output, *figures)
    return shown


def draw(found: list[tuple[Model, Estimate]], listed: PriceList) -> str:
    """Draw the chart, and say where it is; without matplotlib, how to get it."""
    try:
        from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]  # it may well be missing
    except ModuleNotFoundError:
        return "For a chart as well: pip install matplotlib"
    colours = {"pro": "#34557a", "standard": "#5b8c5a", "lite": "#c9a227", "byo": "#8a6d8f"}
    figure = Figure(figsize=(9, 0.32 * len(found) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for place, (model, call) in enumerate(reversed(found)):
        # places on paper, not amounts: nothing is counted with these floats
        low, expected, high = (float(outlay.per_hour) for outlay in (call.low, call.expected, call.high))
        axes.barh(place, expected, color=colours[model.tier])
        axes.plot([low, high], [place, place], color="black", linewidth=1)
    axes.set_yticks(range(len(found)), [f"{model.id} ({model.tier})" for model, _ in reversed(found)])
    axes.set_xlabel(f"{listed.currency} an hour, expected; the line goes from low to high")
    figure.savefig(CHART)
    return f"The chart is in {CHART}."


def main() -> None:
    wanted = arguments()
    listed = asyncio.run(price_list(wanted.region, wanted.currency, wanted.rate, live=wanted.live))
    found = [(model, hour(model, listed)) for model in models.where(region=wanted.region) if model.tier != "byo"]
    found.sort(key=lambda pair: pair[1].expected.per_hour)
    console = Console(width=120)
    console.print(table(found, listed))
    if any(call.unpriced for _, call in found):
        console.print("* a meter of it has no published price, and is not in the sum")
    console.print(f"Prices: {listed.source}.", soft_wrap=True)
    console.print(draw(found, listed), soft_wrap=True)


if __name__ == "__main__":
    main()
