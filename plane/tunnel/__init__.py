"""The reverse tunnel's language, shared by the server and the agent; still empty, its room is kept.

Imports the standard library only, so that both ends speak from one definition. A tunnel will be one
more `Dialer` of plane/upstream/base.py.
"""
