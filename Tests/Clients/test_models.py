"""The models that OpenAI's own client is told of: the catalogue's, and what the upstream lists."""

import json
import urllib.request

import openai
import pytest


@pytest.fixture
def client(gateway):
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)


def get(gateway, path):
    request = urllib.request.Request(f"{gateway.url}{path}", headers={"Authorization": f"Bearer {gateway.key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def test_a_model_with_a_slash_in_its_name_is_retrieved(client):
    for name in ("openai/gpt-4o", "sandbox/echo"):
        model = client.models.retrieve(name)
        assert (model.id, model.object) == (name, "model")
    assert client.models.retrieve("openai/gpt-4o").created > 0


def test_a_model_that_is_not_there_has_the_nearest_in_its_error(client):
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve("openai/gpt-4omini")
    assert error.value.code == "model_not_found"
    assert '"openai/gpt-4o-mini"' in error.value.message


def test_the_shipped_catalogue_is_there_from_the_first_start(gateway):
    page = json.loads(get(gateway, "/api/v1/models?limit=1000&include_deprecated=true"))
    assert page["total"] >= 120 and len(page["data"]) == page["total"]
    assert len(page["facets"]["providers"]) >= 18
    available = {model["provider"] for model in page["data"] if model["is_available"]}
    assert available == {"openai", "sandbox"}


def test_the_age_of_the_oldest_price_is_among_the_metrics(gateway):
    lines = get(gateway, "/metrics").splitlines()
    ages = [line.split()[1] for line in lines if line.startswith("hivegate_catalog_oldest_price_days ")]
    assert len(ages) == 1 and int(ages[0]) > 0
