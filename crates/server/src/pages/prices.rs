//! What the clinic asks, as its owner sets it.

use super::error::as_told;
use super::tasks::clock_time;
use super::visit::form::{Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::price::{Cents, Prices};
use clinic::id::CommandId;

#[derive(Template)]
#[template(path = "pages/prices.html")]
struct PricesPage {
    page: Page,
    form: Form,
    /// Each list that was set, newest first.
    set: Vec<String>,
    sheet: bool,
}

/// `GET /prices`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    draw(&app, &visit, Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, sent: Sent) -> Result<Response, Error> {
    let all = app.blocking(move |app| app.floor.prices()).await??;
    let form = form(all.last().map(|(_, _, prices)| prices)).filled(&sent);
    let line = |(at, by, prices): &(jiff::Timestamp, clinic::id::StaffId, Prices)| {
        let Prices { currency, consultation, session, booster, valid_d } = prices;
        let (at, by) = (clock_time(app, *at), app.floor.called(by));
        let [consultation, session, booster] = [consultation, session, booster].map(|one| one.of(currency));
        format!(
            "{at}, {by}: infusion {session} {currency}, booster {booster} {currency}, consultation {consultation} {currency}; an estimate holds for {valid_d} days"
        )
    };
    let page = PricesPage {
        page: Page::new(app, visit, "Prices").with_errors(sent.summary([&form])),
        set: all.iter().rev().map(line).collect(),
        form,
        sheet: false,
    };
    html(sent.status, &page)
}

fn form(known: Option<&Prices>) -> Form {
    let amount = |name: &str, label: &str, price: fn(&Prices) -> Cents| {
        let known = known.map(|prices| price(prices).of(&prices.currency).replace(',', ""));
        Field::number(name, label, "").known(known.unwrap_or_default())
    };
    let valid = known.map_or_else(String::new, |prices| prices.valid_d.to_string());
    Form::new("prices", "/prices", "What the clinic asks", "Set the prices")
        .hint("For estimates alone: nobody's care waits for money here. An estimate that was given keeps its numbers.")
        .with(
            Field::new(Kind::Line, "currency", "Currency")
                .hint("Three letters, such as USD.")
                .known(known.map_or_else(String::new, |prices| prices.currency.clone())),
        )
        .with(amount("consultation", "A consultation", |prices| prices.consultation))
        .with(amount("session", "An infusion of a series", |prices| prices.session))
        .with(amount("booster", "A booster", |prices| prices.booster))
        .with(Field::number("valid_d", "An estimate holds for", "days").known(valid))
}

/// `POST /prices`
pub async fn set(State(app): State<AppState>, visit: Visit, posted: Posted) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::SetPrices) else { return Err(Error::SignIn) };
    let form = posted.clone();
    let done = app.blocking(move |app| {
        let mut typed = Typed::new(form, app.config.time_zone());
        let prices = prices(&mut typed);
        let command_id = CommandId::new(typed.posted().command_id());
        match prices.filter(|_| typed.errors.is_empty()) {
            None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
            Some(prices) => app.floor.set_prices(&command_id, &actor, &prices).map_err(as_told),
        }
    });
    match done.await? {
        Ok(_) => Ok(Redirect::to("/prices").into_response()),
        Err((errors, status)) => {
            draw(&app, &visit, Sent { form: "prices".to_owned(), posted, errors, status }).await
        }
    }
}

fn prices(typed: &mut Typed) -> Option<Prices> {
    let mut amount = |field: &str, what: &str| {
        let text = typed.needed(field, what)?;
        let accepted = "0 or more, with at most two decimals: 600 or 600.00";
        Cents::read(&text)
            .or_else(|| typed.wrong(field, format!("{what} is “{text}”; accepted is {accepted}.")))
    };
    let consultation = amount("consultation", "The price of a consultation");
    let session = amount("session", "The price of an infusion");
    let booster = amount("booster", "The price of a booster");
    let currency = typed.needed("currency", "The currency");
    let valid_d = typed.whole("valid_d", "How long an estimate holds", "a whole number of days");
    Some(Prices {
        currency: currency?,
        consultation: consultation?,
        session: session?,
        booster: booster?,
        valid_d: valid_d?,
    })
}
