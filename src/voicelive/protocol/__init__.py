"""What the words mean: small synchronous machines over ids. No I/O, no clock, no tasks."""
