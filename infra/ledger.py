"""The ledger's table: claims, intents, outcomes and what is due, in one table so that they change in one transaction.

No expiry of rows: the ledger is the record of what happened. Not here: the rows' form (`rotation.ledger`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class LedgerArgs:
    """`data_key_arn`: encrypts the table."""

    names: Names
    data_key_arn: Any


class Ledger(pulumi.ComponentResource):
    """The table. Output: `table`."""

    def __init__(self, name: str, args: LedgerArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Ledger", name, None, opts)
        protects = args.names.settings.protects
        self.table = aws.dynamodb.Table(
            name,
            name=args.names.of("ledger"),
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[{"name": key, "type": "S"} for key in ("pk", "sk", "due_shard", "due_at")],
            global_secondary_indexes=[_due()],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args.data_key_arn},
            deletion_protection_enabled=protects,
            opts=pulumi.ResourceOptions(parent=self, protect=protects),
        )
        self.register_outputs({"table": self.table.name})


def _due() -> dict[str, Any]:
    keys = [{"attribute_name": "due_shard", "key_type": "HASH"}, {"attribute_name": "due_at", "key_type": "RANGE"}]
    return {"name": "due", "key_schemas": keys, "projection_type": "ALL"}
