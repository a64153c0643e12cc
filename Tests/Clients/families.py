"""The ways of speaking with providers, and what a test says in all of them."""

import pytest

from upstreams import Answer, Call, Reply
from upstreams.providers import PROVIDERS, RESPONSES

FAMILIES = [
    PROVIDERS[name]
    for name in ["openai", "azure", "mistral", "deepseek", "anthropic", "gemini", "cohere", "ollama", "bedrock"]
] + [RESPONSES]


def families(*names):
    """Runs a test once for each of these ways."""
    found = [family for family in FAMILIES if family.label in names]
    return pytest.mark.parametrize("family", found, ids=lambda family: family.label)


every_family = families(*(family.label for family in FAMILIES))

# Characters of two, three and four bytes, which are cut apart where bytes are counted.
TEXT = "Grüße aus Łódź: 你好, 🌍! Fin."
HELLO = [{"role": "user", "content": "hello there"}]
# What a stream of a broken provider begins with.
LONG = " ".join(f"word{number}" for number in range(60))

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}}
ANTHROPIC_TOOL = {"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}
CALLS = [
    Call("get_weather", {"city": "Łódź", "days": 2}, "call_one"),
    Call("get_weather", {"city": "São Paulo"}, "call_two"),
]


def says(text=TEXT, **more):
    return Answer(Reply(text, **more))


def calls():
    """Two calls at once."""
    return Answer(Reply(calls=CALLS))
