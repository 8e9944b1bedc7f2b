"""Keeps the plugin ``looptime`` from leaving an event loop open, which a warning would later turn into an error."""

import asyncio

# Before each synchronous test the plugin asks the policy for its loop, and Python 3.11 makes one where none was
# ever set. Setting none on purpose lets it raise instead, which the plugin expects.
asyncio.set_event_loop(None)
