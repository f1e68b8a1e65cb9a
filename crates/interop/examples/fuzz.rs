//! A long run of damaged messages: `cargo run --release -p interop --example fuzz -- [ROUNDS] [SEED]`.
//! A broken rule ends it with the seed of the round.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for the desk")]

#[path = "../tests/mutate/mod.rs"]
mod mutate;

use mutate::{Dice, damaged, holds};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let rounds = arguments.next().unwrap_or(1_000_000_u64);
    let mut dice = Dice(arguments.next().unwrap_or(1).max(1));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/frames");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("frames").map(|entry| entry.expect("frame").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "hl7"));
    paths.sort();
    let frames: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).expect("frame")).collect();
    let mut taken = 0_u64;
    for round in 0..rounds {
        let seed = dice.0;
        let message = &frames[dice.below(frames.len())];
        let other = &frames[dice.below(frames.len())];
        let broken = damaged(message, other, &mut dice);
        match std::panic::catch_unwind(|| holds(&broken)) {
            Ok(was_taken) => taken += u64::from(was_taken),
            Err(_) => {
                println!("round {round} with seed {seed}: {}", broken.escape_ascii());
                std::process::exit(1);
            }
        }
    }
    println!("{rounds} damaged messages, {taken} still readable, no rule broken");
}
