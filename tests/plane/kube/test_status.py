import json

from plane.kube.status import status, watch_error


def test_a_status_carries_the_http_code_and_reason():
    body = json.loads(status(code=403, reason="Forbidden", message='no "x"\n'))

    assert body["kind"] == "Status"
    assert body["status"] == "Failure"
    assert (body["code"], body["reason"], body["message"]) == (403, "Forbidden", 'no "x"\n')


def test_a_watch_ends_with_an_error_event_on_one_line():
    line = watch_error(status(code=403, reason="Forbidden", message="a\nb"))

    assert line.count(b"\n") == 1
    assert json.loads(line)["type"] == "ERROR"
