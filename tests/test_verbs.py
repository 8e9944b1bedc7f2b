"""What every verb puts on the wire, when it returns, and what it raises."""

import asyncio
import base64
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.conftest import OpenSession
from tests.support.peer import JsonObject, Peer
from tests.support.streams import settle, take

from voicelive.errors import (
    ConfigurationError,
    ConfirmationTimeoutError,
    LocalProtocolError,
    ServiceError,
)
from voicelive.options import ClientOptions
from voicelive.session import Session
from voicelive.wire.items import AssistantMessageItem, UnknownRequestItem, UserMessageItem
from voicelive.wire.parts import InputTextContentPart, MessageContentPart
from voicelive.wire.responses import ResponseCreateParams
from voicelive.wire.server.session import ErrorEvent
from voicelive.wire.session import SessionConfig

Call = Callable[[Session], Awaitable[Any]]

PNG = b"\x89PNG\r\n\x1a\nrest"
MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}


def message(item_id: str | None = None) -> UserMessageItem:
    content: list[MessageContentPart] = [InputTextContentPart(text="hi")]
    return UserMessageItem(content=content) if item_id is None else UserMessageItem(id=item_id, content=content)


# Each verb that waits: the call, what it writes, the answer, and what it returns for that.
CONFIRMED: dict[str, tuple[Call, JsonObject, JsonObject, Callable[[Any], Any], Any]] = {
    "update": (
        lambda session: session.update(SessionConfig(temperature=0.5, turn_detection=None)),
        {"type": "session.update", "session": {"temperature": 0.5, "turn_detection": None}},
        {"type": "session.updated", "session": {"id": "sess_1", "temperature": 0.5}},
        lambda settings: settings.temperature,
        0.5,
    ),
    "commit_audio": (
        lambda session: session.commit_audio(),
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.committed", "item_id": "item_7"},
        lambda item_id: item_id,
        "item_7",
    ),
    "add_item": (
        lambda session: session.add_item(message("i1"), previous_item_id="root", confirm=True),
        {"type": "conversation.item.create", "previous_item_id": "root", "item": {**MESSAGE, "id": "i1"}},
        {"type": "conversation.item.created", "item": {**MESSAGE, "id": "i1"}},
        lambda item_id: item_id,
        "i1",
    ),
    "retrieve_item": (
        lambda session: session.retrieve_item("i1"),
        {"type": "conversation.item.retrieve", "item_id": "i1"},
        {"type": "conversation.item.retrieved", "item": {**MESSAGE, "id": "i1"}},
        lambda item: (item.id, item.content[0].text),
        ("i1", "hi"),
    ),
    "delete_item": (
        lambda session: session.delete_item("i1"),
        {"type": "conversation.item.delete", "item_id": "i1"},
        {"type": "conversation.item.deleted", "item_id": "i1"},
        lambda nothing: nothing,
        None,
    ),
    "truncate": (
        lambda session: session.truncate("i1", 1340, content_index=1),
        {"type": "conversation.item.truncate", "item_id": "i1", "content_index": 1, "audio_end_ms": 1340},
        {"type": "conversation.item.truncated", "item_id": "i1", "content_index": 1, "audio_end_ms": 1340},
        lambda nothing: nothing,
        None,
    ),
    "clear_audio": (
        lambda session: session.clear_audio(confirm=True),
        {"type": "input_audio_buffer.clear"},
        {"type": "input_audio_buffer.cleared"},
        lambda nothing: nothing,
        None,
    ),
    "cancel_response": (
        lambda session: session.cancel_response("resp_1", confirm=True),
        {"type": "response.cancel", "response_id": "resp_1"},
        {"type": "response.done", "response": {"id": "resp_1", "status": "cancelled"}},
        lambda nothing: nothing,
        None,
    ),
    "create_response": (
        lambda session: session.create_response(
            ResponseCreateParams(temperature=0.7), additional_instructions="Be brief."
        ),
        {
            "type": "response.create",
            "response": {"temperature": 0.7, "metadata": {"voicelive": "voicelive_response_1"}},
            "additional_instructions": "Be brief.",
        },
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
        lambda handle: (handle.id, handle.status),
        ("resp_1", "in_progress"),
    ),
}
# The same without waiting for an answer, and those that never wait.
WRITTEN: dict[str, tuple[Call, JsonObject]] = {
    "update": (
        lambda session: session.update(SessionConfig(instructions=""), confirm=False),
        {"type": "session.update", "session": {"instructions": ""}},
    ),
    "commit_audio": (lambda session: session.commit_audio(confirm=False), {"type": "input_audio_buffer.commit"}),
    "clear_audio": (lambda session: session.clear_audio(), {"type": "input_audio_buffer.clear"}),
    "delete_item": (
        lambda session: session.delete_item("i1", confirm=False),
        {"type": "conversation.item.delete", "item_id": "i1"},
    ),
    "truncate": (
        lambda session: session.truncate("i1", 0, confirm=False),
        {"type": "conversation.item.truncate", "item_id": "i1", "content_index": 0, "audio_end_ms": 0},
    ),
    "create_response": (
        lambda session: session.create_response(confirm=False),
        {
            "type": "response.create",
            "event_id": "voicelive_response_1",
            "response": {"metadata": {"voicelive": "voicelive_response_1"}},
        },
    ),
    "cancel_response": (lambda session: session.cancel_response(), {"type": "response.cancel"}),
    "cancel_response by id": (
        lambda session: session.cancel_response("resp_1"),
        {"type": "response.cancel", "response_id": "resp_1"},
    ),
    "add_item": (
        lambda session: session.add_item(message("i1")),
        {"type": "conversation.item.create", "item": {**MESSAGE, "id": "i1"}},
    ),
    "add_item behind another": (
        lambda session: session.add_item(message("i2"), previous_item_id="i1"),
        {"type": "conversation.item.create", "previous_item_id": "i1", "item": {**MESSAGE, "id": "i2"}},
    ),
}
every_confirmed = pytest.mark.parametrize(
    ("call", "written", "answer", "shown", "result"), CONFIRMED.values(), ids=CONFIRMED
)
every_call = pytest.mark.parametrize("call", [row[0] for row in CONFIRMED.values()], ids=CONFIRMED)


