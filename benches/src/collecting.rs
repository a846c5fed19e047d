//! The table of collecting: one large output is read once, hashed and stored, beside hashing it alone.
//! The file has 1 GiB instead of the 5 GB of spec sandbox.md 15, so that small machines can print this; it is in the page
//! cache for both, so the speed of SHA-256 is what is compared.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::time::Instant;

use jobs::collect::{CollectLimits, Request, collect};
use jobs::store::{Durability, Store};
use jobs::tree::Tree;
use pipeline::{Pattern, PrivacyLevel};
use sandbox::folder::SafeFolder;
use sha2::{Digest, Sha256};

use crate::Setup;

const SIZE: usize = 1 << 30;

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let folder = setup.folder.path().join("collecting");
    fs::create_dir_all(folder.join("workspace"))?;
    let path = folder.join("workspace/big.bin");
    fs::write(&path, vec![7; SIZE])?;
    let (mut alone, mut whole) = (f64::INFINITY, f64::INFINITY);
    for turn in 0..3 {
        alone = alone.min(hash(&path)?);
        whole = whole.min(collected(&folder, turn)?);
    }
    println!("\n| collecting one file of 1 GiB | MB/s | goal |");
    println!("|---|---|---|");
    println!("| SHA-256 alone | {:.0} | |", SIZE as f64 / 1e6 / alone);
    println!(
        "| read once, hashed, stored | {:.0} | {:.0} |",
        SIZE as f64 / 1e6 / whole,
        0.8 * SIZE as f64 / 1e6 / alone
    );
    Ok(())
}

/// Seconds.
fn hash(path: &std::path::Path) -> Result<f64, Box<dyn Error>> {
    let begin = Instant::now();
    let mut file = File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    std::hint::black_box(hash.finalize());
    Ok(begin.elapsed().as_secs_f64())
}

/// Seconds, into a new store.
fn collected(folder: &std::path::Path, turn: u32) -> Result<f64, Box<dyn Error>> {
    let place = folder.join(format!("store-{turn}"));
    let store = Store::open(&place, Durability::Kill)?;
    let request = Request {
        patterns: &[(Pattern::new("big.bin"), PrivacyLevel::HighlySensitive)],
        inputs: &[],
        prepared: &Tree::default(),
        patient_level: false,
        limits: CollectLimits::default(),
        leave: &jobs::Leave::default(),
    };
    let begin = Instant::now();
    let got = collect(&SafeFolder::at(&folder.join("workspace"))?, &request, &store)?;
    let time = begin.elapsed().as_secs_f64();
    if got.outputs.len() != 1 {
        return Err("the file was not collected".into());
    }
    fs::remove_dir_all(place)?;
    Ok(time)
}
