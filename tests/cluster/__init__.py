"""A real Kubernetes for the tests, the demo and for trying things out by hand.

Owns: building etcd, kube-apiserver, kubelet and friends into one binary (build), running
them on free ports (cluster), giving them a node (node: containerd and runc, as root; kwok
everywhere else) and finding the kubectl versions of this machine (kubectls). Imports the
standard library and cryptography only, nothing of plane, so that it stays an outside judge.
By hand: `make cluster` or `PYTHONPATH=tests python -m cluster up west`. Start reading at cluster.py.
"""

from cluster.cluster import Cluster
from cluster.kubectls import Kubectl, find_kubectls

__all__ = ["Cluster", "Kubectl", "find_kubectls"]