def begin(call: Awaitable[Any]) -> asyncio.Future[Any]:
    return asyncio.ensure_future(call)


async def hear_named(peer: Peer, kind: str | None = None) -> str:
    event = await peer.hear()
    assert kind is None or event["type"] == kind
    name = event["event_id"]
    assert isinstance(name, str)
    return name


# -- what goes out, and when the verb returns


@every_confirmed
async def test_a_confirmed_verb_writes_one_named_event_and_returns_with_its_answer(
    open_session: OpenSession,
    call: Call,
    written: JsonObject,
    answer: JsonObject,
    shown: Callable[[Any], Any],
    result: object,
) -> None:
    session, peer = open_session()
    verb = begin(call(session))

    heard = await peer.hear()
    assert heard.pop("event_id")
    assert heard == written
    await peer.say("response.text.delta", delta="something else")
    await settle()
    assert not verb.done()
    await peer.say(**{"kind": answer["type"], **{name: value for name, value in answer.items() if name != "type"}})

    assert shown(await verb) == result


@pytest.mark.parametrize(("call", "written"), WRITTEN.values(), ids=WRITTEN)
async def test_a_verb_that_waits_for_nothing_returns_when_written(
    open_session: OpenSession, call: Call, written: JsonObject
) -> None:
    session, peer = open_session()

    await asyncio.wait_for(call(session), 1)

    assert await peer.hear_bare() == written


@pytest.mark.parametrize("name", ["update", "commit_audio", "delete_item", "truncate"])
async def test_without_confirmation_nothing_is_returned(open_session: OpenSession, name: str) -> None:
    session, _ = open_session()

    assert await WRITTEN[name][0](session) is None


async def test_every_request_has_a_name_of_its_own(open_session: OpenSession) -> None:
    session, peer = open_session()
    verbs = [begin(call(session)) for call, *_ in CONFIRMED.values()]
    names = [await hear_named(peer) for _ in verbs]

    assert len(set(names)) == len(names)
    await session.close()
    await asyncio.gather(*verbs, return_exceptions=True)


# -- refusals and missing answers


