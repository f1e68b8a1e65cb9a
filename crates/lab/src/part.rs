//! Some patients of a population, counted, as they travel between processes and machines. Parts merge exactly: whoever
//! counted them, in whatever order, the whole has the same bytes.

use pkpd::{Minutes, Summary};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// First line of the bytes; the number changes with their shape.
const SHAPE: &str = "chairside part 2";

/// What makes a population this one. Numbers are written so that they read back to the bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) model: String,
    pub(crate) bodies: String,
    pub(crate) doses: String,
    pub(crate) layers: String,
    pub(crate) occasions_min: Vec<String>,
    /// Names of the metabolites that are counted.
    pub(crate) metabolites: Vec<String>,
    pub(crate) ke0: String,
    pub(crate) seed: u64,
    pub(crate) times_min: Vec<String>,
}

/// Counts of the levels of some patients of one population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    head: Head,
    summary: Summary,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    of: Description,
    /// Rising, none touching the next.
    patients: Vec<Range<u64>>,
}

/// Why parts do not make a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmerged {
    /// Parts of two populations.
    #[error("these are parts of two populations: their {0} differ")]
    OtherPopulation(&'static str),
    /// Somebody would count twice.
    #[error("the patients {0} to {1} are in both parts; each may count once")]
    Twice(u64, u64),
    /// Bytes that are no part, or torn.
    #[error("these {0} bytes are no part of a population, or not the whole of one")]
    Torn(usize),
}

impl Part {
    pub(crate) fn new(of: Description, patients: Range<u64>, summary: Summary) -> Self {
        let patients = if patients.is_empty() { Vec::new() } else { vec![patients] };
        Self { head: Head { of, patients }, summary }
    }

    /// The counts.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Numbers of the patients in it, rising.
    #[must_use]
    pub fn patients(&self) -> &[Range<u64>] {
        &self.head.patients
    }

    /// Names of the metabolites that are counted, in the order of [`Summary::metabolites`].
    #[must_use]
    pub fn metabolites(&self) -> &[String] {
        &self.head.of.metabolites
    }

    /// When the levels are counted.
    #[must_use]
    pub fn times(&self) -> Vec<Minutes> {
        // Whatever is read back was written from numbers; a crafted word is no time of anybody's.
        self.head.of.times_min.iter().map(|word| Minutes(word.parse().unwrap_or(f64::NAN))).collect()
    }

    /// Adds other patients of the same population. Nothing is added when it is refused.
    ///
    /// # Errors
    /// A part of another population; patients that are in both.
    pub fn merge(&mut self, other: &Self) -> Result<(), Unmerged> {
        if let Some(differ) = self.head.of.differs(&other.head.of) {
            return Err(Unmerged::OtherPopulation(differ));
        }
        self.head.patients = together(&self.head.patients, &other.head.patients)?;
        self.summary.merge(&other.summary);
        Ok(())
    }

    /// As it is sent or kept. Equal parts have equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // A head of plain words and numbers always has a JSON.
        let head = serde_json::to_string(&self.head).unwrap_or_default();
        let mut bytes = format!("{SHAPE}\n{head}\n").into_bytes();
        self.summary.write(&mut bytes);
        bytes
    }

    /// Reads [`Part::to_bytes`] back.
    ///
    /// # Errors
    /// [`Unmerged::Torn`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unmerged> {
        let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
        let (shape, head, counts) = (lines.next(), lines.next(), lines.next());
        let shape = shape.filter(|shape| *shape == SHAPE.as_bytes());
        let head = shape.and(head).and_then(|head| serde_json::from_slice::<Head>(head).ok());
        head.zip(counts.and_then(Summary::read))
            .map(|(head, summary)| Self { head, summary })
            .filter(Self::is_whole)
            .ok_or(Unmerged::Torn(bytes.len()))
    }

    /// Whether head and counts speak of the same patients and times.
    fn is_whole(&self) -> bool {
        let (ranges, times) = (&self.head.patients, self.head.of.times_min.len());
        let Summary { plasma, metabolites, effect, patients, refused, .. } = &self.summary;
        let told = patients.checked_sub(*refused);
        let rising = ranges.windows(2).all(|pair| pair[0].end < pair[1].start);
        let length = |range: &Range<u64>| range.end.checked_sub(range.start).filter(|length| *length > 0);
        let numbered = ranges.iter().try_fold(0_u64, |sum, range| sum.checked_add(length(range)?));
        plasma.len() == times
            && (effect.len() == times || effect.is_empty())
            && metabolites.len() == self.head.of.metabolites.len()
            && metabolites.iter().all(|levels| levels.len() == times)
            && plasma
                .iter()
                .chain(effect)
                .chain(metabolites.iter().flatten())
                .all(|levels| Some(levels.count()) == told)
            && rising
            && numbered == Some(*patients)
    }
}

