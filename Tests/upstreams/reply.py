"""What a provider is to say, in no provider's words, and how."""

import dataclasses
import json


@dataclasses.dataclass
class Call:
    """Of a tool."""

    name: str
    arguments: dict
    id: str = ""

    @property
    def text(self):
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclasses.dataclass
class Reply:
    text: str = ""
    calls: list = dataclasses.field(default_factory=list)
    thought: str = ""
    signature: str = ""
    """Of the thought, as the provider made it."""
    input: int = 11
    output: int = 7
    cached: int = 0
    """Of the input, read from the provider's cache."""
    is_cut: bool = False
    """Whether the answer ended because it was long enough."""

    def pieces(self, text):
        """`text` as a model says it: in pieces of a few characters."""
        return [text[start : start + 7] for start in range(0, len(text), 7)]


@dataclasses.dataclass
class Answer:
    """How a request is answered."""

    reply: Reply = dataclasses.field(default_factory=lambda: Reply("Hello from the provider."))
    status: int = 200
    fields: dict = dataclasses.field(default_factory=dict)
    message: str = "the provider is not well"
    body: bytes = None
    """Instead of what the dialect would say, be it a stream or not."""
    content_type: str = None
    piece: int = None
    """How many bytes at a time."""
    has_crlf: bool = False
    has_comments: bool = False
    cut_after: int = None
    """Events, after which the connection is closed."""
    extra_length: int = 0
    """Bytes that are promised and do not come."""
    silence: tuple = (0, 0.0)
    """After so many events nothing is said for so many seconds."""
    pause: float = 0.0
    """Between events."""
