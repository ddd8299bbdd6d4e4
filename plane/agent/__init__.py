"""Runs inside a cluster and dials out to plane; still empty, its room is kept.

May import tunnel, upstream and kube, never store, identity or api: an agent holds its cluster's
credential and nothing of plane's. docs/architecture.md says what comes here.
"""
