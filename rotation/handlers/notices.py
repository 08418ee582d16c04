"""Where control tells people that a run waits for them: Slack, where the stack names the secret of its webhook.

The value is read anew for each message, so that another webhook is used from the next one on. Timeouts are short:
a run's phase waits for the whole of it, and has a minute.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from rotation import aws_client
from rotation.calls import Caller, Kind
from rotation.control.slack import TIMEOUT_S, SlackWebhook, translate
from rotation.control.waits import Notices, NullNotices
from rotation.environment import Bench, caller, needed
from rotation.value import SecretValue

_LOCAL = "local"


class Board:
    """Keeps the client warm and makes `Notices` per invocation."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._secret = environment.get("KEYTURN_SLACK_SECRET", "")
        self._local = needed(environment, "KEYTURN_STACK") == _LOCAL
        if self._secret:
            self._client = aws_client.client("secretsmanager", read_timeout_s=TIMEOUT_S)

    def notices(self, bench: Bench) -> Notices:
        """Slack, or nobody where the stack names no secret; calls are counted on this bench."""
        if not self._secret:
            return NullNotices()
        slack = Caller("slack", translate=translate, meter=bench.meter, breaker=bench.breaker, sleep=time.sleep)
        return SlackWebhook(lambda: self._address(bench), slack, local=self._local)

    def _address(self, bench: Bench) -> SecretValue:
        asked = caller("secretsmanager", bench.meter, bench.breaker)
        answer = asked.call(Kind.CONTROL, lambda: self._client.get_secret_value(SecretId=self._secret))
        return SecretValue(str(answer["SecretString"]))
