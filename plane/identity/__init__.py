"""Who somebody is: login flows, local users, sessions, and the certificates that name them.

Owns sessions (the unit of identity), the user CA and the host CA, passwords, invites and the
authorization-code flow between the command line, the browser and the identity provider. May
import store, audit.events, policies and connectors; never the proxy, the API or the pages.
Start with session.py (the noun), then sessions.py (the living ones) and login.py (how one begins).
"""
