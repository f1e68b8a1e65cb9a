"""Published models of ketamine: one person or millions, plans and fits, on NumPy arrays."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers: TypeAlias = NDArray[np.float64]
# "0.5 mg/kg over 40 min", or a row (start_min, duration_min, amount_mg).
Doses: TypeAlias = str | Numbers | Sequence[str | tuple[float, float, float]]
Substance: TypeAlias = Literal["ketamine", "esketamine"]
Site: TypeAlias = Literal["arterial", "venous"]

class Columns(dict[str, Any]):
    notes: list[str]

class Draws(TypedDict):
    draws: int
    effective: float
    eta: dict[str, dict[str, float]]
    cp_ng_ml: Numbers

class Asked(TypedDict, total=False):
    occasions: list[dict[str, float]]
    posterior: Draws

class Fit(Asked):
    model: str
    levels_of: str
    sampling_site: str
    eta: dict[str, float]
    parameters: dict[str, float]
    units: dict[str, str]
    objective: float
    covariance: Numbers
    covariance_of: list[str]
    fitted_ng_ml: Numbers
    deviation: Numbers
    warnings: list[str]

@final
class Summary:
    def merge(self, other: Summary) -> Summary: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Summary: ...
    def percentiles(self, shares: ArrayLike | None = None) -> dict[str, Numbers]: ...
    @property
    def time_min(self) -> Numbers: ...
    @property
    def people(self) -> int: ...
    @property
    def drawn_again(self) -> int: ...
    @property
    def without_a_number(self) -> int: ...

def models() -> list[dict[str, str]]: ...
def simulate(
    model: str,
    *,
    weight_kg: float,
    doses: Doses,
    at_min: ArrayLike,
    age_years: float | None = None,
    ke0_per_min: float | None = None,
    substance: Substance = "ketamine",
) -> Columns: ...
def effects(
    model: str,
    *,
    weight_kg: float,
    doses: Doses,
    at_min: ArrayLike,
    effect: str | Sequence[str] | None = None,
    age_years: float | None = None,
    stages: str | Sequence[str] | None = None,
    n: int | None = None,
    seed: int = 1,
    ke0_per_min: float | None = None,
    substance: Substance = "ketamine",
    threads: int | None = None,
) -> Columns: ...
def population(
    model: str,
    n: int,
    *,
    doses: Doses,
    at_min: ArrayLike,
    seed: int = 1,
    weight_kg: float | None = None,
    weight_spread: float | None = None,
    age_years: float | None = None,
    age_to_years: float | None = None,
    ke0_per_min: float | None = None,
    assay: bool = False,
    uncertainty: bool = False,
    occasions_min: ArrayLike | None = None,
    metabolites: bool = False,
    quasi_random: bool = False,
    substance: Substance = "ketamine",
    threads: int | None = None,
) -> Summary: ...
def population_chunk(
    model: str,
    first: int,
    n: int,
    *,
    doses: Doses,
    at_min: ArrayLike,
    seed: int = 1,
    weight_kg: float | None = None,
    weight_spread: float | None = None,
    age_years: float | None = None,
    age_to_years: float | None = None,
    ke0_per_min: float | None = None,
    assay: bool = False,
    uncertainty: bool = False,
    occasions_min: ArrayLike | None = None,
    metabolites: bool = False,
    quasi_random: bool = False,
    substance: Substance = "ketamine",
    threads: int = 1,
) -> Summary: ...
def plan(
    model: str,
    *,
    weight_kg: float,
    age_years: float,
    target_ng_ml: float,
    until_min: float,
    rate_max_mg_min: float,
    resolution_mg_min: float | None = None,
    interval_min: float = 1.0,
    now_min: float | None = None,
    delivered: Doses | None = None,
    aim: Literal["effect", "plasma"] = "effect",
    one_rate: bool = False,
    switch_min: float | None = None,
    running_mg_min: float | None = None,
    ke0_per_min: float | None = None,
    substance: Substance = "ketamine",
) -> Columns: ...
def fit(
    model: str,
    *,
    weight_kg: float,
    doses: Doses,
    time_min: ArrayLike,
    level_ng_ml: ArrayLike,
    analyte: str | Sequence[str] = "cp",
    below: ArrayLike | None = None,
    age_years: float | None = None,
    site: Site | None = None,
    robust: bool = False,
    occasions_min: ArrayLike | None = None,
    draws: int | None = None,
    seed: int = 1,
    at_min: ArrayLike | None = None,
    substance: Substance = "ketamine",
) -> Fit: ...
