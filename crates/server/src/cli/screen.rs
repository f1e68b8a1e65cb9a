//! `chairside screen`: a consultation against every rule of who may be treated.

use super::{Exit, say};
use crate::clock::Clock;
use clinic::gate::Finding;
use clinic::knowledge::{File, Knowledge};
use clinic::screen::{self, Screening};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A consultation is some pages long; what is longer is another file.
const FILE_BYTES_MAX: u64 = 1_048_576;

/// Answers as JSON. A stop or a hold is an answer: the command ends with 0. Exit 2 names what cannot be read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit 0: there is a verdict, also where it is hold or stop; 2: the file or the profile cannot be read.\n\
    What nobody asked is left out, null or \"unknown\": it holds, and stands in `missing`."
)]
pub struct Args {
    /// The consultation as JSON, see `--schema`; `-` is standard input
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Profile: default, va_2019, toronto, or a file of the clinic's own that ends in .toml
    #[arg(long, value_name = "ID", default_value = "default")]
    profile: String,
    /// Print the JSON Schema of the consultation
    #[arg(long, conflicts_with_all = ["file", "record", "replay"])]
    schema: bool,
    /// Print the verdict with its inputs and the versions of its rules, to be kept
    #[arg(long, conflicts_with = "replay")]
    record: bool,
    /// Decide a verdict that `--record` printed again, and say whether it is the same; exit 1 where it is not
    #[arg(long)]
    replay: bool,
}

/// Prints the verdict, the schema or the difference.
pub fn run(args: &Args) -> Exit {
    let (knowledge, profile) = match with_profile(&args.profile) {
        Ok(found) => found,
        Err(wrong) => return say(Exit::Unreadable, wrong),
    };
    let Some(file) = &args.file else { return show(&screen::schema(&knowledge)) };
    let text = match text_of(file) {
        Ok(text) => text,
        Err(wrong) => return say(Exit::Unreadable, format!("{}: {wrong}", file.display())),
    };
    if args.replay {
        return replay(&text, file, &knowledge);
    }
    let today = Clock::system().now().to_zoned(TimeZone::system()).date();
    match screened(&text, &profile, today, &knowledge) {
        Ok(screening) if args.record => show(&json!(screening)),
        Ok(screening) => show(&answer(&screening, &knowledge)),
        Err(wrong) => say(Exit::Unreadable, format!("{}: {wrong}", file.display())),
    }
}

fn screened(text: &str, profile: &str, today: Date, knowledge: &Knowledge) -> Result<Screening, String> {
    let consultation = screen::read(text, today, knowledge).map_err(|wrong| wrong.to_string())?;
    screen::screen(&consultation, profile, today, knowledge).map_err(|wrong| format!("--profile: {wrong}"))
}

fn answer(screening: &Screening, knowledge: &Knowledge) -> Value {
    let findings: Vec<Value> = screening.findings.iter().map(|found| finding(found, knowledge)).collect();
    json!({
        "verdict": screening.verdict,
        "trd": { "count": screening.trd.count, "intolerant": screening.trd.intolerant },
        "findings": findings,
        "missing": screening.missing,
        "profile": screening.profile,
        "on": screening.consultation.on,
    })
}

fn finding(found: &Finding, knowledge: &Knowledge) -> Value {
    let cited = found.sources.iter().map(|id| match knowledge.sources.get(id) {
        Some(source) => format!("{}: {}", id.as_str().to_uppercase(), source.title),
        None => id.to_string(),
    });
    let unsigned = knowledge.header(found.rule.as_str()).is_some_and(|header| !header.unsigned().is_empty());
    json!({
        "rule": screen::printed(&found.rule),
        "version": found.version,
        "verdict": found.verdict,
        "reason": found.reason,
        "inputs": found.inputs,
        "source": cited.collect::<Vec<_>>().join("; "),
        "override": found.overridable_by,
        "unsigned_default": unsigned,
    })
}

