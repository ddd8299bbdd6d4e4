"""The flow between command line, browser and provider, and everybody who wants to step in."""

from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Begun, ExternalIdentity
from connectors.errors import LoginRefused, ProviderUnavailable
from plane.audit.events import EventType
from plane.errors import (
    BadRequest,
    EvidenceUnavailable,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    UpstreamUnavailable,
)
from plane.identity.credentials import Wanted
from plane.identity.native import OUT_OF_BAND

MINE, THEIRS = "m" * 43, "t" * 43


class Provider:
    """A provider that says what the test wants."""

    type = "oidc"

    def __init__(self, name, *, roles=("access",)):
        self.name = self.display = name
        self.roles = roles
        self.error = None
        self.seen = []

    async def begin(self, *, state, redirect_uri):
        self.redirect_uri = redirect_uri
        if isinstance(self.error, ProviderUnavailable):
            raise self.error
        return Begun(url=f"https://{self.name}.example/auth?state={state}", saved={"nonce": state})

    async def complete(self, params, saved):
        self.seen.append((dict(params), dict(saved)))
        if self.error:
            raise self.error
        return ExternalIdentity(
            connector=self.name, subject="7", name="joe@example.com", roles=self.roles
        )


@pytest.fixture
def corp(house):
    corp, other = Provider("corp"), Provider("other")
    every = [corp, other, *house.providers.all()]
    house.providers.all = lambda: every
    house.providers.get = lambda name: next((each for each in every if each.name == name), None)
    house.every = every
    return corp


@pytest.fixture
def flow(house, corp, asks):
    class Flow:
        async def at_provider(self, *, browser=MINE, connector="corp", **changes):
            login = house.login.authorize(asks(**changes), browser=browser, client=house.client)
            url = await house.login.begin(login, connector, browser=browser, client=house.client)
            return parse_qs(urlsplit(url).query)["state"][0]

        async def back(self, state, *, browser=MINE, connector="corp", **params):
            params = {"state": state, "code": "idp-code", **params}
            return await house.login.complete(
                connector, params, browser=browser, client=house.client
            )

        async def code(self, **changes):
            finished = await self.back(await self.at_provider(**changes))
            return finished.code or parse_qs(urlsplit(finished.url).query)["code"][0]

        async def redeem(self, code, verifier=None, **wanted):
            return await house.login.redeem(
                code, verifier or asks.verifier, wanted=Wanted(**wanted), client=house.client
            )

    return Flow()


def refusals(house):
    return [event for event in house.written(EventType.USER_LOGIN) if event.outcome.code != 200]


async def test_a_login_through_a_provider(house, flow, corp, csr):
    state = await flow.at_provider()
    assert corp.redirect_uri == "https://plane.example.com/v1/connectors/corp/callback"
    finished = await flow.back(state)
    assert finished.url.startswith("http://127.0.0.1:49152/callback?code=")
    assert finished.url.endswith("&state=cli-state")
    code = parse_qs(urlsplit(finished.url).query)["code"][0]
    issued = await flow.redeem(code, csr=csr)
    assert issued.session.user == "joe@example.com"
    assert issued.session.connector == "corp"
    assert house.sessions.by_token(issued.token) == issued.session


async def test_a_login_with_a_password(house, flow, asks):
    await house.add_user("joe")
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    url = await house.login.begin(login, "local", browser=MINE, client=house.client)
    assert url == f"https://plane.example.com/v1/login/local?login={login}"
    finished = await house.login.password(
        login, "joe", house.password, browser=MINE, client=house.client
    )
    code = parse_qs(urlsplit(finished.url).query)["code"][0]
    assert (await flow.redeem(code)).session.user == "joe"


async def test_a_login_straight_from_the_command_line(house, corp, csr):
    await house.add_user("joe")
    issued = await house.login.direct(
        "joe", house.password, wanted=Wanted(csr=csr), client=house.client
    )
    assert issued.session.user == "joe"


async def test_a_code_to_copy_when_there_is_no_browser(flow):
    finished = await flow.back(await flow.at_provider(redirect_uri=OUT_OF_BAND))
    assert finished.url == ""
    assert (await flow.redeem(finished.code)).session.user == "joe@example.com"


# ---- the browser


