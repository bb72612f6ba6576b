"""Solving: the command's answer, results, options, callbacks."""

import json
import os
import subprocess
from pathlib import Path

import blo
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "specs/ridge_study.blo"
PARABOLA = "upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }"
# it goes on until somebody stops it: no residual is below 0. The limit on time is for a test that fails
ENDLESS = dict(method="meha", tol=0, max_iter=10**15, passes=1, polish=0, gamma=1000, alpha=1e-12, beta=1e-12, eta=1e-12)
ENDLESS["max_time"] = 60


def command():
    """The command `blo`, where it is built from this tree."""
    named = os.environ.get("BLO_COMMAND")
    built = [Path(named)] if named else [ROOT / "target" / profile / "blo" for profile in ("release", "fast", "debug")]
    return next((path for path in built if path.exists()), None)


def numbers(value):
    """A result without what differs from run to run."""
    return {name: part for name, part in value.items() if name not in ("seconds", "environment")}


def test_the_answer_is_the_commands_to_the_last_bit():
    if command() is None:
        pytest.skip("the command is not built")
    printed = subprocess.run(
        [command(), "solve", STUDY, "--format", "json"], capture_output=True, text=True, check=True
    ).stdout
    answer = json.loads(printed)
    solution = blo.load(str(STUDY)).solve()
    assert float(solution.x) == answer["upper"]["variables"]["x"]
    assert solution.y.tolist() == answer["lower"]["variables"]["y"]
    assert solution.upper_objective == answer["upper"]["objective"]
    assert numbers(solution.to_dict()) == numbers(answer)


def test_the_arrays_are_those_of_the_json():
    solution = blo.load(STUDY).solve()
    found = json.loads(solution.to_json())
    assert found == solution.to_dict()
    assert float(solution.x) == found["upper"]["variables"]["x"]
    assert solution.y.tolist() == found["lower"]["variables"]["y"]
    assert solution.status == found["status"] == "converged"
    assert solution.verdict == found["verdict"]["word"] == "certified"
    assert solution.residuals["upper"] == found["residuals"]["upper"]
    assert np.isnan(solution.residuals["gap"]) and found["gap"] is None
    assert solution.iterations == found["iterations"] == solution.history["iteration"][-1]


def test_one_variable_is_an_array_and_several_are_a_dict():
    text = """upper { var x  var z[2] minimize (x - 1)^2 + normsq(z - 2) + sum(W)^2 }
              lower { var W[2, 3]  minimize normsq(W - x) }"""
    solution = blo.load(text).solve()
    assert solution.x is solution.upper and list(solution.x) == ["x", "z"]
    assert solution.x["x"].shape == () and solution.x["z"].shape == (2,)
    assert solution.y.shape == (2, 3) and solution.y is solution.lower["W"]
    assert solution.y.dtype == np.float64
    np.testing.assert_allclose(solution.x["z"], 2, atol=1e-3)


def test_params_data_and_datasets():
    text = """param p = 1
      dataset d { u[2] = csv("d.csv", columns = 1..2)  v = csv("d.csv", column = 3) }
      upper { var x  minimize (x - p)^2 + normsq(w) }
      lower { var w[2]  minimize normsq(d.u*w - d.v) }"""
    rows, targets = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), [1, 2, 3]
    named = blo.load(text, data={"d.u": rows, "d.v": targets}, params={"p": 3}).solve()
    nested = blo.load(text, data={"d": {"u": rows, "v": targets}}, params={"p": np.int64(3)}).solve()
    np.testing.assert_allclose(named.y, [1, 2], atol=1e-5)
    np.testing.assert_allclose(named.x, 3, atol=1e-3)
    assert (named.y == nested.y).all() and named.x == nested.x
    assert blo.load(text).data_items == {"d.u": "[rows, 2]", "d.v": "[rows]"}


def test_files_are_looked_for_in_folders(tmp_path):
    (tmp_path / "a.csv").write_text("1\n2\n")
    text = """data a[_] = csv("a.csv", header = false)
      upper { var x  minimize (x - sum(a))^2 }  lower { var y  minimize (y - x)^2 }"""
    assert [d.code for d in blo.load(text).check()] == ["W0508"]
    with pytest.raises(blo.BloError, match="a.csv: file not found"):
        blo.load(text).solve()
    problem = blo.load(text, folders=[tmp_path])
    assert problem.check() == []
    np.testing.assert_allclose(problem.solve().x, 3, atol=1e-3)


def test_multipliers_metrics_and_sensitivity():
    text = """param p = 2  metric twice = 2*y
      upper { var x  minimize (x - p)^2 + y^2 }
      lower { var y  minimize (y - x)^2  subject to { cap: y <= 1 } }"""
    solution = blo.load(text).solve()
    np.testing.assert_allclose(solution.multipliers["cap"], 2, atol=1e-3)
    assert abs(solution.metrics["twice"] - 2 * float(solution.y)) < 1e-9
    assert solution.violations["cap"] <= 1e-6
    assert "sensitivity" not in solution.to_dict()
    # without the row F* = p^2 / 2
    free = blo.load(text.replace("subject to { cap: y <= 1 }", "")).solve(sensitivity=True)
    np.testing.assert_allclose(free.to_dict()["sensitivity"]["p"], 2, atol=1e-3)


