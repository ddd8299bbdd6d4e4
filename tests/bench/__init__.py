"""What plane costs beside nginx and a plain Go proxy, in one run: `make bench`.

Owns: the stand (stand/: upstream, Go proxy and load in one Go program), the programs around it
(rig), the measurements (measure) and their report (__main__), .bench/latest.json. Load stays on
127.0.0.1. Nothing here asserts: numbers depend on the machine, ratios of one run less so.
"""
