"""The emulated avatar: a drawn face that speaks the agent's replies, over WebRTC or as video on the socket.

``performer`` joins the parts for one session. What draws and what encodes needs the extra ``avatar`` (aiortc, PyAV,
numpy) and is imported when the first avatar is shown; everything here is importable without it.
"""
