"""microburst for one service. Without this it reads the models of four hundred services at its first call: 5 s of work.

The arguments are microburst's own.
"""

from __future__ import annotations

import sys

from botocore.session import Session
from microburst.cli import main  # type: ignore[import-untyped]  # no stubs exist

SERVICE = "secretsmanager"


def _one_service(session: Session, api_version: object = None) -> list[str]:
    del session, api_version
    return [SERVICE]


if __name__ == "__main__":
    Session.get_available_services = _one_service  # type: ignore[method-assign, assignment]
    sys.exit(main())
