import json

import pytest
import yaml

from plane.audit.events import EventType, Stage

USER = """\
kind: user
version: v2
metadata: {name: joe}
spec: {roles: [dev], traits: {logins: [joe]}}
"""
OIDC = """\
kind: oidc
version: v3
metadata: {name: okta}
spec:
  issuer_url: https://id.example.com
  client_id: plane
  client_secret: s3cret
"""


def summary(events):
    return [(each.type, each.stage, each.outcome.code if each.outcome else 0) for each in events]


async def test_create_get_list_edit_and_remove(stage):
    answer = await stage.apply(USER)
    assert answer.status_code == 200
    (item,) = (await answer.get_json())["items"]
    assert {key: item[key] for key in ("kind", "name", "action")} == {
        "kind": "user",
        "name": "joe",
        "action": "created",
    }
    got = await (await stage.call("GET", "/v1/resources/users/joe")).get_json()
    assert got["metadata"] == {"name": "joe", "revision": item["revision"]}
    listed = await (await stage.call("GET", "/v1/resources/user")).get_json()
    assert listed == {"kind": "List", "items": [got]}
    got["spec"]["roles"] = ["reader"]
    answer = await stage.apply(yaml.safe_dump(got))
    assert (await answer.get_json())["items"][0]["action"] == "updated"
    path = f"/v1/resources/user/joe?revision={item['revision']}"
    assert (await stage.call("DELETE", path)).status_code == 409
    assert (await stage.call("DELETE", "/v1/resources/user/joe")).status_code == 200
    assert (await stage.call("GET", "/v1/resources/user/joe")).status_code == 404


async def test_get_then_create_changes_nothing_and_writes_no_event(stage):
    await stage.apply(OIDC)
    shown = await (await stage.call("GET", "/v1/resources/oidc/okta")).get_data(as_text=True)
    stage.events.clear()
    answer = await stage.apply(shown, kind="application/json")
    assert (await answer.get_json())["items"][0]["action"] == "unchanged"
    assert stage.events == []


async def test_every_change_is_announced_before_and_told_after(stage):
    await stage.apply(USER + "---\n" + OIDC)
    assert summary(stage.events) == [
        (EventType.RESOURCE_CREATE, Stage.REQUEST_RECEIVED, 0),
        (EventType.RESOURCE_CREATE, Stage.REQUEST_RECEIVED, 0),
        (EventType.RESOURCE_CREATE, Stage.RESPONSE_COMPLETE, 200),
        (EventType.RESOURCE_CREATE, Stage.RESPONSE_COMPLETE, 200),
    ]
    first, _, told, _ = stage.events
    assert first.audit_id == told.audit_id
    assert (told.details["kind"], told.details["name"], told.actor.username) == (
        "user",
        "joe",
        "joe",
    )
    assert told.details["revision"] > 0
    assert told.decision.role == "editor"
    assert len({each.audit_id for each in stage.events}) == 2
    stage.events.clear()
    await stage.call("DELETE", "/v1/resources/oidc/okta")
    assert [each.type for each in stage.events] == [EventType.RESOURCE_DELETE] * 2


async def test_secrets_reach_neither_answers_nor_events(stage):
    answer = await stage.apply(OIDC)
    texts = [await answer.get_data(as_text=True), repr(stage.events)]
    texts += [
        await (await stage.call("GET", path)).get_data(as_text=True)
        for path in ("/v1/resources/oidc", "/v1/resources/oidc/okta")
    ]
    assert not any("s3cret" in text for text in texts)


async def test_nothing_is_changed_when_the_audit_log_is_full(stage):
    stage.full = True
    assert (await stage.apply(USER)).status_code == 503
    assert (await stage.call("DELETE", "/v1/resources/role/dev")).status_code == 503
    assert await stage.service.list("user") == []
    assert await stage.service.get("role", "dev")


async def test_a_refusal_stays_a_refusal_when_the_audit_log_is_full(stage):
    stage.full = True
    assert (await stage.apply(USER, role="reader")).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/resources/role"),
        ("GET", "/v1/resources/role/editor"),
        ("DELETE", "/v1/resources/role/editor"),
        ("DELETE", "/v1/resources/user/joe"),
    ],
)
async def test_without_the_right_a_call_is_403_and_audited(stage, method, path):
    answer = await stage.call(method, path, role="reader")
    status = await answer.get_json()
    assert (answer.status_code, status["code"], status["reason"]) == (403, 403, "Forbidden")
    (event,) = stage.events
    assert (event.type, event.outcome.code) == (EventType.API_REQUEST, 403)
    assert not event.decision.allowed
    assert event.audit_id in status["message"]
    assert answer.headers["Audit-Id"] == event.audit_id


async def test_a_right_to_create_does_not_update(stage):
    assert (await stage.apply(USER, role="inviter")).status_code == 200
    changed = USER.replace("[dev]", "[editor]")
    answer = await stage.apply(changed, query="?mode=upsert", role="inviter")
    assert answer.status_code == 403
    assert (await stage.service.get("user", "joe"))["spec"]["roles"] == ["dev"]


