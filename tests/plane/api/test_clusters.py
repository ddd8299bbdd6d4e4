import json


async def listed(stage, role):
    answer = await stage.call("GET", "/v1/clusters", role=role)
    assert answer.status_code == 200, await answer.get_data(as_text=True)
    return (await answer.get_json())["items"]


async def test_only_permitted_clusters_are_listed(stage):
    stage.register("west", env="dev")
    stage.register("east", env="prod")
    assert await listed(stage, "dev") == [
        {
            "name": "west",
            "labels": {"env": "dev"},
            "kubernetesUsers": ["joe"],
            "kubernetesGroups": ["developers"],
            "status": "west is up",
        }
    ]
    assert await listed(stage, "editor") == []


async def test_a_deny_hides_a_cluster(stage):
    stage.register("secret", env="dev")
    stage.register("west", env="dev")
    assert [each["name"] for each in await listed(stage, "dev,no-secret")] == ["west"]


async def test_credentials_and_addresses_of_clusters_are_not_listed(stage):
    stage.register("west", env="dev")
    answer = await stage.call("GET", "/v1/clusters", role="dev")
    text = await answer.get_data(as_text=True)
    assert "10.0.0.1" not in text
    assert set(json.loads(text)["items"][0]) == {
        "name",
        "labels",
        "kubernetesUsers",
        "kubernetesGroups",
        "status",
    }


async def test_without_a_session_nothing_is_listed(stage):
    stage.register("west", env="dev")
    answer = await stage.call("GET", "/v1/clusters", role="")
    assert answer.status_code == 401
    (event,) = stage.events
    assert (event.actor, event.outcome.code, event.path) == (None, 401, "/v1/clusters")


async def test_a_person_with_a_role_that_is_gone_sees_nothing_and_learns_why(stage):
    stage.register("west", env="dev")
    answer = await stage.call("GET", "/v1/clusters", role="dev,gone")
    assert answer.status_code == 403
    assert "'gone' does not exist any more" in (await answer.get_json())["message"]
