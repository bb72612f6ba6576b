"""MEHA in PyTorch as the papers' codes are written: eager, autograd, double precision, two threads. See README.md."""

import torch

from problems import constants, measure, objectives, shape

torch.set_num_threads(2)
torch.set_default_dtype(torch.float64)


def start(problem, n):
    upper, lower = objectives(torch)[problem]
    alpha, beta, eta, gamma, c, p = constants(problem, n)
    nx, ny, x0 = shape(problem, n)

    def gradient(function, x, y, which):
        x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
        return torch.autograd.grad(function(x, y), (x, y)[which])[0]

    def run(count):
        x, y = torch.full((nx,), x0), torch.zeros(ny)
        theta = y.clone()
        for k in range(count):
            c_k = c * (k + 1) ** p
            theta = theta - eta * (gradient(lower, x, theta, 1) + (theta - y) / gamma)
            pull = gradient(lower, x, y, 0) - gradient(lower, x, theta, 0)
            x = x - alpha * (gradient(upper, x, y, 0) / c_k + pull)
            y = y - beta * (gradient(upper, x, y, 1) / c_k + gradient(lower, x, y, 1) - (y - theta) / gamma)
        return float(upper(x, y))

    return run


if __name__ == "__main__":
    measure(start)
