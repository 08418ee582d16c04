"""Who hears of a new version, by channel: Redis, SQS and RQ; what they hear; and how it is signed."""
