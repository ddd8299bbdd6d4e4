"""Who may do what: a person's roles, a cluster and a request in; a decision with its reason out.

Pure functions over the role language that Teleport's admins know (`kind: role`, v3 to v8). Owns
the words of a decision (model.py), reading of role documents (parse.py) and the tests users write
for their roles (testing.py). Imports the standard library only, and none of its I/O. Start reading
at decide.py; docs/reference/roles.md is the language in prose.
"""