@every_call
async def test_a_refused_request_raises_where_it_was_made_and_the_error_is_delivered(
    open_session: OpenSession, call: Call
) -> None:
    session, peer = open_session()
    verb = begin(call(session))
    name = await hear_named(peer)

    await peer.refuse(name, "no_such_thing", "There is none.", param="item_id")

    with pytest.raises(ServiceError) as caught:
        await verb
    error = caught.value
    assert (error.error_type, error.code, error.service_message) == (
        "invalid_request_error",
        "no_such_thing",
        "There is none.",
    )
    assert (error.param, error.event_id) == ("item_id", name)
    [event] = await take(session, 1)
    assert isinstance(event, ErrorEvent)
    assert event.error.event_id == name


@every_call
@pytest.mark.looptime
async def test_a_request_that_nobody_answers_raises_when_its_time_is_over(
    open_session: OpenSession, call: Call
) -> None:
    session, peer = open_session(ClientOptions(confirm_timeout_s=3))
    began = asyncio.get_running_loop().time()

    with pytest.raises(ConfirmationTimeoutError) as caught:
        await call(session)

    assert asyncio.get_running_loop().time() - began == pytest.approx(3)
    assert (caught.value.request, caught.value.timeout_s) == ((await peer.hear())["type"], 3)


@pytest.mark.looptime
@pytest.mark.parametrize(
    "call",
    [
        lambda session: session.update(SessionConfig(), timeout_s=0.5),
        lambda session: session.commit_audio(timeout_s=0.5),
        lambda session: session.add_item(message(), confirm=True, timeout_s=0.5),
        lambda session: session.retrieve_item("i1", timeout_s=0.5),
        lambda session: session.delete_item("i1", timeout_s=0.5),
        lambda session: session.truncate("i1", 5, timeout_s=0.5),
        lambda session: session.create_response(timeout_s=0.5),
    ],
)
async def test_the_time_of_one_call_may_differ(open_session: OpenSession, call: Call) -> None:
    session, _ = open_session()
    began = asyncio.get_running_loop().time()

    with pytest.raises(ConfirmationTimeoutError):
        await call(session)
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)


async def test_errors_about_other_events_raise_nowhere(open_session: OpenSession) -> None:
    session, peer = open_session()
    verb = begin(session.delete_item("i1"))
    await hear_named(peer)

    await peer.refuse(None)
    await peer.refuse("someone else's")
    await peer.say("conversation.item.deleted", item_id="i1")

    await verb


async def test_answers_find_their_requests_in_any_order(open_session: OpenSession) -> None:
    session, peer = open_session()
    verbs = [begin(session.retrieve_item(item_id)) for item_id in ("i1", "i2", "i3")]
    names = [await hear_named(peer) for _ in verbs]

    await peer.say("conversation.item.retrieved", item={**MESSAGE, "id": "i3"})
    await peer.refuse(names[0])
    await peer.say("conversation.item.retrieved", item={**MESSAGE, "id": "i2"})
    with pytest.raises(ServiceError):
        await verbs[0]
    assert [(await verb).id for verb in verbs[1:]] == ["i2", "i3"]


# -- cancelled verbs


async def test_a_cancelled_request_keeps_its_answer_from_the_next_one(open_session: OpenSession) -> None:
    session, peer = open_session()
    cancelled, second = begin(session.commit_audio()), begin(session.commit_audio())
    await hear_named(peer)
    await hear_named(peer)
    cancelled.cancel()
    await settle()

    await peer.say("input_audio_buffer.committed", item_id="item_1")
    await settle()
    assert not second.done()
    await peer.say("input_audio_buffer.committed", item_id="item_2")

    assert await second == "item_2"


async def test_the_refusal_of_a_cancelled_request_disturbs_nobody(open_session: OpenSession) -> None:
    session, peer = open_session()
    cancelled, second = begin(session.commit_audio()), begin(session.commit_audio())
    name = await hear_named(peer)
    await hear_named(peer)
    cancelled.cancel()
    await settle()

    await peer.refuse(name)
    await peer.say("input_audio_buffer.committed", item_id="item_2")

    assert await second == "item_2"


