"""The program of every stack: load, check everything, and only then declare the components in order."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

import policies
from infra.alarm_rules import function_rules, rules
from infra.alarm_topic import AlarmTopic, AlarmTopicArgs
from infra.alarms import Alarms, AlarmsArgs
from infra.artefacts import check_zips
from infra.aws_secrets import AwsSecrets, AwsSecretsArgs
from infra.catalogue import Catalogue, CatalogueArgs
from infra.config import load
from infra.delivery import Delivery, DeliveryArgs
from infra.encryption import Encryption, EncryptionArgs
from infra.endpoint import Endpoint, EndpointArgs
from infra.events import Events, EventsArgs, authorities, receivers
from infra.functions import declare_functions
from infra.github_environment import GithubEnvironment, GithubEnvironmentArgs
from infra.google_identity import GoogleIdentity, GoogleIdentityArgs
from infra.google_secrets import GoogleSecrets, GoogleSecretsArgs
from infra.grants import Arns
from infra.ledger import Ledger, LedgerArgs
from infra.machines import declare_machines
from infra.names import CONTROL, FUNCTIONS, Names
from infra.native_rotation import NativeRotation, NativeRotationArgs
from infra.providers import Providers, declare_providers
from infra.resolved import resolved
from infra.schedule import SweepSchedule, SweepScheduleArgs
from infra.signals import Signals, SignalsArgs
from infra.triggers import Triggers, TriggersArgs
from infra.vault_login import VaultLogin, VaultLoginArgs
from infra.vault_store import VaultStore, VaultStoreArgs
from rotation.policy import Policy


def declare() -> None:
    """Declare the running program's stack; Refused before the first resource when anything is wrong."""
    settings = load()
    ready = resolved(policies.ALL, settings)
    check_zips(FUNCTIONS)
    names = Names(settings)
    providers = declare_providers(settings)
    readers = sorted({str(reader) for policy in _of("aws", ready) for reader in policy.readers})
    keys = Encryption("encryption", EncryptionArgs(names=names, readers=readers), providers.options())
    events = Events("events", EventsArgs(names=names, receivers=receivers(ready)), providers.options())
    pulumi.export("events", events.published)
    arns = _declare_state(names, ready, keys, events, providers)
    _declare_other_stores(names, ready, keys, providers)
    _declare_runtime(names, ready, keys, arns, providers)
    GithubEnvironment("github", GithubEnvironmentArgs(names=names), providers.options())


def _declare_state(
    names: Names, ready: Sequence[Policy], keys: Encryption, events: Events, providers: Providers
) -> Arns:
    key = keys.data_key_arn
    Ledger("ledger", LedgerArgs(names=names, data_key_arn=key), providers.options())
    catalogue = CatalogueArgs(names=names, policies=ready, data_key_arn=key, seal_key_arn=keys.seal_key_arn)
    Catalogue("catalogue", catalogue, providers.options())
    more = authorities("aws", names)
    args = AwsSecretsArgs(
        names=names,
        policies=_of("aws", ready),
        data_key_arn=key,
        more_authorities=more,
        slack_secret=names.settings.slack_secret,
    )
    secrets = AwsSecrets("aws-secrets", args, providers.options())
    return Arns(
        data_key=key,
        signing_key=keys.signing_key_arn,
        seal_key=keys.seal_key_arn,
        event_keys=events.key_arns,
        event_queue=events.queue_url,
        published=events.published,
        secrets=secrets.secret_arns,
        authorities=secrets.authority_arns,
        slack=secrets.slack_arn,
    )


def _declare_other_stores(names: Names, ready: Sequence[Policy], keys: Encryption, providers: Providers) -> None:
    shells = VaultStoreArgs(names=names, policies=_of("vault", ready), more_authorities=authorities("vault", names))
    vault = VaultStore("vault", shells, providers.options())
    login = VaultLoginArgs(names=names, public_key_pem=keys.public_key_pem, function_policy=vault.function_policy)
    VaultLogin("vault-login", login, providers.options())
    identity = GoogleIdentity("google-identity", GoogleIdentityArgs(names=names), providers.options())
    more = authorities("gcp", names)
    google = GoogleSecretsArgs(names=names, policies=_of("gcp", ready), member=identity.member, more_authorities=more)
    GoogleSecrets("google-secrets", google, providers.options())


def _declare_runtime(names: Names, ready: Sequence[Policy], keys: Encryption, arns: Arns, providers: Providers) -> None:
    options = providers.options
    functions = declare_functions(names, ready, keys, arns, options())
    NativeRotation("native-rotation", NativeRotationArgs(names=names, function=functions["aws"]), options())
    asking = EndpointArgs(names=names, function=functions[CONTROL], data_key_arn=keys.data_key_arn)
    pulumi.export("endpoint", Endpoint("endpoint", asking, options()).url)
    machines = declare_machines(names, functions, keys.data_key_arn, options())
    sweep = machines["sweep"].machine.arn
    SweepSchedule("schedule", SweepScheduleArgs(names=names, machine_arn=sweep), options())
    secret_names = [policy.ref.path for policy in _of("aws", ready)]
    Signals("signals", SignalsArgs(names=names, secret_names=secret_names), options())
    Triggers("triggers", TriggersArgs(names=names, policies=ready, function=functions[CONTROL]), options())
    topic = AlarmTopic("alarm-topic", AlarmTopicArgs(names=names, data_key_arn=keys.data_key_arn), options())
    alarms = Alarms("alarms", AlarmsArgs(names=names, rules=rules(names), topic_arn=topic.arn), options())
    rollback = {kind: [alarms.names[rule.name] for rule in function_rules(kind, names)] for kind in FUNCTIONS}
    Delivery("delivery", DeliveryArgs(names=names, alarms=rollback), options())


def _of(store: str, ready: Sequence[Policy]) -> list[Policy]:
    return [policy for policy in ready if policy.store == store]
