"""Write the worked examples into docs/costs.md, computed by the package itself; ``--check`` only compares."""

import sys
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

from voicelive.catalogue import Bill, BillingMode, bill, estimate, models, prices
from voicelive.catalogue.avatar_time import avatar_line

PAGE: Final = Path(__file__).parents[1] / "docs" / "costs.md"
_NATIVE: Final = BillingMode.of("gpt-realtime")
_SPEECH_S: Final = 10  # of either side in each turn of the example
_TEXT: Final = 30  # text tokens of ten seconds of speech
_PROMPT: Final = 500


def begin(name: str) -> str:
    return f"<!-- {name}: written by scripts/cost_examples.py -->"


def end(name: str) -> str:
    return f"<!-- end of {name} -->"


def page(text: str) -> str:
    """The page with the present examples between their markers."""
    for name, lines in EXAMPLES.items():
        before, found, rest = text.partition(begin(name))
        _, closed, after = rest.partition(end(name))
        if not (found and closed):
            raise SystemExit(f"{PAGE.name} has no place for {name}")
        text = f"{before}{begin(name)}\n\n" + "\n".join(lines()) + f"\n\n{end(name)}{after}"
    return text


def one_response() -> Iterator[str]:
    """A response of 1,000 text and 600 audio tokens, partly cached."""
    found = bill(_usage(1_000, 600, cached=(768, 448), out=(60, 200)), _NATIVE)
    yield "| meter | tokens | USD for a million | USD |"
    yield "| --- | ---: | ---: | ---: |"
    for line in found.lines:
        yield f"| {_words(line.category)} | {line.tokens} | {line.price_per_1m} | {line.amount} |"
    yield f"| **together** | | | **{found.total}** |"


def turns() -> Iterator[str]:
    """Five turns of a call: each response reads all before it again."""
    yield "| turn | text and audio that it reads | of it cached | it costs | all so far | without a cache |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    bills: list[Bill] = []
    uncached: list[Bill] = []
    for turn in range(1, 6):
        text, audio, cached = _context(turn)
        out = (_TEXT, models["gpt-realtime"].spoken_tokens(_SPEECH_S))
        bills.append(bill(_usage(text, audio, cached=cached, out=out), _NATIVE))
        uncached.append(bill(_usage(text, audio, out=out), _NATIVE))
        sums = [_usd(Bill.joined(found).total) for found in (bills, uncached)]
        yield f"| {turn} | {text} + {audio} | {sum(cached)} | {_usd(bills[-1].total)} | {sums[0]} | {sums[1]} |"


def speech() -> Iterator[str]:
    """A minute of speech, by who hears and speaks."""
    yield "| model | a minute heard | tokens | USD | a minute spoken | tokens | USD |"
    yield "| --- | --- | ---: | ---: | --- | ---: | ---: |"
    for name in ("gpt-realtime", "gpt-realtime-mini", "phi4-mm-realtime", "gpt-4.1", "gpt-4.1-mini"):
        model, mode = models[name], BillingMode.of(name)
        heard, spoken = model.heard_tokens(60), model.spoken_tokens(60)
        costs = [_usd(bill(_usage(0, heard), mode).total), _usd(bill(_usage(0, 0, out=(0, spoken)), mode).total)]
        yield (
            f"| `{name}` | {mode.audio_input} | {heard} | {costs[0]} | {mode.audio_output} | {spoken} | {costs[1]} |"
        )


def avatars() -> Iterator[str]:
    """A minute, ten minutes and an hour of an avatar."""
    yield "| meter | a minute | ten minutes | an hour |"
    yield "| --- | ---: | ---: | ---: |"
    for meter in prices.avatar_per_minute:
        if "realtime" in meter:
            costs = [_usd(avatar_line(meter, minutes * 60_000, prices).amount or Decimal(0)) for minutes in (1, 10, 60)]
            yield f"| `{meter}` | {' | '.join(costs)} |"


def hosting() -> Iterator[str]:
    """What custom models cost while nobody calls."""
    custom = estimate(
        "gpt-4.1",
        caller_minutes=Decimal("2.5"),
        agent_minutes=Decimal("2.5"),
        config={"voice": {"type": "azure-custom"}},
        hosted={"custom_voice_hosting": 1},
        trained={"custom_voice_training": 18},
        calls_per_month=1_000,
    )
    (host,), (training,) = custom.hosting, custom.training
    per_call, monthly = custom.expected.per_call, custom.expected.per_month
    yield "| | quantity | USD |"
    yield "| --- | ---: | ---: |"
    yield f"| hosting of one custom voice for a month | {host.quantity} h at {host.price} | {_usd(host.amount)} |"
    yield f"| its training, once | {training.quantity} compute hours at {training.price} | {_usd(training.amount)} |"
    yield f"| a call of five minutes, expected | | {_usd(per_call)} |"
    yield f"| 1,000 such calls and the hosting | | {_usd(monthly)} |"


EXAMPLES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "one response": one_response,
    "five turns": turns,
    "a minute of speech": speech,
    "avatars": avatars,
    "hosting": hosting,
}


def _context(turn: int) -> tuple[int, int, tuple[int, int]]:
    """What the response of a turn reads, and what of it the response before it read too."""
    heard = models["gpt-realtime"].heard_tokens(_SPEECH_S)
    spoken = models["gpt-realtime"].spoken_tokens(_SPEECH_S)
    text, audio = _PROMPT + (turn - 1) * _TEXT, turn * heard + (turn - 1) * spoken
    if turn == 1:
        return text, audio, (0, 0)
    return text, audio, (text - _TEXT, audio - heard - spoken)


def _usage(text: int, audio: int, *, cached: tuple[int, int] = (0, 0), out: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    return {
        "total_tokens": text + audio + sum(out),
        "input_tokens": text + audio,
        "output_tokens": sum(out),
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "cached_tokens": sum(cached),
            "cached_tokens_details": {"text_tokens": cached[0], "audio_tokens": cached[1]},
        },
        "output_token_details": {"text_tokens": out[0], "audio_tokens": out[1]},
    }


def _usd(amount: Decimal | None) -> str:
    """For reading: four places, or two from one dollar on."""
    assert amount is not None, "all of this has a price"
    return str(amount.quantize(Decimal("0.0001") if amount < 1 else Decimal("0.01"), ROUND_HALF_EVEN))


def _words(category: str) -> str:
    return category.replace("_", " ").replace("audio native", "native audio")


def main(arguments: list[str]) -> int:
    text = PAGE.read_text(encoding="utf-8")
    wanted = page(text)
    if arguments == ["--check"]:
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
