"""What an installation without the extra ``avatar`` says."""

from __future__ import annotations

import sys

import pytest
from tests.conftest import OpenSession
from tests.support.avatar_peer import AvatarPeer

from voicelive.avatar.media import receive
from voicelive.avatar.socket_video import SocketVideo


def forget(monkeypatch: pytest.MonkeyPatch, module: str, *ours: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for name in ours:
        monkeypatch.delitem(sys.modules, f"voicelive.avatar.{name}", raising=False)


@pytest.mark.parametrize(
    ("missing", "hint"),
    [("aiortc", r"needs aiortc: pip install 'voicelive\[avatar\]'"), ("voicelive.avatar.ice", "voicelive.avatar.ice")],
)
async def test_webrtc_names_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str, hint: str) -> None:
    forget(monkeypatch, missing, "link", "peer", "pump")

    with pytest.raises(ModuleNotFoundError, match=hint) as told:
        await receive(AvatarPeer()).__aenter__()
    assert told.value.name == missing


@pytest.mark.parametrize(
    ("missing", "hint"),
    [
        ("av", r"needs av: pip install 'voicelive\[avatar\]'"),
        ("voicelive.avatar.broadcast", "voicelive.avatar.broadcast"),
    ],
)
async def test_decoding_names_what_to_install(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch, missing: str, hint: str
) -> None:
    session, _ = open_session()
    async with SocketVideo(session) as video:
        with monkeypatch.context() as patch:
            forget(patch, missing, "mp4_decoder")

            with pytest.raises(ModuleNotFoundError, match=hint):
                video.frames()
        assert video.header is None  # what needs no extra goes on