impl Description {
    /// The first thing in which two populations differ, in a word of the plural.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            (self.model != other.model, "models"),
            (self.bodies != other.bodies, "bodies"),
            (self.doses != other.doses, "doses"),
            (self.layers != other.layers, "layers of spread"),
            (self.occasions_min != other.occasions_min, "occasions"),
            (self.metabolites != other.metabolites, "metabolites"),
            (self.ke0 != other.ke0, "effect sites"),
            (self.seed != other.seed, "seeds"),
            (self.times_min != other.times_min, "times"),
        ];
        parts.into_iter().find(|(differ, _)| *differ).map(|(_, word)| word)
    }
}

/// Ranges of both, with those that touch made one.
fn together(ours: &[Range<u64>], theirs: &[Range<u64>]) -> Result<Vec<Range<u64>>, Unmerged> {
    let mut all: Vec<Range<u64>> = ours.iter().chain(theirs).cloned().collect();
    all.sort_by_key(|range| range.start);
    let mut whole: Vec<Range<u64>> = Vec::new();
    for next in all {
        match whole.last_mut() {
            Some(last) if next.start < last.end => {
                return Err(Unmerged::Twice(next.start, next.end.min(last.end) - 1));
            }
            Some(last) if next.start == last.end => last.end = next.end,
            _ => whole.push(next),
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chosen, CrowdQuestion, Doses, People, Varied};
    use clinic::knowledge::Knowledge;
    use pkpd::Form;

    /// The patients of some ranges, counted apart, who all get this by the default model.
    fn parts<const N: usize>(dose: &str, seed: u64, ranges: [(u64, u64); N]) -> [Part; N] {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let chosen = Chosen::find(&knowledge, "kamp_meta2020", Form::Racemate).expect("it is shipped");
        let chosen = chosen.with_effect_site(&knowledge, None).expect("it has one");
        let doses = Doses::read(&[dose.to_owned()], Vec::new()).expect("a dose");
        let people = People { weight: None, age: None, spread: None };
        let times = [Minutes(0.1), Minutes(40.0)];
        let varied = Varied { assay: true, ..Varied::default() };
        let asked = CrowdQuestion { people, doses: &doses, varied, metabolites: false, times: &times, seed };
        let crowd = chosen.crowd(&asked).expect("a population");
        ranges.map(|(first, end)| crowd.part(first..end, 1, |_| {}))
    }

    const DOSE: &str = "35 mg over 40 min";

    #[test]
    fn parts_that_travelled_have_the_bytes_of_the_whole_in_any_order() {
        let [whole, a, b, c] = parts(DOSE, 1, [(0, 900), (0, 100), (100, 500), (500, 900)]);
        for order in [[&a, &b, &c], [&c, &a, &b], [&b, &c, &a]] {
            let mut merged = parts(DOSE, 1, [(7, 7)])[0].clone();
            for part in order {
                let arrived = Part::from_bytes(&part.to_bytes()).expect("the whole of it");
                assert_eq!(&arrived, part);
                merged.merge(&arrived).expect("others");
            }
            assert!(merged.to_bytes() == whole.to_bytes());
        }
        assert_eq!(whole.times(), [Minutes(0.1), Minutes(40.0)]);
    }

    #[test]
    fn nobody_counts_twice() {
        let [mut first, second] = parts(DOSE, 1, [(0, 100), (99, 200)]);
        let before = first.clone();
        assert_eq!(first.merge(&second), Err(Unmerged::Twice(99, 99)));
        assert_eq!(first.merge(&before), Err(Unmerged::Twice(0, 99)));
        assert_eq!(first, before);
    }

    #[test]
    fn another_population_is_not_merged() {
        let [mut ours] = parts(DOSE, 1, [(0, 10)]);
        let [of_another_seed] = parts(DOSE, 2, [(10, 20)]);
        let [of_another_dose] = parts("35.0000001 mg over 40 min", 1, [(10, 20)]);
        assert_eq!(ours.merge(&of_another_seed), Err(Unmerged::OtherPopulation("seeds")));
        assert_eq!(ours.merge(&of_another_dose), Err(Unmerged::OtherPopulation("doses")));
    }

    #[test]
    fn torn_bytes_are_no_part() {
        let [part] = parts(DOSE, 1, [(0, 10)]);
        let bytes = part.to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Part::from_bytes(&bytes[..length]), Err(Unmerged::Torn(length)));
        }
        assert!(Part::from_bytes(&[bytes.as_slice(), b"x"].concat()).is_err());
        let text = String::from_utf8_lossy(&bytes);
        let whose = "[{\"start\":0,\"end\":10}]";
        for told in [
            "[{\"start\":0,\"end\":11}]",
            "[{\"start\":0,\"end\":6},{\"start\":3,\"end\":7}]",
            "[{\"start\":9,\"end\":10},{\"start\":0,\"end\":9}]",
            "[{\"start\":0,\"end\":18446744073709551615},{\"start\":0,\"end\":11}]",
        ] {
            assert!(text.contains(whose));
            assert!(Part::from_bytes(text.replace(whose, told).as_bytes()).is_err(), "{told}");
        }
    }
}
