"""A plane with its neighbours, as the demo, the e2e tests and the bench need it.

Owns: starting an OpenID provider that others wrote (provider), `plane start` as a process of
its own (server), the people who use it (person) and the browser that logs them in (browser).
Talks to plane through its command line and its sockets only; imports cluster for the processes.
Start reading at world.py.
"""

from world.person import Person
from world.provider import Provider
from world.server import PlaneServer
from world.world import World

__all__ = ["Person", "PlaneServer", "Provider", "World"]
