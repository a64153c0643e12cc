"""What goes wrong, as each official client raises it."""

import concurrent.futures
import json
import time

import pytest
from families import FAMILIES, HELLO, every_family, says
from upstreams import Answer
from upstreams.asking import post
from upstreams.providers import PROVIDERS

openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")
anthropic = pytest.importorskip("anthropic", reason="Anthropic's client is not in this environment")

# Providers that no other test needs to be well.
GROQ, TOGETHER = "groq/llama-peer", "together/llama-peer"
FRONTS = ["openai", "anthropic", "responses"]
ROUTES = {"openai": "createChatCompletion", "anthropic": "createMessage", "responses": "createResponse"}


def ask(front, gateway, model, key=None, retries=0, **more):
    """One question, with the client that belongs to the front."""
    key = key or gateway.key
    if front == "anthropic":
        client = anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=retries)
        return client.messages.create(model=model, max_tokens=50, messages=HELLO, **more)
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=retries)
    if front == "responses":
        return client.responses.create(model=model, input="hello there", **more)
    return client.chat.completions.create(model=model, messages=HELLO, **more)


def raised(front, name):
    return getattr(anthropic if front == "anthropic" else openai, name)


def kind(front, failure):
    """The error's type in the dialect's own words."""
    if front == "anthropic":
        assert failure.body["type"] == "error"
        assert failure.body["request_id"].startswith("req_")
        return failure.body["error"]["type"]
    return failure.type


def is_asked(family, asked):
    """Some formats have the model in the path, and there are no two ways to those providers."""
    return asked.provider.name == family.name and family.model.endswith(asked.body.get("model", ""))


# MARK: The caller's own


@pytest.mark.parametrize("front", FRONTS)
def test_a_wrong_key_is_an_authentication_error(house, peer, front):
    with pytest.raises(raised(front, "AuthenticationError")) as failure:
        ask(front, house, "openai/gpt-peer", key="hg_live_wrong")
    assert failure.value.status_code == 401
    if front == "anthropic":
        assert kind(front, failure.value) == "authentication_error"
    else:
        assert failure.value.code == "invalid_api_key"
    assert not peer.asked


@pytest.fixture(scope="module")
def narrow_key(house):
    """A key for one model only."""
    owner = {"email": house.credentials["HIVEGATE_OWNER_EMAIL"], "password": house.credentials["HIVEGATE_OWNER_PASSWORD"]}
    session = json.loads(post(house, "/api/auth/login", owner)[2])["access_token"]
    body = {"name": "narrow", "scopes": ["inference"], "allowed_models": ["openai/gpt-peer"]}
    status, _, answer = post(house, "/api/auth/api-keys", body, {"Authorization": f"Bearer {session}"})
    assert status == 201, answer
    return json.loads(answer)["key"]


@pytest.mark.parametrize("front", FRONTS)
def test_a_model_that_the_key_may_not_use_is_forbidden(house, peer, narrow_key, front):
    assert ask(front, house, "openai/gpt-peer", key=narrow_key)
    with pytest.raises(raised(front, "PermissionDeniedError")) as failure:
        ask(front, house, "anthropic/claude-peer", key=narrow_key)
    assert failure.value.status_code == 403
    assert len(peer.asked) == 1


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("model", ["sandbox/none", "nobody/model", "gpt", "openai/"])
def test_a_model_that_is_nobodys_is_not_found(house, peer, front, model):
    with pytest.raises(raised(front, "NotFoundError")) as failure:
        ask(front, house, model)
    assert failure.value.status_code == 404
    assert (kind(front, failure.value) == "not_found_error") if front == "anthropic" else (failure.value.code == "model_not_found")


@every_family
@pytest.mark.parametrize("front", FRONTS)
def test_a_model_that_the_provider_does_not_know_is_not_found(house, peer, family, front):
    peer.will(Answer(status=404, message="no such model here"))
    with pytest.raises(raised(front, "NotFoundError")) as failure:
        ask(front, house, family.model)
    assert "no such model here" in str(failure.value)
    assert len(peer.asked) == 1


@pytest.mark.parametrize("front", FRONTS)
def test_what_is_too_large_is_refused_as_such(house, peer, front):
    huge = "x" * (17 * 1024 * 1024)
    with pytest.raises(raised(front, "APIStatusError")) as failure:
        if front == "anthropic":
            anthropic.Anthropic(base_url=house.url, api_key=house.key, max_retries=0).messages.create(
                model="openai/gpt-peer", max_tokens=5, messages=[{"role": "user", "content": huge}]
            )
        else:
            client = openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0)
            client.chat.completions.create(model="openai/gpt-peer", messages=[{"role": "user", "content": huge}])
    assert failure.value.status_code == 413
    if front == "anthropic":
        assert kind(front, failure.value) == "request_too_large"
    assert not peer.asked


