"""What cannot be done is an exception with the command's text."""

import pickle
import subprocess
import sys

import blo
import numpy as np
import pytest

from test_solve import PARABOLA, STUDY, command

RIDGE = """data A[_, 2] = csv("a.csv")
data b[rows(A)] = csv("b.csv")
upper { var x in [-5, 5]  minimize normsq(A*y - b) }
lower { var y[2]  minimize normsq(A*y - b) + exp(x)*normsq(y) }"""


def refused(call, *arguments, **named):
    with pytest.raises(blo.BloError) as caught:
        call(*arguments, **named)
    error = caught.value
    assert error.diagnostics and all(d.code and d.message for d in error.diagnostics)
    assert not any(len(line) > 80 and " " in line.strip() for line in str(error).splitlines())
    return error


def test_a_mistake_has_its_place_and_the_commands_text(tmp_path, monkeypatch):
    text = "upper { var x  minimize x^2 + z }\nlower { var y  minimise (y - x)^2 }\n"
    error = refused(blo.load, text)
    first = error.diagnostics[0]
    assert (first.severity, first.line) in {("error", 1), ("error", 2)}
    assert any("minimize" in str(error) for d in error.diagnostics)
    if command() is None:
        return
    # a place is the path as it was given, however long
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.blo").write_text(text)
    printed = subprocess.run([command(), "check", "wrong.blo"], capture_output=True, text=True)
    assert str(refused(blo.load, "wrong.blo")) == (printed.stdout + printed.stderr).strip()


def test_a_path_that_is_not_there():
    error = refused(blo.load, "nowhere.blo")
    assert "nowhere.blo" in str(error) and error.diagnostics[0].line == 0


def test_a_wrong_shape_names_the_argument_and_the_declared_shape():
    problem = blo.load(RIDGE, data={"A": np.zeros((5, 3)), "b": np.zeros(5)})
    for call in (problem.solve, problem.grad, problem.plan):
        error = refused(call)
        assert "`A`" in str(error) and "[5, 3]" in str(error) and "2]" in str(error)
        assert error.diagnostics[0].line == 1
    assert [d.code for d in problem.check()] == [d.code for d in error.diagnostics]
    error = refused(blo.load(RIDGE, data={"A": np.zeros((5, 2)), "b": np.zeros(4)}).solve)
    assert "`b`" in str(error) and "[4]" in str(error) and "5" in str(error)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((5, 2), dtype=complex),
        np.array([["a", "b"]]),
        np.array([[None, 1.0]], dtype=object),
        np.zeros(3, dtype="datetime64[s]"),
        [[1.0, 2.0], [3.0]],
        np.ma.masked_array(np.zeros((5, 2)), mask=True),
    ],
)
def test_a_wrong_dtype_names_the_argument_and_the_declared_shape(values):
    error = refused(blo.load, RIDGE, data={"A": values, "b": np.zeros(5)})
    assert 'data["A"]' in str(error) and "[_, 2]" in str(error)


def test_a_wrong_name_has_the_near_one():
    error = refused(blo.load(RIDGE, data={"a": np.zeros((5, 2)), "b": np.zeros(5)}).solve)
    assert "`a`" in str(error)
    assert "did you mean `maximum`" not in str(error)
    assert "max_iter" in str(refused(blo.load(PARABOLA).solve, max_itr=3))
    assert "`q`" in str(refused(blo.load(PARABOLA).solve, start_from={"q": 1.0}))
    assert "rhg" in str(refused(blo.load(PARABOLA).solve, "rgh"))
    assert "p" in str(refused(blo.load(PARABOLA, params={"p": 1}).solve))
    assert "stated" in str(refused(blo.load(STUDY).solve, "meha", preset="statd"))


def test_values_that_no_argument_takes():
    assert 'params["p"]' in str(refused(blo.load, "param p = 1 " + PARABOLA, params={"p": "three"}))
    assert "K" in str(refused(blo.load(PARABOLA).solve, "rhg", K=[1, 2]))
    assert "K" in str(refused(blo.load(PARABOLA).solve, "rhg", K=1.5))
    assert 'start_from["x"]' in str(refused(blo.load(PARABOLA).solve, start_from={"x": "far"}))
    assert "row_every" in str(refused(blo.load(PARABOLA).solve, row_every=-1))
    assert "callback" in str(refused(blo.load(PARABOLA).solve, callback=3))
    assert "method" in str(refused(blo.load(PARABOLA).solve, 3))
    assert 'limits["memory"]' in str(refused(blo.load, PARABOLA, limits={"memory": 1.5}))
    two = blo.load("upper { var x  var z  minimize x^2 + z^2 }  lower { var y  minimize (y - x)^2 }")
    assert "x, z" in str(refused(two.grad, 1.0))
    infinite = blo.load(RIDGE, data={"A": np.full((5, 2), np.nan), "b": np.zeros(5)})
    assert "`A[1, 1]`" in str(refused(infinite.solve))
    with pytest.raises(TypeError):
        blo.load(3)


def test_a_check_is_a_list_that_prints_as_the_command_does():
    report = blo.load("upper { var x  minimize x^2 + z }  lower { var y  minimize (y - x)^2 }").check()
    assert isinstance(report, list) and not report.is_sound
    assert repr(report).startswith("error[B0201]") and report[0].help is not None
    assert "gc" in repr(blo.load(PARABOLA).check("gc"))
    assert repr(blo.load(PARABOLA).check()) == "no findings"


def test_results_and_errors_can_be_pickled():
    problem = blo.load(RIDGE, data={"A": np.eye(2), "b": [1.0, 2.0]}, params={})
    solution = problem.solve()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(solution, protocol))
        assert repr(again) == repr(solution) and again.to_json() == solution.to_json()
        assert (again.y == solution.y).all() and again.x == solution.x
        assert again.warnings == solution.warnings
        assert all((again.history[k] == v)[~np.isnan(v)].all() for k, v in solution.history.items())
    again = pickle.loads(pickle.dumps(problem))
    assert again.solve().x == solution.x
    gradient = problem.grad(1.0)
    assert pickle.loads(pickle.dumps(gradient)).value == gradient.value
    comparison = pickle.loads(pickle.dumps(problem.compare(["cg", "nomethod"])))
    assert comparison["cg"].status and isinstance(comparison[1].error, blo.BloError)
    error = refused(blo.load, "upper {")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.diagnostics == error.diagnostics
    report = problem.check("cg")
    assert repr(pickle.loads(pickle.dumps(report))) == repr(report)
    assert repr(pickle.loads(pickle.dumps(problem.plan("rhg")))) == repr(problem.plan("rhg"))
    assert sys.getsizeof(pickle.dumps(solution)) < 100_000
