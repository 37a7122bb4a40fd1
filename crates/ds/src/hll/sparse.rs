//! The sparse form: instructions that each describe a run of equal registers.
//!
//! To raise one register its instruction is cut into up to three, before, it, behind, and then
//! neighbours of equal value are joined, looking at five instructions from the one before the
//! cut. Five and no more, and runs of zeros never: the bytes that remain are visible to users, so
//! the rule is kept exactly as Redis has it.

use super::estimate::Histogram;
use super::{Corrupt, HEADER_LEN, REGISTERS};
use alloc::vec::Vec;

/// The greatest value of a sparse register.
const VALUE_MAX: u8 = 32;
/// Registers in the longest run of a value.
const VALUE_RUN_MAX: usize = 4;
/// Registers in the longest one-byte run of zeros.
const ZEROS_MAX: usize = 64;
/// Instructions looked at when neighbours are joined.
const JOIN_SCAN: usize = 5;
/// Bytes of the longest replacement of one instruction: zeros, a value, zeros.
const CUT_MAX: usize = 5;

/// One instruction of the sparse form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Instruction {
    /// One byte: 1 to 64 registers of 0.
    Zeros(u16),
    /// Two bytes: 1 to 16384 registers of 0.
    ManyZeros(u16),
    /// One byte: a run of 1 to 4 registers of one value, 1 to 32.
    Value {
        /// What each of the registers holds.
        value: u8,
        /// How many registers.
        run: u8,
    },
}

impl Instruction {
    /// The instruction at the start of `bytes`; `None` if there is none or it is cut short.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let low = u16::from(first & 0x3f);
        Some(match first >> 6 {
            0 => Self::Zeros(low + 1),
            1 => Self::ManyZeros((low << 8 | u16::from(*rest.first()?)) + 1),
            _ => Self::Value { value: (first >> 2 & 0x1f) + 1, run: (first & 3) + 1 },
        })
    }

    /// Registers it covers.
    fn run(self) -> usize {
        match self {
            Self::Zeros(run) | Self::ManyZeros(run) => run.into(),
            Self::Value { run, .. } => run.into(),
        }
    }

    /// Bytes it takes.
    fn len(self) -> usize {
        1 + usize::from(matches!(self, Self::ManyZeros(_)))
    }

    /// What each register of the run holds.
    fn value(self) -> u8 {
        match self {
            Self::Zeros(_) | Self::ManyZeros(_) => 0,
            Self::Value { value, .. } => value,
        }
    }
}

/// The instructions of a sparse string in order.
#[derive(Clone, Debug)]
pub struct Instructions<'a>(&'a [u8]);

impl<'a> Instructions<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes.get(HEADER_LEN..).unwrap_or_default())
    }
}

impl Iterator for Instructions<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        let instruction = Instruction::decode(self.0)?;
        self.0 = self.0.get(instruction.len()..)?;
        Some(instruction)
    }
}

/// What [`raise`] did.
pub(super) enum Edit {
    /// The register is high enough.
    Nothing,
    /// The register was raised.
    Done,
    /// The value or the string would be too big for this form; nothing was done.
    DoesNotFit,
}

/// An instruction in its string.
#[derive(Clone, Copy)]
struct Located {
    instruction: Instruction,
    /// Its first byte.
    at: usize,
    /// The first byte of the instruction before it, or its own if there is none.
    before: usize,
    /// The register its run begins with.
    first: usize,
}

/// The value of a register, as far as the string is sound up to it.
pub(super) fn register(bytes: &[u8], index: usize) -> Result<u8, Corrupt> {
    locate(bytes, index).map(|found| found.instruction.value())
}

/// Sets a register if `rank` is greater than what it holds, and the string then has at most `max`
/// bytes.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    index: usize,
    rank: u8,
    max: usize,
) -> Result<Edit, Corrupt> {
    if rank > VALUE_MAX {
        return Ok(Edit::DoesNotFit);
    }
    let found = locate(bytes, index)?;
    if found.instruction.value() >= rank {
        return Ok(Edit::Nothing);
    }
    Ok(cut_in(bytes, found, index, rank, max))
}

/// As [`raise`], on a copy that is made only if the register is raised: `None` if it is not.
pub(super) fn raise_copy(
    bytes: &[u8],
    index: usize,
    rank: u8,
    max: usize,
) -> Result<Option<(Vec<u8>, Edit)>, Corrupt> {
    if rank > VALUE_MAX {
        return Ok(Some((bytes.to_vec(), Edit::DoesNotFit)));
    }
    let found = locate(bytes, index)?;
    if found.instruction.value() >= rank {
        return Ok(None);
    }
    let mut copy = Vec::with_capacity(bytes.len() + CUT_MAX);
    copy.extend_from_slice(bytes);
    let edit = cut_in(&mut copy, found, index, rank, max);
    Ok(Some((copy, edit)))
}

