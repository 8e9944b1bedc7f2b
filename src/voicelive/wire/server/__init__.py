"""The events of the service, by topic; ``voicelive.wire.server_events`` joins them."""
