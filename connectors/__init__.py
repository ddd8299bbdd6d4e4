"""Identity providers: how a person outside plane is brought in as an `ExternalIdentity`.

Depends on the standard library, authlib, joserfc and httpx, never on plane. base.py says what a
connector is, registry.py lists them, claims.py (pure) turns what a provider says into traits and
roles. Start with base.py, then oidc.py; a new provider is one file here and a line in registry.py.
"""
