"""The questions from Python: laws that hold for any schedule, the words of refusals, and what comes back."""

import pickle
import signal

import chairside_pkpd as lab
import numpy as np
import pytest

DOSE = "0.5 mg/kg over 40 min"
MODEL = "kamp_meta2020"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def levels(doses, model=MODEL, **more):
    return lab.simulate(model, weight_kg=70, doses=doses, at_min=np.arange(0, 241, 5), **more)


def test_every_model_that_is_listed_simulates():
    models = lab.models()
    assert MODEL in [model["id"] for model in models]
    for model in models:
        answer = lab.simulate(model["id"], weight_kg=70, age_years=40, doses=DOSE, at_min=[0, 40])
        assert answer["cp_ng_ml"][0] == 0 < answer["cp_ng_ml"][1], model


def test_doses_add():
    bolus, both = "10 mg bolus at 60 min", [DOSE, "10 mg bolus at 60 min"]
    for column in ["cp_ng_ml", "ce_ng_ml"]:
        np.testing.assert_allclose(levels(both)[column], levels(DOSE)[column] + levels(bolus)[column], rtol=1e-9)


def test_a_dose_is_the_same_as_text_row_or_array():
    rows = [(0, 40, 35)]
    for doses in [["35 mg over 40 min"], rows, np.array(rows, float), ["15 mg over 40 min", (0, 40, 20)]]:
        np.testing.assert_allclose(levels(doses)["cp_ng_ml"], levels(DOSE)["cp_ng_ml"], rtol=1e-12)


def test_times_may_be_any_numbers():
    arrays = [lab.simulate(MODEL, weight_kg=70, doses=DOSE, at_min=at) for at in ([0, 40], range(0, 41, 40))]
    assert arrays[0]["cp_ng_ml"].tolist() == arrays[1]["cp_ng_ml"].tolist()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"model": "kamp_meta2021"}, "model: `kamp_meta2021` cannot be read: there is no such model; there is kamp"),
        ({"weight_kg": -70}, "weight_kg: `-70 kg` cannot be read: -70 is not above 0. Accepted is a weight above 0"),
        ({"weight_kg": float("nan")}, "weight_kg: `NaN kg` cannot be read: `NaN` is not a finite number"),
        ({"doses": "0.5 mg/lb over 40 min"}, "doses: `0.5 mg/lb over 40 min` cannot be read: `mg/lb` is not mg or"),
        ({"doses": "50 mg/kg over 40 min"}, "it gives 50.000 mg/kg, and kamp_meta2020 was made for at most"),
        ({"doses": []}, "doses: `` cannot be read: nothing is given"),
        ({"doses": [(0, -1, 5)]}, "doses: `[0.0, -1.0, 5.0]` cannot be read: -1 is below 0"),
        ({"at_min": [0, 40, 10]}, "at_min: `3 times` cannot be read: 10 min comes after 40 min"),
        ({"at_min": [0, float("nan")]}, "`NaN` is not a finite number"),
        ({"at_min": []}, "there is no time in it"),
        ({"doses": [(0, 40, 3500)]}, "doses: `3500 mg from 0 min to 40 min` cannot be read: it gives 50.000 mg/kg"),
        ({"ke0_per_min": 0}, "ke0_per_min: `0 /min` cannot be read: 0 is not above 0"),
        ({"substance": "arketamine"}, 'Accepted is "ketamine" or "esketamine"'),
    ],
)
def test_what_is_refused_names_the_argument_and_what_is_accepted(more, told):
    asked = {"model": MODEL, "weight_kg": 70, "doses": DOSE, "at_min": [0, 40]} | more
    with pytest.raises(ValueError) as refusal:
        lab.simulate(**asked)
    assert told in str(refusal.value)
    assert "--" not in str(refusal.value)


def test_outside_the_validity_a_simulation_says_so_and_marks_its_rows():
    with pytest.warns(UserWarning, match="outside the validity of kamp_meta2020"):
        answer = lab.simulate(MODEL, weight_kg=300, doses=DOSE, at_min=[0, 40])
    assert answer["outside_validity"].tolist() == [1, 1]
    assert "outside_validity" not in levels(DOSE)


