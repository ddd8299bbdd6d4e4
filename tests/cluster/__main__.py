"""The test Kubernetes by hand: python -m cluster build | up NAME | down NAME | list."""

import argparse

from cluster import build
from cluster.build import say
from cluster.cluster import Cluster
from cluster.paths import clusters


def _build(_: argparse.Namespace) -> None:
    print(build.kubernetes())


def _up(options: argparse.Namespace) -> None:
    cluster = Cluster(options.name)
    say(f"starting {options.name} ...")
    cluster.up()
    if options.node != "none":
        cluster.add_node(kind=options.node)
    say(repr(cluster))
    print(f"export KUBECONFIG={cluster.kubeconfig}")


def _down(options: argparse.Namespace) -> None:
    Cluster(options.name).remove()


def _list(_: argparse.Namespace) -> None:
    for folder in sorted(clusters().glob("*")):
        print(repr(Cluster(folder.name)))


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    verbs.add_parser("build", help="build the programs, if they are not there").set_defaults(
        do=_build
    )
    verbs.add_parser("list", help="list the clusters started by hand").set_defaults(do=_list)
    up = verbs.add_parser("up", help="start a cluster and print its kubeconfig")
    up.add_argument("--node", choices=["auto", "real", "kwok", "none"], default="auto")
    up.set_defaults(do=_up)
    down = verbs.add_parser("down", help="stop a cluster and delete its files")
    down.set_defaults(do=_down)
    for verb in (up, down):
        verb.add_argument("name")
    options = parser.parse_args()
    options.do(options)


if __name__ == "__main__":
    main()
