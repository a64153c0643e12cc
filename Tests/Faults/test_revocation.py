"""A key that one gateway revokes is refused by another on the very next request."""

import contextlib

from conftest import wait_until
from two_gateways import TwoGateways

REVOCATIONS = 1000


class Installation(TwoGateways):
    def listeners(self):
        return int(self.redis("PUBSUB", "NUMSUB", "hg:keys").splitlines()[1])

    def revoke_and_ask(self):
        """Makes, uses and revokes keys at the first gateway; each is used at the second before and after."""
        first, second = self.clients
        token = self.sign_in()
        for number in range(REVOCATIONS):
            wanted = {"name": f"key {number}", "scopes": ["inference"]}
            status, made = first.call("POST", "/api/auth/api-keys", wanted, token)
            assert status == 201
            for client in self.clients:
                assert client.call("GET", "/v1/models", credential=made["key"])[0] == 200
            assert first.call("DELETE", f"/api/auth/api-keys/{made['id']}", credential=token)[0] == 204
            assert second.call("GET", "/v1/models", credential=made["key"])[0] == 401, f"revocation {number}"
            assert first.call("GET", "/v1/models", credential=made["key"])[0] == 401, f"revocation {number}"


def test_a_thousand_revoked_keys_are_refused_at_once():
    with contextlib.ExitStack() as resources:
        installation = Installation(resources)
        wait_until(lambda: installation.listeners() == 2, what="the gateways' subscriptions")
        installation.revoke_and_ask()


def test_a_thousand_revoked_keys_are_refused_at_once_also_where_nobody_may_subscribe():
    with contextlib.ExitStack() as resources:
        installation = Installation(resources, ("ACL", "SETUSER", "default", "-subscribe", "-psubscribe"))
        installation.revoke_and_ask()
        assert installation.listeners() == 0
