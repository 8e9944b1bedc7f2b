"""WebRTC calls of the emulated service: offers answered, the caller heard, the agent's voice sent, events routed."""
