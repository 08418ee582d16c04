"""The bootstrap's Pulumi program. The command runs it by path, so that the checkout is put on the path first."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bootstrap.program import declare
from rotation.errors import KeyturnError

try:
    declare()
except KeyturnError as refused:
    # Pulumi shows this one without a traceback
    raise pulumi.RunError(f"{refused.message}\n{refused.remedy}") from None