async def test_a_callback_in_another_browser_is_refused(house, flow, corp):
    """Login CSRF: an attacker's login would be finished as theirs in the victim's browser."""
    state = await flow.at_provider(browser=THEIRS)
    with pytest.raises(BadRequest, match="another browser"):
        await flow.back(state, browser=MINE)
    assert corp.seen == []
    assert len(refusals(house)) == 1


@pytest.mark.parametrize("browser", ["", "x"])
async def test_a_callback_without_our_cookie_is_refused(flow, browser):
    state = await flow.at_provider()
    with pytest.raises(BadRequest):
        await flow.back(state, browser=browser)


async def test_a_browser_without_cookie_cannot_begin(house, corp, asks):
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    for browser in ("", THEIRS):
        with pytest.raises(BadRequest):
            await house.login.begin(login, "corp", browser=browser, client=house.client)
        with pytest.raises(BadRequest):
            house.login.asked(login, browser=browser)
        with pytest.raises(BadRequest):
            await house.login.password(login, "joe", "x", browser=browser, client=house.client)


# ---- the state


async def test_a_state_is_good_once(flow, corp):
    state = await flow.at_provider()
    await flow.back(state)
    with pytest.raises(BadRequest):
        await flow.back(state)
    assert len(corp.seen) == 1


async def test_a_state_is_used_up_by_a_failure_too(flow, corp):
    state = await flow.at_provider()
    with pytest.raises(BadRequest):
        await flow.back(state, browser=THEIRS)
    with pytest.raises(BadRequest):
        await flow.back(state)
    assert corp.seen == []


@pytest.mark.parametrize("state", ["", "made-up"])
async def test_a_made_up_state_is_refused(flow, corp, state):
    with pytest.raises(BadRequest):
        await flow.back(state)


async def test_the_logins_id_is_no_state_and_no_code(house, flow, corp, asks):
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    state = await flow.at_provider()
    with pytest.raises(BadRequest):
        await flow.back(login)
    for key in (login, state):
        with pytest.raises(BadRequest):
            await flow.redeem(key)


async def test_a_state_grows_too_old(flow, hands):
    state = await flow.at_provider()
    hands.advance(600)
    with pytest.raises(BadRequest):
        await flow.back(state)


async def test_an_answer_at_another_connectors_address_is_a_mix_up(house, flow, corp):
    """RFC 9700 2.1: the honest provider's code must not travel to the attacker's."""
    state = await flow.at_provider(connector="corp")
    with pytest.raises(BadRequest):
        await flow.back(state, connector="other")
    assert corp.seen == []
    assert house.every[1].seen == []


async def test_each_provider_gets_back_what_it_saved(flow, corp):
    first, second = await flow.at_provider(), await flow.at_provider()
    await flow.back(second)
    await flow.back(first)
    assert [saved["nonce"] for _, saved in corp.seen] == [second, first]


# ---- the code


async def test_a_code_replayed_is_refused(house, flow):
    code = await flow.code()
    await flow.redeem(code)
    with pytest.raises(BadRequest, match="used already"):
        await flow.redeem(code)
    assert len(house.sessions.all()) == 1


async def test_a_wrong_verifier_is_refused_and_costs_the_code(house, flow):
    """A stolen code is worth nothing without the secret that never left the command line."""
    code = await flow.code()
    with pytest.raises(BadRequest):
        await flow.redeem(code, "w" * 43)
    with pytest.raises(BadRequest):
        await flow.redeem(code)
    assert house.sessions.all() == []
    assert refusals(house)[0].actor.username == "joe@example.com"


async def test_a_code_lives_a_minute(flow, hands):
    code = await flow.code()
    hands.advance(60)
    with pytest.raises(BadRequest):
        await flow.redeem(code)


async def test_a_code_to_copy_lives_five_minutes(flow, hands):
    first = await flow.code(redirect_uri=OUT_OF_BAND)
    second = await flow.code(redirect_uri=OUT_OF_BAND)
    hands.advance(299)
    await flow.redeem(first)
    hands.advance(1)
    with pytest.raises(BadRequest):
        await flow.redeem(second)


