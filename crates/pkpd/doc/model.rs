/// Two compartments around 1 L/kg, cleared at 1.4 L/min, in arterial blood; people differ by 30 % in clearance and volume,
/// and an assay errs by 10 %.
pub fn model() -> Result<Model, Refused> {
    let parameter = |name: &str, typical| {
        let weight = Some(WeightScale { reference: Kg(70.0), exponent: Ratio(1.0) });
        Parameter { name: name.to_owned(), typical, weight, age: None }
    };
    let place = |name: &str, volume: &str, analyte: Option<&str>| Compartment {
        name: name.to_owned(),
        volume: Some(volume.to_owned()),
        analyte: analyte.map(|name| Analyte { name: name.to_owned(), mass_ratio: Ratio(1.0) }),
    };
    let flow = |from: &str, to: Option<&str>, by: &str| Flow {
        from: from.to_owned(),
        to: to.map(str::to_owned),
        by: by.to_owned(),
        share: Ratio(1.0),
        delay: None,
    };
    Model::new(Spec {
        id: "two_compartments".to_owned(),
        form: Form::Racemate,
        site: Site::Arterial,
        parameters: vec![
            parameter("cl", Value::Clearance(LPerMin(1.4))),
            parameter("v1", Value::Volume(Litres(70.0))),
            parameter("q2", Value::Clearance(LPerMin(2.0))),
            parameter("v2", Value::Volume(Litres(100.0))),
        ],
        compartments: vec![place("central", "v1", Some("drug")), place("store", "v2", None)],
        flows: vec![
            flow("central", None, "cl"),
            flow("central", Some("store"), "q2"),
            flow("store", Some("central"), "q2"),
        ],
        routes: vec![],
        variability: ["cl", "v1"]
            .map(|name| Block { parameters: vec![name.to_owned()], covariance: vec![vec![Ratio(0.09)]] })
            .into(),
        occasions: vec![],
        uncertainty: vec![],
        residuals: vec![("drug".to_owned(), Residual::Normal { proportional: Ratio(0.1), additive: NgPerMl(0.0) })],
        validity: Validity {
            age: Years(18.0)..=Years(75.0),
            weight: Kg(45.0)..=Kg(120.0),
            dose_max: MgPerKg(2.0),
            length_max: Minutes(240.0),
            infusion_min: Minutes(0.0),
            after_bolus: Minutes(0.0),
        },
    })
}
