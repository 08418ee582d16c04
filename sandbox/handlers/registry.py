"""Every type and invoke that the sandbox serves, by Pulumi token.

Providers need no handler: they exist in the engine's state only. What is absent here is an error in the engine, never
skipped; what is here without being made is named by `DECLARED_ONLY`.
"""

from __future__ import annotations

from functools import partial

from sandbox.facts import Credentials, Facts
from sandbox.google.remote import plaintext_client
from sandbox.handlers import (
    aws_apigateway,
    aws_cloudwatch,
    aws_dynamodb,
    aws_events,
    aws_iam,
    aws_kms,
    aws_kms_seal,
    aws_lambda,
    aws_lambda_entry,
    aws_logs,
    aws_s3,
    aws_s3_settings,
    aws_scheduler,
    aws_secretsmanager,
    aws_sfn,
    aws_sns,
    aws_sqs,
    gcp,
    vault,
    vault_jwt,
)
from sandbox.handlers.aws_calls import AwsClients
from sandbox.handlers.contract import Handler, Handlers, Invokes
from sandbox.handlers.declared_only import DECLARED_ONLY, declared_only

__all__ = ["DECLARED_ONLY", "handlers", "invokes"]


def handlers(facts: Facts, credentials: Credentials) -> Handlers:
    """The handlers of one sandbox by type token. Nothing is called before the first resource."""
    clients = AwsClients(facts)
    return {
        **_aws_stores(clients),
        **_aws_runtime(clients, facts),
        **_aws_events(clients),
        **_aws_endpoint(clients, facts),
        **_vault(facts, credentials),
        **_gcp(facts),
        **declared_only(facts),
    }


def invokes(facts: Facts, _credentials: Credentials) -> Invokes:
    """What the program may ask the sandbox, by invoke token."""
    return {"aws:kms/getPublicKey:getPublicKey": partial(aws_kms.public_key, AwsClients(facts))}


def _aws_stores(clients: AwsClients) -> dict[str, Handler]:
    return {
        "aws:kms/key:Key": aws_kms.Key(clients),
        "aws:kms/alias:Alias": aws_kms.Alias(clients),
        "aws:kms/ciphertext:Ciphertext": aws_kms_seal.Ciphertext(clients),
        "aws:dynamodb/table:Table": aws_dynamodb.Table(clients),
        "aws:s3/bucket:Bucket": aws_s3.Bucket(clients),
        "aws:s3/bucketObjectv2:BucketObjectv2": aws_s3.BucketObject(clients),
        "aws:s3/bucketVersioning:BucketVersioning": aws_s3_settings.Versioning(clients),
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
            aws_s3_settings.Encryption(clients)
        ),
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": aws_s3_settings.PublicAccessBlock(clients),
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": aws_s3_settings.OwnershipControls(clients),
        "aws:s3/bucketPolicy:BucketPolicy": aws_s3_settings.Policy(clients),
        "aws:secretsmanager/secret:Secret": aws_secretsmanager.Secret(clients),
        "aws:secretsmanager/secretPolicy:SecretPolicy": aws_secretsmanager.SecretPolicy(clients),
    }


def _aws_runtime(clients: AwsClients, facts: Facts) -> dict[str, Handler]:
    return {
        "aws:iam/role:Role": aws_iam.Role(clients),
        "aws:iam/rolePolicy:RolePolicy": aws_iam.RolePolicy(clients),
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": aws_iam.OpenIdConnectProvider(
            clients, facts.aws_account_id
        ),
        "aws:cloudwatch/logGroup:LogGroup": aws_logs.LogGroup(clients),
        "aws:lambda/function:Function": aws_lambda.Function(clients),
        "aws:lambda/alias:Alias": aws_lambda_entry.Alias(clients),
        "aws:lambda/permission:Permission": aws_lambda_entry.Permission(clients),
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": aws_lambda_entry.EventInvokeConfig(clients),
        "aws:sfn/stateMachine:StateMachine": aws_sfn.StateMachine(clients, facts.aws_region, facts.aws_account_id),
    }


def _aws_events(clients: AwsClients) -> dict[str, Handler]:
    return {
        "aws:sqs/queue:Queue": aws_sqs.Queue(clients),
        "aws:sqs/queuePolicy:QueuePolicy": aws_sqs.QueuePolicy(clients),
        "aws:sns/topic:Topic": aws_sns.Topic(clients),
        "aws:sns/topicPolicy:TopicPolicy": aws_sns.TopicPolicy(clients),
        "aws:sns/topicSubscription:TopicSubscription": aws_sns.TopicSubscription(clients),
        "aws:scheduler/schedule:Schedule": aws_scheduler.Schedule(clients),
        "aws:cloudwatch/eventRule:EventRule": aws_events.Rule(clients),
        "aws:cloudwatch/eventTarget:EventTarget": aws_events.Target(clients),
        "aws:cloudwatch/metricAlarm:MetricAlarm": aws_cloudwatch.MetricAlarm(clients),
    }


def _aws_endpoint(clients: AwsClients, facts: Facts) -> dict[str, Handler]:
    return {
        "aws:apigatewayv2/api:Api": aws_apigateway.Api(clients, facts.aws_region, facts.aws_account_id),
        "aws:apigatewayv2/integration:Integration": aws_apigateway.Integration(clients),
        "aws:apigatewayv2/route:Route": aws_apigateway.Route(clients),
        "aws:apigatewayv2/stage:Stage": aws_apigateway.Stage(clients),
    }


def _vault(facts: Facts, credentials: Credentials) -> dict[str, Handler]:
    client = vault.connect(facts, credentials)
    return {
        "vault:index/mount:Mount": vault.Mount(client),
        "vault:kv/secretBackendV2:SecretBackendV2": vault.KvConfiguration(client),
        "vault:index/policy:Policy": vault.Policy(client),
        "vault:jwt/authBackend:AuthBackend": vault_jwt.AuthBackend(client),
        "vault:jwt/authBackendRole:AuthBackendRole": vault_jwt.AuthBackendRole(client),
    }


def _gcp(facts: Facts) -> dict[str, Handler]:
    client = plaintext_client(facts.google_endpoint)
    return {
        "gcp:secretmanager/secret:Secret": gcp.SecretHandler(client, facts.google_project),
        "gcp:secretmanager/secretIamMember:SecretIamMember": gcp.SecretIamMemberHandler(client, facts.google_project),
    }
