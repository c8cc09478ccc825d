//! What was acknowledged since a database's last commit, in a file beside it.
//!
//! A commit of LMDB writes about a page for each changed key, all over the file, and waits for the disk twice. What
//! several clients write is written here first, one batch after the other, for which the disk needs one short wait; a
//! commit then brings many batches into the trees (`window`). Nothing of LMDB's own safety is given up: what the trees
//! hold is what its last commit made durable, and this file leads on from there.
//!
//! The file begins anew with every commit and is never shortened: a batch counts when it names the commit that the
//! trees are at and the number that comes next. One that was cut short was never acknowledged.

use super::error::StoreError;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The size of the file at first, and at most: it doubles when it was full. It is filled with zeros before it is used:
/// to write where nothing was, the file system takes far longer.
const LEAST_ROOM: usize = 256 << 10;
const MOST_ROOM: usize = 4 << 20;

/// Checksum, length, commit, state of the history, number: all before the changes.
const HEAD: usize = 4 + 4 + 8 + 16 + 8;

/// The commit that follows on which batches are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// The number LMDB gave it.
    pub(super) commit: u64,
    /// Where the history ended, so that another database's commit of the same number is told from it.
    pub(super) history: [u8; 16],
}

/// The journal that a database's writer has open.
pub(super) struct Journal {
    file: File,
    base: Base,
    batches: u64,
    end: usize,
    room: usize,
    was_full: bool,
}

impl Journal {
    /// Opens the journal of a database's file; makes it when it is missing.
    pub(super) fn open(database: &Path, base: Base) -> io::Result<Journal> {
        let path = path_of(database);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        // As LMDB's own files: records are for nobody else.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let mut room = file.metadata()?.len() as usize;
        if room < LEAST_ROOM {
            let made = fill(&mut file, 0, LEAST_ROOM).and_then(|()| sync_folder_of(&path));
            made.inspect_err(|_| drop(std::fs::remove_file(&path)))?;
            room = LEAST_ROOM;
        }
        Ok(Journal { file, base, batches: 0, end: 0, room, was_full: false })
    }

    /// Begins anew, after another commit.
    pub(super) fn begin(&mut self, base: Base) -> io::Result<()> {
        (self.base, self.batches, self.end) = (base, 0, 0);
        if std::mem::take(&mut self.was_full) && self.room < MOST_ROOM {
            fill(&mut self.file, self.room, self.room)?;
            self.room *= 2;
        }
        Ok(())
    }

    /// What the list of a batch's changes has to begin with.
    pub(super) fn head() -> Vec<u8> {
        vec![0; HEAD]
    }

    /// Makes a batch durable, of which the list begins with a [`Journal::head`]; tells whether there was room for it.
    pub(super) fn add(&mut self, mut batch: Vec<u8>) -> io::Result<bool> {
        if self.end + batch.len() > self.room {
            self.was_full = true;
            return Ok(false);
        }
        let mut head = Vec::with_capacity(HEAD);
        head.extend([0; 4]);
        head.extend(((batch.len() - HEAD) as u32).to_le_bytes());
        head.extend(self.base.commit.to_le_bytes());
        head.extend(self.base.history);
        head.extend(self.batches.to_le_bytes());
        batch[..HEAD].copy_from_slice(&head);
        let sum = crc32fast::hash(&batch[4..]);
        batch[..4].copy_from_slice(&sum.to_le_bytes());
        self.file.seek(SeekFrom::Start(self.end as u64))?;
        self.file.write_all(&batch)?;
        self.file.sync_data()?;
        self.end += batch.len();
        self.batches += 1;
        Ok(true)
    }

    /// Takes the last batch back, of this length, before it was acknowledged.
    pub(super) fn take_back(&mut self, length: usize) {
        self.end -= length;
        self.batches -= 1;
    }

    /// The changes of the batches that are written down and were not taken back.
    pub(super) fn batches(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut bytes = vec![0; self.end];
        self.file.rewind()?;
        self.file.read_exact(&mut bytes)?;
        Ok(batches_on(&bytes, self.base).map(<[u8]>::to_vec).collect())
    }
}

