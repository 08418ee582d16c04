"""Names and ARNs of the stack, computed: a preview shows them, and two resources may name each other without a circle.

One place, so that environment, roles and alarms agree. Not here: the ARNs of secrets and keys, which AWS makes up.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.config import Settings

STORES = ("aws", "vault", "gcp")
CONTROL = "control"
FUNCTIONS = (*STORES, CONTROL)
MACHINES = ("rotate", "retire", "rollback", "repair", "sweep")
# The HTTP API through which people ask control.
ENDPOINT = "endpoint"
# The alias that callers use; CodeDeploy moves it.
LIVE = "live"


@dataclass(frozen=True)
class Names:
    """Every name of one stack, `<prefix>-<stack>-<what>`."""

    settings: Settings

    def of(self, what: str) -> str:
        """`keyturn-prod-ledger` for `ledger`."""
        return f"{self.settings.name_prefix}-{self.settings.stack}-{what}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in the stack's account and region."""
        return f"arn:aws:{service}:{self.settings.region}:{self.settings.aws_account}:{resource}"

    def bootstrapped(self, what: str) -> str:
        """`keyturn-bootstrap-prod-state`: what the stack of `bootstrap/` made, out of reach of `keyturn-prod-*`."""
        return f"{self.settings.name_prefix}-bootstrap-{self.settings.stack}-{what}"

    @property
    def boundary_arn(self) -> str | None:
        """The permissions boundary every role is born with; none on `local`, where nothing was bootstrapped."""
        if self.settings.local:
            return None
        return f"arn:aws:iam::{self.settings.aws_account}:policy/{self.bootstrapped('boundary')}"

    def role_arn(self, what: str) -> str:
        """The role of a function, machine or service called `what`."""
        return f"arn:aws:iam::{self.settings.aws_account}:role/{self.of(what)}"

    def sessions(self, what: str) -> list[str]:
        """What `aws:PrincipalArn` says of the role's sessions: the role on AWS, the session itself in the emulator."""
        return [self.role_arn(what), f"arn:aws:sts::{self.settings.aws_account}:assumed-role/{self.of(what)}/*"]

    def function_arn(self, kind: str) -> str:
        """Unqualified: what IAM and GetAlias name."""
        return self.arn("lambda", f"function:{self.of(kind)}")

    def live_arn(self, kind: str) -> str:
        """Qualified with the alias: what is invoked."""
        return f"{self.function_arn(kind)}:{LIVE}"

    def machine_arn(self, kind: str) -> str:
        """A state machine."""
        return self.arn("states", f"stateMachine:{self.of(kind)}")

    def executions(self, kind: str) -> str:
        """Every execution of a machine (a pattern)."""
        return self.arn("states", f"execution:{self.of(kind)}:*")

    def queue_arn(self, what: str) -> str:
        """An SQS queue."""
        return self.arn("sqs", self.of(what))

    def log_group(self, kind: str) -> str:
        """Where Lambda writes for the function `kind`."""
        return f"/aws/lambda/{self.of(kind)}"

    @property
    def ledger_arn(self) -> str:
        """The ledger's table."""
        return self.arn("dynamodb", f"table/{self.of('ledger')}")

    @property
    def bucket(self) -> str:
        """The catalogue's bucket; the account makes it unique in the world."""
        return self.of(f"catalogue-{self.settings.aws_account}")

    @property
    def bucket_arn(self) -> str:
        """The catalogue's bucket."""
        return f"arn:aws:s3:::{self.bucket}"
