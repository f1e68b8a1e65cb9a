"""Ten million people on Dask or on Ray, in chunks that any worker may count, again if a worker dies.

    python ten_million.py dask              # a cluster of this machine
    python ten_million.py dask tcp://host:8786
    python ten_million.py ray               # a cluster of this machine, or that of RAY_ADDRESS
"""

import sys
from functools import partial, reduce

import numpy as np
from chairside_pkpd import Summary, population_chunk

PEOPLE, CHUNK = 10_000_000, 100_000
QUESTION = {"doses": "0.5 mg/kg over 40 min", "at_min": np.arange(0, 241, 4), "weight_kg": 70, "seed": 1}


def chunk(first, people=PEOPLE, size=CHUNK):
    return population_chunk("kamp_meta2020", first, min(size, people - first), **QUESTION)


def merged(parts):
    return reduce(Summary.merge, parts)


def on_dask(client, people=PEOPLE, size=CHUNK):
    """Merges where the chunks are, eight at a time, so that no machine holds them all."""
    parts = client.map(partial(chunk, people=people, size=size), range(0, people, size), pure=False)
    while len(parts) > 1:
        parts = [client.submit(merged, parts[i : i + 8], pure=False) for i in range(0, len(parts), 8)]
    return parts[0].result()


def on_ray(people=PEOPLE, size=CHUNK):
    import ray

    count = ray.remote(chunk)
    join = ray.remote(lambda *parts: merged(parts))
    parts = [count.remote(first, people, size) for first in range(0, people, size)]
    while len(parts) > 1:
        parts = [join.remote(*parts[i : i + 8]) for i in range(0, len(parts), 8)]
    return ray.get(parts[0])


def main():
    engine = sys.argv[1] if len(sys.argv) > 1 else "dask"
    if engine == "ray":
        whole = on_ray()
    else:
        from distributed import Client

        with Client(*sys.argv[2:3]) as client:
            whole = on_dask(client)
    print(whole)
    levels = whole.percentiles()
    for time, row in zip(levels["time_min"], levels["cp_ng_ml"]):
        print(f"{time:5.0f} min", *(f"{level:8.2f}" for level in row))


if __name__ == "__main__":
    main()
