"""Access keys of one IAM user, for what cannot take a role: the target makes them, and shows the secret once.

Old and new are both accepted while both are active. A retirement sets the old one inactive, which can be taken back;
the next run deletes it, because a user has room for two. So one version back is the horizon, until the next rotation
begins. Keyturn acts as its own function: no authority is needed, only ListAccessKeys, CreateAccessKey,
UpdateAccessKey, DeleteAccessKey on the user, and GetAccessKeyLastUsed.

IAM keeps no generation, so late calls are waited out by whoever takes a run over. They would hit a key by its id, and
ids are never used again: a late revoke or withdraw ends what its run was to end. IAM answers by its old state for some
seconds (`settle_s`). Source: botocore's models of IAM and STS, IAM user guide (access keys, eventual consistency).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from rotation.calls import Caller, Kind
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError, NotFound, Refused
from rotation.issuers import aws_iam_access_key_client
from rotation.issuers.aws_iam_access_key_client import UNKNOWN_KEY, Clients, code_of
from rotation.issuers.aws_iam_access_key_slots import Slots
from rotation.issuers.facts import bad_facts, check_facts, read_fields
from rotation.minting import Attempt, LastUse
from rotation.value import SecretValue

# IAM promises no bound; its changes are seen after seconds. The machine's pauses after a failure are longer together.
SETTLE_S = 60
# IAM notices a use with minutes' delay: a worker that comes by every ten minutes is not taken for gone.
DEFAULT_GRACE_S = 1800


class AwsIamAccessKey:
    """An access key of the user in the facts.

    facts: `user` (its name, without path); `last_used_grace_s`: an old key that was used within so many seconds is not
    revoked, except in an emergency. authority: not asked.
    """

    kind: ClassVar[str] = "aws-iam-access-key"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True,
        fenced=False,
        ends_sessions=False,
        needs_current=True,
        rollback_horizon=1,
        mints_at_target=True,
        own_identity=True,
        settle_s=SETTLE_S,
        tells_last_use=True,
    )
    translate = staticmethod(aws_iam_access_key_client.translate)

    def __init__(
        self,
        facts: Mapping[str, str],
        authority: Callable[[], SecretValue],
        caller: Caller,
        *,
        clients: Clients = aws_iam_access_key_client,
    ) -> None:
        del authority
        check_facts(self.kind, facts, needed=("user",), optional=("last_used_grace_s",))
        grace = facts.get("last_used_grace_s", str(DEFAULT_GRACE_S))
        if not grace.isdecimal():
            raise bad_facts(self.kind, "needs a number of seconds in `last_used_grace_s`")
        self._grace_s, self._user, self._caller = int(grace), facts["user"], caller
        self._clients, self._slots = clients, Slots(self._user, caller, clients)

    def mint(self, current: SecretValue | None) -> Minted:
        """Refused: only IAM makes a key; see `make`."""
        del current
        raise Refused("minted_at_target", "IAM makes access keys itself", "this is a defect: the steps call `make`")

    def held(self, current: SecretValue | None, retired: SecretValue | None, *, settled: bool) -> Mapping[str, str]:
        """The ids of the user's keys, and of the one that may go. Refused `slot_taken`."""
        in_use, free = (self._key_id(value) if value else "" for value in (current, retired))
        return self._slots.held(in_use, free, settled=settled)

    def make(self, attempt: Attempt) -> Minted:
        """Make room and a key: two or more calls, of which the last is CreateAccessKey."""
        self._slots.make_room(attempt)
        key_id, secret = self._slots.create(attempt)
        fields = {"access_key_id": key_id, "secret_access_key": secret, "user": self._user}
        return Minted(value=SecretValue.of(fields), public={"key_id": key_id})

    def unmake(self, attempt: Attempt) -> int:
        """Delete the keys that the attempt made and lost."""
        return self._slots.delete_lost(attempt)

    def public(self, value: SecretValue) -> Mapping[str, str]:
        """The key's id."""
        return {"key_id": self._key_id(value)}

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Nothing to do: IAM made the key active. A late call can so bring nothing back."""
        del fence
        self._key_id(value)

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Set the key active again. NotFound `key_gone` once a later run has deleted it."""
        del fence
        self._slots.set(self._key_id(value), active=True)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Delete the key: nobody but this run had it, and it would take up room."""
        del fence
        self._slots.delete(self._key_id(value))

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Set the key inactive; 0, because requests are signed one by one. Sessions that STS gave for it live on."""
        del fence
        try:
            self._slots.set(self._key_id(value), active=False)
        except NotFound:
            # somebody deleted it: it is refused
            return 0
        return 0

    def last_use(self, value: SecretValue) -> LastUse:
        """When the key was used last, as far as IAM has noticed."""
        return LastUse(at=self._slots.last_use(self._key_id(value)), grace_s=self._grace_s)

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether IAM lists the key as active."""
        del fence
        try:
            found = [key for key in self._slots.listed() if key.id == public.get("key_id", "")]
        except KeyturnError as exc:
            return _unproven(exc)
        if not found:
            return Probe(verdict=Verdict.REFUSED, code="key_gone")
        if not found[0].active:
            return Probe(verdict=Verdict.REFUSED, code="key_inactive")
        return Probe(verdict=Verdict.ACCEPTED)

    def probe(self, value: SecretValue) -> Probe:
        """Ask STS who signs with it (GetCallerIdentity, which needs no right). REFUSED for an unknown key alone."""
        try:
            fields = read_fields(value, "access_key_id", "secret_access_key", "user")
            self._key_id(value)
            arn = self._caller.call(
                Kind.TARGET, lambda: self._signer(fields["access_key_id"], fields["secret_access_key"])
            )
        except KeyturnError as exc:
            return _unproven(exc)
        if not arn:
            return Probe(verdict=Verdict.REFUSED, code=UNKNOWN_KEY)
        if arn.rpartition("/")[2] == self._user:
            return Probe(verdict=Verdict.ACCEPTED)
        return Probe(verdict=Verdict.UNPROVEN, code="other_user", detail="the key is another user's")

    def _signer(self, key_id: str, secret: str) -> str:
        """The ARN that STS knows the key by; "" for a key that it does not accept."""
        try:
            return str(self._clients.sts(key_id, secret).get_caller_identity()["Arn"])
        except Exception as exc:
            if code_of(exc) == UNKNOWN_KEY:
                return ""
            raise

    def _key_id(self, value: SecretValue) -> str:
        """The id of a key that is this user's; Refused `target_mismatch` for another one's."""
        fields = read_fields(value, "access_key_id", "secret_access_key", "user")
        if fields["user"] == self._user:
            return fields["access_key_id"]
        raise Refused(
            "target_mismatch",
            "the credential names another user than the policy",
            "correct the policy's target, or the credential",
        )


def _unproven(exc: KeyturnError) -> Probe:
    return Probe(verdict=Verdict.UNPROVEN, code=exc.reason, detail=exc.message)