fn replay(text: &str, file: &Path, knowledge: &Knowledge) -> Exit {
    let stored: Screening = match serde_json::from_str(text) {
        Ok(stored) => stored,
        Err(cause) => {
            let why =
                format!("{}: {cause}. Accepted is what `chairside screen --record` prints.", file.display());
            return say(Exit::Unreadable, why);
        }
    };
    let differs = screen::replay(&stored, knowledge);
    let shown = show(&json!({ "same": differs.is_empty(), "differs": differs }));
    if differs.is_empty() { shown } else { Exit::Failed }
}

/// The shipped knowledge, with a clinic's own profile where a file is named, and the profile's id.
fn with_profile(asked: &str) -> Result<(Knowledge, String), String> {
    let path = Path::new(asked);
    if path.extension().is_none_or(|end| end != "toml") {
        return Ok((Knowledge::shipped().map_err(|error| error.to_string())?, asked.to_owned()));
    }
    let wrong = |why: String| format!("--profile: {asked}: {why}");
    let id = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .ok_or_else(|| wrong("its name is no id".to_owned()))?;
    let text = text_of(path).map_err(&wrong)?;
    let own = File { path: format!("profiles/{id}.toml"), text };
    let knowledge = Knowledge::shipped_with(own).map_err(|error| wrong(error.to_string()))?;
    Ok((knowledge, id.to_owned()))
}

fn text_of(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let told = |cause: std::io::Error| format!("cannot be read: {cause}");
    if file == Path::new("-") {
        std::io::stdin().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(told)?;
    } else {
        let opened = std::fs::File::open(file).map_err(told)?;
        opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(told)?;
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it is longer than {FILE_BYTES_MAX} bytes; accepted is up to that"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

fn show(value: &Value) -> Exit {
    super::print(format!("{value:#}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 22);

    fn told(document: &Value) -> Value {
        let knowledge = Knowledge::shipped().expect("it holds");
        let screening = screened(&document.to_string(), "default", TODAY, &knowledge).expect("it reads");
        answer(&screening, &knowledge)
    }

    #[test]
    fn the_answer_has_its_shape_and_its_rules_are_in_capitals() {
        let told = told(&json!({ "medicines": ["theophylline", { "name": "clonazepam", "daily_mg": 1 }] }));
        assert_eq!(told["verdict"], "stop");
        assert_eq!(told["trd"], json!({ "count": 0, "intolerant": 0 }));
        assert!(
            told["missing"].as_array().is_some_and(|missing| missing.contains(&json!("diagnoses"))),
            "{told:#}"
        );
        let findings = told["findings"].as_array().expect("findings");
        let of = |rule: &str| findings.iter().find(|found| found["rule"] == rule).expect(rule);
        assert_eq!((&of("D03")["verdict"], &of("D01")["verdict"]), (&json!("stop"), &json!("hold")));
        for found in findings {
            let rule = found["rule"].as_str().expect("a rule");
            assert_eq!(rule, rule.to_uppercase());
            for key in ["reason", "source"] {
                assert!(found[key].as_str().is_some_and(|text| !text.is_empty()), "{rule} {key}");
            }
            assert!(found["inputs"].is_object(), "{rule}");
        }
        assert!(of("D03")["source"].as_str().is_some_and(|source| source.contains("Ketalar")), "{told:#}");
    }

    #[test]
    fn a_profile_that_is_not_there_and_a_slip_are_told() {
        let knowledge = Knowledge::shipped().expect("it holds");
        let wrong = |text: &str, profile: &str| {
            screened(text, profile, TODAY, &knowledge).map(|_| ()).expect_err(text)
        };
        assert!(wrong("{}", "none").contains("va_2019"));
        assert!(wrong("{\"medicnes\": []}", "default").contains("medicnes"));
        let path = "/nowhere/mine.toml";
        assert!(with_profile(path).map(|_| ()).expect_err("there is no file").contains(path));
    }
}
