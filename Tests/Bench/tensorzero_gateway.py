"""Runs the HTTP gateway inside of TensorZero's Python package, in TensorZero's environment, until it is ended.

usage: tensorzero_gateway.py CONFIGURATION

Python starts it and sleeps: every request is served by threads of its own, without Python.
"""

import signal
import sys
from urllib.parse import urlsplit

import tensorzero

gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
print("PORT", urlsplit(gateway.base_url).port, flush=True)
signal.pause()