@pytest.mark.parametrize("answer", ["confirmed", "refused"])
async def test_an_answer_that_meets_a_cancellation_disturbs_nobody(
    open_session: OpenSession, loop_complaints: list[dict[str, Any]], answer: str
) -> None:
    session, peer = open_session()
    for steps_between in range(4):
        verb = begin(session.commit_audio())
        name = await hear_named(peer)
        await (peer.refuse(name) if answer == "refused" else peer.say("input_audio_buffer.committed"))
        for _ in range(steps_between):
            await asyncio.sleep(0)
        verb.cancel()
        await asyncio.wait([verb])
        del verb
        gc.collect()

    assert loop_complaints == []
    await session.clear_audio()
    assert (await peer.hear())["type"] == "input_audio_buffer.clear", "the session goes on"


async def test_a_request_that_is_cancelled_before_it_was_written_expects_no_answer(open_session: OpenSession) -> None:
    session, peer = open_session(max_pending_bytes=1)
    await session.send_raw({"type": "fills the line"})
    writing = begin(session.send_raw({"type": "waits for the line"}))
    cancelled, second = begin(session.commit_audio()), begin(session.commit_audio())
    await settle()
    cancelled.cancel()
    await settle()

    heard = [(await peer.hear())["type"] for _ in range(3)]
    await peer.say("input_audio_buffer.committed", item_id="item_2")

    assert heard == ["fills the line", "waits for the line", "input_audio_buffer.commit"]
    await writing
    assert await asyncio.wait_for(second, 1) == "item_2"


async def test_a_request_that_could_not_be_written_expects_no_answer(open_session: OpenSession) -> None:
    session, peer = open_session(ClientOptions(outbox_bytes=1024), max_pending_bytes=1)
    await session.send_raw({"type": "fills the line"})
    waiting = [begin(session.send_raw({"type": "x" * 700})) for _ in range(2)]
    await settle()

    with pytest.raises(LocalProtocolError, match="bound of 1024"):
        await session.update(SessionConfig(instructions="y" * 700))
    for _ in range(3):
        await peer.hear()
    await asyncio.gather(*waiting)
    verb = begin(session.update(SessionConfig()))
    await peer.hear()
    await peer.say("session.updated", session={"id": "sess_1", "temperature": 0.5})

    settings = await asyncio.wait_for(verb, 1)
    assert settings.temperature == 0.5


async def test_what_the_session_says_by_itself_is_never_refused_by_a_congested_line(open_session: OpenSession) -> None:
    session, peer = open_session(ClientOptions(outbox_bytes=1024), max_pending_bytes=1)
    await session.send_raw({"type": "fills the line"})
    waiting = [begin(session.send_raw({"type": "x" * 700})) for _ in range(2)]
    await settle()

    handle = await session.create_response(additional_instructions="y" * 700, confirm=False)
    await settle()
    heard = [(await peer.hear())["type"] for _ in range(4)]
    await peer.say("response.created", response={"id": "resp_1"})

    assert heard == ["fills the line", "x" * 700, "x" * 700, "response.create"]
    assert (await handle.began()).id == "resp_1"
    await asyncio.gather(*waiting)


@pytest.mark.looptime
async def test_a_request_whose_time_was_over_leaves_the_next_answer_to_the_next_one(open_session: OpenSession) -> None:
    session, peer = open_session()
    with pytest.raises(ConfirmationTimeoutError):
        await session.commit_audio(timeout_s=1)
    await peer.hear()

    verb = begin(session.commit_audio())
    await peer.hear()
    await peer.say("input_audio_buffer.committed", item_id="item_2")

    assert await verb == "item_2"


@pytest.mark.looptime
async def test_the_time_for_an_answer_includes_the_wait_for_a_congested_line(open_session: OpenSession) -> None:
    session, _ = open_session(max_pending_bytes=1)
    await session.send_raw({"type": "fills the line"})

    with pytest.raises(ConfirmationTimeoutError):
        await session.commit_audio(timeout_s=1)


# -- what single verbs decide


async def test_an_item_without_an_id_gets_one_and_the_application_learns_it(open_session: OpenSession) -> None:
    session, peer = open_session()

    ids = [await session.add_item(message()) for _ in range(2)]

    assert [await peer.hear_bare() for _ in ids] == [
        {"type": "conversation.item.create", "item": {**MESSAGE, "id": item_id}} for item_id in ids
    ]
    assert ids[0] != ids[1]
    assert all(item_id.startswith("item_") and len(item_id) <= 32 for item_id in ids)


