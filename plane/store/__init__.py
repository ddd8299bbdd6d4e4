"""What plane remembers: documents with a kind, a name and a revision, compare-and-swap and watch.

Owns the protocol (base), its implementations (sqlite, memory) and the encryption of secrets at rest
(secrets). Imports plane.errors, clock and tasks; knows nothing of roles, users or clusters.
Start reading at base.py; tests/plane/store/conformance.py says what every implementation keeps.
"""
