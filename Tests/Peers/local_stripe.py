"""localstripe as a process of the tests, and the proxy in front of it."""

import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

from conftest import free_port, wait_until
from stripe_proxy import StripeProxy

START = pathlib.Path(__file__).with_name("start_localstripe.py")


class LocalStripe:
    def __init__(self):
        self.port = free_port()
        # The tests may be killed, and it must not outlive them.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, START, "--port", str(self.port), "--from-scratch"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.is_there, what="the start of localstripe")
        self.proxy = StripeProxy(self.port)

    def is_there(self):
        assert self.process.poll() is None, "localstripe has ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self):
        self.proxy.stop()
        self.process.kill()
        self.process.wait(10)
