"""The linear form of a household's program, through one HiGHS model that is changed and solved again from its basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import ParameterError
from workbench.rebalance.solver.problem import Floats, Problem, Solution

if TYPE_CHECKING:
    from scipy.sparse import csc_array


def constraint_matrix(problem: Problem) -> csc_array:
    """Lines, then rows, by columns: a sparse matrix (R + K, C)."""
    from scipy.sparse import coo_array

    columns, lines = len(problem.linear), len(problem.line_target)
    lined = np.flatnonzero(problem.line >= 0)
    of = np.repeat(np.arange(columns), np.diff(problem.column_ptr))
    return coo_array(
        (
            np.concatenate([problem.line_coefficient[lined], problem.entry]),
            (np.concatenate([problem.line[lined], lines + problem.entry_row]), np.concatenate([lined, of])),
        ),
        shape=(lines + len(problem.row_low), columns),
    ).tocsc()


class LinearModel:
    """A problem without quadratic terms, held by HiGHS so that each further solve starts from the last basis.

    Not safe to share between threads. Raises ParameterError where a quadratic entry is not zero.
    """

    def __init__(self, problem: Problem) -> None:
        if np.any(problem.quadratic):
            raise ParameterError(
                "a linear model takes no quadratic terms; solve this problem with quadratic.solve", "quadratic"
            )
        import highspy

        self._problem = problem
        self._lower, self._upper, self._linear = problem.lower.copy(), problem.upper.copy(), problem.linear.copy()
        matrix = constraint_matrix(problem)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(problem.linear), matrix.shape[0]
        model.col_cost_, model.col_lower_, model.col_upper_ = problem.linear, problem.lower, problem.upper
        model.row_lower_ = np.concatenate([problem.line_target, problem.row_low])
        model.row_upper_ = np.concatenate([problem.line_target, problem.row_high])
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
        model.a_matrix_.value_ = matrix.data
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        self._highs.setOptionValue("primal_feasibility_tolerance", 1e-9)
        self._highs.setOptionValue("dual_feasibility_tolerance", 1e-9)
        self._highs.passModel(model)
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._infeasible = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)

    def solve(self, lower: Floats | None = None, upper: Floats | None = None, linear: Floats | None = None) -> Solution:
        """Solve with these bounds and costs of the columns (C), the problem's own where not given.

        Raises ParameterError where the objective falls without limit, naming what to bound.
        """
        new_lower = self._problem.lower if lower is None else lower
        new_upper = self._problem.upper if upper is None else upper
        new_linear = self._problem.linear if linear is None else linear
        changed = np.flatnonzero((new_lower != self._lower) | (new_upper != self._upper)).astype(np.int32)
        if len(changed):
            self._highs.changeColsBounds(len(changed), changed, new_lower[changed], new_upper[changed])
            self._lower[changed], self._upper[changed] = new_lower[changed], new_upper[changed]
        changed = np.flatnonzero(new_linear != self._linear).astype(np.int32)
        if len(changed):
            self._highs.changeColsCost(len(changed), changed, new_linear[changed])
            self._linear[changed] = new_linear[changed]
        return self._run()

    def _run(self) -> Solution:
        lines, columns = len(self._problem.line_target), len(self._lower)
        if np.any(self._lower > self._upper):
            return self._nothing(0)
        self._highs.run()
        status = self._highs.getModelStatus()
        info = self._highs.getInfo()
        if status in self._infeasible:
            return self._nothing(info.simplex_iteration_count)
        if status != self._optimal:
            raise ParameterError(
                f"the linear form has no optimum (HiGHS: {self._highs.modelStatusToString(status)}): a column with a "
                "negative cost needs an upper bound or a row that limits it",
                "linear",
            )
        answer = self._highs.getSolution()
        values = np.array(answer.col_value)
        # HiGHS keeps columns within its tolerance of their bounds; a trade that is nothing is exactly nothing.
        values = np.where(np.abs(values - self._lower) < 1e-9, self._lower, values)
        values = np.where(np.abs(values - self._upper) < 1e-9, self._upper, values)
        duals = np.array(answer.row_dual)
        return Solution(
            values=values,
            objective=float(info.objective_function_value),
            line_price=duals[:lines],
            row_price=duals[lines:],
            bound_price=np.array(answer.col_dual)[:columns],
            status="optimal",
            iterations=int(info.simplex_iteration_count),
        )

    def _nothing(self, iterations: int) -> Solution:
        problem = self._problem
        sizes = (len(problem.linear), len(problem.line_target), len(problem.row_low))
        values, line, row = (np.full(n, np.nan) for n in sizes)
        return Solution(values, np.inf, line, row, values.copy(), "infeasible", int(iterations))
