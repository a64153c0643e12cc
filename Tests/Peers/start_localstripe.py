"""localstripe without its copy of all it knows in /tmp, which every run and every user would share.

usage: start_localstripe.py --port PORT --from-scratch
"""

from localstripe import resources, server

resources.Store.dump_to_disk = lambda store: None
server.start()
