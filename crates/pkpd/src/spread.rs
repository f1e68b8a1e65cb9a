//! Spread of people, occasions and typical values: covariance blocks and their Cholesky factors.

use crate::model::{Block, Spec};
use crate::units::Ratio;

/// Lower factor `L` of a symmetric positive definite matrix, `L·Lᵀ`, row by row without the zeros; `None` when it is
/// not positive definite.
pub(crate) fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let mut factor: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
    for (i, row) in matrix.iter().enumerate() {
        let mut new: Vec<f64> = Vec::with_capacity(i + 1);
        for (above, &value) in factor.iter().zip(row) {
            let dot: f64 = new.iter().zip(above).map(|(a, b)| a * b).sum();
            new.push((value - dot) / above.last()?);
        }
        let rest = row.get(i)? - new.iter().map(|x| x * x).sum::<f64>();
        if !(rest > 0.0 && rest.is_finite()) {
            return None;
        }
        new.push(rest.sqrt());
        factor.push(new);
    }
    Some(factor)
}

pub(crate) fn plain(covariance: &[Vec<Ratio>]) -> Vec<Vec<f64>> {
    covariance.iter().map(|row| row.iter().map(|r| r.0).collect()).collect()
}

/// Blocks are square, symmetric and positive definite, their parameters known and each in one block only.
pub(crate) fn check(spec: &Spec, blocks: &[Block]) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    for block in blocks {
        for name in &block.parameters {
            if !spec.parameters.iter().any(|p| p.name == *name) {
                return Err(format!("the spread names {name}, which is no parameter"));
            }
            if seen.contains(&name.as_str()) {
                return Err(format!("the spread names {name} twice"));
            }
            seen.push(name);
        }
        let rows = plain(&block.covariance);
        let size = block.parameters.len();
        if rows.len() != size || rows.iter().any(|r| r.len() != size) {
            return Err(format!("the covariance of {:?} is not {size} by {size}", block.parameters));
        }
        let symmetric = rows.iter().enumerate().all(|(i, row)| {
            row.iter().enumerate().all(|(j, x)| rows.get(j).and_then(|r| r.get(i)) == Some(x))
        });
        if !symmetric || cholesky(&rows).is_none() {
            return Err(format!(
                "the covariance of {:?} is not symmetric and positive definite",
                block.parameters
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_times_itself_is_the_matrix() {
        let factor = cholesky(&[vec![4.0, 2.0], vec![2.0, 5.0]]).expect("positive definite");
        assert_eq!(factor, [vec![2.0], vec![1.0, 2.0]]);
        assert_eq!(cholesky(&[vec![1.0, 2.0], vec![2.0, 1.0]]), None);
        assert_eq!(cholesky(&[vec![f64::NAN]]), None);
    }
}
