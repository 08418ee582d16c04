"""The servers of the sandbox, each in its own file behind one contract."""

from __future__ import annotations

from sandbox.parts.contract import Part
from sandbox.parts.google import Google
from sandbox.parts.ministack import Ministack
from sandbox.parts.openbao import Openbao
from sandbox.parts.postgres import Postgres
from sandbox.parts.redis import Redis
from sandbox.parts.targets import Jwks, TokenService, Verifier, Webhooks

# those that take longest first, so that the last one is not waited for alone
PARTS: tuple[Part, ...] = (
    Postgres(),
    Google(),
    Ministack(),
    Openbao(),
    TokenService(),
    Verifier(),
    Jwks(),
    Webhooks(),
    Redis(),
)
