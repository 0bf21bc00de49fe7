"""One function says who may do what. Every role, act, state, book and mode is compared with the page in `grid`."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import column

from tests.governance import grid
from workbench.errors import AccessError
from workbench.governance.access import (
    IN_ONES_OWN_NAME,
    Actor,
    Grant,
    allowed,
    authorize,
    books,
    grants_for,
    visible,
)
from workbench.governance.roles import NEVER_A_SERVICE, ON_SIGNALS, Role
from workbench.governance.states import BY_ANOTHER, MODES_FOR, TRANSITIONS, Action, Mode, PaperState, State

ON_SIGNALS_BY_HAND, ON_THE_FIRM_BY_HAND, IN_MODES = grid.on_signals(), grid.on_the_firm(), grid.in_modes()
ACTS_ON_SIGNALS = {act for _, act, _ in ON_SIGNALS_BY_HAND}
ACTS_ON_PAPERS = {act for _, act, _ in grid.on_papers()}
ACTS_ON_THE_FIRM = {act for _, act in ON_THE_FIRM_BY_HAND}
#: The book of the role, the book asked about.
SCOPES = [("adv-1", "adv-1", True), ("adv-1", "adv-2", False), ("*", "adv-2", True)]


def person(*grants, name="ann", kind="person", on_behalf_of=None, through="own"):
    held = tuple(Grant(Role(role), book, through) for role, book in grants)
    return Actor(name, name.title(), kind, held, on_behalf_of)


def of(role, book):
    return person((role, book), kind="service" if role == "service" else "person")


def may(actor, action, **more):
    try:
        return bool(authorize(actor, action, **more))
    except AccessError:
        return False


def test_the_page_names_every_act():
    assert {str(action) for action in Action} - ACTS_ON_SIGNALS - ACTS_ON_PAPERS == ACTS_ON_THE_FIRM | {"lapse"}
    assert set(grid.PAPER_STATES) == set(PaperState)
    assert set(grid.STATES) == set(State)
    assert set(grid.ROLES) == set(Role)
    assert set(grid.MODES) == set(Mode)


@pytest.mark.parametrize("role", grid.ROLES)
@pytest.mark.parametrize(("held", "asked", "reached"), SCOPES)
def test_every_act_on_a_signal_is_as_on_the_page(role, held, asked, reached):
    actor = of(role, held)
    wrong = []
    for act, state, mode in itertools.product(ACTS_ON_SIGNALS, grid.STATES, grid.MODES):
        mark = ON_SIGNALS_BY_HAND.get((role, act, state)) if reached and mode in IN_MODES.get(act, grid.MODES) else None
        for earlier in ((), ("somebody",)):
            asking = {"book": asked, "state": State(state), "mode": Mode(mode), "approvers": earlier}
            expected = mark == "y" or (mark == "2" and earlier == ("somebody",))
            if may(actor, Action(act), **asking) is not expected:
                wrong.append((act, state, mode, earlier))
            if mark == "m" and not may(actor, Action(act), **asking, makers={"ann"}):
                wrong.append((act, state, mode, "who made it"))
    assert not wrong


@pytest.mark.parametrize("role", grid.ROLES)
def test_every_act_on_the_firm_is_as_on_the_page(role):
    for act in sorted(ACTS_ON_THE_FIRM):
        mark = ON_THE_FIRM_BY_HAND.get((role, act))
        everywhere, somewhere = of(role, "*"), of(role, "adv-1")
        assert may(everywhere, Action(act)) is (mark is not None), act
        assert may(everywhere, Action(act), book="adv-2") is (mark is not None), act
        assert may(somewhere, Action(act), book="adv-2") is False, act
        assert may(somewhere, Action(act), book="adv-1") is (mark is not None), act
        carried = mark == "b" and act != "create"  # the query, or the grant itself, carries the book
        assert may(somewhere, Action(act)) is carried, act


@pytest.mark.parametrize("role", grid.ROLES)
@pytest.mark.parametrize(("held", "asked", "reached"), SCOPES)
def test_a_page_shows_the_buttons_that_work_and_no_others(role, held, asked, reached):
    actor = of(role, held)
    for state, mode, makers, earlier in itertools.product(State, Mode, ((), ("ann",)), ((), ("ann",), ("bob",))):
        asking = {"book": asked, "state": state, "mode": mode, "makers": makers, "approvers": earlier}
        works = {action for action in Action if str(action) in ACTS_ON_SIGNALS and may(actor, action, **asking)}
        assert allowed(actor, **asking) == works
        assert all(grants_for(actor, action, **asking) for action in works)
        assert reached or not works


def test_an_act_that_depends_on_state_or_mode_is_refused_without_it():
    manager = of("portfolio_manager", "*")
    for action in (Action.APPROVE, Action.RELEASE, Action.SUBMIT, Action.REJECT):
        assert not may(manager, action)
        assert not may(manager, action, state=None, mode=Mode.RELEASE)
    assert not may(manager, Action.APPROVE, state=State.SUBMITTED)
    assert may(manager, Action.APPROVE, state=State.SUBMITTED, mode=Mode.RELEASE)


def test_nobody_without_a_role_does_anything():
    for action, state, mode in itertools.product(Action, State, Mode):
        assert not may(person(), action, state=state, mode=mode)


def test_a_service_never_decides_whatever_role_somebody_gave_it():
    everything = person(*((role, "*") for role in Role), kind="service")
    for action, state, mode in itertools.product(NEVER_A_SERVICE, State, Mode):
        with pytest.raises(AccessError) as refused:
            authorize(everything, action, state=state, mode=mode)
        assert refused.value.rule == "service"
    for action in ("submit", "approve", "release", "override", "reject", "return", "manage_people", "set_mode"):
        assert Action(action) in NEVER_A_SERVICE


@given(
    acting=st.sampled_from("abcd"),
    behalf=st.none() | st.sampled_from("abcd"),
    makers=st.sets(st.sampled_from("abcd")),
    earlier=st.sets(st.sampled_from("abcd")),
    roles=st.sets(st.sampled_from(sorted(Role)), min_size=1),
    action=st.sampled_from(sorted(BY_ANOTHER)),
    state=st.sampled_from(sorted(State)),
)
def test_a_maker_is_never_a_checker_across_roles_and_delegations(acting, behalf, makers, earlier, roles, action, state):
    actor = person(*((role, "*") for role in roles), name=acting, on_behalf_of=behalf)
    asking = {"state": State(state), "mode": Mode.RELEASE, "makers": makers, "approvers": earlier}
    behind = {acting, behalf} - {None}
    if behind & makers or (action == "approve" and behind & earlier):
        assert not may(actor, Action(action), **asking)
    elif may(actor, Action(action), **asking):
        assert not behind & makers


def test_the_refusal_names_the_rule_that_stands_against_it():
    manager = of("portfolio_manager", "adv-1")
    here = {"book": "adv-1", "state": State.SUBMITTED, "mode": Mode.RELEASE}
    cases = {
        "role": (of("viewer", "*"), here),
        "book": (manager, here | {"book": "adv-2"}),
        "state": (manager, here | {"state": State.CHECKED}),
        "mode": (manager, here | {"mode": Mode.MONITOR}),
        "maker": (manager, here | {"makers": {"ann"}}),
        "service": (person(("portfolio_manager", "*"), kind="service"), here),
    }
    for rule, (actor, asking) in cases.items():
        with pytest.raises(AccessError) as refused:
            authorize(actor, Action.APPROVE, **asking)
        assert refused.value.rule == rule
    with pytest.raises(AccessError, match="portfolio manager has to approve first"):
        authorize(of("compliance", "*"), Action.APPROVE, **here)


def test_what_was_lent_is_not_lent_on():
    deputy = person(*((role, "*") for role in Role), on_behalf_of="bob", through="delegation")
    for action in IN_ONES_OWN_NAME:
        assert not may(deputy, action)
    assert {Action.DELEGATE, Action.BREAK_GLASS, Action.MANAGE_PEOPLE} <= IN_ONES_OWN_NAME


def test_broken_glass_counts_only_where_nothing_else_gives_the_right():
    own, broken = Grant(Role.TRADER, "adv-1", "own"), Grant(Role.PORTFOLIO_MANAGER, "*", "break_glass")
    actor = Actor("ann", "Ann", "person", (own, broken))
    asking = {"state": State.APPROVED, "mode": Mode.RELEASE}
    assert grants_for(actor, Action.RELEASE, book="adv-1", **asking)[0].through == "own"
    assert grants_for(actor, Action.RELEASE, book="adv-2", **asking) == (broken,)


def test_the_books_of_an_act_are_those_of_the_roles_that_may_do_it():
    actor = person(("viewer", "*"), ("compliance", "adv-1"), ("administrator", "*"))
    assert books(actor) is None
    assert books(actor, Action.READ_AUDIT) == {"adv-1"}
    assert books(of("administrator", "*")) == frozenset()
    book = column("book")
    assert str(visible(actor, book)) == "true"
    assert str(visible(of("administrator", "*"), book)) == "false"
    scope = visible(actor, book, Action.READ_AUDIT).compile(compile_kwargs={"literal_binds": True})
    assert str(scope) == "book IN ('adv-1')"


def test_books_of_any_spelling_are_values_not_sql():
    hostile = "x') OR 1=1 --"
    scope = visible(of("viewer", hostile), column("book")).compile()
    assert hostile not in str(scope)
    assert [hostile] in scope.params.values()


def test_the_table_says_nothing_that_the_life_cycle_cannot_do():
    for role, acts in ON_SIGNALS.items():
        for action, states in acts.items():
            if action in TRANSITIONS:
                assert states <= set(TRANSITIONS[action]), (role, action)
    assert set(MODES_FOR) == {Action(act) for act in IN_MODES}
