"""The peer side of bench/probe.mjs: scikit-learn's logistic regression under Optuna, or plain PyTorch SGD.

The logistic loss is scikit-learn's own (sklearn.linear_model._linear_loss), minimised by SciPy's L-BFGS-B as scikit-learn
1.2 did: the loss summed over rows, at most 2000 iterations, gradient 1e-4, relative decrease 2.22e-9. Newer versions
average the loss over the rows, and their tol then stops far earlier. NumPy's BLAS has all the threads, SciPy's own and
the loss one each: with more they wait for one another, and an evaluation takes three times as long.
"""

import json
import os
import sys
import time

opts = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(opts["threads"])

import numpy as np  # noqa: E402

shape = opts["shape"]
d, classes = shape["dim"], shape["classes"]
with open(opts["data"], "rb") as file:
    n, m, held = shape["trainval"], shape["test"], opts["held"]
    X = np.fromfile(file, np.float32, n * d).reshape(n, d)
    XT = np.fromfile(file, np.float32, m * d).reshape(m, d)
    y, yt = np.fromfile(file, np.int32, n), np.fromfile(file, np.int32, m)
    val = np.fromfile(file, np.uint32, held).astype(np.int64)
train = np.setdiff1d(np.arange(n), val)


def fit(X, y, C, counts):
    """Weights and intercepts [classes, d + 1] and the objective C sum CE + 1/2 |W|^2."""
    from scipy.optimize import minimize
    from sklearn._loss import HalfMultinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    rows = len(X)
    loss = LinearModelLoss(base_loss=HalfMultinomialLoss(n_classes=classes), fit_intercept=True)
    target = y.astype(X.dtype)

    def summed(w):
        counts["evaluations"] += 1
        value, gradient = loss.loss_gradient(w, X, target, None, 1 / (C * rows), 1)
        return value * rows, gradient * rows

    result = minimize(
        summed,
        np.zeros(classes * (d + 1)),
        method="L-BFGS-B",
        jac=True,
        options={"maxiter": 2000, "gtol": 1e-4, "ftol": 2.220446049250313e-09},
    )
    counts["iterations"] += result.nit
    return result.x.reshape(classes, d + 1, order="F"), result.fun * C


def accuracy(w, X, y):
    return 100 * float(np.mean((X @ w[:, :-1].T + w[:, -1]).argmax(1) == y))


def limit_scipy() -> None:
    import scipy.optimize  # noqa: F401, which loads it
    from threadpoolctl import ThreadpoolController

    for library in ThreadpoolController().lib_controllers:
        if "scipy.libs" in library.filepath:
            library.set_num_threads(1)


def search():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    counts = {"iterations": 0, "evaluations": 0}
    X64, XT64 = X.astype(np.float64), XT.astype(np.float64)
    Xa, ya, Xv, yv = X64[train], y[train], X64[val], y[val]
    fits = []

    def objective(trial):
        C = trial.suggest_float("C", 1e-5, 1e6, log=True)
        w, value = fit(Xa, ya, C, counts)
        fits.append({"C": C, "objective": value})
        return accuracy(w, Xv, yv)

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=opts["seed"]))
    study.optimize(objective, n_trials=opts["trials"])
    C = study.best_params["C"]
    w, value = fit(X64, y, C, counts)
    return {"test": accuracy(w, XT64, yt), "C": C, "objective": value, "fits": fits, "cost": counts}


def original(values):
    counts = {"iterations": 0, "evaluations": 0}
    X64, XT64 = X.astype(np.float64), XT.astype(np.float64)
    rows = []
    for C in values:
        w, value = fit(X64, y, C, counts)
        rows.append({"C": C, "objective": value, "test": accuracy(w, XT64, yt)})
    return rows


def sgd():
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(opts["threads"])
    device = opts["device"]
    inputs = F.normalize(torch.from_numpy(X).to(device))
    labels = torch.from_numpy(y).long().to(device)
    model = nn.Linear(d, classes).to(device)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=10, momentum=0.9, weight_decay=1e-8)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, opts["epochs"])
    for _ in range(opts["epochs"]):
        order = torch.randperm(n, device=device)
        for rows in order.split(1024):
            loss = F.cross_entropy(model(inputs[rows]), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            last = loss.item()
        schedule.step()
    return {"loss": last}


if opts["job"] == "sgd":
    import torch

    version = {"torch": torch.__version__}
else:
    import optuna
    import sklearn

    limit_scipy()
    version = {"sklearn": sklearn.__version__, "optuna": optuna.__version__}
print(json.dumps({"ready": {**version, "threads": opts["threads"]}}), flush=True)
for line in sys.stdin:
    if line.startswith("original"):
        print(json.dumps({"seconds": [], "detail": original(json.loads(line[9:]))}), flush=True)
        continue
    start = time.perf_counter()
    detail = sgd() if opts["job"] == "sgd" else search()
    print(json.dumps({"seconds": [time.perf_counter() - start], "detail": detail}), flush=True)
