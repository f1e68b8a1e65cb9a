"""The inputs of the workloads of pkpd-bench: `python inputs.py DIR` (needs numpy).

Every program reads the same random effects, so results can be compared number by number. Files of little-endian
doubles, a row for each person; an individual's parameter is the typical value times exp(effect).
"""

import sys
from pathlib import Path

import numpy as np

# mg, L and min: three compartments, 35 mg over 40 min.
CL, V1, Q2, V2, Q3, V3 = 1.2, 15.0, 2.0, 45.0, 1.0, 130.0
RATE, LENGTH = 35 / 40, 40.0


def clearance_and_volume(random, people):
    """Effects with standard deviations of 0.3 and 0.4 and a correlation of 0.5."""
    covariance = [[0.3 * 0.3, 0.5 * 0.3 * 0.4], [0.5 * 0.3 * 0.4, 0.4 * 0.4]]
    return random.standard_normal((people, 2)) @ np.linalg.cholesky(covariance).T


def people(seed, count, *spreads):
    """Clearance and volume, and further effects of these spreads on their own."""
    random = np.random.default_rng(seed)
    first = clearance_and_volume(random, count)
    return np.column_stack([first, *(spread * random.standard_normal(count) for spread in spreads)]), random


def six_infusions():
    """Sixty-one times at each of six infusions, and some until the next."""
    near, far = 4.0 * np.arange(61), 240 + 218.0 * np.arange(1, 23)
    return np.concatenate([*(5040.0 * visit + np.concatenate([near, far]) for visit in range(6)), [30238, 30240]])


def level(effects, at):
    """One person's level by the eigenvalues of the equations, mg/L."""
    cl, v1, v2, q2 = np.array([CL, V1, V2, Q2]) * np.exp(effects)
    flows = np.array([[-(cl + q2 + Q3) / v1, q2 / v2, Q3 / V3], [q2 / v1, -q2 / v2, 0], [Q3 / v1, 0, -Q3 / V3]])
    values, vectors = (part.real for part in np.linalg.eig(flows))
    weights = vectors[0] * np.linalg.solve(vectors, [1.0, 0, 0])
    given = np.minimum(at, LENGTH)[:, None]
    return RATE / v1 * (weights / -values * (1 - np.exp(values * given)) * np.exp(values * (at[:, None] - given))).sum(1)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    write = lambda name, numbers: np.ascontiguousarray(numbers, "<f8").tofile(folder / name)
    write("w1_eta.bin", people(20261, 100_000)[0])
    write("w2_eta.bin", people(20262, 10_000, 0.3, 0.4)[0])  # metabolite's clearance, ke0
    write("w2_times.bin", six_infusions())
    write("w3_eta.bin", people(20263, 10_000, 0.3, 0.2)[0])  # EC50, kout
    effects, random = people(20264, 1_000, 0.3, 0.3)  # V2, Q2
    truth = np.array([level(one, np.array([20.0, 45, 90, 180])) for one in effects])
    proportional, additive = (random.standard_normal(truth.shape) for _ in range(2))
    write("w4_eta.bin", effects)
    write("w4_obs.bin", np.maximum(truth * (1 + 0.15 * proportional) + 0.005 * additive, 1e-3))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
