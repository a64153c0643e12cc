"""Providers of models, made up: each speaks its own wire format byte by byte, says what a test wants it to, and
notes what it was asked. Python's standard library only, and botocore to check Amazon's signatures."""

from .local_server import LocalServer
from .reply import Answer, Call, Reply
from .server import Provider, Upstreams

__all__ = ["Answer", "Call", "LocalServer", "Provider", "Reply", "Upstreams"]
