"""When rotations start: pure functions over due rows, policies and facts. No table, no clock, no cloud."""