/// The changes of the batches that were acknowledged after the commit that a database is at.
///
/// # Errors
/// When there is a journal and it cannot be read.
pub(super) fn unfinished(database: &Path, base: Base) -> Result<Vec<Vec<u8>>, StoreError> {
    let bytes = match std::fs::read(path_of(database)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    Ok(batches_on(&bytes, base).map(<[u8]>::to_vec).collect())
}

/// Removes the journal of a database's file.
pub(super) fn remove(database: &Path) -> io::Result<()> {
    match std::fs::remove_file(path_of(database)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Fills a part of the file with zeros.
fn fill(file: &mut File, from: usize, length: usize) -> io::Result<()> {
    file.seek(SeekFrom::Start(from as u64))?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

/// Makes a new file durable.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn path_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-journal");
    PathBuf::from(name)
}

fn batches_on(bytes: &[u8], base: Base) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    (0..).map_while(move |number| {
        let (changes, following) = next_batch(rest, base, number)?;
        rest = following;
        Some(changes)
    })
}

/// The changes of the batch at the beginning, when it is whole and the one expected, and what follows it.
fn next_batch(bytes: &[u8], base: Base, number: u64) -> Option<(&[u8], &[u8])> {
    let (sum, rest) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
    let (summed, following) = rest.split_at_checked(HEAD - 4 + length)?;
    if crc32fast::hash(summed) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (head, changes) = summed.split_at(HEAD - 4);
    let expected = [&base.commit.to_le_bytes()[..], &base.history, &number.to_le_bytes()].concat();
    (head[4..] == expected).then_some((changes, following))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: Base = Base { commit: 7, history: [1; 16] };

    fn batch(changes: &[u8]) -> Vec<u8> {
        [&Journal::head(), changes].concat()
    }

    fn journal(batches: &[&[u8]]) -> (tempfile::TempDir, PathBuf, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("data.mdb");
        let mut journal = Journal::open(&database, BASE).unwrap();
        for changes in batches {
            assert!(journal.add(batch(changes)).unwrap());
        }
        (folder, database, journal)
    }

    #[test]
    fn what_was_added_is_found_again() {
        let (_folder, database, mut journal) = journal(&[b"one", b"", b"three"]);
        let expected = vec![b"one".to_vec(), Vec::new(), b"three".to_vec()];
        assert_eq!(journal.batches().unwrap(), expected);
        assert_eq!(unfinished(&database, BASE).unwrap(), expected);
        journal.take_back(batch(b"three").len());
        assert_eq!(journal.batches().unwrap(), expected[..2]);
    }

    #[test]
    fn only_batches_on_the_present_commit_count() {
        let (_folder, database, mut journal) = journal(&[b"one", b"two", b"three"]);
        for other in [Base { commit: 8, ..BASE }, Base { history: [2; 16], ..BASE }] {
            assert_eq!(unfinished(&database, other).unwrap(), [b""; 0]);
        }
        let next = Base { commit: 8, ..BASE };
        journal.begin(next).unwrap();
        assert!(journal.add(batch(b"ONE")).unwrap());
        assert_eq!(unfinished(&database, next).unwrap(), [b"ONE"]);
        assert_eq!(unfinished(&database, BASE).unwrap(), [b""; 0]);
        assert_eq!(unfinished(&database.with_extension("other"), BASE).unwrap(), [b""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_more_room() {
        let (_folder, database, mut journal) = journal(&[b"one"]);
        let large = batch(&vec![1; LEAST_ROOM - HEAD]);
        assert!(!journal.add(large.clone()).unwrap());
        assert_eq!(unfinished(&database, BASE).unwrap(), [b"one"]);
        let next = Base { commit: 8, ..BASE };
        journal.begin(next).unwrap();
        assert!(journal.add(large.clone()).unwrap() && journal.add(large).unwrap());
        assert_eq!(unfinished(&database, next).unwrap().len(), 2);
        remove(&database).unwrap();
        remove(&database).unwrap();
        assert_eq!(unfinished(&database, BASE).unwrap(), [b""; 0]);
    }

    proptest! {
        /// Wherever a batch was cut short or damaged, those before it count, and nothing else does.
        #[test]
        fn damage_ends_the_journal(at in 0..(3 * (HEAD + 3)), damage in 1..=u8::MAX) {
            let (_folder, _, mut journal) = journal(&[b"one", b"two", b"six"]);
            let mut bytes = vec![0; journal.end];
            journal.file.rewind().unwrap();
            journal.file.read_exact(&mut bytes).unwrap();
            let whole = at / (HEAD + 3);
            prop_assert_eq!(batches_on(&bytes[..at], BASE).count(), whole);
            bytes[at] ^= damage;
            prop_assert_eq!(batches_on(&bytes, BASE).count(), whole);
        }
    }
}
