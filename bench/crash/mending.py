"""What an administrator would do by hand to a secret that nothing else gets going again, so that the others are tried.

Only after a point that failed, and reported with it: no run that ends well needs it.
"""

from __future__ import annotations

from boto3.dynamodb.types import TypeSerializer

from bench.crash.place import PREFIX
from bench.crash.witness import Witness
from rotation.contract import Version
from rotation.ledger.records import Head, claim_key, retire_key, to_row
from rotation.ledger.rows import Key


def mend_by_hand(seen: Witness) -> None:
    """Nothing pending, nothing else accepted, and a ledger that knows of readers' version and of nothing more."""
    live, head = seen.store.live(), seen.head()
    stray = seen.store.pending({live.version})
    if stray:
        seen.store.discard(stray)
    epoch = head.epoch + 1
    seen.target.keep(live.text, epoch)
    fresh = Head(
        secret=head.secret,
        rev=head.rev + 1,
        epoch=epoch,
        current=Version(id=live.version),
        pending_token=seen.store.counter(),
        table=head.table,
    )
    _put(seen, head.key, fresh)
    for key in (claim_key(head.secret), retire_key(head.secret)):
        seen.place.dynamodb.delete_item(TableName=f"{PREFIX}-ledger", Key=_packed(key))


def _put(seen: Witness, key: Key, head: Head) -> None:
    pack = TypeSerializer().serialize
    row = {name: pack(value) for name, value in to_row(head).items()}
    seen.place.dynamodb.put_item(TableName=f"{PREFIX}-ledger", Item={**row, **_packed(key)})


def _packed(key: Key) -> dict[str, dict[str, str]]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
