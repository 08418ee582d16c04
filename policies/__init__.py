"""Every rotation policy, one file each. A policy that is not in `ALL` does not exist; an empty `ALL` is an error."""

from policies.analytics_signing_key import ANALYTICS_SIGNING_KEY
from policies.billing_processor_login import BILLING_PROCESSOR_LOGIN
from policies.exports_iam_key import EXPORTS_IAM_KEY
from policies.partners_api_token import PARTNERS_API_TOKEN
from policies.partners_webhook_key import PARTNERS_WEBHOOK_KEY
from policies.payments_postgres import PAYMENTS_POSTGRES
from rotation.policy import Policy

ALL: tuple[Policy, ...] = (
    PAYMENTS_POSTGRES,
    PARTNERS_API_TOKEN,
    ANALYTICS_SIGNING_KEY,
    PARTNERS_WEBHOOK_KEY,
    EXPORTS_IAM_KEY,
    BILLING_PROCESSOR_LOGIN,
)
