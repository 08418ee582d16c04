"""The proof that a private key is accepted: a token as a consumer would sign it, and what the answer to it means.

Compact JWS (RFC 7515) with the claims of RFC 7519, valid for a minute: it proves one thing, once. Not here: the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rotation.contract import Probe, Verdict
from rotation.issuers import key_pair_keys as keys
from rotation.issuers.http import Answer

# Long enough for a slow verifier and a clock that differs by seconds.
TOKEN_SECONDS = 60
# The only refusal that means: the verifier does not accept this key.
UNKNOWN_KEY = "unknown_key"


def token(key: Any, kid: str, facts: Mapping[str, str], now: float) -> str:
    """A token of `key`, from the fact `issuer` to the fact `audience`; `now` is in epoch seconds."""
    header = {"alg": keys.JWS[keys.algorithm_of(key)], "kid": kid, "typ": "JWT"}
    claims = {
        "iss": facts["issuer"],
        "aud": facts["audience"],
        "iat": int(now),
        "exp": int(now) + TOKEN_SECONDS,
    }
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{keys.base64url(keys.sign(key, signed.encode()))}"


def verdict(answer: Answer, kid: str) -> Probe:
    """What a verifier's answer says of the key. REFUSED only for 401 `unknown_key`: other refusals are the token's."""
    if answer.status == HTTPStatus.OK and answer.body.get("kid") == kid:
        return Probe(verdict=Verdict.ACCEPTED)
    if answer.status == HTTPStatus.UNAUTHORIZED and answer.error == UNKNOWN_KEY:
        return Probe(verdict=Verdict.REFUSED, code=UNKNOWN_KEY)
    detail = "the verifier refused the token for another reason than its key, or accepted another key"
    return Probe(verdict=Verdict.UNPROVEN, code=str(int(answer.status)), detail=detail)


def _part(content: Mapping[str, Any]) -> str:
    return keys.base64url(json.dumps(content, separators=(",", ":")).encode())
