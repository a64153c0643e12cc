"""LangChain's client for OpenAI."""

import json

import pytest
from families import CALLS, TEXT, calls, families, says

langchain_openai = pytest.importorskip("langchain_openai", reason="LangChain is not in this environment")
pydantic = pytest.importorskip("pydantic")

# One provider of each dialect.
various = families("openai", "anthropic", "gemini", "cohere", "ollama", "bedrock")


class Weather(pydantic.BaseModel):
    """The weather somewhere."""

    city: str
    degrees: int


def get_weather(city: str, days: int = 1) -> str:
    """The weather."""
    return f"sunny in {city}"


@pytest.fixture(params=[False, True], ids=["chat", "responses"])
def model(request, house, family):
    return langchain_openai.ChatOpenAI(
        model=family.model,
        base_url=f"{house.url}/v1",
        api_key=house.key,
        max_retries=0,
        use_responses_api=request.param,
    )


@various
def test_a_question_is_answered(model, peer, family):
    peer.will(says(input=21, output=13))
    answer = model.invoke([("system", "Be brief."), ("human", "hello there")])
    assert answer.text == TEXT
    assert (answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"]) == (21, 13)


@various
def test_an_answer_is_streamed(model, peer, family):
    peer.will(says())
    chunks = list(model.stream("hello there"))
    assert "".join(chunk.text for chunk in chunks) == TEXT
    assert len([chunk for chunk in chunks if chunk.text]) > 1


@various
def test_tools_are_called_and_answered(model, peer, family):
    from langchain_core.messages import HumanMessage, ToolMessage

    peer.will(calls(), says())
    bound = model.bind_tools([get_weather])
    conversation = [HumanMessage("hello there")]
    conversation.append(bound.invoke(conversation))
    made = conversation[-1].tool_calls
    assert [call["args"] for call in made] == [call.arguments for call in CALLS]
    conversation += [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in made]
    assert bound.invoke(conversation).text == TEXT
    assert peer.results == ["sunny in Łódź", "sunny in São Paulo"]


@various
def test_an_answer_has_the_structure_that_is_wanted(model, peer, family):
    peer.will(says(json.dumps({"city": "Łódź", "degrees": -3})))
    assert model.with_structured_output(Weather).invoke("hello there") == Weather(city="Łódź", degrees=-3)


def test_texts_become_vectors(house, peer):
    from upstreams.openai_chat import vector

    embeddings = langchain_openai.OpenAIEmbeddings(
        model="openai/gpt-peer", base_url=f"{house.url}/v1", api_key=house.key, check_embedding_ctx_length=False
    )
    assert embeddings.embed_documents(["one", "two"]) == [vector("one", None), vector("two", None)]
