"""The continuous program, solved whatever its scales: the interior point first, HiGHS where that stalls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.errors import ParameterError
from workbench.rebalance.solver import quadratic
from workbench.rebalance.solver.problem import Floats, Problem, Solution


class Resolver:
    """Solves one program again and again with other bounds, each time from the optimum before.

    The arrays of the program are checked by the solution it starts from; the workspace is allocated once. A
    near optimum makes most re-solves a few changes of the active set, a quarter of the time from nothing.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._floats, self._integers = quadratic.workspace(
            len(problem.linear), len(problem.line_target), len(problem.row_low), len(problem.entry)
        )

    def solve(self, lower: Floats, upper: Floats, near: Solution) -> Solution:
        """Return the optimum between these bounds; `near` is the solution of a near program.

        Raises `ParameterError` where there is none.
        """
        p = self.problem
        values, bound_price = near.values.copy(), near.bound_price.copy()
        line_price, row_price = near.line_price.copy(), near.row_price.copy()
        status, steps, objective = quadratic.minimise(
            p.quadratic, p.linear, lower, upper, p.line, p.line_coefficient, p.column_ptr, p.entry_row, p.entry,
            p.line_target, p.row_low, p.row_high, True, values, line_price, row_price, bound_price,
            self._floats, self._integers,
        )  # fmt: skip
        if status == quadratic.OPTIMAL:
            return Solution(values, objective, line_price, row_price, bound_price, "optimal", steps)
        return relaxed(replace(p, lower=lower, upper=upper))


def relaxed(problem: Problem) -> Solution:
    """Return the optimum of a household's program.

    Dust, negative cash and tiny groups side by side make programs that an interior point cannot scale; an active-set
    method can. Raises `ParameterError` where neither finds an optimum.
    """
    try:
        found = quadratic.solve(problem)
        if found.status == "optimal":
            return found
    except ParameterError:
        pass  # stalled: the second method decides
    for curvature in (0.0, 1e-7):
        other = _highs(problem, curvature)
        if other is not None:
            return other
    raise ParameterError("the household's program could not be solved; look for amounts that cannot be right in it")


def _highs(problem: Problem, curvature: float) -> Solution | None:
    import highspy

    columns, lines, rows = len(problem.linear), len(problem.line_target), len(problem.row_low)
    lined = np.flatnonzero(problem.line >= 0)
    of = np.concatenate([lined, np.repeat(np.arange(columns), np.diff(problem.column_ptr))])
    row = np.concatenate([problem.line[lined], lines + problem.entry_row])
    value = np.concatenate([problem.line_coefficient[lined], problem.entry])
    order = np.argsort(of, kind="stable")
    model = highspy.HighsModel()
    lp = model.lp_
    lp.num_col_, lp.num_row_ = columns, lines + rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = problem.linear, problem.lower, problem.upper
    lp.row_lower_ = np.concatenate([problem.line_target, problem.row_low])
    lp.row_upper_ = np.concatenate([problem.line_target, problem.row_high])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=columns))]).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = row[order].astype(np.int32), value[order]
    if (problem.quadratic > 0).any():
        hessian = model.hessian_
        hessian.dim_ = columns
        hessian.format_ = highspy.HessianFormat.kTriangular
        hessian.start_ = np.arange(columns + 1, dtype=np.int32)
        hessian.index_, hessian.value_ = np.arange(columns, dtype=np.int32), problem.quadratic + curvature
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("qp_iteration_limit", 5000)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    answer = solver.getSolution()
    values = np.clip(np.array(answer.col_value), problem.lower, problem.upper)
    dual = np.array(answer.row_dual)
    objective = float(values @ (problem.linear + 0.5 * problem.quadratic * values))
    return Solution(values, objective, dual[:lines], dual[lines:], np.array(answer.col_dual), "optimal", 0)
