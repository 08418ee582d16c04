"""Two partners that accept credentials: a token service and a verifier. Neither imports the runtime that it tests."""
