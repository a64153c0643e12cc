"""A server of the house: one program on a port of its own, which asks nobody for a key unless it is told to."""

from . import ollama, openai_chat
from .providers import Provider
from .reply import Answer
from .server import Upstreams
from .wire import Refused

OWNERS = {"vllm": "vllm", "llamacpp": "llamacpp", "lmstudio": "organization_owner"}


class LocalServer(Upstreams):
    """Lists `models` as the program of that name does."""

    def __init__(self, name, *models, port=0, key=None):
        self.name, self.models, self.key = name, models, key
        self.shown = []
        """The paths that somebody looked at."""
        super().__init__(port)

    def provider(self, target):
        dialect = ollama if self.name == "ollama" else openai_chat
        return Provider(self.name, "", dialect, "", "authorization", self.key or "", ())

    def check_key(self, asked):
        # llama.cpp lists its models for everybody.
        is_open = self.name == "llamacpp" and asked.path in ("/", "/v1/models")
        if self.key and not is_open:
            super().check_key(asked)

    async def show(self, asked, writer):
        self.shown.append(asked.path)
        if asked.path == "/v1/models":
            return await self.whole(asked, Answer(), writer, self.listed())
        if asked.path == "/" and self.name == "ollama":
            return await self.whole(asked, Answer(body=b"Ollama is running", content_type="text/plain"), writer, None)
        if asked.path == "/props" and self.name == "llamacpp":
            return await self.whole(asked, Answer(), writer, {"total_slots": 1})
        raise Refused(f"there is no {asked.path}", 404)

    def listed(self):
        if self.name != "ollama":
            return openai_chat.models(self.models, OWNERS.get(self.name, self.name))
        rows = [openai_chat.models([model], self.namespace(model))["data"][0] for model in self.models]
        return {"object": "list", "data": rows or None}

    def namespace(self, model):
        parts = model.split("/")
        return parts[-2] if len(parts) > 1 else "library"
