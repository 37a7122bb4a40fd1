//! Reading several large files beside each other without waiting for the disk: a thread that is
//! asked for pieces.
//!
//! A file is opened at once, so that it is the one that has the name now; the thread reads on in it
//! whatever becomes of the name. Each piece is asked for: nothing is read ahead of that, but for
//! what the system does by itself.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::file_reader::FileReader;
use crate::files::FileError;
use crate::reactor::Waker;

/// Bytes of a piece, whatever is asked for.
const PIECE_BYTES_MAX: usize = 4 << 20;

/// Something that was asked for.
#[derive(Debug)]
pub struct Piece {
    /// The file.
    pub id: u64,
    /// The next bytes, none at its end, or why it cannot be read.
    pub outcome: Result<Vec<u8>, FileError>,
}

#[derive(Debug)]
enum Order {
    Open { id: u64, file: FileReader },
    Read { id: u64, bytes_max: usize },
    Close { id: u64 },
}

/// A thread that reads files. It ends, and closes them, once this is dropped.
#[derive(Debug)]
pub struct FileShipper {
    orders: Sender<Order>,
    pieces: Receiver<Piece>,
}

impl FileShipper {
    /// Starts the thread, which wakes through `waker` when a piece is there.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn start(waker: Waker) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (sender, pieces) = mpsc::channel();
        thread::Builder::new().name("ship".to_owned()).spawn(move || {
            let mut files = BTreeMap::new();
            for order in ordered {
                let Some(piece) = carry_out(order, &mut files) else { continue };
                if sender.send(piece).is_err() {
                    return;
                }
                // Whoever cannot be woken is not there any more.
                let _ = waker.wake();
            }
        })?;
        Ok(Self { orders, pieces })
    }

    /// Opens a file under a number that no open one has; how long it is, if it is there.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn open(&self, id: u64, path: &Path) -> Result<Option<u64>, FileError> {
        let Some(file) = FileReader::open(path)? else { return Ok(None) };
        let len = file.len();
        self.order(Order::Open { id, file });
        Ok(Some(len))
    }

    /// Asks for the next bytes of an open file: at least one and at most `bytes_max`, unless it is
    /// at its end. Every file that is open answers once for each time.
    pub fn read(&self, id: u64, bytes_max: usize) {
        self.order(Order::Read { id, bytes_max });
    }

    /// Closes a file. What was asked for before is still answered.
    pub fn close(&self, id: u64) {
        self.order(Order::Close { id });
    }

    /// A piece that was asked for.
    #[must_use]
    pub fn piece(&self) -> Option<Piece> {
        self.pieces.try_recv().ok()
    }

    fn order(&self, order: Order) {
        // The thread lives as long as we do.
        let _ = self.orders.send(order);
    }
}

fn carry_out(order: Order, files: &mut BTreeMap<u64, FileReader>) -> Option<Piece> {
    match order {
        Order::Open { id, file } => {
            files.insert(id, file);
            None
        }
        Order::Read { id, bytes_max } => {
            let file = files.get_mut(&id)?;
            Some(Piece { id, outcome: file.read(bytes_max.clamp(1, PIECE_BYTES_MAX)) })
        }
        Order::Close { id } => {
            files.remove(&id);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::reactor::{Reactor, Token};

    struct World {
        reactor: Reactor,
        shipper: FileShipper,
        dir: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let mut reactor = Reactor::new(8).unwrap();
            let shipper = FileShipper::start(reactor.waker(Token(1)).unwrap()).unwrap();
            Self { reactor, shipper, dir: tempfile::tempdir().unwrap() }
        }

        /// The next piece; the wait has a limit so that a missing one fails the test.
        fn piece(&mut self) -> (u64, Result<Vec<u8>, String>) {
            let mut ready = Vec::new();
            for _ in 0..100 {
                if let Some(Piece { id, outcome }) = self.shipper.piece() {
                    return (id, outcome.map_err(|error| error.to_string()));
                }
                self.reactor.wait(Some(Duration::from_millis(100)), &mut ready).unwrap();
            }
            panic!("no piece");
        }
    }

    #[test]
    fn several_files_are_read_beside_each_other_whatever_becomes_of_their_names() {
        let mut world = World::new();
        let path = world.dir.path().join("dump.rdb");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(world.shipper.open(1, &path).unwrap(), Some(10));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(world.shipper.open(2, &path).unwrap(), None);
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(world.shipper.open(3, &path).unwrap(), Some(3));
        for (id, most) in [(1, 4), (3, 2), (1, 100), (3, 0), (1, 1), (3, 1)] {
            world.shipper.read(id, most);
        }
        let pieces: Vec<_> = (0..6).map(|_| world.piece()).collect();
        let piece = |id, text: &str| (id, Ok(text.as_bytes().to_vec()));
        let wanted = [
            piece(1, "0123"),
            piece(3, "ab"),
            piece(1, "456789"),
            piece(3, "c"),
            piece(1, ""),
            piece(3, ""),
        ];
        assert_eq!(pieces, wanted);
    }

    #[test]
    fn a_file_that_was_closed_says_nothing_more() {
        let mut world = World::new();
        let path = world.dir.path().join("dump.rdb");
        std::fs::write(&path, "0123456789").unwrap();
        world.shipper.open(1, &path).unwrap();
        world.shipper.close(1);
        world.shipper.read(1, 4);
        world.shipper.open(2, &path).unwrap();
        world.shipper.read(2, 4);
        assert_eq!(world.piece(), (2, Ok(b"0123".to_vec())));
        assert!(world.shipper.open(3, world.dir.path()).is_err());
    }
}