def test_columns_carry_their_notes_wherever_they_go():
    answer = lab.simulate(MODEL, weight_kg=300, doses=DOSE, at_min=[0, 40])
    assert any("outside the validity of kamp_meta2020: weight 300 kg" in note for note in answer.notes)
    again = pickle.loads(pickle.dumps(answer))
    assert isinstance(again, lab.Columns) and again.notes == answer.notes
    assert again["cp_ng_ml"].tolist() == answer["cp_ng_ml"].tolist()
    assert lab.simulate("domino", weight_kg=70, doses=DOSE, at_min=[0]).notes != answer.notes
    assert lab.Columns.notes == []


def effects(**more):
    return lab.effects(MODEL, **{"weight_kg": 70, "doses": DOSE, "at_min": [0, 40, 120]} | more)


def test_effects_follow_the_levels_and_say_how_far_they_may_be_believed():
    acute = effects()
    assert set(acute["role"]) == {"acute"} and {len(column) for column in acute.values()} == {len(acute["output"])}
    one = effects(effect="blood_pressure")
    assert set(one["output"]) < set(acute["output"])
    rises = one["typical"][:3]
    assert rises[0] == 0 and rises[1] > rises[2] > 0 and one["time_min"][:3].tolist() == [0, 40, 120]
    assert (one["studies_low"] <= one["typical"]).all() and (one["typical"] <= one["studies_high"]).all()
    more = effects(effect=["blood_pressure"], doses="1 mg/kg over 40 min")
    assert (more["typical"][1:3] > rises[1:]).all()
    course = effects(effect="antidepressant_course")
    assert set(course["role"]) == {"exploratory"} and any("exploratory" in note for note in course.notes)
    sandbox = effects(effect="synapse_sandbox", stages="bdnf 6 h")
    assert "bdnf" in sandbox["output"] and any("nobody has measured it" in note for note in sandbox.notes)
    assert effects(weight_kg=300, effect="blood_pressure")["outside_validity"].all()


def test_people_spread_effects_the_same_on_any_number_of_threads():
    crowds = [effects(effect="dissociation_cadss", n=500, seed=2, threads=threads) for threads in (1, 2)]
    for name in ["p5", "p25", "p50", "p75", "p95"]:
        np.testing.assert_array_equal(crowds[0][name], crowds[1][name])
    assert crowds[0]["p5"][1] < crowds[0]["p50"][1] < crowds[0]["p95"][1]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"effect": "blood_presure"}, "effect: `blood_presure` cannot be read: there is no such effect; there is blood"),
        ({"stages": "bdnf"}, "stages: `bdnf` cannot be read"),
        ({"n": 0}, "n is 0; accepted is 1 to"),
        ({"doses": []}, "doses: `` cannot be read: nothing is given"),
    ],
)
def test_effects_that_cannot_be_are_refused(more, told):
    with pytest.raises(ValueError) as refusal:
        effects(**more)
    assert told in str(refusal.value)


PEOPLE = {"doses": DOSE, "at_min": [0.1, 40, 90], "seed": 3, "assay": True}


def test_chunks_merge_to_the_bytes_of_one_run_in_any_order():
    whole = lab.population(MODEL, 3000, **PEOPLE)
    a, b, c = (lab.population_chunk(MODEL, first, 1000, **PEOPLE) for first in (0, 1000, 2000))
    assert c.merge(a).merge(b).to_bytes() == whole.to_bytes() == a.merge(b.merge(c)).to_bytes()
    assert lab.Summary.from_bytes(whole.to_bytes()) == whole == pickle.loads(pickle.dumps(whole))
    assert whole.people == 3000
    many = {"doses": DOSE, "at_min": [40]}
    halves = [lab.population_chunk(MODEL, first, 75_001, **many) for first in (0, 75_001)]
    assert halves[0].merge(halves[1]) == lab.population(MODEL, 150_002, **many)


