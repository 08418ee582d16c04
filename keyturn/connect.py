"""From the name of a stack to its control function. One place, so that a test can put its own control there."""

from __future__ import annotations

from urllib.parse import urlsplit

from keyturn.control import Control
from keyturn.stack import load


def control_of(stack_name: str, *, to_start: bool = False) -> Control:
    """The control function of a stack; `to_start`: runs will be started, so a sandbox has to be up as a whole.

    Raises as `stack.load` and `sandbox_health.check_whole`.
    """
    from keyturn.cloud import EndpointControl  # noqa: PLC0415  # the AWS SDK takes longer to import than the help to show

    stack = load(stack_name)
    if to_start and stack.local:
        from keyturn.sandbox_health import check_whole  # noqa: PLC0415  # as above

        check_whole()
    return Control(EndpointControl(stack))


def endpoint_of(stack_name: str) -> tuple[str, str]:
    """Where consumers send acknowledgements: a URL, and the name to give as the host, "" where DNS has it.

    Raises as `stack.load` and `endpoint.find`.
    """
    from keyturn.cloud import client  # noqa: PLC0415  # as above
    from keyturn.endpoint import find  # noqa: PLC0415  # as above

    stack = load(stack_name)
    api = find(client(stack, "apigatewayv2"), stack)
    return (stack.endpoint, urlsplit(api.url).netloc) if stack.local else (api.url, "")