async def test_a_text_with_one_forbidden_document_changes_nothing(stage):
    role = "kind: role\nversion: v8\nmetadata: {name: mine}\nspec: {allow: {}}\n"
    answer = await stage.apply(USER + "---\n" + role, role="inviter")
    assert answer.status_code == 403
    assert await stage.service.list("user") == []


async def test_whoever_may_write_nothing_of_a_kind_learns_nothing_of_it(stage):
    await stage.apply(USER)
    existing = await stage.apply(USER.replace("[dev]", "[x]"), role="reader")
    missing = await stage.apply(USER.replace("joe}", "ann}"), role="reader")
    assert existing.status_code == missing.status_code == 403


async def test_without_a_session_a_call_is_401_and_audited(stage):
    answer = await stage.apply(USER, role="")
    assert (answer.status_code, (await answer.get_json())["reason"]) == (401, "Unauthorized")
    assert summary(stage.events) == [(EventType.API_REQUEST, Stage.RESPONSE_COMPLETE, 401)]


async def test_a_bad_document_is_422_with_the_place_of_every_fault(stage):
    bad = USER + "---\n" + OIDC.replace("client_id", "client_if")
    answer = await stage.apply(bad)
    status = await answer.get_json()
    assert (answer.status_code, status["reason"]) == (422, "Invalid")
    assert status["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": "is required",
            "field": "spec.client_id",
            "line": 9,
            "document": 2,
        },
        {
            "reason": "FieldValueInvalid",
            "message": "unknown field: did you mean client_id?",
            "field": "spec.client_if",
            "line": 11,
            "document": 2,
        },
    ]
    assert await stage.service.list("user") == []


async def test_a_dry_run_changes_nothing(stage):
    answer = await stage.apply(USER, query="?dryRun=true")
    assert (await answer.get_json())["items"][0]["action"] == "created"
    assert await stage.service.list("user") == []
    assert stage.events == []
    assert (await stage.apply(USER, query="?dryRun=true", role="reader")).status_code == 403


async def test_a_form_of_another_origin_cannot_change_anything(stage):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert (await stage.apply(USER, kind=kind)).status_code == 400, kind
    assert await stage.service.list("user") == []


async def test_a_text_that_is_too_long_is_413(stage):
    answer = await stage.apply("#" * (1024 * 1024 + 1))
    assert (answer.status_code, (await answer.get_json())["code"]) == (413, 413)


@pytest.mark.parametrize("query", ["?mode=force", "?dryRun=maybe"])
async def test_an_unknown_parameter_value_is_400(stage, query):
    assert (await stage.apply(USER, query=query)).status_code == 400


@pytest.mark.parametrize("revision", ["x", "-1", "9" * 30, ""])
async def test_a_revision_that_is_none_is_400(stage, revision):
    answer = await stage.call("DELETE", f"/v1/resources/role/dev?revision={revision}")
    assert answer.status_code == 400
    assert await stage.service.get("role", "dev")


async def test_a_body_that_is_not_utf8_is_400(stage):
    answer = await stage.call(
        "POST",
        "/v1/resources",
        data=b"\xff\xfe",
        headers={"Content-Type": "application/yaml"},
    )
    assert answer.status_code == 400


async def test_an_unknown_kind_is_404_and_lists_the_known(stage):
    answer = await stage.call("GET", "/v1/resources/pod")
    assert answer.status_code == 404
    assert "cluster, oidc, role, user" in (await answer.get_json())["message"]


async def test_a_role_in_use_cannot_be_removed(stage):
    await stage.apply(USER)
    answer = await stage.call("DELETE", "/v1/resources/role/dev")
    assert answer.status_code == 409
    assert "used by user 'joe'" in (await answer.get_json())["message"]
    assert summary(stage.events)[-1] == (
        EventType.RESOURCE_DELETE,
        Stage.RESPONSE_COMPLETE,
        409,
    )


async def test_documents_keep_the_order_of_their_keys(stage):
    await stage.apply(OIDC)
    text = await (await stage.call("GET", "/v1/resources/oidc/okta")).get_data(as_text=True)
    assert list(json.loads(text)) == ["kind", "version", "metadata", "spec"]


async def test_an_address_that_the_client_claims_is_not_audited(stage):
    claimed = {"Plane-Client-Address": "8.8.8.8", "X-Forwarded-For": "8.8.8.8"}
    await stage.call("GET", "/v1/resources/role", role="reader", headers=claimed)
    (event,) = stage.events
    assert "8.8.8.8" not in repr(event)


async def test_a_user_agent_is_cut_short(stage):
    headers = {"User-Agent": "x" * 10_000}
    await stage.call("GET", "/v1/resources/role", role="reader", headers=headers)
    (event,) = stage.events
    assert len(event.user_agent) == 256