def test_options_reach_the_run():
    problem = blo.load(PARABOLA)
    solution = problem.solve("rhg", K=7, tol=1e-9, max_iter=np.int64(5), seed=3, threads=None, precision="f32", s_l=1e-2)
    options = {name: option["value"] for name, option in solution.to_dict()["options"].items()}
    assert (options["K"], options["tol"], options["max_iter"], options["seed"]) == (7, 1e-9, 5, 3)
    assert options["precision"] == "f32" and options["s_l"] == 0.01
    assert solution.method == "rhg" and solution.iterations <= 5
    started = problem.solve("rhg", start_from={"x": 3.0}, max_iter=1)
    assert started.history["upper"][0] != solution.history["upper"][0]
    assert blo.load(STUDY).solve("meha", preset="stated", max_iter=3).to_dict()["preset"] == "stated"
    assert blo.load(STUDY).solve("meha:stated", max_iter=3).to_dict()["preset"] == "stated"


def test_history_has_a_column_for_everything():
    text = "metric upper_of = 2*y  " + PARABOLA
    solution = blo.load(text).solve("rhg", row_every=1, row_variables=True, max_iter=30)
    history = solution.history
    count = len(history["iteration"])
    assert all(len(column) == count for column in history.values())
    assert history["iteration"].tolist() == list(range(count))
    np.testing.assert_allclose(history["upper"], (history["x"] - 1) ** 2 + history["y"] ** 2)
    np.testing.assert_allclose(history["upper_of"], 2 * history["y"])


def test_a_callback_sees_the_rows_of_the_history():
    rows = []
    solution = blo.load(PARABOLA).solve("rhg", callback=rows.append, row_variables=True)
    assert [row["iteration"] for row in rows] == solution.history["iteration"].tolist()
    for name, column in solution.history.items():
        np.testing.assert_array_equal([row[name] for row in rows], column)


def test_false_stops_a_run():
    def few(row):
        return row["iteration"] < 5

    solution = blo.load(PARABOLA).solve(callback=few, **ENDLESS)
    assert solution.status == "stopped" and 5 <= solution.iterations < 1000
    assert blo.load(PARABOLA).solve(callback=lambda row: np.bool_(row["iteration"] < 5), **ENDLESS).status == "stopped"
    # whatever else a function returns goes on
    for answer in (None, 0, 0.0, [], "", True, np.array([])):
        assert blo.load(PARABOLA).solve("rhg", callback=lambda row: answer).status == "converged"


def test_an_exception_of_a_callback_is_raised():
    def broken(row):
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError, match="here"):
        blo.load(PARABOLA).solve(callback=broken, **ENDLESS)


def test_gradients_agree_with_differences():
    problem = blo.load(STUDY)
    at = problem.grad(-1.0)
    step = 1e-4
    slope = (problem.grad(-1.0 + step).value - problem.grad(-1.0 - step).value) / (2 * step)
    assert at.is_exact and abs(float(at.x) - slope) < 1e-5 * max(1, abs(slope))
    assert float(at.upper["x"]) == -1.0 and at.lower["y"].shape == (6,)
    assert problem.grad({"x": -1.0}).value == at.value
    assert problem.grad().value == problem.grad(0.0).value


def test_comparisons_plans_and_explanations():
    problem = blo.load(STUDY)
    comparison = problem.compare(["cg", "rhg(K = 30)", "nomethod"])
    assert [run.method for run in comparison] == ["cg", "rhg(K = 30)", "nomethod"]
    assert abs(comparison["cg"].upper_objective - comparison[1].solution.upper_objective) < 1e-3
    assert "refused" in repr(comparison) and "refused" in comparison._repr_html_()
    with pytest.raises(blo.BloError):
        comparison["nomethod"]
    plan = problem.plan("rhg")
    assert "flops" in repr(plan) and plan.flops > 0 and plan.memory > 0 and plan.to_dict()["schema"] == 1
    assert "lower level" in problem.explain()


def test_reports_of_the_command_and_of_a_notebook():
    solution = blo.load(STUDY).solve()
    assert repr(solution).startswith("status     converged after 12 iterations of auto")
    html = solution._repr_html_()
    assert "<table>" in html and "<polyline" in html and "certified" in html
    assert solution.plot()._repr_svg_().endswith("</svg>")
    assert "nan" not in solution.plot().svg


def test_every_method_is_listed_with_its_options():
    methods = {m.name: m for m in blo.methods()}
    assert {"auto", "meha", "cg", "rhg", "bome"} <= set(methods)
    assert all(m.doc and m.citation and m.options for m in methods.values())
    assert any(o.name == "max_iter" and o.default == "10000" for o in methods["auto"].options)
