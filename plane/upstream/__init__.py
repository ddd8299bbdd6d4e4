"""How a cluster is reached: pooled HTTP/1.1 exchanges, and single byte streams for a splice.

May import kube and tunnel. base.py is the interface that the proxy sees; direct.py dials a
cluster's address over TLS; http1.py is one connection, pool.py keeps them; splice_leg.py is the leg
of an exec session that survives a failed write. A tunnel implements the same `Dialer`.
"""
