"""A check of our own, loaded by schemathesis."""

import schemathesis


@schemathesis.check
def as_described_is_not_malformed(ctx, response, case):
    """What the document allows is never refused as being otherwise than it should be."""
    mode = case.meta and case.meta.generation.mode
    if mode == schemathesis.GenerationMode.POSITIVE and response.status_code == 422:
        code = response.json()["error"]["code"]
        assert code != "invalid_fields", f"refused although it is as described: {response.text[:500]}"
