"""The providers that are made up, and how the gateway is told of them."""

import dataclasses

from . import anthropic_messages, azure_classic, bedrock, cohere, gemini, mistral, ollama, openai_chat, openai_responses


@dataclasses.dataclass(frozen=True)
class Provider:
    name: str
    model: str
    """As a client names it."""
    chat: object
    """The dialect."""
    path: str
    """Behind the provider's own name, which begins every path here."""
    key_field: str
    key: str
    environment: tuple
    """Its key's variable and its address's."""
    has_responses: bool = False
    """Whether clients of the Responses API are spoken for in their own dialect, whatever `chat` is."""
    way: str = ""
    """What tests call it where it is one of several ways to the same provider."""

    @property
    def label(self):
        return self.way or self.name

    def speaks(self, path):
        """Whether a client of this path is understood as it is."""
        return self.chat.is_mine(path) or (self.has_responses and openai_responses.is_mine(path))

    @property
    def key_is(self):
        return f"Bearer {self.key}" if self.key_field == "authorization" else self.key


def provider(name, model, chat, key_variable, url_variable, path="", key_field="authorization"):
    has_responses = name in ("openai", "azure", "xai")
    return Provider(name, f"{name}/{model}", chat, path, key_field, f"key-of-{name}", (key_variable, url_variable), has_responses)


PROVIDERS = {
    entry.name: entry
    for entry in [
        provider("openai", "gpt-peer", openai_chat, "OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        provider("azure", "gpt-peer", openai_chat, "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_BASE_URL", "/openai/v1", "api-key"),
        provider("mistral", "mistral-peer", mistral, "MISTRAL_API_KEY", "MISTRAL_API_BASE", "/v1"),
        provider("deepseek", "deepseek-peer", openai_chat, "DEEPSEEK_API_KEY", "DEEPSEEK_API_BASE"),
        provider("anthropic", "claude-peer", anthropic_messages, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "", "x-api-key"),
        provider("gemini", "gemini-peer", gemini, "GEMINI_API_KEY", "GEMINI_BASE_URL", "", "x-goog-api-key"),
        provider("cohere", "command-peer", cohere, "CO_API_KEY", "CO_API_URL"),
        provider("ollama", "llama-peer:8b", ollama, "OLLAMA_API_KEY", "OLLAMA_BASE_URL"),
        provider("bedrock", "eu.anthropic.claude-peer-v1:0", bedrock, "", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
        provider("stability", "core", None, "STABILITY_API_KEY", "STABILITY_API_BASE"),
        # For what breaks, so that nobody else's breaker opens.
        provider("groq", "llama-peer", openai_chat, "GROQ_API_KEY", "GROQ_API_BASE", "/openai/v1"),
        provider("together", "llama-peer", openai_chat, "TOGETHER_API_KEY", "TOGETHER_AI_API_BASE", "/v1"),
        provider("xai", "grok-peer", openai_chat, "XAI_API_KEY", "XAI_API_BASE", "/v1"),
        provider("fireworks", "llama-peer", openai_chat, "FIREWORKS_API_KEY", "FIREWORKS_API_BASE", "/inference/v1"),
    ]
}

# A model that OpenAI serves by no other way, as the catalogue says.
RESPONSES = dataclasses.replace(PROVIDERS["openai"], model="openai/gpt-5.3-codex", chat=openai_responses, way="openai-responses")

DIALECTS = [azure_classic, openai_chat, openai_responses, anthropic_messages, gemini, cohere, ollama, bedrock]


def environment(url):
    """What the gateway is told."""
    variables = {
        "AWS_ACCESS_KEY_ID": bedrock.ACCESS,
        "AWS_SECRET_ACCESS_KEY": bedrock.SECRET,
        "AWS_REGION": bedrock.REGION,
    }
    for entry in PROVIDERS.values():
        key_variable, url_variable = entry.environment
        if key_variable:
            variables[key_variable] = entry.key
        variables[url_variable] = f"{url}/{entry.name}{entry.path}"
    return variables
