"""One thin file per function: parse the environment, parse the event, one call, return."""
