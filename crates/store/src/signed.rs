//! Signed heads. A chain cannot show that its end was cut off; a signed head kept outside the database can.

use crate::fault::Fault;
use crate::model::Head;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const HEAD_TAG: &[u8] = b"chairside head v1";

/// "The log of this site had this chain at this position", signed. One line of JSON; print it, mail it, keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// Whose log.
    pub site: String,
    /// Number of events it had.
    pub position: i64,
    /// Chain of the last of them, in hex.
    pub chain: String,
    /// Ed25519 public key, in hex.
    pub key: String,
    /// Ed25519 signature, in hex.
    pub signature: String,
}

impl SignedHead {
    /// Reads one head a line; other lines and fields are refused.
    pub fn read_all(text: &str) -> Result<Vec<Self>, Fault> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| serde_json::from_str(line).map_err(|e| broken(&e.to_string()))).collect()
    }

    /// The head, if the signature is that of the key it names. Whether the key is yours is for the caller to know.
    pub fn head(&self) -> Result<Head, Fault> {
        let chain = unhex::<32>(&self.chain)?;
        let key = VerifyingKey::from_bytes(&unhex(&self.key)?).map_err(|e| broken(&e.to_string()))?;
        let signature = Signature::from_bytes(&unhex(&self.signature)?);
        key.verify_strict(&message(&self.site, self.position, &chain), &signature).map_err(|_| {
            broken(&format!("the signature for position {} of {} is wrong", self.position, self.site))
        })?;
        Ok(Head { position: self.position, chain })
    }
}

fn broken(why: &str) -> Fault {
    Fault::Broken(format!("signed head: {why}"))
}

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|e| broken(&e.to_string()))?;
    Ok(bytes)
}

fn message(site: &str, position: i64, chain: &[u8; 32]) -> Vec<u8> {
    let mut message = HEAD_TAG.to_vec();
    message.extend((site.len() as u64).to_be_bytes());
    message.extend(site.as_bytes());
    message.extend(position.to_be_bytes());
    message.extend(chain);
    message
}

/// The key of this installation and the file of its latest heads.
pub(crate) struct HeadFile {
    key: SigningKey,
    folder: PathBuf,
    heads: BTreeMap<String, SignedHead>,
}

impl HeadFile {
    /// Reads key and heads; makes the key when there is neither.
    pub(crate) fn open(folder: &Path) -> Result<Self, Fault> {
        let key_file = folder.join("head.key");
        let signed = read_signed(folder)?;
        let key = match std::fs::read_to_string(&key_file) {
            Ok(text) => SigningKey::from_bytes(&unhex(text.trim())?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && signed.is_empty() => make_key(&key_file)?,
            Err(e) => return Err(Fault::file(&key_file, &e)),
        };
        let public = hex::encode(key.verifying_key().to_bytes());
        let mut heads = BTreeMap::new();
        for head in signed {
            if head.key != public {
                return Err(broken(&format!("the head of {} is signed with another key", head.site)));
            }
            heads.insert(head.site.clone(), head);
        }
        Ok(Self { key, folder: folder.to_path_buf(), heads })
    }

    /// Heads as they stand in the file.
    pub(crate) fn heads(&self) -> Vec<SignedHead> {
        self.heads.values().cloned().collect()
    }

    /// Signs the head of a site; on the disk when it returns.
    pub(crate) fn sign(&mut self, site: &str, head: &Head) -> Result<SignedHead, Fault> {
        let signature = self.key.sign(&message(site, head.position, &head.chain));
        let signed = SignedHead {
            site: site.to_owned(),
            position: head.position,
            chain: hex::encode(head.chain),
            key: hex::encode(self.key.verifying_key().to_bytes()),
            signature: hex::encode(signature.to_bytes()),
        };
        let mut heads = self.heads.clone();
        heads.insert(site.to_owned(), signed.clone());
        let mut text = String::new();
        for head in heads.values() {
            text.push_str(&serde_json::to_string(head).map_err(|e| broken(&e.to_string()))?);
            text.push('\n');
        }
        replace_file(&self.folder.join("head.sig"), text.as_bytes(), 0o644)?;
        self.heads = heads;
        Ok(signed)
    }
}

/// The heads in `head.sig` of a folder; none when there is no such file.
pub(crate) fn read_signed(folder: &Path) -> Result<Vec<SignedHead>, Fault> {
    let file = folder.join("head.sig");
    match std::fs::read_to_string(&file) {
        Ok(text) => SignedHead::read_all(&text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Fault::file(&file, &e)),
    }
}

fn make_key(file: &Path) -> Result<SigningKey, Fault> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| Fault::Machine(format!("no randomness for a key: {e}")))?;
    replace_file(file, hex::encode(seed).as_bytes(), 0o600)?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Writes a file so that after a power cut there is the old one or the new one, never a part.
fn replace_file(file: &Path, bytes: &[u8], mode: u32) -> Result<(), Fault> {
    let next = file.with_extension("next");
    let write = || {
        let mut handle = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&next)?;
        handle.write_all(bytes)?;
        handle.sync_all()?;
        std::fs::rename(&next, file)
    };
    write().map_err(|e| Fault::file(file, &e))?;
    sync_folder(file)
}

/// Makes the name of a new file durable; its bytes alone are not enough.
pub(crate) fn sync_folder(of: &Path) -> Result<(), Fault> {
    let folder = match of.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| Fault::file(folder, &e))
}
