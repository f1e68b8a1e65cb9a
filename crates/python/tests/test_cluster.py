"""A population on a cluster of this machine: a worker is killed midway, and the bytes are those of one process."""

import os
import signal

import cloudpickle
import distributed
import pytest
import ten_million
from chairside_pkpd import population

PEOPLE, CHUNK, FATAL = 6_000, 250, 3_000


def killing(chunk, died):
    """Counts chunks until it comes to one that kills its worker, with all that the worker has counted, once."""

    def count(first, people, size):
        if first == FATAL and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return chunk(first, people, size)

    return count


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_worker_that_is_killed_changes_no_byte(monkeypatch, tmp_path):
    died = tmp_path / "died"
    monkeypatch.setattr(ten_million, "chunk", killing(ten_million.chunk, died))
    # The workers are sent the functions as they are here.
    cloudpickle.register_pickle_by_value(ten_million)
    cloudpickle.register_pickle_by_value(__import__(__name__))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            whole = ten_million.on_dask(client, PEOPLE, CHUNK)
    assert died.exists()
    alone = population("kamp_meta2020", PEOPLE, threads=1, **ten_million.QUESTION)
    assert whole.to_bytes() == alone.to_bytes()
