"""`plane ctl audit`: questions go to the server, answers are harmless to a terminal."""

import json
from urllib.parse import parse_qs, urlsplit

EVENTS = [
    {
        "seq": 2, "type": "kube.request", "auditID": "b", "cluster": "east", "verb": "delete",
        "requestReceivedTimestamp": "2026-11-24T10:00:02.000Z", "user": {"username": "joe"},
        "objectRef": {"resource": "pods", "namespace": "default", "name": "web"},
        "decision": {"allowed": False, "reason": "no role\x1b]0;owned\x07 allows it"},
        "responseStatus": {"code": 403}, "sourceIPs": ["127.0.0.1"],
    },
    {
        "seq": 1, "type": "user.login", "auditID": "a", "user": {"username": "ann\u202egnp"},
        "requestReceivedTimestamp": "2026-11-24T10:00:01.000Z",
    },
]  # fmt: skip


def test_tail_prints_the_oldest_first_and_neutralizes_escape_sequences(joe, plane):
    plane.audit = EVENTS
    assert joe.ok("ctl", "audit", "tail") == (
        "2026-11-24T10:00:01.000Z  user.login  ann\\u202egnp\n"
        "2026-11-24T10:00:02.000Z  kube.request  joe  east  delete  default/pods/web  403"
        "  no role\\x1b]0;owned\\x07 allows it\n"
    )


def test_tail_follows_until_the_server_ends_it(joe, plane):
    plane.audit = EVENTS[:1]
    out = joe.ok("ctl", "audit", "tail", "-f", "-o", "json")
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [2, 2]
    assert "\x1b" not in out


def test_search_asks_the_server(joe, plane):
    plane.audit = EVENTS
    out = joe.ok(
        "ctl", "audit", "search", "--user", "joe", "--cluster", "east", "--verb", "delete",
        "--type", "kube.request", "--since", "1h", "-o", "json",
    )  # fmt: skip
    found = json.loads(out)
    assert found["kind"] == "List"
    assert [item["seq"] for item in found["items"]] == [1, 2]
    query = parse_qs(urlsplit(plane.requests[-1][1]).query)
    assert {key: query[key] for key in ("user", "cluster", "verb", "type")} == {
        "user": ["joe"], "cluster": ["east"], "verb": ["delete"], "type": ["kube.request"],
    }  # fmt: skip
    assert query["since"][0].endswith("Z")


def test_a_time_that_is_none_is_a_usage_error(joe):
    result = joe.run("ctl", "audit", "search", "--since", "yesterday")
    assert result.code == 2
    assert result.err.startswith("error: 'yesterday' is neither a duration nor a time\n")
