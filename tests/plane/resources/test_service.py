import json

import pytest
import yaml

from plane.errors import Conflict, Invalid, NotFound
from plane.resources.service import Action, Mode
from plane.store.base import Write
from plane.store.secrets import is_sealed

USER = """\
kind: user
version: v2
metadata: {name: joe}
spec:
  roles: [access]
  traits: {kubernetes_groups: [dev]}
"""
OIDC = """\
kind: oidc
version: v3
metadata: {name: okta}
spec:
  issuer_url: https://id.example.com
  client_id: plane
  client_secret: s3cret
  claims_to_roles:
  - {claim: groups, value: dev, roles: [access]}
"""


def text_of(document):
    return yaml.safe_dump(document)


async def actions(resources, text, **how):
    return [each.action for each in await resources.apply(text, **({"mode": "create"} | how))]


async def test_create_get_list_delete(resources):
    (applied,) = await resources.apply(USER, mode="create")
    assert (applied.kind, applied.name, applied.action) == ("user", "joe", Action.CREATED)
    document = await resources.get("users", "joe")
    assert document["metadata"] == {"name": "joe", "revision": str(applied.revision)}
    assert document["spec"]["roles"] == ["access"]
    assert await resources.list("user") == [document]
    await resources.delete("user", "joe", expected=applied.revision)
    with pytest.raises(NotFound, match="user 'joe' does not exist"):
        await resources.get("user", "joe")
    with pytest.raises(NotFound):
        await resources.delete("user", "joe")


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("text", "kind", "name"), [(USER, "user", "joe"), (OIDC, "oidc", "okta")])
async def test_get_then_create_changes_nothing(resources, store, mode, text, kind, name):
    await resources.apply(text, mode="create")
    before = await store.all(kind)
    shown = text_of(await resources.get(kind, name))
    assert await actions(resources, shown, mode=mode) == [Action.UNCHANGED]
    assert await actions(resources, text, mode=mode) == [Action.UNCHANGED]
    assert await store.all(kind) == before


async def test_create_over_another_document_is_refused_without_its_revision(resources):
    await resources.apply(USER, mode="create")
    changed = USER.replace("[dev]", "[ops]")
    with pytest.raises(Conflict, match="exists already"):
        await resources.apply(changed, mode="create")
    assert await actions(resources, changed, mode="upsert") == [Action.UPDATED]


async def test_an_edit_of_what_was_read_is_accepted_in_both_modes(resources):
    await resources.apply(USER, mode="create")
    for mode, group in ((Mode.CREATE, "a"), (Mode.UPSERT, "b")):
        document = await resources.get("user", "joe")
        document["spec"]["traits"]["kubernetes_groups"] = [group]
        assert await actions(resources, text_of(document), mode=mode) == [Action.UPDATED]


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_lost_update_is_refused(resources, mode):
    await resources.apply(USER, mode="create")
    mine, theirs = await resources.get("user", "joe"), await resources.get("user", "joe")
    theirs["spec"]["roles"] = ["theirs"]
    await resources.apply(text_of(theirs), mode="upsert")
    mine["spec"]["roles"] = ["mine"]
    with pytest.raises(Conflict, match="changed in between"):
        await resources.apply(text_of(mine), mode=mode)
    assert (await resources.get("user", "joe"))["spec"]["roles"] == ["theirs"]


async def test_an_edit_of_something_deleted_is_refused_but_a_backup_can_be_created(resources):
    await resources.apply(USER, mode="create")
    backup = text_of(await resources.get("user", "joe"))
    await resources.delete("user", "joe")
    with pytest.raises(Conflict, match="deleted in between"):
        await resources.apply(backup, mode="upsert")
    assert await actions(resources, backup, mode="create") == [Action.CREATED]


async def test_a_delete_of_another_revision_is_refused(resources):
    (applied,) = await resources.apply(USER, mode="create")
    with pytest.raises(Conflict):
        await resources.delete("user", "joe", expected=applied.revision + 1)


async def test_a_text_with_one_bad_document_is_refused_whole(resources):
    bad = USER + "---\n" + OIDC.replace("https://id", "ftp://id") + "---\n" + "kind: nothing\n"
    with pytest.raises(Invalid) as caught:
        await resources.apply(bad, mode="create")
    assert [(each.document, each.path) for each in caught.value.problems] == [
        (3, "kind"),
        (3, "version"),
        (3, "metadata.name"),
    ]
    bad = USER + "---\n" + OIDC.replace("https://id", "ftp://id")
    with pytest.raises(Invalid) as caught:
        await resources.apply(bad, mode="create")
    (problem,) = caught.value.problems
    assert (problem.document, problem.path, problem.line) == (2, "spec.issuer_url", 12)
    assert await resources.list("user") == []


async def test_every_problem_of_every_document_is_told_at_once(resources):
    bad = USER.replace("roles", "rolls").replace("traits:", "traitors:") + "---\n"
    bad += OIDC.replace("client_id: plane", "client_id: 5")
    with pytest.raises(Invalid) as caught:
        await resources.apply(bad, mode="create")
    found = [(each.document, each.line, each.path, each.message) for each in caught.value.problems]
    assert found == [
        (1, 5, "spec.rolls", "unknown field: did you mean roles?"),
        (1, 6, "spec.traitors", "unknown field: did you mean traits?"),
        (2, 13, "spec.client_id", "must be a text, not a number: put it in quotes"),
    ]