async def test_a_user_removed_between_browser_and_terminal_does_not_come_in(house, flow, asks):
    await house.add_user("joe")
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    finished = await house.login.password(
        login, "joe", house.password, browser=MINE, client=house.client
    )
    await house.store.delete("user", "joe")
    with pytest.raises(Unauthenticated):
        await flow.redeem(parse_qs(urlsplit(finished.url).query)["code"][0])
    assert house.sessions.all() == []


async def test_a_connector_removed_between_browser_and_terminal_lets_nobody_in(house, flow, corp):
    code = await flow.code()
    house.every.remove(corp)
    with pytest.raises(Forbidden):
        await flow.redeem(code)
    assert house.sessions.all() == []


# ---- refusals


async def test_a_person_without_a_role_is_refused_in_the_browser(house, flow, corp):
    corp.roles = ()
    with pytest.raises(Forbidden, match="no role"):
        await flow.code()
    (event,) = refusals(house)
    assert (event.actor.username, event.outcome.code) == ("joe@example.com", 403)


async def test_a_role_that_does_not_exist_is_refused_in_the_browser(flow, corp):
    corp.roles = ("ghost",)
    with pytest.raises(Forbidden, match="ghost"):
        await flow.code()


async def test_a_refusal_of_the_provider_is_audited_with_its_detail(house, flow, corp):
    corp.error = LoginRefused("No.", detail="nonce")
    with pytest.raises(Forbidden, match="No") as caught:
        await flow.code()
    assert "nonce" not in caught.value.message
    (event,) = refusals(house)
    assert event.details == {"detail": "nonce"}
    assert event.actor.connector == "corp"


async def test_a_provider_that_is_down_is_said_at_once(house, flow, corp):
    corp.error = ProviderUnavailable("Down.")
    with pytest.raises(UpstreamUnavailable):
        await flow.at_provider()
    assert len(refusals(house)) == 1


async def test_after_a_refusal_the_person_may_choose_again(house, flow, corp, asks):
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    await house.login.begin(login, "corp", browser=MINE, client=house.client)
    await house.login.begin(login, "other", browser=MINE, client=house.client)


async def test_a_finished_login_is_over(house, flow, asks):
    await house.add_user("joe")
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    await house.login.password(login, "joe", house.password, browser=MINE, client=house.client)
    with pytest.raises(BadRequest):
        house.login.asked(login, browser=MINE)


async def test_a_wrong_password_leaves_the_login_open(house, corp, asks):
    await house.add_user("joe")
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    with pytest.raises(Unauthenticated):
        await house.login.password(login, "joe", "wrong", browser=MINE, client=house.client)
    await house.login.password(login, "joe", house.password, browser=MINE, client=house.client)
    (event,) = refusals(house)
    assert (event.actor.username, event.outcome.code) == ("joe", 401)


async def test_an_unknown_connector_is_not_found(house, flow):
    with pytest.raises(NotFound):
        await flow.at_provider(connector="ghost")


async def test_without_evidence_nobody_comes_in(house, flow):
    code = await flow.code()
    house.full = True
    with pytest.raises(EvidenceUnavailable):
        await flow.redeem(code)
    assert house.sessions.all() == []


async def test_a_flood_of_logins_from_one_address_is_bounded(house, corp, asks):
    for _ in range(200):
        house.login.authorize(asks(), browser=MINE, client=house.client)
    with pytest.raises(TooManyRequests):
        house.login.authorize(asks(), browser=MINE, client=house.client)


async def test_no_secret_is_in_the_audit_log_or_a_repr(house, flow, asks):
    await house.add_user("joe")
    code = await flow.code()
    issued = await flow.redeem(code)
    with pytest.raises(BadRequest):
        await flow.redeem(code)
    finished = await flow.back(await flow.at_provider())
    with pytest.raises(Unauthenticated):
        await house.login.direct("joe", "hunter2hunter2", wanted=Wanted(), client=house.client)
    text = repr(house.events) + repr(house.login) + repr(finished)
    for secret in (code, issued.token, "hunter2hunter2", "idp-code", "cli-state", asks.verifier):
        assert secret not in text


async def test_what_an_outsider_types_is_cut_short_in_the_audit_log(house, corp):
    with pytest.raises(Unauthenticated):
        await house.login.direct("x" * 100_000, "y", wanted=Wanted(), client=house.client)
    assert len(refusals(house)[0].actor.username) == 256
