"""Mistral: OpenAI's chat dialect, in which unknown fields are refused and the usage comes unasked."""

from . import openai_chat
from .openai_chat import encode, error, is_mine, is_stream, results, whole
from .wire import only

__all__ = ["check", "encode", "error", "events", "is_mine", "is_stream", "results", "whole"]

FIELDS = (
    "model messages temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice "
    "presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort safe_prompt guardrails"
).split()


def check(path, body):
    openai_chat.check(path, body)
    only(body, *FIELDS)


def events(reply, body):
    *most, ending, usage, done = openai_chat.events(reply, body | {"stream_options": {"include_usage": True}})
    count = usage.split(b'"usage":', 1)[1]
    yield from most
    yield ending.replace(b'"usage":null}\n\n', b'"usage":' + count)
    yield done
