"""Google Secret Manager on loopback: a gRPC server with the client library's own messages and the real semantics.

No faithful emulator exists, so this one follows the documentation call by call; what the documentation does not say
is listed in `ASSUMPTIONS.md`. It never imports the runtime that it tests. Values live in memory only: a restart
forgets everything, on purpose.
"""
