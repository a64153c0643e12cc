"""LiteLLM's SDK, with the gateway as one more OpenAI."""

import json
import os

import pytest
from families import CALLS, HELLO, TEXT, TOOL, calls, families, says

# It would look for prices on the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
litellm = pytest.importorskip("litellm", reason="LiteLLM is not in this environment")

various = families("openai", "anthropic", "gemini", "cohere", "ollama", "bedrock")


@pytest.fixture
def ask(house, family):
    def completion(**arguments):
        return litellm.completion(
            # `openai/` is LiteLLM's, the rest the gateway's.
            model=f"openai/{family.model}", api_base=f"{house.url}/v1", api_key=house.key, messages=HELLO, **arguments
        )

    return completion


@various
def test_a_question_is_answered(ask, peer, family):
    peer.will(says(input=21, output=13))
    answer = ask()
    assert answer.choices[0].message.content == TEXT
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (21, 13)


@various
def test_an_answer_is_streamed(ask, peer, family):
    peer.will(says())
    chunks = list(ask(stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    assert [reason for chunk in chunks if (reason := chunk.choices[0].finish_reason)] == ["stop"]


@various
@pytest.mark.parametrize("is_stream", [False, True])
def test_tools_are_called(ask, peer, family, is_stream):
    peer.will(calls())
    answer = ask(tools=[TOOL], stream=is_stream)
    if is_stream:
        answer = litellm.stream_chunk_builder(list(answer))
    made = answer.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments) for call in made] == [call.arguments for call in CALLS]
