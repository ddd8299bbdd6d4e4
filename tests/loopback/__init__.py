"""A plane's proxy made of real parts, between a raw client and a cluster that keeps every byte.

cluster.py is the fake cluster, client.py the client, gate.py the proxy with its evidence in a
folder of the test; corpus.py plays the sessions of tests/corpus through all three. Nothing here
leaves the loopback interface.
"""
