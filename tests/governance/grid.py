"""Who may do what, written down by hand: the tests compare the program with this page, not with itself.

Read it as a compliance officer: one block a role, one line an act, one column a state. `y` may, `.` may not. `2` may
only as the second approver. `m` only who made the signal. An act that is not in a role's block is refused in every
state.
"""

ON_SIGNALS = """
                     draft checked submitted approved rejected returned released exported acknowl. partly filled expired supers.

viewer
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
advisor
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
  consent            y     y       .         .        .        y        .        .        .        .      .      .       .
  edit_draft         y     y       y         y        .        y        .        .        .        .      .      .       .
analyst
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
  check              y     y       .         .        .        y        .        .        .        .      .      .       .
  revise             y     y       .         .        .        y        .        .        .        .      .      .       .
  submit             .     y       .         .        .        .        .        .        .        .      .      .       .
  withdraw           .     .       m         m        .        .        .        .        .        .      .      .       .
  draft              y     y       y         y        .        y        .        .        .        .      .      .       .
  edit_draft         y     y       y         y        .        y        .        .        .        .      .      .       .
portfolio_manager
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
  check              y     y       .         .        .        y        .        .        .        .      .      .       .
  revise             y     y       .         .        .        y        .        .        .        .      .      .       .
  submit             .     y       .         .        .        .        .        .        .        .      .      .       .
  withdraw           .     .       m         m        .        .        .        .        .        .      .      .       .
  approve            .     .       y         .        .        .        .        .        .        .      .      .       .
  return             .     .       y         y        .        .        .        .        .        .      .      .       .
  reject             .     y       y         y        .        y        .        .        .        .      .      .       .
  release            .     .       .         y        .        .        .        .        .        .      .      .       .
  draft              y     y       y         y        .        y        .        .        .        .      .      .       .
  edit_draft         y     y       y         y        .        y        .        .        .        .      .      .       .
trader
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
  return             .     .       .         y        .        .        .        .        .        .      .      .       .
  release            .     .       .         y        .        .        .        .        .        .      .      .       .
  export             .     .       .         .        .        .        y        .        .        .      .      .       .
  acknowledge        .     .       .         .        .        .        .        y        .        .      .      .       .
  fill               .     .       .         .        .        .        .        y        y        y      .      .       .
compliance
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
  check              y     y       .         .        .        y        .        .        .        .      .      .       .
  override           .     y       .         .        .        .        .        .        .        .      .      .       .
  approve            .     .       2         .        .        .        .        .        .        .      .      .       .
  return             .     .       y         y        .        .        .        .        .        .      .      .       .
  reject             .     y       y         y        .        y        .        .        .        .      .      .       .
administrator
auditor
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
service
  view               y     y       y         y        y        y        y        y        y        y      y      y       y
  check              y     y       .         .        .        y        .        .        .        .      .      .       .
  export             .     .       .         .        .        .        y        .        .        .      .      .       .
  acknowledge        .     .       .         .        .        .        .        y        .        .      .      .       .
  fill               .     .       .         .        .        .        .        y        y        y      .      .       .
  draft              y     y       y         y        .        y        .        .        .        .      .      .       .
  expire             y     y       y         y        .        y        .        .        .        .      .      .       .
  supersede          y     y       y         y        .        y        .        .        .        .      .      .       .
  void               .     y       y         y        .        y        .        .        .        .      .      .       .
"""  # noqa: E501 - a page to be read whole

#: In which rollout modes an act is possible at all; any other act is possible in each.
IN_MODES = """
              monitor  draft  release
  submit      .        y      y
  approve     .        y      y
  release     .        .      y
  export      .        .      y
"""

#: Acts on the firm, with a role held for all books. `b`: a role in one book is enough, for that book.
ON_THE_FIRM = """
                     viewer advisor analyst manager trader compliance administrator auditor service
  create             .      .       b       b       .      .          .             .       b
  see_inputs         .      .       .       .       .      .          .             .       y
  sweep              .      .       .       .       .      .          .             .       y
  set_mode           .      .       .       .       .      y          .             .       .
  manage_people      .      .       .       .       .      .          y             .       .
  confirm_grant      .      .       .       .       .      y          y             .       .
  read_people        .      .       .       .       .      y          y             y       .
  change_password    b      b       b       b       b      b          b             b       .
  delegate           .      b       .       b       b      b          .             .       .
  break_glass        .      .       b       b       b      .          .             .       .
  review_break_glass .      .       .       .       .      y          .             .       .
  change_rules       .      .       .       .       .      y          .             .       .
  change_controls    .      .       .       .       .      y          .             .       .
  read_audit         .      .       .       .       .      b          .             b       .
  export_audit       .      .       .       .       .      y          .             y       .
  checkpoint         .      .       .       .       .      y          .             .       y
  hold               .      .       .       .       .      y          .             .       .
  dispose            .      .       .       .       .      .          .             .       y
  read_measures      .      .       y       y       .      y          .             y       .
  define_measures    .      .       .       .       .      y          .             .       .
  record_measures    .      .       .       y       .      y          .             .       y
  read_library       y      y       y       y       y      y          .             y       .
  escalate           .      y       y       y       y      y          .             .       y
  read_escalations   .      b       b       b       .      b          .             b       .
  answer_escalation  .      .       .       y       .      y          .             .       .
"""

