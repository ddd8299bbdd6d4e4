"""The product in one minute, on real parts: `make demo`.

Owns: the scenes (scenes.py), printed as the commands that a person would type, and what is left
running with KEEP=1 (__main__). Everything it starts comes from world and cluster. Files in .demo/.
"""
