//! Outboxes however they are filled, fenced and cut, beside a list of single bytes.

use super::*;
use alloc::vec;
use proptest::collection::vec as several;
use proptest::prelude::*;

fn drain(outbox: &mut Outbox, step: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    loop {
        let piece = outbox.pieces::<3>().concat();
        let step = step.min(piece.len());
        if step == 0 {
            return sent;
        }
        sent.extend_from_slice(&piece[..step]);
        outbox.advance(step);
    }
}

#[test]
fn bytes_and_blobs_leave_in_order_however_they_are_cut() {
    for step in 1..12 {
        let mut outbox = Outbox::default();
        outbox.push_encoded(b"ab");
        outbox.push_blob(Blob::new(vec![b'1'; 5]));
        outbox.push_blob(Blob::new(vec![b'2'; 3]));
        outbox.push_encoded(b"cd");
        outbox.push_blob(Blob::new(vec![b'3'; 1]));
        assert_eq!(outbox.pending_bytes(), 13);
        assert_eq!(drain(&mut outbox, step), b"ab11111222cd3");
        assert_eq!(outbox.pending_bytes(), 0);
        assert!(outbox.take_buffer().is_some());
    }
}

#[test]
fn a_roll_back_takes_back_bytes_and_blobs() {
    let mut outbox = Outbox::default();
    outbox.push_encoded(b"keep");
    let mark = outbox.mark();
    outbox.push_encoded(b"lose");
    outbox.push_blob(Blob::new(vec![0; 9]));
    outbox.roll_back(mark);
    assert_eq!(drain(&mut outbox, 100), b"keep");
}

#[test]
fn a_fence_holds_back_what_is_behind_it_until_its_batch() {
    let mut outbox = Outbox::default();
    outbox.push_encoded(b"read");
    let mark = outbox.mark();
    outbox.push_blob(Blob::new(vec![b'1'; 3]));
    outbox.fence(mark, 7);
    outbox.push_encoded(b"behind");
    assert_eq!((outbox.sendable_bytes(), outbox.pending_bytes()), (4, 13));
    assert_eq!(drain(&mut outbox, 100), b"read");
    // Not even who claims to have sent more gets past it.
    outbox.advance(9);
    outbox.release(6);
    assert_eq!((outbox.sendable_bytes(), outbox.pending_bytes()), (0, 9));
    assert!(outbox.has_fence() && outbox.take_buffer().is_none());
    outbox.release(7);
    assert!(!outbox.has_fence());
    assert_eq!(outbox.sendable_bytes(), 9);
    assert_eq!(drain(&mut outbox, 2), b"111behind");
    assert!(outbox.is_empty() && outbox.take_buffer().is_some());
}

#[test]
fn a_fence_with_nothing_behind_it_is_none() {
    let mut outbox = Outbox::default();
    outbox.push_encoded(b"kept");
    let mark = outbox.mark();
    outbox.fence(mark, 1);
    assert!(!outbox.has_fence());
    outbox.push_encoded(b"taken back");
    outbox.fence(mark, 1);
    outbox.roll_back(mark);
    assert!(!outbox.has_fence());
    // The outbox was thrown away, with all that the mark spoke of.
    outbox = Outbox::default();
    outbox.fence(mark, 1);
    assert!(!outbox.has_fence());
}

#[test]
fn bytes_in_one_piece_wait_for_nothing() {
    let mut outbox = Outbox::default();
    let mark = outbox.mark();
    outbox.push_encoded(b"a");
    outbox.push_blob(Blob::new(vec![b'1'; 3]));
    outbox.fence(mark, 1);
    assert_eq!(outbox.into_bytes(), b"a111");
}

#[test]
fn an_outbox_that_is_never_empty_does_not_grow() {
    let mut outbox = Outbox::default();
    for batch in 1..10_000 {
        let mark = outbox.mark();
        outbox.push_encoded(&[b'x'; 100]);
        outbox.fence(mark, batch);
        outbox.release(batch - 1);
        let sendable = outbox.sendable_bytes();
        assert_eq!(drain(&mut outbox, 64).len(), sendable);
    }
    assert_eq!(outbox.pending_bytes(), 100);
    assert!(outbox.heap_bytes() < 4 * SENT_BYTES_KEPT, "{}", outbox.heap_bytes());
}

