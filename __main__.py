"""The Pulumi program: declares the stack that is selected. At the root, so that `infra` and `policies` import."""

import pulumi

from infra.program import declare
from rotation.errors import KeyturnError

try:
    declare()
except KeyturnError as refused:
    # Pulumi shows this one without a traceback
    raise pulumi.RunError(f"{refused.message}\n{refused.remedy}") from None