/// Sets a register, which holds less than `rank`, of the run that was found to hold it.
fn cut_in(bytes: &mut Vec<u8>, found: Located, index: usize, rank: u8, max: usize) -> Edit {
    let mut cut = Cut::default();
    cut.push(found.instruction.value(), index - found.first);
    cut.push(rank, 1);
    cut.push(found.instruction.value(), found.first + found.instruction.run() - 1 - index);
    let (old_len, end) = (found.instruction.len(), bytes.len());
    if cut.len > old_len && end + cut.len - old_len > max {
        return Edit::DoesNotFit;
    }
    // A cut is never shorter than what it replaces, but for a run of one that needed two bytes.
    if cut.len > old_len {
        bytes.resize(end + cut.len - old_len, 0);
    }
    bytes.copy_within(found.at + old_len..end, found.at + cut.len);
    bytes.truncate(end + cut.len - old_len);
    for (place, byte) in bytes.iter_mut().skip(found.at).zip(cut.bytes()) {
        *place = byte;
    }
    join(bytes, found.before);
    Edit::Done
}

/// Raises `registers` to those of the string; nothing is changed when the string is not sound.
pub(super) fn raise_each(bytes: &[u8], registers: &mut [u8; REGISTERS]) -> Result<(), Corrupt> {
    check(bytes)?;
    let mut rest = registers.as_mut_slice();
    for instruction in Instructions::of(bytes) {
        let (run, behind) = rest.split_at_mut_checked(instruction.run()).ok_or(Corrupt)?;
        let value = instruction.value();
        if value > 0 {
            run.iter_mut().for_each(|register| *register = (*register).max(value));
        }
        rest = behind;
    }
    Ok(())
}

/// All registers.
pub(super) fn unpack(bytes: &[u8]) -> Result<[u8; REGISTERS], Corrupt> {
    let mut registers = [0; REGISTERS];
    raise_each(bytes, &mut registers)?;
    Ok(registers)
}

/// How many registers hold each value.
pub(super) fn histogram(bytes: &[u8]) -> Result<Histogram, Corrupt> {
    check(bytes)?;
    let mut histogram = [0; 64];
    for instruction in Instructions::of(bytes) {
        if let Some(count) = histogram.get_mut(usize::from(instruction.value())) {
            *count += instruction.run() as u32;
        }
    }
    Ok(histogram)
}

/// Appends runs of zeros that cover `registers`.
pub(super) fn push_zeros(bytes: &mut Vec<u8>, registers: usize) {
    let mut cut = Cut::default();
    cut.push(0, registers);
    bytes.extend(cut.bytes());
}

/// Whether the instructions cover the registers exactly, to the last byte.
fn check(bytes: &[u8]) -> Result<(), Corrupt> {
    let mut instructions = Instructions::of(bytes);
    let mut covered = 0;
    for instruction in instructions.by_ref() {
        covered += instruction.run();
        if covered > REGISTERS {
            return Err(Corrupt);
        }
    }
    if covered == REGISTERS && instructions.0.is_empty() { Ok(()) } else { Err(Corrupt) }
}

/// The instruction whose run holds a register.
///
/// This walk is most of the cost of an add, so it looks at no more of an instruction than where
/// its run ends; the one that is found is read whole.
fn locate(bytes: &[u8], index: usize) -> Result<Located, Corrupt> {
    let (mut at, mut before, mut first) = (HEADER_LEN, HEADER_LEN, 0);
    loop {
        let byte = usize::from(*bytes.get(at).ok_or(Corrupt)?);
        let (run, len) = match byte >> 6 {
            0 => (byte + 1, 1),
            1 => {
                let low = usize::from(*bytes.get(at + 1).ok_or(Corrupt)?);
                (((byte & 0x3f) << 8 | low) + 1, 2)
            }
            _ => ((byte & 3) + 1, 1),
        };
        if index < first + run {
            let instruction = bytes.get(at..).and_then(Instruction::decode).ok_or(Corrupt)?;
            return Ok(Located { instruction, at, before, first });
        }
        (before, at, first) = (at, at + len, first + run);
    }
}

/// Joins neighbours of equal value from the instruction at `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_SCAN {
        let Some(instruction) = bytes.get(at..).and_then(Instruction::decode) else { return };
        let next = bytes.get(at + instruction.len()..).and_then(Instruction::decode);
        match (instruction, next) {
            (
                Instruction::Value { value, run },
                Some(Instruction::Value { value: next_value, run: next_run }),
            ) if value == next_value && usize::from(run + next_run) <= VALUE_RUN_MAX => {
                bytes.remove(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value_byte(value, usize::from(run + next_run));
                }
            }
            _ => at += instruction.len(),
        }
    }
}

/// What replaces one instruction.
#[derive(Default)]
struct Cut {
    bytes: [u8; CUT_MAX],
    len: usize,
}

impl Cut {
    /// Appends a run, which may be empty; one of a value has at most four registers.
    fn push(&mut self, value: u8, run: usize) {
        if run == 0 {
            return;
        }
        if value > 0 {
            self.push_byte(value_byte(value, run));
        } else if run <= ZEROS_MAX {
            self.push_byte((run - 1) as u8);
        } else {
            self.push_byte(0x40 | ((run - 1) >> 8) as u8);
            self.push_byte((run - 1) as u8);
        }
    }

    fn push_byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.bytes.into_iter().take(self.len)
    }
}

/// The instruction of 1 to 4 registers of a value, 1 to 32.
fn value_byte(value: u8, run: usize) -> u8 {
    0x80 | (value - 1) << 2 | (run - 1) as u8
}
