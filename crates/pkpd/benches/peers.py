"""Other programs on the workloads of pkpd-bench, one thread, values alone.

`python peers.py numpy|numba|jax|diffrax|scipy W1|W2|W3|W4 INPUTS` prints seconds of CPU and, of the first 100 people, the
largest relative distance to what pkpd-bench wrote, where its output folder is named as a fourth argument. Compilation is
done before the clock starts. Needs the package that is asked for, and numpy.
"""

import os
import sys
import time
from pathlib import Path

PEER, WORKLOAD, INPUTS = sys.argv[1:4]
os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")}
os.environ |= {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numpy as np
from inputs import CL, LENGTH, Q2, Q3, RATE, V1, V2, V3

GRID = np.arange(0, 241, 4.0)


def read(name, columns):
    return np.fromfile(Path(INPUTS) / name, "<f8").reshape(-1, columns)


def clocked(run, compile_first=False):
    """Seconds of CPU, and the answer."""
    if compile_first:
        run()
    start = time.process_time()
    answer = run()
    return time.process_time() - start, answer


def modes(xp, cl, v1, v2=V2, q2=Q2):
    """Rates and weights of the centre's answer to a unit bolus (the trigonometric cubic)."""
    k10, k12, k21, k13, k31 = cl / v1, q2 / v1, q2 / v2, Q3 / v1, Q3 / V3
    a2, a0 = k10 + k12 + k13 + k21 + k31, k10 * k21 * k31
    a1 = k10 * k21 + k10 * k31 + k21 * k31 + k12 * k31 + k13 * k21
    p, q = a1 - a2 * a2 / 3, 2 * a2**3 / 27 - a1 * a2 / 3 + a0
    radius = xp.sqrt(-(p**3) / 27)
    angle = xp.arccos(xp.clip(-q / (2 * radius), -1, 1)) / 3
    rates = [a2 / 3 - 2 * xp.cbrt(radius) * xp.cos(angle + turn) for turn in (0.0, 2 * np.pi / 3, 4 * np.pi / 3)]
    weights = []
    for i, rate in enumerate(rates):
        one, other = rates[(i + 1) % 3], rates[(i + 2) % 3]
        weights.append((k21 - rate) * (k31 - rate) / ((one - rate) * (other - rate)))
    return rates, weights


def infused(xp, rate, since):
    """What a mode holds of an infusion that began so long ago, in units of the infusion's rate over its own."""
    later = xp.maximum(since, 0.0)
    given = xp.minimum(later, LENGTH)
    return xp.exp(-rate * (later - given)) - xp.exp(-rate * later)


def w1(xp, eta):
    """Rates and parts of everybody's level: it is a sum of modes."""
    v1 = V1 * xp.exp(eta[:, 1])
    rates, weights = modes(xp, CL * xp.exp(eta[:, 0]), v1)
    return rates, [RATE / v1 * weight / rate for rate, weight in zip(rates, weights)]


def w1_at(xp, rates, parts, at):
    return sum(part * infused(xp, rate, at) for rate, part in zip(rates, parts))


def w2(xp, eta):
    """Five rates, and of plasma, metabolite and effect site the part of each: outputs x modes x people."""
    rates, plasma = w1(xp, eta)
    cl, kept, ke0 = CL * xp.exp(eta[:, 0]), 0.9 / 60.0 * xp.exp(eta[:, 2]), 0.2 * xp.exp(eta[:, 3])
    metabolite = [0.8 * 0.941 * cl / 60.0 * part / (kept - rate) for part, rate in zip(plasma, rates)]
    effect = [ke0 * part / (ke0 - rate) for part, rate in zip(plasma, rates)]
    none, own = 0 * cl, lambda parts, new: -sum(part * rate for part, rate in zip(parts, rates)) / new
    parts = [[*plasma, none, none], [*metabolite, own(metabolite, kept), none], [*effect, none, own(effect, ke0)]]
    return xp.stack([*rates, kept, ke0]), xp.stack([xp.stack(one) for one in parts])


def w2_at(xp, rates, parts, at, visits):
    return xp.einsum("omn,mn->on", parts, sum(infused(xp, rates, at - 5040.0 * visit) for visit in visits))


def w3_slopes(xp, state, rate, person):
    """Parent, effect site, and a pressure with tolerance."""
    cl, v1, ec50, kout = person
    a1, a2, a3, ce, tolerance, pressure = state
    drive = 0.35 * ce * ce / (ec50 * ec50 + ce * ce) / (1 + tolerance / 0.2)
    return [
        rate - (cl + Q2 + Q3) / v1 * a1 + Q2 / V2 * a2 + Q3 / V3 * a3,
        Q2 / v1 * a1 - Q2 / V2 * a2,
        Q3 / v1 * a1 - Q3 / V3 * a3,
        0.2 * (a1 / v1 - ce),
        0.02 * (ce - tolerance),
        90 * kout * (1 + drive) - kout * pressure,
    ]


def w4_objective(xp, eta, levels):
    """-2 log posterior of four deviations, by four levels."""
    rates, weights = modes(xp, *(typical * xp.exp(eta[i]) for i, typical in enumerate((CL, V1, V2, Q2))))
    at = xp.asarray([20.0, 45, 90, 180])
    each = (weight / rate * infused(xp, rate, at) for rate, weight in zip(rates, weights))
    found = RATE / (V1 * xp.exp(eta[1])) * sum(each)
    spread = np.array([[0.09, 0.06, 0, 0], [0.06, 0.16, 0, 0], [0, 0, 0.09, 0], [0, 0, 0, 0.09]])
    variance = (0.15 * found) ** 2 + 0.005**2
    return xp.sum((levels - found) ** 2 / variance + xp.log(variance)) + eta @ np.linalg.inv(spread) @ eta


def by_numpy():
    if WORKLOAD == "W1":
        eta = read("w1_eta.bin", 2)

        def levels():
            known, rows = w1(np, eta), np.empty((len(GRID), len(eta)))
            for row, at in zip(rows, GRID):
                row[:] = w1_at(np, *known, at)
            return {"CP": rows}

        return clocked(levels)
    eta, times = read("w2_eta.bin", 4), read("w2_times.bin", 1)[:, 0]
    begun = lambda at: [visit for visit in range(6) if visit == 0 or at > 5040.0 * visit]

    def outputs():
        known, rows = w2(np, eta), np.empty((3, len(times), len(eta)))
        for place, at in enumerate(times):
            rows[:, place] = w2_at(np, *known, at, begun(at))
        return rows

    seconds, found = clocked(outputs)
    return seconds, dict(zip(("CP", "CM", "CE"), found))


def by_jax():
    import jax
    import jax.numpy as jnp

    ready = jax.block_until_ready
    if WORKLOAD == "W1":
        eta = jnp.asarray(read("w1_eta.bin", 2))
        run = jax.jit(lambda eta: w1_at(jnp, *w1(jnp, eta), jnp.asarray(GRID)[:, None]))
        return clocked(lambda: {"CP": ready(run(eta))}, compile_first=True)
    if WORKLOAD == "W2":
        eta, times = jnp.asarray(read("w2_eta.bin", 4)), jnp.asarray(read("w2_times.bin", 1)[:, 0])

        def outputs(eta):
            known = w2(jnp, eta)
            return jax.lax.map(lambda at: w2_at(jnp, *known, at, range(6)), times)

        run = jax.jit(outputs)
        seconds, found = clocked(lambda: ready(run(eta)), compile_first=True)
        return seconds, dict(zip(("CP", "CM", "CE"), np.swapaxes(found, 0, 1)))
    run, levels = jax.jit(jax.vmap(newton)), jnp.asarray(read("w4_obs.bin", 4))
    return clocked(lambda: ready(run(levels)), compile_first=True)


def newton(levels):
    """The whole batch by Newton's method, damped until the objective falls (Levenberg)."""
    import jax
    import jax.numpy as jnp

    objective = lambda eta: w4_objective(jnp, eta, levels)
    slope, curve = jax.grad(objective), jax.hessian(objective)

    def step(state):
        eta, value, damping, count, _ = state
        move = -jnp.linalg.solve(curve(eta) + damping * jnp.eye(4), slope(eta))
        there = objective(eta + move)
        falls = (there <= value) & (slope(eta) @ move < 0)
        damping = jnp.where(falls, damping * 0.1, jnp.maximum(damping * 10, 1.0))
        moved = jnp.where(falls, jnp.max(jnp.abs(move)), 1.0)
        return jnp.where(falls, eta + move, eta), jnp.where(falls, there, value), damping, count + 1, moved

    begin = (jnp.zeros(4), objective(jnp.zeros(4)), 1.0, 0, 1.0)
    return jax.lax.while_loop(lambda state: (state[3] < 60) & (state[4] > 1e-9), step, begin)[:2]


def by_numba():
    import numba

    @numba.njit(fastmath=True)
    def filled(rates, scaled, times, levels):
        for person in range(levels.shape[0]):
            for mode in range(3):
                rate, part = rates[mode, person], scaled[mode, person] / rates[mode, person]
                for place in range(len(times)):
                    given = min(times[place], LENGTH)
                    old, new = np.exp(-rate * times[place]), np.exp(-rate * (times[place] - given))
                    levels[person, place] += part * (new - old)

    eta = read("w1_eta.bin", 2)

    def run():
        v1 = V1 * np.exp(eta[:, 1])
        rates, weights = (np.array(part) for part in modes(np, CL * np.exp(eta[:, 0]), v1))
        levels = np.zeros((len(eta), len(GRID)))
        filled(rates, RATE / v1 * weights, GRID, levels)
        return {"CP": levels.T}

    return clocked(run, compile_first=True)


def by_diffrax():
    import diffrax
    import jax
    import jax.numpy as jnp

    slopes = lambda _, state, asked: jnp.stack(w3_slopes(jnp, state, asked[0], asked[1]))
    control = diffrax.PIDController(rtol=1e-8, atol=1e-8)

    def stretch(begin, end, state, rate, person, times):
        term, solver, save = diffrax.ODETerm(slopes), diffrax.Tsit5(), diffrax.SaveAt(ts=jnp.asarray(times))
        options = {"stepsize_controller": control, "max_steps": 10_000, "saveat": save, "args": (rate, person)}
        return diffrax.diffeqsolve(term, solver, begin, end, 1.0, state, **options).ys

    def one(person):
        first = stretch(0.0, LENGTH, jnp.array([0, 0, 0, 0, 0, 90.0]), RATE, person, GRID[:11])
        states = jnp.concatenate([first, stretch(LENGTH, 240.0, first[-1], 0.0, person, GRID[11:])])
        return states[:, 0] / person[1], states[:, 5]

    people = jnp.array([CL, V1, 0.15, 0.1]) * jnp.exp(jnp.asarray(read("w3_eta.bin", 4)))
    run = jax.jit(jax.vmap(one))
    seconds, found = clocked(lambda: jax.block_until_ready(run(people)), compile_first=True)
    return seconds, {name: np.asarray(levels).T for name, levels in zip(("CP", "RO"), found)}


def by_scipy():
    from scipy.optimize import minimize

    fit = lambda levels: minimize(lambda eta: w4_objective(np, eta, levels), np.zeros(4), method="L-BFGS-B",
                                  options={"ftol": 1e-13, "gtol": 1e-7})
    return clocked(lambda: [fit(levels).fun for levels in read("w4_obs.bin", 4)])


def distance(ours, levels):
    """The largest relative one of the first 100 people; below 1e-6 mg/L levels count as that much."""
    theirs = np.asarray(levels)[:, :100].T
    ours = np.fromfile(ours, "<f8").reshape(theirs.shape)
    return np.max(np.abs(ours - theirs) / np.maximum(np.abs(ours), 1e-6))


BY = {
    ("numpy", "W1"): by_numpy, ("numpy", "W2"): by_numpy, ("numba", "W1"): by_numba, ("diffrax", "W3"): by_diffrax,
    ("jax", "W1"): by_jax, ("jax", "W2"): by_jax, ("jax", "W4"): by_jax, ("scipy", "W4"): by_scipy,
}

if __name__ == "__main__":
    if (PEER, WORKLOAD) not in BY:
        sys.exit(f"{PEER} has no {WORKLOAD} here; there is " + ", ".join(" ".join(known) for known in BY))
    seconds, found = BY[PEER, WORKLOAD]()
    told = f"{PEER} {WORKLOAD}: {seconds:.3f} s of CPU"
    if len(sys.argv) > 4 and isinstance(found, dict):
        files = {name: Path(sys.argv[4]) / f"first100_{WORKLOAD.lower()}_{name}.bin" for name in found}
        told += f", farthest from ours {max(distance(files[name], found[name]) for name in found):.0e}"
    print(told)
