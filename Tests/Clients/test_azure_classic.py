"""Azure at its older addresses, as OpenAI's own client reaches it through the gateway."""

import base64

import pytest
from conftest import Gateway
from families import HELLO, TEXT, TOOL, calls, says
from upstreams import Answer
from upstreams.openai_chat import vector

openai = pytest.importorskip("openai", reason="OpenAI's client is not in this environment")

MODEL = "azure/team-gpt"
PLACE = "/azure/openai/deployments/team-gpt"
VERSION = "?api-version=2024-10-21"


@pytest.fixture(scope="module")
def client(providers):
    instance = Gateway(
        {
            "AZURE_OPENAI_API_KEY": "key-of-azure",
            "AZURE_OPENAI_ENDPOINT": f"{providers.url}/azure/",
            "OPENAI_API_VERSION": "2024-10-21",
        }
    ).start()
    yield openai.OpenAI(base_url=f"{instance.url}/v1", api_key=instance.key, max_retries=0)
    instance.remove()


@pytest.fixture
def peer(providers):
    providers.reset()
    yield providers
    assert providers.troubles == []
    providers.reset()


def test_an_answer_comes_from_the_deployment_that_the_model_names(client, peer):
    peer.will(says(input=21, output=13))
    answer = client.chat.completions.create(model=MODEL, messages=HELLO)
    assert (answer.choices[0].message.content, answer.usage.total_tokens) == (TEXT, 34)
    assert peer.last.path == f"{PLACE}/chat/completions{VERSION}"
    assert peer.last.body["model"] == "team-gpt"
    assert peer.last.fields["api-key"] == "key-of-azure"


def test_a_stream_comes_from_there_too(client, peer):
    peer.will(says(input=21, output=13))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, **options))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert chunks[-1].usage.total_tokens == 34
    assert peer.last.path == f"{PLACE}/chat/completions{VERSION}"


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_response_is_translated_there(client, peer, is_stream):
    peer.will(calls())
    answer = client.responses.create(model=MODEL, input="hello there", stream=is_stream, tools=[TOOL["function"] | {"type": "function"}])
    response = list(answer)[-1].response if is_stream else answer
    assert [item.type for item in response.output] == ["function_call", "function_call"]
    assert peer.last.path == f"{PLACE}/chat/completions{VERSION}"


def test_vectors_and_images_come_from_deployments(client, peer):
    answer = client.embeddings.create(model="azure/team-vectors", input=["one"])
    assert answer.data[0].embedding == vector("one", None)
    assert peer.last.path == f"/azure/openai/deployments/team-vectors/embeddings{VERSION}"
    image = client.images.generate(model="azure/team-images", prompt="A lighthouse")
    assert base64.b64decode(image.data[0].b64_json) == b"\x89PNG drawn"
    assert peer.last.path == f"/azure/openai/deployments/team-images/images/generations{VERSION}"


def test_a_deployment_that_is_not_there_is_not_found(client, peer):
    peer.will(Answer(status=404, message="The API deployment for this resource does not exist."))
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="azure/nobodys", messages=HELLO)
    for name in ["..", "."]:
        with pytest.raises(openai.BadRequestError) as failure:
            client.chat.completions.create(model=f"azure/{name}", messages=HELLO)
        assert failure.value.param == "model"
    assert len(peer.asked) == 1


def test_without_a_version_the_addresses_are_as_openais(make_gateway, providers):
    providers.reset()
    gateway = make_gateway({"AZURE_OPENAI_API_KEY": "key-of-azure", "AZURE_OPENAI_ENDPOINT": f"{providers.url}/azure"}).start()
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)
    assert client.chat.completions.create(model="azure/gpt-peer", messages=HELLO).choices
    assert providers.last.path == "/azure/openai/v1/chat/completions"
