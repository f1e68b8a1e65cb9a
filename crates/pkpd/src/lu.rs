//! Square systems of linear equations, for the implicit steps.
#![expect(clippy::indexing_slicing, reason = "every index runs below the order, which all rows share")]

/// A matrix in factors, with the order of its rows.
pub(crate) struct Lu {
    rows: Vec<Vec<f64>>,
    order: Vec<usize>,
}

impl Lu {
    /// `None` where a pivot is 0 or no number, or the matrix is not square.
    pub(crate) fn of(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        let n = rows.len();
        if rows.iter().any(|r| r.len() != n) {
            return None;
        }
        let mut order: Vec<usize> = (0..n).collect();
        for k in 0..n {
            let pivot = (k..n).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()))?;
            rows.swap(k, pivot);
            order.swap(k, pivot);
            let head = rows[k][k];
            if head == 0.0 || !head.is_finite() {
                return None;
            }
            let (above, below) = rows.split_at_mut(k + 1);
            for row in below {
                row[k] /= head;
                for j in k + 1..n {
                    row[j] -= row[k] * above[k][j];
                }
            }
        }
        Some(Self { rows, order })
    }

    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.rows.len();
        let mut x: Vec<f64> = self.order.iter().map(|&i| right[i]).collect();
        for i in 0..n {
            x[i] -= (0..i).map(|j| self.rows[i][j] * x[j]).sum::<f64>();
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| self.rows[i][j] * x[j]).sum();
            x[i] = (x[i] - known) / self.rows[i][i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_needs_its_rows_exchanged() {
        let lu =
            Lu::of(vec![vec![0.0, 2.0, 1.0], vec![1.0, 0.0, 0.0], vec![3.0, 1.0, 4.0]]).expect("regular");
        let x = lu.solve(&[7.0, 1.0, 17.0]);
        for (found, expected) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-14);
        }
        assert!(Lu::of(vec![vec![1.0, 1.0], vec![1.0, 1.0]]).is_none());
    }
}
