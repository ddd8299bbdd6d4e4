"""The `plane` command: the hand of the person who logs in, and of the admin.

Owns profiles (who is logged in where), the kubeconfig entries it wrote, the credential plugin that
kubectl runs, and the tables people read. It talks to the server over HTTP only and may import the
standard library, click and yaml; cryptography is loaded when a key is made, the server's code only
by `plane start`. Start reading at main.py (the entry and its fast lane), root.py (the commands),
then login.py and execcredential.py.
"""
