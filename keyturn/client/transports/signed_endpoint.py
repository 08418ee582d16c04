"""Acknowledgements as requests to the stack's endpoint, signed with the AWS credentials of the service (SigV4).

The signature says who the instance is; Keyturn refuses one whose role is not the consumer's. Credentials come from
botocore's chain and are asked for with each request, so that those of a role renew themselves. Redirects are not
followed: a signed request goes nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.exceptions import ClientError as RefusedByAws
from botocore.httpsession import URLLib3Session
from botocore.session import Session

from keyturn.client.errors import ClientError, Unavailable

_PATH = "/verbs/acknowledge"
# As IAM and SigV4 call an API Gateway.
_SERVICE = "execute-api"
# Connecting within a region, and the answer, which needs two writes to a table.
_TIMEOUTS_S: Any = (2.0, 10.0)
_OK, _TOO_MANY, _SERVER_FAULT = 200, 429, 500


class SignedEndpoint:
    """Call it with the message. url: of the stack's endpoint, without a path. host: its name, where DNS has none."""

    def __init__(self, url: str, region: str, *, session: Session | None = None, host: str = "") -> None:
        self._url, self._region, self._host = url.rstrip("/") + _PATH, region, host
        self._session = session or Session()
        self._http = URLLib3Session(timeout=_TIMEOUTS_S)

    def __call__(self, message: Mapping[str, Any]) -> None:
        """Give the message.

        Raises:
            Unavailable: `endpoint_unavailable`; `no_credentials` where they were not renewed.
            ClientError: `no_credentials` where there are none; otherwise with control's own reason.
        """
        try:
            answer = self._http.send(self._signed(json.dumps(dict(message)).encode()))
        except RefusedByAws as exc:
            # of a role's credentials, which are asked of STS
            code = str(exc.response.get("Error", {}).get("Code", ""))
            raise Unavailable("no_credentials", f"the credentials to sign with were not renewed ({code})") from exc
        except (BotoCoreError, HTTPClientError) as exc:
            raise Unavailable("endpoint_unavailable", f"no answer ({type(exc).__name__})") from exc
        if answer.status_code == _TOO_MANY or answer.status_code >= _SERVER_FAULT:
            raise Unavailable("endpoint_unavailable", f"HTTP {answer.status_code}")
        said = _document(answer.content)
        if answer.status_code != _OK or said.get("ok") is not True:
            raise ClientError(str(said.get("reason") or "acknowledgement_refused"), f"HTTP {answer.status_code}")

    def _signed(self, body: bytes) -> Any:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise ClientError("no_credentials", "botocore's chain found no credentials to sign with")
        headers = {"Content-Type": "application/json"} | ({"Host": self._host} if self._host else {})
        request = AWSRequest(method="POST", url=self._url, data=body, headers=headers)
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, self._region).add_auth(request)
        return request.prepare()


def _document(content: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(content)
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
