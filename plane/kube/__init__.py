"""Kubernetes on the wire, pure: what a request means, and what its bytes say.

May import the standard library and policies.model; no asyncio, socket, time or os. Start with
request.py (path to verb, group, resource), then impersonate.py (the only file that writes
Impersonate-* headers), status.py (refusals), and tap.py (what flows through exec and port-forward).
"""
