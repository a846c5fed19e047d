//! The store against what spec jobs.md 13 and 17 promise.
//! Sizes on both sides of the in-memory limit.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

fn store(durability: Durability) -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path(), durability).unwrap();
    (dir, store)
}

fn path(dir: &TempDir, id: ObjectId) -> PathBuf {
    dir.path().join("objects").join(&id.hex()[..2]).join(id.hex())
}

fn left_over(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join("objects/tmp")).map_or(0, Iterator::count)
}

#[test]
fn objects_have_their_place_mode_and_bytes() {
    for durability in [Durability::PowerLoss, Durability::Kill] {
        let (dir, store) = store(durability);
        for size in [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000] {
            let bytes: Vec<u8> = (0..size).map(|n: u32| (n * 7 % 251) as u8).collect();
            let id = store.put(&bytes[..]).unwrap();
            assert_eq!(id, ObjectId::of(&bytes));
            assert_eq!(fs::read(path(&dir, id)).unwrap(), bytes);
            assert_eq!(fs::metadata(path(&dir, id)).unwrap().permissions().mode() & 0o777, 0o440);
            assert_eq!(store.health(id).unwrap(), Health::Whole);
            assert_eq!(store.size(id), Some(u64::from(size)));
            let before = fs::metadata(path(&dir, id)).unwrap().ino();
            store.put(&bytes[..]).unwrap();
            assert_eq!(fs::metadata(path(&dir, id)).unwrap().ino(), before, "an existing object is kept");
        }
        assert_eq!(left_over(&dir), 0);
    }
}

#[test]
fn a_copy_is_never_the_object_itself() {
    let (dir, store) = store(Durability::Kill);
    let target = TempDir::new().unwrap();
    let folder = SafeFolder::at(target.path()).unwrap();
    let id = store.put(&b"hello"[..]).unwrap();
    store.copy_to(id, &folder, "a/b", 0o644).unwrap();
    let copy = target.path().join("a/b");
    assert_eq!(fs::metadata(&copy).unwrap().nlink(), 1);
    fs::write(&copy, "changed").unwrap();
    assert_eq!(fs::read(path(&dir, id)).unwrap(), b"hello");
    let missing = ObjectId::of(b"nothing");
    assert!(matches!(store.copy_to(missing, &folder, "c", 0o644), Err(StoreError::Missing { .. })));
    assert!(!target.path().join("c").exists());
}

#[test]
fn damage_is_noticed() {
    let (dir, store) = store(Durability::Kill);
    let target = TempDir::new().unwrap();
    let folder = SafeFolder::at(target.path()).unwrap();
    let id = store.put(&b"hello"[..]).unwrap();
    fs::set_permissions(path(&dir, id), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path(&dir, id), "hellO").unwrap();
    assert_eq!(store.health(id).unwrap(), Health::Damaged);
    assert!(matches!(store.copy_to(id, &folder, "c", 0o644), Err(StoreError::Damaged { .. })));
    assert!(!target.path().join("c").exists());
    fs::write(path(&dir, id), "hel").unwrap();
    store.put(&b"hello"[..]).unwrap();
    assert_eq!(store.health(id).unwrap(), Health::Whole, "a cut object is replaced");
    fs::remove_file(path(&dir, id)).unwrap();
    assert_eq!(store.health(id).unwrap(), Health::Missing);
    fs::create_dir(path(&dir, id)).unwrap();
    assert_eq!(store.health(id).unwrap(), Health::Damaged);
}

#[test]
fn a_batch_shows_nothing_before_its_commit() {
    for durability in [Durability::PowerLoss, Durability::Kill] {
        let (dir, store) = store(durability);
        let big = vec![9u8; 2 << 20];
        {
            let batch = store.batch();
            let (id, _) = batch.put(&big[..]).unwrap();
            assert_eq!(batch.read(id).unwrap().size(), 2 << 20);
            assert!(!store.contains(id));
        }
        assert_eq!(left_over(&dir), 0, "a dropped batch leaves nothing");
        let batch = store.batch();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..40).for_each(|n| assert!(batch.put(format!("{n}").as_bytes()).is_ok())));
            }
        });
        batch.commit().unwrap();
        assert!((0..40).all(|n| store.contains(ObjectId::of(format!("{n}").as_bytes()))));
        assert_eq!(left_over(&dir), 0);
    }
}

#[test]
fn a_reader_that_fails_stores_nothing() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
    }
    let (dir, store) = store(Durability::Kill);
    let big = vec![1u8; 2 << 20];
    assert!(matches!(store.put(Broken), Err(StoreError::Read { .. })));
    assert!(matches!(store.put(big.chain(Broken)), Err(StoreError::Read { .. })));
    assert_eq!(left_over(&dir), 0);
}

trait Chained {
    fn chain<R: Read>(&self, other: R) -> std::io::Chain<&[u8], R>;
}
impl Chained for Vec<u8> {
    fn chain<R: Read>(&self, other: R) -> std::io::Chain<&[u8], R> {
        Read::chain(self.as_slice(), other)
    }
}

#[test]
fn gc_keeps_what_it_is_told() {
    let (dir, store) = store(Durability::Kill);
    let kept = store.put(&b"kept"[..]).unwrap();
    let gone = store.put(&b"unused"[..]).unwrap();
    fs::write(dir.path().join("objects/tmp/1-1"), "abc").unwrap();
    let freed = store.gc(&HashSet::from([kept])).unwrap();
    assert_eq!(freed, Freed { objects: 2, bytes: 9 });
    assert!(store.contains(kept) && !store.contains(gone));
}
