"""What calls use, for OpenTelemetry: ``from voicelive.telemetry import metrics``. Extra ``otel``."""
