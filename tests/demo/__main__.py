"""make demo: start a world, play the scenes, stop it; --keep leaves it for the hand, --stop ends that."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from cluster import build, find_kubectls
from cluster.build import say
from world import World, orphans

from demo.scenes import play

FOLDER = Path(__file__).parents[2] / ".demo"


def stop() -> None:
    """End what any earlier demo left running, and forget its files."""
    orphans.end(FOLDER)
    shutil.rmtree(FOLDER, ignore_errors=True)


def _goodbye(world: World) -> None:
    person = world.folder / "people"
    print(f"""
It keeps running. Go on by hand, as alice:

  export PATH={Path(sys.executable).parent}:$PATH
  export PLANE_HOME={person}/alice/plane KUBECONFIG={person}/alice/kubeconfig
  export PLANE_PROXY={world.server.url}
  kubectl get pods
  plane status

as the administrator, change PLANE_HOME to {person}/admin/plane:

  plane ctl get role developer -o yaml
  plane ctl audit tail -f

The server's output is in {world.server.folder}/plane.log. To end it all: make clean""")


def main() -> int:
    """Play the demo; the exit status is 1 when a scene did not go as told."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    parser.add_argument("--stop", action="store_true", help="end what --keep left running")
    options = parser.parse_args()
    stop()
    if options.stop:
        return 0
    began = time.monotonic()
    kubectls = find_kubectls(build.kubernetes() / "kubectl")
    world = World(FOLDER, kubectl=kubectls[-1])
    try:
        say("starting two Kubernetes clusters, an OpenID provider and plane ...")
        world.start()
        say(f"ready after {time.monotonic() - began:.0f} s\n")
        play(world)
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            print(f"\nthe demo failed: {error}\nlogs are in {FOLDER}", file=sys.stderr)
        world.stop()
        return 1
    if options.keep:
        world.forget()
        _goodbye(world)
    else:
        world.stop()
        say(f"\nall stopped, after {time.monotonic() - began:.0f} s; logs and recordings: {FOLDER}")
        say("make demo KEEP=1 leaves it running for you to play with")
    return 0


if __name__ == "__main__":
    sys.exit(main())
