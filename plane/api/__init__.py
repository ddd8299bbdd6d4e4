"""The HTTP API for `plane ctl`, `plane kube ls` and the pages: one noun per file, JSON in and out.

Blueprints are made by functions that take their services. Every call passes access.py (who, may
they, evidence) and every error leaves by errors.py. Imports services (resources, identity,
policies, audit), never the store or an upstream. Start reading at access.py, then resources.py.
"""
