"""Unit prices: AWS list prices of us-east-1 and Google's of Secret Manager, each with its source. The only copy.

`verified`: the figure stands on a stored copy of the vendor's own page, or in a transcript that quotes it. The rest are
list prices as other publications give them, and every report marks them. Free tiers and discounts are not applied.
Not here: what is paid per month whatever is rotated (secrets, versions, keys, storage, alarms).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.kinds import Kind

# When the sources were read; a price of another day may differ.
READ_ON = "2026-11-22"
REGION = "us-east-1"

_THOUSAND = 1_000
_TEN_THOUSAND = 10_000
_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Price:
    """`dollars` for `per` units of what is `counted`. source: where the figure was read."""

    dollars: float
    per: int
    counted: str
    source: str
    verified: bool

    @property
    def each(self) -> float:
        """Dollars for one unit."""
        return self.dollars / self.per


PRICES: Mapping[Kind, Price] = {
    Kind.STATE_TRANSITION: Price(
        dollars=0.025,
        per=_THOUSAND,
        counted="Step Functions Standard, state transitions with retries",
        source="aws.amazon.com/step-functions/pricing",
        verified=True,
    ),
    Kind.INVOCATION: Price(
        dollars=0.20,
        per=_MILLION,
        counted="Lambda requests",
        source="docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/lambda.html",
        verified=True,
    ),
    # the page rounds it to 0.00001667
    Kind.GB_SECOND: Price(
        dollars=0.0000166667,
        per=1,
        counted="Lambda GB-seconds at the declared memory, x86",
        source="aws.amazon.com/lambda/pricing",
        verified=True,
    ),
    Kind.READ_UNIT: Price(
        dollars=0.125,
        per=_MILLION,
        counted="DynamoDB on-demand read request units",
        source="airbyte.com/data-engineering-resources/dynamodb-pricing",
        verified=False,
    ),
    Kind.WRITE_UNIT: Price(
        dollars=0.625,
        per=_MILLION,
        counted="DynamoDB on-demand write request units, two per row and KB in a transaction",
        source="airbyte.com/data-engineering-resources/dynamodb-pricing",
        verified=False,
    ),
    Kind.SECRETS_CALL: Price(
        dollars=0.05,
        per=_TEN_THOUSAND,
        counted="Secrets Manager API calls",
        source="aws.amazon.com/secrets-manager/pricing, as transcribed by api-evangelist/amazon-secrets-manager",
        verified=True,
    ),
    Kind.KMS_REQUEST: Price(
        dollars=0.03,
        per=_TEN_THOUSAND,
        counted="KMS requests of the functions (Sign, RSA_2048)",
        source="wring.co/blog/aws-kms-pricing-guide",
        verified=False,
    ),
    Kind.KMS_IMPLIED: Price(
        dollars=0.03,
        per=_TEN_THOUSAND,
        counted="KMS requests of other services on the stack's key, upper bound",
        source="wring.co/blog/aws-kms-pricing-guide",
        verified=False,
    ),
    Kind.S3_GET: Price(
        dollars=0.0004,
        per=_THOUSAND,
        counted="S3 Standard GET requests",
        source="list price, no stored copy found",
        verified=False,
    ),
    Kind.S3_LIST: Price(
        dollars=0.005,
        per=_THOUSAND,
        counted="S3 Standard LIST requests",
        source="list price, no stored copy found",
        verified=False,
    ),
    Kind.LOG_GB: Price(
        dollars=0.50,
        per=1,
        counted="CloudWatch Logs ingestion, GB, functions",
        source="coralogix.com/blog/is-cloudwatch-really-cost-efficient",
        verified=False,
    ),
    Kind.MACHINE_LOG_GB: Price(
        dollars=0.50,
        per=1,
        counted="CloudWatch Logs ingestion, GB, machines (estimated)",
        source="coralogix.com/blog/is-cloudwatch-really-cost-efficient",
        verified=False,
    ),
    Kind.METRIC_CALL: Price(
        dollars=0.01,
        per=_THOUSAND,
        counted="CloudWatch API requests (PutMetricData)",
        source="vantage.sh/blog/cloudwatch-metrics-pricing-explained-in-plain-english",
        verified=False,
    ),
    Kind.QUEUE_REQUEST: Price(
        dollars=0.40,
        per=_MILLION,
        counted="SQS standard queue requests, messages below 64 KB",
        source="cloudburn.io/blog/amazon-sqs-pricing",
        verified=False,
    ),
    Kind.TRACE: Price(
        dollars=5.0,
        per=_MILLION,
        counted="X-Ray traces recorded, one per execution",
        source="aws.amazon.com/de/xray/pricing",
        verified=True,
    ),
    Kind.ENDPOINT_REQUEST: Price(
        dollars=1.0,
        per=_MILLION,
        counted="API Gateway HTTP API requests, where a person starts the run",
        source="amnic.com/blogs/aws-api-gateway-pricing",
        verified=False,
    ),
    Kind.SCHEDULE: Price(
        dollars=1.0,
        per=_MILLION,
        counted="EventBridge Scheduler invocations",
        source="list price, no stored copy found",
        verified=False,
    ),
    Kind.GOOGLE_ACCESS: Price(
        dollars=0.03,
        per=_TEN_THOUSAND,
        counted="Google Secret Manager access operations",
        source="cloud.google.com/secret-manager/pricing",
        verified=True,
    ),
}

# Counted, and on nobody's bill: the kind and why.
FREE: Mapping[Kind, str] = {
    Kind.STATES_CALL: "Step Functions bills transitions, not calls of its API",
    Kind.LAMBDA_CALL: "Lambda bills invocations, not calls of its API",
    Kind.TABLE_CALL: "DynamoDB bills units of rows, not calls about the table",
    Kind.IDENTITY_CALL: "IAM and STS are free of charge",
    Kind.GOOGLE_MANAGEMENT: "management operations are free (cloud.google.com/secret-manager/pricing)",
    Kind.VAULT_REQUEST: "the server is the stack's own, without a price per request",
    Kind.TARGET_CALL: "the target is the stack's own, without a price per call",
}