/// What may happen to an outbox; sizes in bytes.
#[derive(Clone, Debug)]
enum Step {
    Bytes(usize),
    Blob(usize),
    /// Appends bytes, a blob and bytes, and takes them back after a fence or without one.
    Never {
        fenced: bool,
    },
    /// Appends bytes and a blob behind a fence that is so many batches ahead.
    Fenced {
        ahead: u64,
        bytes: usize,
        blob: usize,
    },
    /// The log gets on by so many batches.
    Release(u64),
    Send(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..800_usize).prop_map(Step::Bytes),
        (0..1500_usize).prop_map(Step::Blob),
        any::<bool>().prop_map(|fenced| Step::Never { fenced }),
        (0..4_u64, 0..600_usize, 0..600_usize).prop_map(|(ahead, bytes, blob)| Step::Fenced {
            ahead,
            bytes,
            blob
        }),
        (1..4_u64).prop_map(Step::Release),
        (0..2500_usize).prop_map(Step::Send),
    ];
    several(step, 0..80)
}

/// An outbox, and every byte of it with the batch that it waits for.
#[derive(Default)]
struct Pair {
    outbox: Outbox,
    model: VecDeque<(u8, u64)>,
    appended: u8,
    released: u64,
}

impl Pair {
    fn fresh(&mut self, len: usize, batch: u64) -> Vec<u8> {
        let mut next = || {
            self.appended = self.appended.wrapping_mul(5).wrapping_add(1);
            self.appended
        };
        let bytes: Vec<u8> = (0..len).map(|_| next()).collect();
        self.model.extend(bytes.iter().map(|byte| (*byte, batch)));
        bytes
    }

    fn push(&mut self, len: usize, batch: u64) {
        let bytes = self.fresh(len, batch);
        self.outbox.push_encoded(&bytes);
    }

    fn push_blob(&mut self, len: usize, batch: u64) {
        let bytes = self.fresh(len, batch);
        self.outbox.push_blob(Blob::new(bytes));
    }

    fn sendable(&self) -> usize {
        self.model.iter().take_while(|(_, batch)| *batch <= self.released).count()
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Bytes(len) => self.push(len, 0),
            Step::Blob(len) => self.push_blob(len, 0),
            Step::Never { fenced } => {
                let mark = self.outbox.mark();
                self.outbox.push_encoded(b"never");
                self.outbox.push_blob(Blob::new(vec![b'n'; 7]));
                self.outbox.push_encoded(b"ever");
                if fenced {
                    self.outbox.fence(mark, self.released + 1);
                }
                self.outbox.roll_back(mark);
            }
            Step::Fenced { ahead, bytes, blob } => {
                let (mark, batch) = (self.outbox.mark(), self.released + ahead);
                self.push(bytes, batch);
                self.push_blob(blob, batch);
                if ahead > 0 {
                    self.outbox.fence(mark, batch);
                }
            }
            Step::Release(count) => {
                self.released += count;
                self.outbox.release(self.released);
            }
            Step::Send(len) => {
                let offered = self.outbox.pieces::<4>().concat();
                let sent = len.min(offered.len());
                let expected: Vec<u8> = self.model.drain(..sent).map(|(byte, _)| byte).collect();
                assert!(offered[..sent] == expected, "bytes out of order");
                self.outbox.advance(sent);
            }
        }
    }

    fn check(&self) {
        let sendable = self.sendable();
        assert_eq!(self.outbox.sendable_bytes(), sendable);
        assert_eq!(self.outbox.pending_bytes(), self.model.len());
        assert_eq!(self.outbox.is_empty(), self.model.is_empty());
        assert_eq!(self.outbox.has_fence(), sendable < self.model.len());
        let offered = self.outbox.pieces::<1000>().concat();
        assert_eq!(offered.len(), sendable);
    }
}

proptest! {
    #[test]
    fn every_byte_leaves_once_in_order_and_not_before_its_batch(steps in steps()) {
        let mut pair = Pair::default();
        for step in &steps {
            pair.apply(step);
            pair.check();
        }
        let left: Vec<u8> = pair.model.iter().map(|(byte, _)| *byte).collect();
        prop_assert!(pair.outbox.into_bytes() == left);
    }
}
