"""DynamoDB tables: keys, indexes, point-in-time recovery, encryption, deletion protection, tags.

Indexes change one at a time, because the service takes one change per call. A table whose own key differs is left as it
is by `put`, and says so in its outputs: only a replacement can change it. Rows are the runtime's, and not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

# the emulator is ready at once; the service takes seconds
_WAIT = {"Delay": 1, "MaxAttempts": 60}


class Table(Upsert):
    """`aws:dynamodb/table:Table`; the id is the name."""

    serves = frozenset(
        {
            "name",
            "billingMode",
            "hashKey",
            "rangeKey",
            "attributes",
            "globalSecondaryIndexes",
            "pointInTimeRecovery",
            "serverSideEncryption",
            "deletionProtectionEnabled",
            "tags",
        }
    )
    replace_on = frozenset({"name", "hashKey", "rangeKey"})
    computed = frozenset({"arn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the table, or change what differs in the one that is there."""
        dynamo, name = self._clients.of("dynamodb"), str(wished["name"])
        if aws.made({"ResourceInUseException"}, dynamo.create_table, **_definition(wished)) is None:
            table = self._describe(name)
            if table["KeySchema"] != _schema(wished["hashKey"], wished.get("rangeKey")):
                return name
            self._change(table, wished)
        dynamo.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_WAIT)
        recovery = {"PointInTimeRecoveryEnabled": _enabled(wished, "pointInTimeRecovery")}
        if self._recovers(name) != recovery["PointInTimeRecoveryEnabled"]:
            dynamo.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
        arn = self._describe(name)["TableArn"]
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: dynamo.tag_resource(ResourceArn=arn, Tags=aws.listed(tags)),
            lambda keys: dynamo.untag_resource(ResourceArn=arn, TagKeys=keys),
        )
        return name

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """Facts of the table; indexes in the program's spelling when the keys are the same."""
        answer = aws.found(self._clients.of("dynamodb").describe_table, TableName=id_)
        if answer is None:
            return None
        table = answer["Table"]
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        return {
            "arn": table["TableArn"],
            "name": table["TableName"],
            "hashKey": keys["HASH"],
            "rangeKey": keys.get("RANGE"),
            "globalSecondaryIndexes": _indexes_there(table, wished),
            "pointInTimeRecovery": {"enabled": self._recovers(id_)},
            "deletionProtectionEnabled": bool(table.get("DeletionProtectionEnabled")),
            "tags": self._tags(table["TableArn"]),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the table with its rows; the service refuses while deletion protection is on."""
        dynamo = self._clients.of("dynamodb")
        if aws.found(dynamo.delete_table, TableName=id_) is not None:
            dynamo.get_waiter("table_not_exists").wait(TableName=id_, WaiterConfig=_WAIT)

    def _change(self, table: dict[str, Any], wished: Properties) -> None:
        dynamo, name = self._clients.of("dynamodb"), wished["name"]
        if bool(table.get("DeletionProtectionEnabled")) != bool(wished.get("deletionProtectionEnabled")):
            dynamo.update_table(TableName=name, DeletionProtectionEnabled=bool(wished.get("deletionProtectionEnabled")))
        if "serverSideEncryption" in wished and _encryption_there(table) != _encryption(wished):
            dynamo.update_table(TableName=name, SSESpecification=_encryption(wished))
        if table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED") != _billing(wished):
            dynamo.update_table(TableName=name, BillingMode=_billing(wished))
        for change in _index_changes(table, wished):
            dynamo.update_table(
                TableName=name, AttributeDefinitions=_attributes(wished), GlobalSecondaryIndexUpdates=[change]
            )
            dynamo.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_WAIT)

    def _describe(self, name: str) -> dict[str, Any]:
        return dict(self._clients.of("dynamodb").describe_table(TableName=name)["Table"])

    def _recovers(self, name: str) -> bool:
        answer = self._clients.of("dynamodb").describe_continuous_backups(TableName=name)
        status = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(status.get("PointInTimeRecoveryStatus") == "ENABLED")

    def _tags(self, arn: str) -> dict[str, str]:
        return aws.unlisted(self._clients.of("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"])


def _enabled(wished: Properties, key: str) -> bool:
    return bool(wished.get(key, {}).get("enabled"))


def _billing(wished: Properties) -> str:
    mode = str(wished.get("billingMode", ""))
    if mode != "PAY_PER_REQUEST":
        raise ValueError("the sandbox serves tables with billingMode PAY_PER_REQUEST only")
    return mode


def _encryption(wished: Properties) -> dict[str, Any]:
    given = wished.get("serverSideEncryption", {})
    if not given.get("enabled"):
        return {"Enabled": False}
    key = {"KMSMasterKeyId": given["kmsKeyArn"]} if given.get("kmsKeyArn") else {}
    return {"Enabled": True, "SSEType": "KMS", **key}


def _encryption_there(table: dict[str, Any]) -> dict[str, Any]:
    there = table.get("SSEDescription", {})
    if there.get("Status") != "ENABLED":
        return {"Enabled": False}
    key = {"KMSMasterKeyId": there["KMSMasterKeyArn"]} if there.get("KMSMasterKeyArn") else {}
    return {"Enabled": True, "SSEType": "KMS", **key}


def _attributes(wished: Properties) -> list[dict[str, str]]:
    return [{"AttributeName": given["name"], "AttributeType": given["type"]} for given in wished["attributes"]]


def _schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else keys


def _index(given: Properties) -> dict[str, Any]:
    """One index; its keys are written in a list, or as hash and range key."""
    if given.get("keySchemas"):
        keys = aws.pascal(given["keySchemas"])
    else:
        keys = _schema(given["hashKey"], given.get("rangeKey"))
    projection: dict[str, Any] = {"ProjectionType": given["projectionType"]}
    if given.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = given["nonKeyAttributes"]
    return {"IndexName": given["name"], "KeySchema": keys, "Projection": projection}


def _definition(wished: Properties) -> dict[str, Any]:
    indexes = [_index(given) for given in wished.get("globalSecondaryIndexes", [])]
    return {
        "TableName": wished["name"],
        "AttributeDefinitions": _attributes(wished),
        "KeySchema": _schema(wished["hashKey"], wished.get("rangeKey")),
        "BillingMode": _billing(wished),
        "DeletionProtectionEnabled": bool(wished.get("deletionProtectionEnabled")),
        "SSESpecification": _encryption(wished),
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    }


def _core(index: dict[str, Any]) -> dict[str, Any]:
    return {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}


def _index_changes(table: dict[str, Any], wished: Properties) -> Iterator[dict[str, Any]]:
    there = {index["IndexName"]: _core(index) for index in table.get("GlobalSecondaryIndexes", [])}
    wanted = {given["name"]: _index(given) for given in wished.get("globalSecondaryIndexes", [])}
    for name in sorted(name for name in there if there[name] != wanted.get(name)):
        yield {"Delete": {"IndexName": name}}
    for name in sorted(name for name in wanted if there.get(name) != wanted[name]):
        yield {"Create": wanted[name]}


def _indexes_there(table: dict[str, Any], wished: Properties) -> list[Properties]:
    """In the program's order and spelling where they agree; what it does not declare comes last."""
    there = {index["IndexName"]: _core(index) for index in table.get("GlobalSecondaryIndexes", [])}
    spelled = {given["name"]: given for given in wished.get("globalSecondaryIndexes", []) if given["name"] in there}
    return [
        spelled[name] if name in spelled and _index(spelled[name]) == there[name] else _plain(there[name])
        for name in [*spelled, *sorted(there.keys() - spelled.keys())]
    ]


def _plain(index: dict[str, Any]) -> Properties:
    kind = index["Projection"]["ProjectionType"]
    return {"name": index["IndexName"], "projectionType": kind, "keySchemas": aws.camel(index["KeySchema"])}