def test_nobody_counts_twice_and_populations_do_not_mix():
    a = lab.population_chunk(MODEL, 0, 100, **PEOPLE)
    with pytest.raises(ValueError, match="the patients 50 to 99 are in both parts; each may count once"):
        a.merge(lab.population_chunk(MODEL, 50, 100, **PEOPLE))
    with pytest.raises(ValueError, match="parts of two populations: their seeds differ"):
        a.merge(lab.population_chunk(MODEL, 100, 100, **PEOPLE | {"seed": 4}))
    with pytest.raises(ValueError, match="no part of a population, or not the whole of one"):
        lab.Summary.from_bytes(a.to_bytes()[:-1])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"n": -1}, "n is -1; accepted is 0 to"),
        ({"seed": -1}, "seed is -1"),
        ({"threads": 0}, "threads is 0; accepted is 1 to"),
        ({"first": 2**64 - 1}, "first + n is above"),
        ({"weight_spread": 0.2}, "weight_spread and age_to_years are said together"),
        ({"weight_spread": 0.2, "age_to_years": 65}, "age_years: `` cannot be read: it is missing"),
    ],
)
def test_people_who_cannot_be_are_refused(more, told):
    with pytest.raises(ValueError) as refusal:
        lab.population_chunk(**{"model": MODEL, "first": 0, "n": 10} | PEOPLE | more)
    assert told in str(refusal.value)


def test_a_long_run_can_be_interrupted():
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            lab.population(MODEL, 10**9, **PEOPLE)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_percentiles_rise_and_hold_their_share():
    people = lab.population(MODEL, 4000, **PEOPLE)
    answer = people.percentiles([0.05, 0.5, 0.95])
    assert answer["cp_ng_ml"].shape == answer["ce_ng_ml"].shape == (3, 3)
    assert (np.diff(answer["cp_ng_ml"]) > 0).all()
    assert answer["time_min"].tolist() == people.time_min.tolist() == [0.1, 40, 90]
    for wrong in ([5, 50, 95], [2], [-0.1], [float("nan")]):
        with pytest.raises(ValueError, match=r"shares: .* is not a share from 0 to 1; 5 % is 0\.05"):
            people.percentiles(wrong)
    with pytest.raises(ValueError, match="n is 0; accepted is 1 to"):
        lab.population(MODEL, 0, **PEOPLE)
    assert people.percentiles()["share"].tolist() == [0.05, 0.25, 0.5, 0.75, 0.95]


def test_a_plan_reaches_its_level_and_never_passes_it():
    asked = {"weight_kg": 70, "age_years": 40, "target_ng_ml": 100, "until_min": 60, "rate_max_mg_min": 20}
    rates = lab.plan(MODEL, **asked, resolution_mg_min=0.01)
    rows = np.column_stack([rates["start_min"], rates["duration_min"], rates["amount_mg"]])
    effect = lab.simulate(MODEL, weight_kg=70, age_years=40, doses=rows, at_min=np.arange(0, 61, 0.5))["ce_ng_ml"]
    assert 98 < effect[-1] <= effect.max() <= 100.0001
    assert rates["rate_mg_min"].max() <= 20
    np.testing.assert_allclose(rates["rate_mg_min"] * 100, np.round(rates["rate_mg_min"] * 100), atol=1e-6)
    assert any("within 1 % of the target from" in note for note in rates.notes)
    with pytest.warns(UserWarning, match="this plan does not reach its target of 100 ng/mL"):
        lab.plan(MODEL, **asked | {"rate_max_mg_min": 0.2})
    with pytest.raises(ValueError, match="refused: kamp_meta2020 is not valid here"):
        lab.plan(MODEL, **asked | {"weight_kg": 300})
    with pytest.raises(ValueError, match="refused: model clements250 has the role research .*no infusion is planned"):
        lab.plan("clements250", **asked, aim="plasma")


