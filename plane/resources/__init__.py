"""What `plane ctl create -f` accepts: roles, users, clusters and connectors as YAML documents.

Owns reading YAML with its places (yaml, fields), one kind per file listed in the registry, applying
texts whole or not at all (service), and the live views that decisions read (policies, clusters,
connectors). Imports store, policies and plane's own small modules; never proxy, upstream or api.
Start reading at service.py; a new kind is one file and one line in registry.py.
"""
