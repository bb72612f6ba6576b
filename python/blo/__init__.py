"""Bilevel optimization: programs in the blo language, checked, solved and explained.

A bilevel problem has an upper level that chooses x, and a lower level that answers with y:

    minimize F(x, y) over x,  where y minimizes f(x, y)

>>> import blo
>>> problem = blo.load('''
...   upper { var x in [0, 5]  minimize (x - 1)^2 + (y - 1)^2 }
...   lower { var y            minimize (y - x)^2 }
... ''')
>>> solution = problem.solve()
>>> solution.status, round(float(solution.x), 3)
('converged', 1.0)
"""

from ._blo import __version__
from ._found import BloError, Diagnostic, Report
from ._methods import Method, MethodOption, format, methods
from ._problem import Plan, Problem, load
from ._solution import Comparison, Gradient, Picture, Run, Solution

__all__ = [
    "BloError",
    "Comparison",
    "Diagnostic",
    "Gradient",
    "Method",
    "MethodOption",
    "Picture",
    "Plan",
    "Problem",
    "Report",
    "Run",
    "Solution",
    "__version__",
    "format",
    "load",
    "methods",
]
