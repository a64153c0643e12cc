"""The key of LiteLLM's callers and its limits: without a database it asks such a function. Runs inside of LiteLLM."""

from litellm.proxy._types import UserAPIKeyAuth

ENOUGH = 1_000_000_000


async def check(request, api_key):
    if api_key != "sk-bench":
        raise PermissionError("the key is not known")
    return UserAPIKeyAuth(api_key=api_key, rpm_limit=ENOUGH, tpm_limit=ENOUGH)
