"""What an organization says of its providers at one gateway holds at another on the very next request."""

import contextlib

from answering_provider import Provider
from conftest import wait_until
from two_gateways import TwoGateways

CHANGES = 100


def by_key(resources):
    """A provider that says which key it was asked with."""
    return Provider(resources, content=lambda key, number: key)


def asked(client, key, model="openai/any"):
    """The key that answered, or the status."""
    request = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    status, answer = client.call("POST", "/v1/chat/completions", request, key)
    return answer["choices"][0]["message"]["content"] if status == 200 else status


def test_keys_and_policies_hold_at_both_gateways_at_once():
    with contextlib.ExitStack() as resources:
        provider = by_key(resources)
        settings = {
            "OPENAI_API_KEY": "sk-instance", "OPENAI_BASE_URL": provider.url, "HIVEGATE_OUTBOUND_ALLOW": "127.0.0.0/8"}
        gateways = TwoGateways(resources, settings=settings)
        first, second = gateways.clients
        token = gateways.sign_in()
        wanted = {"name": "key", "scopes": ["inference"]}
        key = first.call("POST", "/api/auth/api-keys", wanted, token)[1]["key"]
        organization = first.call("GET", "/api/v1/organizations", credential=token)[1]["data"][0]["id"]
        routing = f"/api/v1/organizations/{organization}/routing"
        for client in gateways.clients:
            assert asked(client, key) == "sk-instance"
        for number in range(CHANGES):
            own = f"sk-own-{number}"
            new = {"provider": "openai", "api_key": own, "base_url": provider.url}
            status, made = first.call("POST", "/api/v1/credentials", new, token)
            assert status == 201
            assert [asked(client, key) for client in (second, first)] == [own, own], f"change {number}"
            assert first.call("DELETE", f"/api/v1/credentials/{made['id']}", credential=token)[0] == 204
            assert asked(second, key) == "sk-instance", f"change {number}"
            assert first.call("PUT", routing, {"ignore": ["openai"]}, token)[0] == 200
            assert asked(second, key) == 404, f"change {number}"
            assert first.call("PUT", routing, {"ignore": []}, token)[0] == 200
            assert asked(second, key) == "sk-instance", f"change {number}"


def test_a_provider_that_an_operator_adds_or_deletes_is_known_to_the_other_gateway_soon():
    with contextlib.ExitStack() as resources:
        provider = by_key(resources)
        gateways = TwoGateways(resources)
        gateways.make_owner_operator()
        first, second = gateways.clients
        token = gateways.sign_in()
        key = first.call("POST", "/api/auth/api-keys", {"name": "key", "scopes": ["inference"]}, token)[1]["key"]
        house = {"name": "house", "dialect": "openai", "base_url": provider.url, "api_key": "sk-house"}
        assert asked(second, key, "house/any") == 404
        assert first.call("POST", "/api/v1/admin/providers", house, token)[0] == 201
        assert asked(first, key, "house/any") == "sk-house"
        wait_until(lambda: asked(second, key, "house/any") == "sk-house", 15, "the other gateway's look")
        assert first.call("DELETE", "/api/v1/admin/providers/house", credential=token)[0] == 204
        assert asked(first, key, "house/any") == 404
        wait_until(lambda: asked(second, key, "house/any") == 404, 15, "the other gateway's look")