async def test_an_item_of_a_kind_without_a_class_is_added_like_any_other(open_session: OpenSession) -> None:
    session, peer = open_session()
    verb = begin(session.add_item(UnknownRequestItem(type="brand_new", extra={"field": 1}), confirm=True))
    item = (await peer.hear())["item"]

    await peer.say("conversation.item.created", item=item)

    assert await verb == item["id"]
    assert {"type": "brand_new", "field": 1, "id": item["id"]} == item


async def test_add_item_waits_for_its_own_item(open_session: OpenSession) -> None:
    session, peer = open_session()
    verb = begin(session.add_item(message("mine"), confirm=True))
    await peer.hear()

    await peer.say("conversation.item.created", item={**MESSAGE, "id": "the agent's"})
    await settle()
    assert not verb.done()
    await peer.say("conversation.item.created", item={**MESSAGE, "id": "mine"})

    assert await verb == "mine"


async def test_an_assistant_message_may_be_added(open_session: OpenSession) -> None:
    session, peer = open_session()

    await session.add_item(AssistantMessageItem(id="i1", content=[]))

    assert (await peer.hear())["item"] == {"type": "message", "role": "assistant", "id": "i1", "content": []}


@pytest.mark.parametrize("role", ["user", "system"])
async def test_send_text_adds_a_message_of_the_role(open_session: OpenSession, role: Any) -> None:
    session, peer = open_session()

    item_id = await session.send_text("Grüße", role=role)

    content = [{"type": "input_text", "text": "Grüße"}]
    item = {"type": "message", "role": role, "content": content, "id": item_id}
    assert await peer.hear_bare() == {"type": "conversation.item.create", "item": item}


async def test_send_text_refuses_an_unknown_role(open_session: OpenSession) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match=r"role is 'assistant'.*user.*system"):
        await session.send_text("hello", role="assistant")  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89arest", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
async def test_send_image_makes_a_data_url_of_the_formats_it_knows(
    open_session: OpenSession, image: Any, kind: str
) -> None:
    session, peer = open_session()

    item_id = await session.send_image(image)

    url = f"data:{kind};base64,{base64.b64encode(image).decode()}"
    item = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url}], "id": item_id}
    assert await peer.hear_bare() == {"type": "conversation.item.create", "item": item}


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:image/png;base64,AAAA"])
async def test_send_image_passes_urls_on_with_text_before_and_detail(open_session: OpenSession, url: str) -> None:
    session, peer = open_session()

    await session.send_image(url, text="What is this?", detail="low")

    assert (await peer.hear())["item"]["content"] == [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": url, "detail": "low"},
    ]


@pytest.mark.parametrize(
    "image",
    ["http://example.com/a.png", "file:///etc/passwd", "/tmp/a.png", "data:text/html,x", b"", b"BM", b"RIFF....WAVE"],
)
async def test_send_image_refuses_everything_else(open_session: OpenSession, image: bytes | str) -> None:
    session, peer = open_session()

    with pytest.raises(ConfigurationError, match="image is"):
        await session.send_image(image)
    await session.clear_audio()
    assert (await peer.hear())["type"] == "input_audio_buffer.clear", "nothing was sent before"


async def test_a_negative_end_of_what_was_heard_is_refused(open_session: OpenSession) -> None:
    session, _ = open_session()

    with pytest.raises(ConfigurationError, match="audio_end_ms is -1"):
        await session.truncate("i1", -1)


async def test_an_answer_without_the_item_asked_for_raises(open_session: OpenSession) -> None:
    session, peer = open_session()
    verb = begin(session.retrieve_item("i1"))
    await peer.hear()
    await peer.say("conversation.item.retrieved")

    with pytest.raises(LocalProtocolError, match="item i1 without an item"):
        await verb


async def test_verbs_may_be_called_from_many_tasks(open_session: OpenSession) -> None:
    session, peer = open_session()

    await asyncio.gather(*(session.send_text(str(number)) for number in range(20)))

    heard = [(await peer.hear())["item"]["content"][0]["text"] for _ in range(20)]
    assert heard == [str(number) for number in range(20)]
