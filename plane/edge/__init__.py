"""Sockets, TLS and HTTP/1.1 bytes: everything a client sends arrives here first.

May import proxy.call (the request it builds), kube.headers, upstream and errors. Kube paths go to
the proxy's pipeline, the rest over a unix socket to Hypercorn (web.py). Start with connection.py,
one client; head.py says what is refused before anything looks at it.
"""