def test_a_fit_finds_who_was_simulated():
    model, at = "otto2021_fanta2015", np.array([20.0, 40, 60, 120, 240])
    asked = {"weight_kg": 70, "doses": DOSE, "substance": "esketamine"}
    typical = lab.simulate(model, **asked, at_min=at)["cp_ng_ml"]
    fitted = lab.fit(model, **asked, time_min=at, level_ng_ml=typical, site="venous")
    assert max(map(abs, fitted["eta"].values())) < 0.1, "the typical person is nobody special"
    higher = lab.fit(model, **asked, time_min=at, level_ng_ml=1.2 * typical, site="venous")
    assert higher["parameters"]["cl"] < fitted["parameters"]["cl"]
    size = len(higher["covariance_of"])
    assert list(higher["eta"]) == higher["covariance_of"]
    np.testing.assert_allclose(higher["covariance"], higher["covariance"].T, atol=1e-12)
    assert (np.linalg.eigvalsh(higher["covariance"]) > 0).all() and higher["covariance"].shape == (size, size)
    again = {"time_min": [*at, 300], "level_ng_ml": [*typical, 1e6], "below": np.array([False] * 5 + [True])}
    assert lab.fit(model, **asked, **again)["eta"] == pytest.approx(fitted["eta"], abs=1e-6), "that says nothing"
    with pytest.raises(ValueError, match="refused: site arterial: .* the two differ twofold"):
        lab.fit(model, **asked, time_min=at, level_ng_ml=typical, site="arterial")
    assert np.abs(fitted["deviation"]).max() < 0.5
    np.testing.assert_allclose(fitted["fitted_ng_ml"], typical, rtol=0.1)
    with pytest.warns(UserWarning, match="standard deviations of the model's error under the fit.* robust lets"):
        lab.fit(model, **asked, time_min=at, level_ng_ml=typical * [1, 1, 1, 1, 0.05], site="venous")
    plain = {"time_min": [40, 80], "level_ng_ml": [80, 5]}
    as_list = lab.fit(model, **asked | plain | {"below": [False, True]})
    assert as_list["eta"] == lab.fit(model, **asked | plain | {"below": np.array([False, True])})["eta"]
    # Limits where truth values belong would make every level one below it.
    for wrong in ([0, 5], [0.0, 5.0], np.array([0.0, 5.0]), ["no", "yes"], True):
        with pytest.raises(ValueError, match=r"below(\[0\])? is .*; accepted is a list or array of True and False"):
            lab.fit(model, **asked | plain | {"below": wrong})
    with pytest.raises(ValueError, match="an assay cannot tell 0 from"):
        lab.fit(model, **asked, time_min=at, level_ng_ml=typical * [1, 1, 1, 1, 0], site="venous")
    with pytest.raises(ValueError, match="40 min of s_ketamine comes after 240 min"):
        lab.fit(model, **asked, time_min=[240, 40], level_ng_ml=[20, 80], site="venous")
    with pytest.raises(ValueError, match="time_min has 5 entries, level_ng_ml 1"):
        lab.fit(model, **asked, time_min=at, level_ng_ml=[1.0])


def test_layers_occasions_and_draws_from_python():
    more = {"doses": "35 mg over 40 min", "at_min": [40, 120], "weight_kg": 70, "age_years": 25}
    plain = lab.population("simons2022", 300, **more)
    whole = lab.population("simons2022", 300, metabolites=True, occasions_min=[0], **more)
    columns = [summary.percentiles() for summary in (plain, whole)]
    assert columns[0]["cp_ng_ml"].tolist() == columns[1]["cp_ng_ml"].tolist()
    assert columns[1]["s_norketamine_ng_ml"].shape == (2, 5)
    assert lab.population("simons2022", 300, uncertainty=True, **more) != plain
    with pytest.raises(ValueError, match="occasions_min: `kamp_meta2020` cannot be read: it has no source"):
        lab.population(MODEL, 10, occasions_min=[0], doses=DOSE, at_min=[40])
    levels = {"doses": "35 mg over 40 min", "time_min": [60], "level_ng_ml": [50], "weight_kg": 70}
    fit = lab.fit("otto2021_fanta2015", substance="esketamine", draws=2000, at_min=[40, 80], **levels)
    low, middle, high = fit["posterior"]["cp_ng_ml"][0]
    assert low < middle < high and fit["posterior"]["effective"] > 200


def test_two_rates_and_a_rate_that_runs():
    wanted = {"weight_kg": 70, "age_years": 40, "target_ng_ml": 120, "until_min": 60, "rate_max_mg_min": 20}
    two = lab.plan(MODEL, switch_min=10, **wanted)
    assert two["start_min"].tolist() == [0, 10] and two["rate_mg_min"][0] > two["rate_mg_min"][1]
    highest = lab.plan(MODEL, one_rate=True, **wanted)["rate_mg_min"]
    assert lab.plan(MODEL, running_mg_min=9, **wanted)["rate_mg_min"] == highest
    assert lab.plan(MODEL, running_mg_min=0.25, **wanted)["rate_mg_min"] == [0.25]
    with pytest.raises(ValueError, match="exclude each other"):
        lab.plan(MODEL, one_rate=True, switch_min=10, **wanted)
