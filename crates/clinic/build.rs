//! Rebuilds when a knowledge file appears or goes: the embedding macro sees only files it already knew.

fn main() {
    println!("cargo::rerun-if-changed=../../knowledge");
}
