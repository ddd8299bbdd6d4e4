"""What plane costs beside nginx and a plain Go proxy, and whether that is within its goals.

Owns: the rivals and the stand-in cluster (peers, a Go program, and nginx), the stage on which they
and a real `plane start` run (stage), a client of few words (wire), the figures and the report.
Nothing here is a test: no figure fails anything. Start reading at __main__.py.
"""
