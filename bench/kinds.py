"""Everything a rotation uses that somebody counts: the one list of names that counters, prices and reports share.

A kind is what a bill counts, so one call may be several (a transaction is as many units as its rows are large), and a
kind that the bill leaves out is here too: what is free has to be said, not forgotten.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What is counted, `<service>.<unit>`."""

    STATE_TRANSITION = "states.transition"
    STATES_CALL = "states.call"
    INVOCATION = "lambda.request"
    GB_SECOND = "lambda.gb_second"
    LAMBDA_CALL = "lambda.call"
    TABLE_CALL = "dynamodb.call"
    READ_UNIT = "dynamodb.read_unit"
    WRITE_UNIT = "dynamodb.write_unit"
    SECRETS_CALL = "secretsmanager.call"
    KMS_REQUEST = "kms.request"
    # made by other services on the stack's own key, so that no client of ours sees them: derived, an upper bound
    KMS_IMPLIED = "kms.implied_request"
    S3_GET = "s3.get"
    S3_LIST = "s3.list"
    # of the functions, as they wrote them
    LOG_GB = "logs.gb"
    # of the machine: one line per event of the execution, estimated
    MACHINE_LOG_GB = "logs.machine_gb"
    METRIC_CALL = "cloudwatch.call"
    QUEUE_REQUEST = "sqs.request"
    TRACE = "xray.trace"
    ENDPOINT_REQUEST = "apigateway.request"
    SCHEDULE = "scheduler.invocation"
    IDENTITY_CALL = "iam.call"
    GOOGLE_ACCESS = "google.access"
    GOOGLE_MANAGEMENT = "google.management"
    VAULT_REQUEST = "vault.request"
    TARGET_CALL = "target.call"
