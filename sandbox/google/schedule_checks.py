"""What a secret may schedule: topics, rotation, delayed destruction. Refusals are INVALID_ARGUMENT.

The schedule is checked and stored; notices are recorded for state changes only. A `SECRET_ROTATE` notice is
deliberately not sent: nothing in the project reads one, its own sweep starts rotations.
"""

from __future__ import annotations

import re

from sandbox.google.protos import SecretMessage
from sandbox.google.refusals import invalid

# `Secret.topics`: "A list of up to 10 Pub/Sub topics".
MAX_TOPICS = 10
# `Rotation.next_rotation_time`: "cannot be set to less than 300s (5 min) in the future and at most ... (100 years)".
MIN_ROTATION_LEAD_S = 300
# `Rotation.rotation_period`: "Must be at least 3600s (1h) and at most 3153600000s (100 years)".
MIN_ROTATION_PERIOD_S = 3600
MAX_ROTATION_S = 3_153_600_000
# 1 to 1000 days, as quoted from 'Delay destruction of secret versions' (see ASSUMPTIONS.md).
MIN_DESTROY_TTL_S = 86_400
MAX_DESTROY_TTL_S = 86_400 * 1000

_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")


def check_topics(secret: SecretMessage) -> None:
    """At most ten topics, each `projects/*/topics/*` (`Topic.name`)."""
    if len(secret.topics) > MAX_TOPICS:
        raise invalid(f"A secret publishes to at most {MAX_TOPICS} topics, not {len(secret.topics)}.")
    for topic in secret.topics:
        if _TOPIC.fullmatch(topic.name) is None:
            raise invalid(f"Topic [{topic.name}] is not in the format projects/*/topics/*.")


def check_rotation(secret: SecretMessage, now: float) -> None:
    """Lead time, period, the period's need of a first time, and the topic that a rotation must have (`Rotation`)."""
    if not secret.HasField("rotation"):
        return
    rotation = secret.rotation
    if not secret.topics:
        raise invalid("A rotation needs at least one topic.")
    has_next = rotation.HasField("next_rotation_time")
    if has_next and not MIN_ROTATION_LEAD_S <= rotation.next_rotation_time.seconds - now <= MAX_ROTATION_S:
        raise invalid(f"next_rotation_time must be {MIN_ROTATION_LEAD_S} to {MAX_ROTATION_S} s ahead.")
    if rotation.HasField("rotation_period"):
        if not has_next:
            raise invalid("rotation_period needs next_rotation_time.")
        if not MIN_ROTATION_PERIOD_S <= rotation.rotation_period.seconds <= MAX_ROTATION_S:
            raise invalid(f"rotation_period must be {MIN_ROTATION_PERIOD_S} to {MAX_ROTATION_S} s.")


def check_destroy_ttl(secret: SecretMessage) -> None:
    """Zero or absent turns the delay off; otherwise 1 to 1000 days (`Secret.version_destroy_ttl`)."""
    seconds = secret.version_destroy_ttl.seconds
    if seconds and not MIN_DESTROY_TTL_S <= seconds <= MAX_DESTROY_TTL_S:
        raise invalid(f"version_destroy_ttl must be {MIN_DESTROY_TTL_S} to {MAX_DESTROY_TTL_S} s.")
