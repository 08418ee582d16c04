"""Partners that accept credentials: a token service, a verifier, key sets and webhook endpoints.

None imports the runtime that it tests.
"""
