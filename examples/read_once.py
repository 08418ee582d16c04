"""The service of `service.py` as it is mostly written: it reads its password once, at start. A rotation ends it.

It works as long as the overlap lasts, and fails from the moment that the old password is revoked until somebody starts
it anew: what the library is for. The environment: SECRET, PORT, POOL; AWS as usual.
"""  # noqa: INP001 - a program

from __future__ import annotations

import json
import os
from importlib import import_module

import boto3
from psycopg_pool import ConnectionPool

# Long beside a login, short beside the patience of whoever waits for the answer.
_WAIT_S = 1.0


def main() -> None:
    """Serve until stopped."""
    environment = os.environ
    said = boto3.client("secretsmanager").get_secret_value(SecretId=environment["SECRET"])
    value = json.loads(said["SecretString"])
    login = {"user": value["username"], "password": value["password"]}
    address = {name: value[name] for name in ("host", "port", "dbname")}
    size = int(environment.get("POOL", "10"))
    with ConnectionPool(kwargs=address | login, min_size=size, max_size=size, timeout=_WAIT_S) as pool:
        pool.wait()
        service = import_module("service")
        service.serve(int(environment["PORT"]), service.handler(pool, dict))


if __name__ == "__main__":
    main()
