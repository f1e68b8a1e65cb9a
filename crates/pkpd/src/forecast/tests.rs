use super::*;
use crate::theorems::{flow, parameter, place};
use crate::{LPerMin, Litres, Spec, Validity, Value};

fn model(id: &str, form: Form, site: Site, clearance: f64) -> Model {
    Model::new(Spec {
        id: id.to_owned(),
        form,
        site,
        parameters: vec![
            parameter("v", Value::Volume(Litres(50.0))),
            parameter("cl", Value::Clearance(LPerMin(clearance))),
        ],
        compartments: vec![place("centre", Some("v"), None)],
        flows: vec![flow("centre", None, "cl")],
        routes: vec![],
        occasions: vec![],
        uncertainty: vec![],
        variability: vec![],
        residuals: vec![],
        validity: Validity {
            age: Years(18.0)..=Years(75.0),
            weight: Kg(45.0)..=Kg(120.0),
            dose_max: MgPerKg(2.0),
            length_max: Minutes(240.0),
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    })
    .expect("a model")
}

const SITE: EffectSite =
    EffectSite { ke0: PerMin(0.08), ke0_range: (PerMin(0.05), PerMin(0.14)), site: Site::Arterial };

struct Case {
    delivered: Vec<Delivered>,
    scenarios: Vec<Scenario>,
    body: Body,
    given: Form,
    now: f64,
}

impl Case {
    /// 35 mg over 40 min, half delivered.
    fn half_way() -> Self {
        let stretch = Delivered { start: Minutes(0.0), end: Minutes(20.0), rate: MgPerMin(0.875) };
        Self {
            delivered: vec![stretch],
            scenarios: vec![
                Scenario::Continue { until: Minutes(40.0) },
                Scenario::StopNow,
                Scenario::ChangeTo { rate: MgPerMin(0.4), until: Minutes(60.0) },
            ],
            body: Body { weight: Kg(70.0), age: Some(Years(40.0)) },
            given: Form::Racemate,
            now: 20.0,
        }
    }

    fn ask(&self, comparisons: &[&Model]) -> Result<Answer<Forecast>, Refused> {
        let default = model("default", Form::Racemate, Site::Arterial, 1.4);
        forecast(&Question {
            given: self.given,
            body: self.body,
            delivered: &self.delivered,
            now: Minutes(self.now),
            scenarios: &self.scenarios,
            horizon: Minutes(120.0),
            step: Minutes(1.0),
            model: &default,
            effect_site: SITE,
            comparisons,
        })
    }

    fn shown(&self, comparisons: &[&Model]) -> Forecast {
        match self.ask(comparisons).expect("a proper question") {
            Answer::InDomain(found) => found,
            Answer::OutOfDomain(reasons) => panic!("{reasons:?}"),
        }
    }

    fn reasons(&self) -> Vec<String> {
        match self.ask(&[&venous()]).expect("a proper question") {
            Answer::InDomain(_) => panic!("a number outside the domain"),
            Answer::OutOfDomain(reasons) => reasons.iter().map(Reason::to_string).collect(),
        }
    }
}

fn venous() -> Model {
    model("venous", Form::SEnantiomer, Site::Venous, 1.0)
}

fn in_domain(future: &Future) -> &Curve {
    match &future.curve {
        Answer::InDomain(curve) => curve,
        Answer::OutOfDomain(reasons) => panic!("{reasons:?}"),
    }
}

#[test]
fn every_future_starts_where_the_past_ends() {
    let found = Case::half_way().shown(&[&venous()]);
    assert_eq!(found.delivered, Mg(17.5));
    let ends = |b: &Banded| {
        (*b.line.last().expect("past"), *b.low.last().expect("past"), *b.high.last().expect("past"))
    };
    let starts = |b: &Banded| (b.line[0], b.low[0], b.high[0]);
    assert_eq!(found.futures.len(), 3);
    for future in &found.futures {
        let curve = in_domain(future);
        assert_eq!(starts(&curve.plasma), ends(&found.past.plasma));
        assert_eq!(starts(&curve.effect), ends(&found.past.effect));
        assert_eq!((curve.times[0], *curve.times.last().expect("times")), (Minutes(20.0), Minutes(120.0)));
    }
}

#[test]
fn each_scenario_gives_what_it_says() {
    let found = Case::half_way().shown(&[&venous()]);
    let at = |i: usize, t: f64| {
        let curve = in_domain(&found.futures[i]);
        curve.plasma.line[curve.times.iter().position(|x| x.0 == t).expect("shown")].0
    };
    // One compartment of 50 L, 1.4 L/min: C = rate/CL·(1 - exp(-t·CL/V)), in ng/mL.
    let (k, cl) = (1.4 / 50.0, 1.4);
    let rise = |rate: f64, t: f64| 1000.0 * rate / cl * -(-k * t).exp_m1();
    assert!((at(0, 40.0) / rise(0.875, 40.0) - 1.0).abs() < 1e-13);
    assert!((at(1, 40.0) / (rise(0.875, 20.0) * (-k * 20.0).exp()) - 1.0).abs() < 1e-13);
    let changed = rise(0.875, 20.0) * (-k * 40.0).exp() + rise(0.4, 40.0);
    assert!((at(2, 60.0) / changed - 1.0).abs() < 1e-13);
}

#[test]
fn the_band_holds_the_line_and_says_whose_it_is() {
    let found = Case::half_way().shown(&[&venous()]);
    let curve = in_domain(&found.futures[0]);
    for banded in [&curve.plasma, &curve.effect] {
        let rows = banded.low.iter().zip(&banded.line).zip(&banded.high);
        assert!(rows.clone().all(|((low, line), high)| low <= line && line <= high));
        assert!(rows.skip(1).all(|((low, _), high)| low < high), "a bare line");
    }
    let whose: Vec<_> = curve.band.iter().map(|o| (o.model.as_str(), o.site, o.basis)).collect();
    assert_eq!(
        whose,
        [("default", Site::Arterial, Basis::Racemate), ("venous", Site::Venous, Basis::TwiceS)]
    );
}

#[test]
fn a_venous_model_spans_no_band_of_the_effect_site() {
    let alone = Case::half_way().shown(&[&venous()]);
    let arterial = model("arterial", Form::Racemate, Site::Arterial, 0.7);
    let both = Case::half_way().shown(&[&venous(), &arterial]);
    let top = |f: &Forecast| in_domain(&f.futures[0]).effect.high[30];
    assert!(top(&both) > top(&alone));
    let faster = model("venous", Form::Racemate, Site::Venous, 0.1);
    assert_eq!(top(&Case::half_way().shown(&[&faster])), top(&alone));
}

#[test]
fn the_racemate_gives_an_s_model_its_half_and_is_doubled_back() {
    // The same clearance and volume: half the dose, times two, is the same level.
    let s = model("s", Form::SEnantiomer, Site::Venous, 1.4);
    let found = Case::half_way().shown(&[&s]);
    let plasma = &in_domain(&found.futures[0]).plasma;
    for (low, high) in plasma.low.iter().zip(&plasma.high) {
        assert!((low.0 / high.0 - 1.0).abs() < 1e-15);
    }
    let mut case = Case::half_way();
    case.given = Form::SEnantiomer;
    let found = case.shown(&[&s]);
    let bases: Vec<_> = found.past.band.iter().map(|o| o.basis).collect();
    assert_eq!(bases, [Basis::SByRacemate, Basis::S]);
    assert_eq!(found.past.plasma.low, found.past.plasma.high);
}

#[test]
fn outside_the_domain_there_are_reasons_and_no_number() {
    let with = |body: Body| Case { body, ..Case::half_way() }.reasons();
    let body = Case::half_way().body;
    let old = "age 80 years, valid 18 to 75";
    assert_eq!(with(Body { age: Some(Years(80.0)), ..body })[0], old);
    assert_eq!(with(Body { age: None, ..body })[0], "the age is missing");
    assert_eq!(with(Body { weight: Kg(130.0), ..body })[0], "weight 130 kg, valid 45 to 120 kg");
    let mut much = Case::half_way();
    much.delivered[0].rate = MgPerMin(7.1);
    assert_eq!(much.reasons()[0], "dose 2.03 mg/kg, valid up to 2 mg/kg");
    for edge in [18.0, 75.0] {
        Case { body: Body { age: Some(Years(edge)), ..body }, ..Case::half_way() }.shown(&[&venous()]);
    }
}

#[test]
fn a_scenario_may_leave_the_domain_alone() {
    let mut case = Case::half_way();
    case.scenarios = vec![
        Scenario::ChangeTo { rate: MgPerMin(6.2), until: Minutes(40.0) },
        Scenario::Continue { until: Minutes(241.0) },
        Scenario::ChangeTo { rate: MgPerMin(0.1), until: Minutes(241.0) },
        Scenario::StopNow,
    ];
    let found = case.shown(&[&venous()]);
    let reasons: Vec<_> = found
        .futures
        .iter()
        .map(|f| match &f.curve {
            Answer::InDomain(_) => String::new(),
            Answer::OutOfDomain(reasons) => reasons[0].to_string(),
        })
        .collect();
    let expected = [
        "dose 2.02 mg/kg, valid up to 2 mg/kg",
        "dose 3.01 mg/kg, valid up to 2 mg/kg",
        "241 min long, valid up to 240 min",
        "",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn without_a_second_model_there_is_no_curve() {
    let answer = Case::half_way().ask(&[]).expect("a proper question");
    assert_eq!(answer, Answer::OutOfDomain(vec![Reason::NoBand]));
    let same = model("default", Form::Racemate, Site::Arterial, 1.0);
    assert_eq!(
        Case::half_way().ask(&[&same]).expect("a question"),
        Answer::OutOfDomain(vec![Reason::NoBand])
    );
}

#[test]
fn before_the_first_drop_a_plan_can_be_asked() {
    let mut case = Case::half_way();
    case.delivered.clear();
    let found = case.shown(&[&venous()]);
    assert_eq!((found.past.times, found.past.plasma.line), (vec![Minutes(20.0)], vec![NgPerMl(0.0)]));
    assert!(in_domain(&found.futures[0]).plasma.high.iter().all(|x| x.0 == 0.0), "nothing runs");
    assert!(in_domain(&found.futures[2]).plasma.low[5].0 > 0.0);
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let mut late = Case::half_way();
    late.now = 19.0;
    let told = late.ask(&[&venous()]).expect_err("delivered in the future").to_string();
    assert_eq!(told, "end of what was delivered is 20 min; accepted is -1000000000 to 19 min");
    let mut past = Case::half_way();
    past.scenarios = vec![Scenario::Continue { until: Minutes(10.0) }];
    assert!(past.ask(&[&venous()]).is_err());
    let mut no_time = Case::half_way();
    no_time.now = f64::NAN;
    assert!(no_time.ask(&[&venous()]).is_err());
}

proptest::proptest! {
    /// However doses are put together, none is lost and none counts twice; without a washout each pause parts them.
    #[test]
    fn administrations_hold_all_doses_once(
        starts in proptest::collection::vec((0.0..1e4_f64, 0.0..90.0_f64), 1..20),
        washout in 0.0..5e3_f64,
    ) {
        let doses = starts.iter().map(|(start, length)| Dose::over(Mg(10.0), Minutes(*length), Minutes(*start)));
        let given = Schedule::new(doses).expect("doses");
        let each = given.administrations(Minutes(washout));
        let sum: f64 = each.iter().map(|one| one.amount.0).sum();
        proptest::prop_assert!((sum - given.amount().0).abs() < 1e-6);
        for pair in each.windows(2) {
            proptest::prop_assert!(pair[1].start.0 - pair[0].end.0 >= washout);
        }
        proptest::prop_assert_eq!(given.administrations(Minutes(f64::INFINITY)).len(), 1);
    }
}

#[test]
fn a_course_is_judged_by_its_infusions_and_those_near_each_other_together() {
    let model = model("default", Form::Racemate, Site::Arterial, 1.4);
    let body = Case::half_way().body;
    let washout = model.washout(body).0;
    let told = |pause: f64, mg: f64| {
        let starts = (0..6).map(|place| Minutes(f64::from(place) * (40.0 + pause)));
        let doses = starts.map(|start| Dose::over(Mg(mg), Minutes(40.0), start));
        let given = Schedule::new(doses).expect("doses");
        model.objections(body, &given).iter().map(Reason::to_string).collect::<Vec<_>>()
    };
    // 70 kg: six times 0.5 mg/kg are 3 mg/kg.
    assert_eq!(told(washout + 1.0, 35.0), Vec::<String>::new());
    assert_eq!(told(washout - 1.0, 35.0)[0], "dose 3.00 mg/kg, valid up to 2 mg/kg");
    assert!(told(washout - 1.0, 35.0)[1].ends_with("min long, valid up to 240 min"));
    assert_eq!(told(washout + 1.0, 142.0), ["dose 2.03 mg/kg, valid up to 2 mg/kg"]);
    // An emptied body begins anew.
    let again = |reset: &[Minutes]| {
        let doses = [0.0, 100.0].map(|at| Dose::Bolus { at: Minutes(at), amount: Mg(100.0) });
        model.objections(body, &Schedule::of(doses.map(Into::into), reset).expect("doses")).len()
    };
    assert_eq!((again(&[]), again(&[Minutes(50.0)])), (1, 0));
}

#[test]
fn the_washout_leaves_three_per_cent_of_the_slowest_store() {
    let model = model("default", Form::Racemate, Site::Arterial, 1.4);
    let body = Case::half_way().body;
    let person = model.typical(body).expect("a person");
    let slowest = person.parent().modes().map(|(rate, _)| rate.0).fold(f64::INFINITY, f64::min);
    assert!(((-slowest * model.washout(body).0).exp() - 1.0 / 32.0).abs() < 1e-12);
    assert_eq!(model.washout(Body { weight: Kg(f64::NAN), ..body }).0, f64::INFINITY);
}