def test_a_field_that_is_wrong_is_named(house, peer):
    client = openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0)
    for field, value in [("temperature", "hot"), ("max_tokens", -1), ("n", 0)]:
        with pytest.raises((openai.BadRequestError, openai.UnprocessableEntityError)) as failure:
            client.chat.completions.create(model="anthropic/claude-peer", messages=HELLO, **{field: value})
        assert failure.value.param == field
        assert field in failure.value.message
    with pytest.raises(anthropic.BadRequestError) as failure:
        anthropic.Anthropic(base_url=house.url, api_key=house.key, max_retries=0).messages.create(
            model="openai/gpt-peer", max_tokens=-1, messages=HELLO
        )
    assert "max_tokens" in str(failure.value)
    assert not peer.asked


@every_family
@pytest.mark.parametrize("front", FRONTS)
def test_a_request_that_the_provider_refuses_is_a_bad_request_and_not_repeated(house, peer, family, front):
    peer.will(Answer(status=400, message="that is too hot for me"))
    with pytest.raises(raised(front, "BadRequestError")) as failure:
        ask(front, house, family.model, retries=2)
    assert "that is too hot for me" in str(failure.value)
    assert len(peer.asked) == 1


# MARK: The provider's


@pytest.mark.parametrize("front", FRONTS)
def test_a_failing_provider_is_the_gateways_to_explain(house, peer, front):
    peer.always = lambda asked: Answer(status=500, message=f"my key is {asked.provider.key}")

    def explained(family):
        with pytest.raises(raised(front, "InternalServerError")) as failure:
            ask(front, house, family.model)
        assert failure.value.status_code == 502
        assert family.key not in str(failure.value)
        assert kind(front, failure.value) in ("api_error", "server_error")
        # At most three times, and never without end.
        assert 1 <= len([asked for asked in peer.asked if is_asked(family, asked)]) <= 3
        return True

    # All at once, because each waits before it asks again.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert all(pool.map(explained, FAMILIES))


def test_a_refusal_of_the_gateways_own_account_is_not_the_clients(house, peer):
    # Its key is left alone for a while: no other test asks this one.
    model = PROVIDERS["fireworks"].model
    peer.always = lambda asked: Answer(status=401, message="your key key-of-fireworks is wrong")
    for front in FRONTS:
        with pytest.raises(raised(front, "InternalServerError")) as failure:
            ask(front, house, model)
        assert failure.value.status_code == 502
        assert "key-of-fireworks" not in str(failure.value)
    assert 1 <= len(peer.asked) <= 3


@every_family
def test_one_failure_is_made_good_before_the_client_knows(house, peer, family):
    peer.will(Answer(status=503), says())
    raw = openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0).chat.completions.with_raw_response
    answer = raw.create(model=family.model, messages=HELLO)
    assert answer.headers["x-hivegate-attempts"] == "2"
    assert answer.parse().usage.total_tokens == 18
    assert [asked.status for asked in peer.asked] == [503, 200]


@pytest.mark.parametrize("front", FRONTS)
def test_a_limit_is_obeyed_and_then_told(house, peer, front):
    peer.always = lambda asked: Answer(status=429, fields={"retry-after": "1"}, message="slow down")
    before = house.metric("hivegate_requests_total", ROUTES[front])
    started = time.monotonic()
    with pytest.raises(raised(front, "RateLimitError")) as failure:
        ask(front, house, GROQ, retries=2)
    took = time.monotonic() - started
    assert failure.value.response.headers["retry-after"] == "1"
    # Three attempts at the gateway, a second apart.
    assert house.metric("hivegate_requests_total", ROUTES[front]) - before == 3
    assert 1.9 < took < 6
    assert 1 <= len(peer.asked) <= 3


@pytest.mark.parametrize("front", FRONTS)
def test_milliseconds_until_the_next_attempt_reach_the_client(house, peer, front):
    peer.will(Answer(status=429, fields={"retry-after-ms": "250"}))
    with pytest.raises(raised(front, "RateLimitError")) as failure:
        ask(front, house, GROQ)
    assert 0 < int(failure.value.response.headers["retry-after-ms"]) <= 250
    time.sleep(0.3)
    started = time.monotonic()
    peer.will(Answer(status=429, fields={"retry-after-ms": "250"}), says())
    assert ask(front, house, GROQ, retries=2)
    assert 0.2 < time.monotonic() - started < 3
    assert [asked.status for asked in peer.asked] == [429, 429, 200]


@pytest.mark.parametrize("front", FRONTS)
def test_what_is_not_worth_another_attempt_gets_none(house, peer, front):
    peer.always = lambda asked: Answer(status=429, fields={"x-should-retry": "false"})
    before = house.metric("hivegate_requests_total", ROUTES[front])
    with pytest.raises(raised(front, "RateLimitError")) as failure:
        ask(front, house, TOGETHER, retries=2)
    assert failure.value.response.headers["x-should-retry"] == "false"
    assert house.metric("hivegate_requests_total", ROUTES[front]) - before == 1
    assert len(peer.asked) == 1


@every_family
@pytest.mark.parametrize("front", ["openai", "anthropic"])
def test_a_failure_before_the_first_byte_of_a_stream_is_a_status(house, peer, family, front):
    peer.will(Answer(status=404, message="no such model here"))
    with pytest.raises(raised(front, "NotFoundError")):
        ask(front, house, family.model, stream=True)