#: Papers: one line an act, one column a state. `a` may where another wrote it, in kinds that name the role below.
ON_PAPERS = """
                     drafted edited released withdrawn superseded

viewer
  read_papers        y       y      y        y         y
advisor
  read_papers        y       y      y        y         y
  edit_paper         k       k      .        .         .
  withdraw_paper     y       y      .        .         .
analyst
  read_papers        y       y      y        y         y
  edit_paper         k       k      .        .         .
  withdraw_paper     y       y      .        .         .
portfolio_manager
  read_papers        y       y      y        y         y
  edit_paper         k       k      .        .         .
  release_paper      a       a      .        .         .
  withdraw_paper     y       y      y        .         .
trader
compliance
  read_papers        y       y      y        y         y
  release_paper      a       a      .        .         .
  withdraw_paper     y       y      y        .         .
administrator
auditor
  read_papers        y       y      y        y         y
service
  read_papers        y       y      y        y         y
  bring_paper        y       y      y        y         y
"""

#: Who puts a kind of paper into other words, and who lets it go.
KINDS_OF_PAPERS = """
                  edited by                          released by
  memo            analyst,portfolio_manager          portfolio_manager
  commentary      analyst,portfolio_manager          portfolio_manager
  client_brief    advisor,analyst,portfolio_manager  compliance
  client_email    advisor,analyst,portfolio_manager  compliance
  talking_points  advisor,analyst,portfolio_manager  compliance
  notice          analyst,portfolio_manager          compliance
  alert           analyst,portfolio_manager          portfolio_manager
"""

STATES = ("draft", "checked", "submitted", "approved", "rejected", "returned", "released", "exported", "acknowledged",
          "partly_filled", "filled", "expired", "superseded")  # fmt: skip
ROLES = ("viewer", "advisor", "analyst", "portfolio_manager", "trader", "compliance", "administrator", "auditor",
         "service")  # fmt: skip
MODES = ("monitor", "draft", "release")


PAPER_STATES = ("drafted", "edited", "released", "withdrawn", "superseded")


def on_signals():
    """Return (role, act, state) -> mark of the page on signals, for what is not refused."""
    return _by_state(ON_SIGNALS, STATES)


def on_papers():
    """Return (role, act, state) -> mark of the page on papers, for what is not refused."""
    return _by_state(ON_PAPERS, PAPER_STATES)


def kinds_of_papers():
    """Return kind -> (roles that edit it, roles that release it)."""
    lines = (line.split() for line in KINDS_OF_PAPERS.strip("\n").splitlines()[1:])
    return {kind: (set(edited.split(",")), set(released.split(","))) for kind, edited, released in lines}


def _by_state(page, states):
    marks, role = {}, None
    for line in page.strip("\n").splitlines()[1:]:
        if not line.strip():
            continue
        if not line.startswith(" "):
            role = line.strip()
            continue
        act, *cells = line.split()
        assert len(cells) == len(states), line
        marks |= {(role, act, state): mark for state, mark in zip(states, cells) if mark != "."}
    return marks


def on_the_firm():
    """Return (role, act) -> mark, for what is not refused."""
    marks = {}
    for line in ON_THE_FIRM.strip("\n").splitlines()[1:]:
        act, *cells = line.split()
        assert len(cells) == len(ROLES), line
        marks |= {(role, act): mark for role, mark in zip(ROLES, cells) if mark != "."}
    return marks


def in_modes():
    """Return act -> modes in which it is possible, for the acts that are not possible in each."""
    lines = (line.split() for line in IN_MODES.strip("\n").splitlines()[1:])
    return {act: {mode for mode, mark in zip(MODES, cells) if mark == "y"} for act, *cells in lines}
