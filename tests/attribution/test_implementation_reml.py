"""The likelihood against the textbook's dense one, published estimates, and another package."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from workbench.attribution.implementation import Inference, Panel, fit
from workbench.attribution.implementation.likelihood import likelihood
from workbench.attribution.implementation.moments import moments
from workbench.errors import ParameterError

FACTORS = ("month", "advisor_id", "account_id", "model_month")
NAMES = ("month", "advisor", "account", "model_month")


def made(
    seed, accounts=24, advisors=4, custodians=3, months=8, sd=(5.0, 3.0, 4.0, 12.0), covariates=2, drop=0.2, models=1
):
    """A made-up panel; accounts open and miss months at random."""
    random = np.random.default_rng(seed)
    advisor, custodian = random.integers(0, advisors, accounts), random.integers(0, custodians, accounts)
    account, month = (code.ravel() for code in np.meshgrid(np.arange(accounts), np.arange(months), indexing="ij"))
    keep = random.random(len(account)) >= drop
    account, month = account[keep], month[keep]
    x = random.normal(2.0, 3.0, (len(account), covariates))
    gap = -2.0 + sd[3] * random.standard_normal(len(account)) + x @ np.arange(1.0, covariates + 1)
    for size, levels, code in zip(sd, (months, advisors, accounts), (month, advisor[account], account)):
        gap += size * random.standard_normal(levels)[code]
    frame = pd.DataFrame({
        "account_id": [f"A{i:04d}" for i in account], "advisor_id": [f"V{i}" for i in advisor[account]],
        "custodian_id": [f"C{i}" for i in custodian[account]], "month": month, "gap": gap,
    })  # fmt: skip
    if models > 1:
        model = ((advisor + random.integers(0, 2, accounts)) % models)[account]
        shared = 6.0 * random.standard_normal((models, months)) + 4.0 * np.arange(models)[:, None]
        frame = frame.assign(model_id=[f"M{i}" for i in model], gap=frame["gap"] + shared[model, month])
    return frame.assign(**{f"x{j}": x[:, j] for j in range(covariates)}), [f"x{j}" for j in range(covariates)]


def indicators(values):
    return pd.get_dummies(values).to_numpy(float)


def dense(frame, covariates, ratios, precision=None):
    """Deviance, coefficients and predicted effects by n x n matrices, as in Searle, Casella and McCulloch (1992).

    With precisions rows are multiplied by their roots first.
    """
    columns = frame[covariates].to_numpy() if covariates else np.empty((len(frame), 0))
    if "model_id" in frame:
        largest = frame.groupby("model_id")["account_id"].nunique().idxmax()
        columns = np.column_stack([indicators(frame["model_id"].where(frame["model_id"] != largest)), columns])
    x = np.column_stack([indicators(frame["custodian_id"]), (columns - columns.mean(axis=0)) / columns.std(axis=0)])
    frame = frame.assign(model_month=frame.get("model_id", "all") + frame["month"].astype(str))
    effects, y = [indicators(frame[name]) for name in FACTORS], frame["gap"].to_numpy()
    if precision is not None:
        root = np.sqrt(precision)
        effects = [root[:, None] * z for z in effects]
        x, y = root[:, None] * x, root * y
    v = np.eye(len(frame)) + sum(ratio * z @ z.T for ratio, z in zip(ratios, effects))
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ y)
    rest = y - x @ beta
    rss, freedom = rest @ inverse @ rest, len(frame) - x.shape[1]
    deviance = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    deviance += freedom * (1.0 + np.log(2.0 * np.pi * rss / freedom))
    predicted = [ratio * z.T @ inverse @ rest for ratio, z in zip(ratios, effects)]
    return deviance, beta, predicted, rss / freedom * np.linalg.inv(information)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([1, 2, 3]), st.booleans(),
    st.lists(st.sampled_from([0.0, 0.01, 0.3, 4.0]), min_size=4, max_size=4),
)  # fmt: skip
def test_the_likelihood_is_the_dense_one(seed, models, weighted, ratios):
    frame, covariates = made(seed, models=models, accounts=36)
    panel = Panel.of(frame, covariates=covariates)
    precision = np.random.default_rng(seed).uniform(0.1, 3.0, len(panel.accounts)) if weighted else panel.precision
    panel = replace(panel, precision=precision)
    sums = moments(panel)
    if len(panel.models) == 1:
        ratios[3] = 0.0
        frame = frame.drop(columns="model_id", errors="ignore")
    assume(not panel.small_models and len(sums.kept_models) == len(panel.models) - 1)
    point = likelihood(sums, np.array(ratios))
    deviance, beta, _, _ = dense(frame, covariates, ratios, precision[panel.account])
    assert point.deviance == pytest.approx(deviance, rel=1e-11)
    np.testing.assert_allclose(point.solution[sums.n_random :], beta, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("restricted", [True, False])
def test_the_gradient_is_that_of_the_deviance(restricted):
    frame, covariates = made(3, models=2, accounts=40)
    panel = Panel.of(frame, covariates=covariates)
    sums = moments(replace(panel, precision=np.linspace(0.2, 2.0, len(panel.accounts))))
    ratios = np.array([0.2, 0.05, 0.4, 0.3])
    for place in range(4):
        up, down = ratios.copy(), ratios.copy()
        up[place] *= np.exp(1e-5)
        down[place] *= np.exp(-1e-5)
        slope = likelihood(sums, up, restricted=restricted).deviance
        slope -= likelihood(sums, down, restricted=restricted).deviance
        assert likelihood(sums, ratios, restricted=restricted).gradient[place] == pytest.approx(slope / 2e-5, rel=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_the_fit_is_the_dense_optimum(seed):
    frame, covariates = made(seed, models=1 + seed % 3, accounts=24 + 12 * (seed % 3))
    panel = Panel.of(frame, covariates=covariates)
    found = fit(panel)

    def objective(roots):
        return dense(frame, covariates, np.square(roots))[0]

    start = np.sqrt(np.maximum(found.point.ratios, 0.01))
    if len(panel.models) == 1:
        start = start[:3]
        frame = frame.drop(columns="model_id", errors="ignore")
    best = minimize(objective, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 800})
    assert found.point.deviance <= best.fun + 1e-8
    deviance, beta, predicted, covariance = dense(frame, covariates, found.point.ratios)
    assert found.point.deviance == pytest.approx(deviance, abs=1e-8)
    np.testing.assert_allclose(found.custodian_mean, beta[: len(found.custodian_mean)], atol=1e-8)
    np.testing.assert_allclose(
        found.covariance[: len(found.custodian_mean), : len(found.custodian_mean)],
        covariance[: len(found.custodian_mean), : len(found.custodian_mean)], atol=1e-8,
    )  # fmt: skip
    for ours, theirs in zip((found.month, found.advisor, found.account), predicted[:3], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)
    if len(panel.models) > 1:
        cells = np.unique(panel.model_of[panel.account] * 100 + panel.month)
        np.testing.assert_allclose(found.model_month[cells // 100, cells % 100], predicted[3], atol=1e-8)


@pytest.mark.parametrize(("seed", "models", "close"), [(0, 1, 1e-4), (1, 1, 2e-4), (2, 1, 2e-4), (3, 3, 5e-4)])
def test_it_agrees_with_statsmodels(seed, models, close):
    """Its optimisers stop within a few 1e-4 of each other, so that the first case is held to 1e-4 and the rest near."""
    statsmodels = pytest.importorskip("statsmodels.formula.api")
    frame, covariates = made(seed, accounts=30, advisors=6, drop=0.1, sd=(6.0, 6.0, 6.0, 10.0), models=models)
    found = fit(Panel.of(frame, covariates=covariates))
    formula, factors = "gap ~ 0 + C(custodian_id) + x0 + x1", FACTORS[:3]
    if models > 1:
        frame = frame.assign(model_month=frame["model_id"] + "." + frame["month"].astype(str))
        formula, factors = formula + " + C(model_id)", FACTORS
    parts = {name: f"0 + C({name})" for name in factors}
    model = statsmodels.mixedlm(formula, frame, groups=np.ones(len(frame)), vc_formula=parts)
    theirs = model.fit(reml=True, method=["lbfgs"])
    assert theirs.converged
    variances = dict(zip(model.exog_vc.names, theirs.vcomp, strict=True))
    for name, factor in zip(NAMES, factors):
        assert found.component(name).variance == pytest.approx(variances[factor], rel=close)
    assert found.component("error").variance == pytest.approx(theirs.scale, rel=1e-4)
    np.testing.assert_allclose(found.slope, theirs.fe_params[["x0", "x1"]], rtol=1e-4)
    means = theirs.fe_params[[name for name in theirs.fe_params.index if name.startswith("C(custodian")]].to_numpy()
    np.testing.assert_allclose(np.diff(found.custodian_mean), np.diff(means), rtol=2e-4, atol=1e-3)
    if models == 1:
        at_average = means + frame[covariates].mean().to_numpy() @ theirs.fe_params[covariates].to_numpy()
        np.testing.assert_allclose(found.custodian_mean, at_average, rtol=1e-4, atol=1e-4)


DYESTUFF = {
    "A": (1545, 1440, 1440, 1520, 1580), "B": (1540, 1555, 1490, 1560, 1495), "C": (1595, 1550, 1605, 1510, 1560),
    "D": (1445, 1440, 1595, 1465, 1545), "E": (1595, 1630, 1515, 1635, 1625), "F": (1520, 1455, 1450, 1480, 1445),
}  # fmt: skip


def dyestuff():
    rows = [(batch, value) for batch, values in DYESTUFF.items() for value in values]
    return pd.DataFrame({
        "account_id": [batch for batch, _ in rows], "advisor_id": [batch for batch, _ in rows], "custodian_id": "one",
        "month": range(len(rows)), "gap": [float(value) for _, value in rows],
    })  # fmt: skip


def test_dyestuff_is_as_published():
    # Davies (1947); estimates as printed by Bates et al. (2015) and in lme4's help page.
    found = fit(Panel.of(dyestuff()))
    assert found.component("account").variance == pytest.approx(1764.05, abs=0.01)
    assert found.component("error").variance == pytest.approx(2451.25, abs=0.01)
    assert found.point.deviance == pytest.approx(319.6543, abs=1e-4)
    assert found.custodian_mean[0] == pytest.approx(1527.5)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(19.38, abs=0.01)
    assert len(found.notes) == 3


def test_a_balanced_mean_has_as_many_degrees_of_freedom_as_groups_less_one():
    inference = Inference(fit(Panel.of(dyestuff())))
    mean = inference.estimate(inference.weights(custodians=np.ones(1)))
    assert mean.freedom == pytest.approx(5.0, rel=1e-3)
    assert (mean.low, mean.high) == pytest.approx((1527.5 - 2.5706 * 19.383, 1527.5 + 2.5706 * 19.383), abs=0.05)


def test_no_variance_is_exactly_none_and_leaving_it_would_be_worse():
    nothing = 0
    for seed in range(8):
        frame, covariates = made(seed, accounts=40, sd=(0.0, 0.0, 0.0, 10.0))
        found = fit(Panel.of(frame, covariates=covariates))
        for place, name in enumerate(("month", "advisor", "account")):
            part = found.component(name)
            if part.variance > 0.0:
                assert part.ratio_statistic > 0.0
                continue
            nothing += 1
            assert part.p == 1.0
            for ratio in (1e-6, 1e-3, 0.1):
                near = found.point.ratios.copy()
                near[place] = ratio
                assert likelihood(found.moments, near).deviance >= found.point.deviance - 1e-6
    assert nothing >= 8


def test_a_likelihood_ratio_is_never_negative_and_its_p_never_above_one():
    for seed in range(8):
        for part in fit(Panel.of(made(seed)[0])).components[:3]:
            assert part.ratio_statistic >= 0.0
            assert 0.0 <= part.p <= 1.0


def test_units_order_and_a_constant_do_not_matter():
    frame, covariates = made(5)
    first = fit(Panel.of(frame, covariates=covariates))
    other = frame.sample(frac=1.0, random_state=1).assign(
        gap=lambda f: 10.0 * f["gap"] + 7.0, x0=lambda f: f["x0"] + 99
    )
    second = fit(Panel.of(other, covariates=covariates))
    for name in ("month", "advisor", "account", "error"):
        assert second.component(name).variance == pytest.approx(100.0 * first.component(name).variance, rel=1e-4)
    np.testing.assert_allclose(second.slope, 10.0 * first.slope, rtol=1e-5)
    np.testing.assert_allclose(second.custodian_mean, 10.0 * first.custodian_mean + 7.0, rtol=1e-5)


def test_the_months_shock_is_in_the_means_error():
    frame, _ = made(2, accounts=200, months=12, sd=(8.0, 0.0, 2.0, 10.0), covariates=0, drop=0.0)
    found = fit(Panel.of(frame))
    shock = found.component("month").variance / 12.0
    assert found.covariance[0, 0] > shock
    assert shock > 0.5 * found.covariance[0, 0]


def one(frame, **columns):
    return frame.assign(**columns)


def test_what_cannot_be_separated_is_left_out_and_said():
    frame, _ = made(1, covariates=0)
    cases = {
        "one month": frame[frame["month"] == 3],
        "one advisor": one(frame, advisor_id="V"),
        "one account": frame[frame["account_id"] == frame["account_id"].iloc[0]],
        "one custodian": one(frame, custodian_id="C"),
        "Every advisor has one account": one(frame, advisor_id=frame["account_id"]),
        "Every custodian has one advisor": one(frame, custodian_id=frame["advisor_id"]),
    }
    for words, rows in cases.items():
        found = fit(Panel.of(rows))
        assert any(words in note for note in found.notes), (words, found.notes)
        assert np.isfinite(found.custodian_mean).all()
        assert np.isfinite(found.covariance).all()


def test_a_covariate_that_cannot_be_told_apart_is_left_out_and_listed():
    frame, _ = made(1)
    twin = one(
        frame, x2=3.0 * frame["x0"] - 1.0, flat=4.0, fee=frame["custodian_id"].map({"C0": 1.0, "C1": 2.0, "C2": 5.0})
    )
    found = fit(Panel.of(twin, covariates=["x0", "x1", "x2", "flat", "fee"]))
    assert found.moments.kept == ("x0", "x1")
    assert [name for name, _ in found.moments.left_out] == ["x2", "flat", "fee"]
    alone = fit(Panel.of(frame, covariates=["x0", "x1"]))
    np.testing.assert_allclose(found.slope, alone.slope, rtol=1e-6)


def test_bad_panels_are_refused_with_what_to_do():
    frame, _ = made(1)
    with pytest.raises(ParameterError, match="no column gap"):
        Panel.of(frame.drop(columns="gap"))
    with pytest.raises(ParameterError, match="no row"):
        Panel.of(frame.iloc[:0])
    with pytest.raises(ParameterError, match="missing or infinite"):
        Panel.of(one(frame, x0=np.inf), covariates=["x0"])
    with pytest.raises(ParameterError, match="occur twice"):
        Panel.of(pd.concat([frame, frame.iloc[:2]]))
    moved = frame.copy()
    moved.loc[moved.index[0], "custodian_id"] = "elsewhere"
    with pytest.raises(ParameterError, match="changed custodian_id"):
        Panel.of(moved)
    with pytest.raises(ParameterError, match="nothing to split"):
        fit(Panel.of(one(frame, gap=1.5)))
    with pytest.raises(ParameterError, match="cannot bear"):
        fit(Panel.of(frame.iloc[:1]))
