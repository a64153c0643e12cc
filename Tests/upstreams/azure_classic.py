"""Azure's older addresses: one for each deployment, and a version of the API behind all of them."""

from urllib.parse import parse_qs, urlsplit

from . import openai_chat
from .openai_chat import encode, error, is_stream, results, whole
from .wire import Refused, data

__all__ = ["check", "encode", "error", "events", "is_mine", "is_stream", "results", "whole"]


def is_mine(path):
    return "/openai/deployments/" in path and urlsplit(path).path.endswith("/chat/completions")


def check_place(path, body):
    """The deployment is in the path, and the version behind it."""
    parts = urlsplit(path)
    if parse_qs(parts.query).get("api-version") != ["2024-10-21"]:
        raise Refused("Resource not found", 404)
    if parts.path.split("/openai/deployments/")[1].split("/")[0] != body["model"]:
        raise Refused("The API deployment for this resource does not exist.", 404)


def check(path, body):
    check_place(path, body)
    openai_chat.check(path, body)


def events(reply, body):
    # The prompt was looked at before anything is said.
    yield data({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
    yield from openai_chat.events(reply, body)
