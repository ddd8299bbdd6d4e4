"""Requests as people write them in tests and for `explain`: `get pods/web -n shop`.

::

    VERB KIND[.GROUP][/NAME[/SUBRESOURCE]] [-n NAMESPACE]     get deployments.apps/web -n shop
    VERB /path                                                get /version

`get` without a name is a list, as with kubectl; attach, logs, debug and port-forward are known.
"""

from policies.errors import SyntaxProblem
from policies.kinds import CORE, SINGULAR, USUAL_GROUP
from policies.model import Request

# kubectl's word: (verb, subresource)
_WORDS = {
    "exec": ("exec", "exec"),
    "attach": ("exec", "attach"),
    "cp": ("exec", "exec"),
    "port-forward": ("portforward", "portforward"),
    "portforward": ("portforward", "portforward"),
    "proxy": ("proxy", "proxy"),
    "logs": ("get", "log"),
    "log": ("get", "log"),
    "debug": ("patch", "ephemeralcontainers"),
    "evict": ("create", "eviction"),
}


def parse_request(phrase: str) -> Request:
    """Read such a phrase; raises SyntaxProblem."""
    words = phrase.split()
    namespace = _namespace(words)
    if len(words) != 2:
        raise SyntaxProblem(f"{phrase!r} is not of the form: get pods/web -n shop")
    word, thing = words
    if thing.startswith("/"):
        return Request(verb=word, path=thing)
    kind, _, rest = thing.partition("/")
    kind, dot, group = kind.partition(".")
    name, _, subresource = rest.partition("/")
    if kind in SINGULAR and not dot:
        raise SyntaxProblem(f"{phrase!r}: write {SINGULAR[kind][0]}, plural as in the API")
    verb, implied = _WORDS.get(word, (word, ""))
    if verb == "get" and not name and not implied:
        verb = "list"
    return Request(
        verb=verb,
        api_group=group if dot or kind in CORE else USUAL_GROUP.get(kind, ""),
        resource=kind,
        subresource=subresource or implied,
        namespace=namespace,
        name=name,
    )


def _namespace(words: list[str]) -> str:
    """Take `-n shop` out of the words; nothing and -A are all namespaces."""
    for flag in ("-A", "--all-namespaces"):
        if flag in words:
            words.remove(flag)
    for index, word in enumerate(words):
        if word in ("-n", "--namespace") and index + 1 < len(words):
            namespace = words[index + 1]
            del words[index : index + 2]
            return namespace
    return ""
