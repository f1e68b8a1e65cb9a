//! Power cuts, replayed: from a trace of everything a real run did to its files, the states of the disk that a cut
//! could have left, each opened by the real store and compared with what had been acknowledged by then.

use super::Dice;
use super::workload::{self, Told, wrong};
use std::collections::BTreeMap;
use std::path::Path;
use store::{Control, Store};

const SECTOR: usize = 512;

/// One record of the shim.
pub struct Op {
    kind: u8,
    name: String,
    offset: usize,
    data: Vec<u8>,
}

pub fn read_trace(file: &Path) -> Vec<Op> {
    let bytes = std::fs::read(file).unwrap();
    let mut rest = bytes.as_slice();
    let mut ops = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        let name_len = number(&mut rest, 4);
        let name = String::from_utf8(take(&mut rest, name_len).to_vec()).unwrap();
        let offset = number(&mut rest, 8);
        let data_len = number(&mut rest, 4);
        ops.push(Op { kind: *kind, name, offset, data: take(&mut rest, data_len).to_vec() });
    }
    ops
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (part, after) = rest.split_at(len);
    *rest = after;
    part
}

fn number(rest: &mut &[u8], len: usize) -> usize {
    take(rest, len).iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>, keep: &mut dyn FnMut() -> bool) {
        match self {
            Self::Truncate(size) if keep() => content.resize(*size, 0),
            Self::Truncate(_) => {}
            Self::Write(offset, data) => {
                for (index, sector) in data.chunks(SECTOR).enumerate() {
                    if keep() {
                        let start = offset + index * SECTOR;
                        let end = start + sector.len();
                        if content.len() < end {
                            content.resize(end, 0);
                        }
                        content[start..end].copy_from_slice(sector);
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

enum Naming {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link(name, inode) => drop(names.insert(name.clone(), *inode)),
            Self::Unlink(name) => drop(names.remove(name)),
            Self::Rename(old, new) => {
                if let Some(inode) = names.remove(old) {
                    names.insert(new.clone(), inode);
                }
            }
        }
    }
}

/// What has reached the disk for certain, and what has not.
#[derive(Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<Naming>,
    pub acks: String,
}

impl Disk {
    pub fn step(&mut self, op: &Op, dice: &mut Dice) {
        match op.kind {
            b'A' => self.acks.push_str(std::str::from_utf8(&op.data).unwrap()),
            b'C' => {
                self.inodes.push(Inode::default());
                self.name(Naming::Link(op.name.clone(), self.inodes.len() - 1));
            }
            b'U' => self.name(Naming::Unlink(op.name.clone())),
            b'R' => self.name(Naming::Rename(op.name.clone(), String::from_utf8(op.data.clone()).unwrap())),
            b'D' => {
                self.durable_names = self.names.clone();
                self.pending_names.clear();
            }
            b'F' if op.name == "." => {}
            _ => self.change(op, dice),
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.pending_names.push(naming);
    }

    fn change(&mut self, op: &Op, dice: &mut Dice) {
        if op.name == "acks" {
            return;
        }
        let inode = &mut self.inodes[self.names[&op.name]];
        match op.kind {
            b'W' => inode.pending.push(Change::Write(op.offset, op.data.clone())),
            b'T' => inode.pending.push(Change::Truncate(op.offset)),
            b'S' => {
                for change in inode.pending.drain(..) {
                    change.apply(&mut inode.durable, &mut || true);
                }
            }
            // After a failed fsync the system may take the pages for clean: no later fsync writes them.
            b'F' if dice.roll(2) == 0 => inode.pending.clear(),
            b'F' => {}
            other => panic!("unknown record {other}"),
        }
    }

    /// One state that a cut could leave. Names become durable in order, as a journal does it; bytes in any.
    pub fn image(&self, mode: u64, dice: &mut Dice) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.durable_names.clone();
        let namings = match mode {
            0 => 0,
            1 => self.pending_names.len(),
            _ => dice.roll(self.pending_names.len() as u64 + 1) as usize,
        };
        self.pending_names.iter().take(namings).for_each(|naming| naming.apply(&mut names));
        let mut image = BTreeMap::new();
        for (name, inode) in names {
            let inode = &self.inodes[inode];
            let mut content = inode.durable.clone();
            let prefix = dice.roll(inode.pending.len() as u64 + 1) as usize;
            for (index, change) in inode.pending.iter().enumerate() {
                let whole = dice.roll(2) == 0;
                match mode {
                    0 => {}
                    1 => change.apply(&mut content, &mut || true),
                    2 => change.apply(&mut content, &mut || index < prefix),
                    3 => change.apply(&mut content, &mut || whole),
                    _ => change.apply(&mut content, &mut || dice.roll(2) == 0),
                }
            }
            image.insert(name, content);
        }
        image
    }
}

/// What came of a run over many images.
#[derive(Debug, Default)]
pub struct Tally {
    pub images: u64,
    /// Images with something wrong in the history or the chain.
    pub wrong: u64,
    /// Images that did not open.
    pub closed: u64,
    pub first: Option<String>,
}

impl Tally {
    pub fn good(&self) -> bool {
        self.wrong == 0 && self.closed == 0
    }

    pub fn add(&mut self, other: Self) {
        self.images += other.images;
        self.wrong += other.wrong;
        self.closed += other.closed;
        self.first = self.first.take().or(other.first);
    }
}

/// Opens `count` images at random moments of a trace.
pub fn crash(ops: &[Op], control: Control, count: u64, seed: u64, scratch: &Path) -> Tally {
    let mut dice = Dice::new(seed);
    let mut moments: Vec<u64> = (0..count).map(|_| dice.roll(ops.len() as u64 + 1)).collect();
    moments.sort_unstable();
    let mut disk = Disk::default();
    let mut done = 0;
    let mut tally = Tally::default();
    for (number, moment) in moments.into_iter().enumerate() {
        while done < moment as usize {
            disk.step(&ops[done], &mut dice);
            done += 1;
        }
        let mode = number as u64 % 5;
        lay(&disk.image(mode, &mut dice), scratch);
        tally.images += 1;
        let place = format!("seed {seed}, moment {moment}, mode {mode}");
        match check(scratch, control, &disk.acks) {
            Ok(wrong) if wrong.is_empty() => {}
            Ok(wrong) => {
                tally.wrong += 1;
                tally.first.get_or_insert_with(|| format!("{place}: {}", wrong.join("; ")));
            }
            Err(why) => {
                tally.closed += 1;
                tally.first.get_or_insert_with(|| format!("{place}: {why}"));
            }
        }
    }
    tally
}

fn lay(image: &BTreeMap<String, Vec<u8>>, folder: &Path) {
    let _old = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    for (name, content) in image {
        std::fs::write(folder.join(name), content).unwrap();
    }
}

fn check(folder: &Path, control: Control, acks: &str) -> Result<Vec<String>, String> {
    let mut told = Told::default();
    told.read(acks);
    told.sent();
    let store = Store::open(workload::config(folder, control)).map_err(|fault| fault.to_string())?;
    let before = wrong(&store, &told).map_err(|fault| fault.to_string())?;
    if !before.is_empty() {
        return Ok(before);
    }
    // Whoever was not answered asks again, and so does one whose answer was lost on the way.
    let open = told.first_open();
    workload::send_again(&store, open.saturating_sub(2)..open + 4).map_err(|e| format!("{e:?}"))?;
    told.read(&(open..open + 4).map(|number| format!("a {number}\n")).collect::<String>());
    wrong(&store, &told).map_err(|fault| fault.to_string())
}
