//! Doubles in and out, little-endian, row by row.

use std::fs;
use std::path::Path;

/// The rows of a file, each of so many numbers.
pub(crate) fn rows(folder: &str, name: &str, columns: usize) -> Result<Vec<f64>, String> {
    let path = Path::new(folder).join(name);
    let bytes = fs::read(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
    if bytes.len() % (8 * columns) != 0 || bytes.is_empty() {
        return Err(format!("{}: {} bytes are no rows of {columns} doubles", path.display(), bytes.len()));
    }
    let numbers: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
    match numbers.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(format!("{}: number {at} is {}", path.display(), numbers[at])),
        None => Ok(numbers),
    }
}

pub(crate) fn write_doubles(folder: &str, name: &str, of: &[f64]) -> Result<(), String> {
    write(folder, name, &of.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// Lines of numbers with all their digits.
pub(crate) fn write_table<'a>(
    folder: &str,
    name: &str,
    lines: impl Iterator<Item = &'a [f64]>,
) -> Result<(), String> {
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().map(f64::to_string).collect();
        text += &cells.join(",");
        text.push('\n');
    }
    write(folder, name, text.as_bytes())
}

fn write(folder: &str, name: &str, bytes: &[u8]) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("make {folder}: {e}"))?;
    let path = Path::new(folder).join(name);
    fs::write(&path, bytes).map_err(|e| format!("write {}: {e}", path.display()))
}