async def test_a_conflict_in_one_document_leaves_the_others_unwritten(resources):
    await resources.apply(USER, mode="create")
    with pytest.raises(Conflict):
        await resources.apply(OIDC + "---\n" + USER.replace("dev", "ops"), mode="create")
    assert await resources.list("oidc") == []


async def test_a_change_between_plan_and_commit_is_a_conflict(resources):
    plan = await resources.plan(await resources.read(USER), mode="create")
    await resources.apply(USER.replace("dev", "ops"), mode="create")
    with pytest.raises(Conflict):
        await resources.commit(plan)


async def test_the_same_document_twice_in_a_text_is_refused(resources):
    with pytest.raises(Invalid) as caught:
        await resources.apply(USER + "---\n" + USER, mode="create")
    (problem,) = caught.value.problems
    assert (problem.document, "twice" in problem.message) == (2, True)


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(resources):
    assert await actions(resources, USER, dry_run=True) == [Action.CREATED]
    assert await resources.list("user") == []


async def test_a_secret_is_sealed_in_the_store_and_redacted_in_answers(resources, store):
    await resources.apply(OIDC, mode="create")
    stored = await store.get("oidc", "okta")
    assert is_sealed(stored.body["spec"]["client_secret"])
    assert "s3cret" not in json.dumps(stored.body)
    shown = await resources.get("oidc", "okta")
    assert shown["spec"]["client_secret"] == "<redacted>"
    assert "s3cret" not in json.dumps(await resources.list("oidc"))
    assert (await resources.reveal("oidc", "okta")).spec["client_secret"] == "s3cret"


async def test_a_redacted_secret_put_back_keeps_the_stored_one(resources):
    await resources.apply(OIDC, mode="create")
    document = await resources.get("oidc", "okta")
    document["spec"]["display"] = "Okta"
    await resources.apply(text_of(document), mode="upsert")
    spec = (await resources.reveal("oidc", "okta")).spec
    assert (spec["display"], spec["client_secret"]) == ("Okta", "s3cret")


async def test_a_stored_secret_never_goes_to_a_new_address(resources):
    await resources.apply(OIDC, mode="create")
    document = await resources.get("oidc", "okta")
    document["spec"]["issuer_url"] = "https://evil.example.com"
    with pytest.raises(Invalid) as caught:
        await resources.apply(text_of(document), mode="upsert")
    (problem,) = caught.value.problems
    assert problem.path == "spec.client_secret"
    assert "spec.issuer_url changes" in problem.message


async def test_a_redacted_secret_of_a_new_document_is_refused(resources):
    with pytest.raises(Invalid) as caught:
        await resources.apply(OIDC.replace("s3cret", "<redacted>"), mode="create")
    assert caught.value.problems[0].path == "spec.client_secret"


async def test_a_sealed_text_given_as_secret_is_only_a_text(resources, store):
    await resources.apply(OIDC, mode="create")
    sealed = (await store.get("oidc", "okta")).body["spec"]["client_secret"]
    other = OIDC.replace("okta", "other").replace("s3cret", sealed)
    await resources.apply(other, mode="create")
    assert (await resources.reveal("oidc", "other")).spec["client_secret"] == sealed


async def test_what_other_rooms_keep_in_a_document_is_kept_and_never_shown(resources, store):
    await resources.apply(USER, mode="create")
    stored = await store.get("user", "joe")
    await store.put(
        Write(kind="user", name="joe", body={**stored.body, "private": {"hash": "argon2"}})
    )
    shown = await resources.get("user", "joe")
    assert "argon2" not in json.dumps(shown)
    assert await actions(resources, text_of(shown)) == [Action.UNCHANGED]
    await resources.apply(USER.replace("dev", "ops"), mode="upsert")
    assert (await store.get("user", "joe")).body["private"] == {"hash": "argon2"}


async def test_private_parts_cannot_be_written_through_a_document(resources):
    with pytest.raises(Invalid) as caught:
        await resources.apply(USER + "private: {hash: mine}\n", mode="create")
    assert caught.value.problems[0].path == "private"


async def test_a_role_that_does_not_exist_is_a_warning(resources):
    (applied,) = await resources.apply(USER, mode="create")
    assert applied.warnings == ("role 'access' does not exist (yet)",)


async def test_an_unknown_kind_lists_the_known(resources):
    with pytest.raises(NotFound, match="the kinds are cluster, oidc, role, user"):
        await resources.get("pod", "x")


@pytest.mark.parametrize("word", ["user", "users", "User"])
async def test_a_kind_is_found_by_its_words(resources, word):
    assert await resources.list(word) == []


async def test_an_expired_document_is_gone(resources):
    past = USER.replace("{name: joe}", "{name: joe, expires: 2020-01-01T00:00:00Z}")
    await resources.apply(past, mode="create")
    assert await resources.list("user") == []


async def test_ensure_writes_what_is_missing_and_leaves_the_rest(resources):
    body = yaml.safe_load(USER)
    await resources.ensure([body])
    changed = USER.replace("dev", "ops")
    await resources.apply(changed, mode="upsert")
    await resources.ensure([body])
    assert (await resources.get("user", "joe"))["spec"]["traits"]["kubernetes_groups"] == ["ops"]
