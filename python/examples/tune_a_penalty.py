"""A ridge regression that tunes its own penalty, in the style of scikit-learn.

The penalty of a ridge regression is usually searched on a grid. Here it is the upper variable of a bilevel problem: the
lower level fits the coefficients on some of the rows, the upper level judges them on the others, and blo follows the
derivative of that judgement in the penalty.

    python tune_a_penalty.py
"""

from __future__ import annotations

from typing import Any

import blo
import numpy as np
import numpy.typing as npt

PROGRAM = """
data A[_, _] = csv("rows.csv")
data b[rows(A)] = csv("targets.csv")
param fitted = 1
param low = -12
param high = 8

let train = 1..fitted
let valid = fitted + 1..rows(A)

upper {
  var x in [low, high]                                  # logarithm of the penalty
  minimize mean((A[valid, _]*y - b[valid]).^2)
}
lower {
  var y[columns]
  minimize mean((A[train, _]*y - b[train]).^2) + exp(x)*normsq(y)
}
param columns = 1
"""


class TunedRidge:
    """Ridge regression whose penalty is chosen on held-out rows.

    Parameters as scikit-learn has them; attributes that end with `_` exist after `fit`.
    """

    def __init__(self, held_out: float = 0.3, seed: int = 0) -> None:
        self.held_out = held_out
        self.seed = seed

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> TunedRidge:
        """Chooses the penalty, then fits all rows with it."""
        rows, targets = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        count, columns = rows.shape
        order = np.random.default_rng(self.seed).permutation(count)
        fitted = count - round(self.held_out * count)
        self.mean_, self.target_mean_ = rows.mean(axis=0), targets.mean()
        problem = blo.load(
            PROGRAM,
            data={"A": (rows - self.mean_)[order], "b": (targets - self.target_mean_)[order]},
            params={"fitted": fitted, "columns": columns},
        )
        self.solution_ = problem.solve()
        self.penalty_ = float(np.exp(self.solution_.x))
        # the mean over all rows has the same weight against the penalty
        centered = rows - self.mean_
        left = centered.T @ centered / count + self.penalty_ * np.eye(columns)
        self.coef_ = np.linalg.solve(left, centered.T @ (targets - self.target_mean_) / count)
        self.intercept_ = self.target_mean_ - self.mean_ @ self.coef_
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Predicted targets of rows."""
        predicted: npt.NDArray[np.float64] = np.asarray(X, dtype=float) @ self.coef_ + self.intercept_
        return predicted

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """The share of the variance that the prediction explains."""
        targets = np.asarray(y, dtype=float)
        return float(1 - np.sum((targets - self.predict(X)) ** 2) / np.sum((targets - targets.mean()) ** 2))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What the constructor takes."""
        return {"held_out": self.held_out, "seed": self.seed}

    def set_params(self, **params: Any) -> TunedRidge:
        """Changes what the constructor takes."""
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"TunedRidge has no parameter {name!r}")
            setattr(self, name, value)
        return self


def study(seed: int = 0) -> tuple[npt.NDArray[np.float64], ...]:
    """Rows with many correlated columns and few that matter: without a penalty the fit follows the noise."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(260, 8))
    rows = factors @ random.normal(size=(8, 40)) + 0.5 * random.normal(size=(260, 40))
    targets = factors[:, 0] - 2 * factors[:, 1] + 1.5 * random.normal(size=260)
    return rows[:60], targets[:60], rows[60:], targets[60:]


def main() -> None:
    """Beside the fit without a penalty."""
    rows, targets, new_rows, new_targets = study()
    model = TunedRidge().fit(rows, targets)
    print(model.solution_)
    print()
    print(f"penalty         {model.penalty_:.4g}")
    print(f"score, tuned    {model.score(new_rows, new_targets):.3f}")
    plain = np.linalg.lstsq(rows - rows.mean(axis=0), targets - targets.mean(), rcond=None)[0]
    predicted = targets.mean() + (new_rows - rows.mean(axis=0)) @ plain
    rest = np.sum((new_targets - predicted) ** 2) / np.sum((new_targets - new_targets.mean()) ** 2)
    print(f"score, without  {1 - rest:.3f}")


if __name__ == "__main__":
    main()
