"""Runs the HTTP gateway inside of TensorZero's Python package, in TensorZero's environment, until it is ended.

usage: tensorzero_gateway.py CONFIGURATION [URL of a Redis]

Python starts it and sleeps: every request is served by threads of its own, without Python.
"""

import signal
import sys
from urllib.parse import urlsplit

import tensorzero

redis = sys.argv[2] if len(sys.argv) > 2 else None
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=redis, async_setup=False)
print("PORT", urlsplit(gateway.base_url).port, flush=True)
signal.pause()
