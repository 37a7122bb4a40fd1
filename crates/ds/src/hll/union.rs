//! The union of several HyperLogLogs, a byte a register.

use super::{Corrupt, Form, Hll, REGISTERS, View, dense, estimate, sparse};
use alloc::boxed::Box;

/// A union under way: 16 KB of registers.
pub struct Union {
    registers: Box<[u8; REGISTERS]>,
    /// Whether a dense one took part.
    has_dense: bool,
}

impl Default for Union {
    fn default() -> Self {
        Self::new()
    }
}

impl Union {
    /// The union of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { registers: Box::new([0; REGISTERS]), has_dense: false }
    }

    /// Adds one. On [`Corrupt`] nothing has been added.
    pub fn merge(&mut self, view: View<'_>) -> Result<(), Corrupt> {
        match view {
            View::Sparse(bytes) => sparse::raise_each(bytes, &mut self.registers),
            View::Dense(bytes) => {
                self.has_dense = true;
                raise_each(&mut self.registers, &dense::unpack(bytes));
                Ok(())
            }
        }
    }

    /// The estimated count of the union.
    #[must_use]
    pub fn count(&self) -> u64 {
        estimate::count(&estimate::histogram(&self.registers))
    }

    /// The string that PFMERGE leaves at its destination, where `old` was; `old` must have been
    /// merged before, like every source. Dense if one of them was, else sparse within
    /// `sparse_max` bytes, edited register by register from `old` as Redis does it.
    pub fn store(&self, old: Option<View<'_>>, sparse_max: usize) -> Result<Hll, Corrupt> {
        let mut hll = old.map_or_else(Hll::new, Hll::copy_of);
        if !self.has_dense {
            for (index, rank) in self.registers.iter().enumerate().filter(|(_, rank)| **rank > 0) {
                hll.raise(index, *rank, sparse_max)?;
                if hll.form == Form::Dense {
                    break;
                }
            }
        }
        if self.has_dense || hll.form == Form::Dense {
            hll.become_dense(&self.registers);
        }
        hll.forget_count();
        Ok(hll)
    }
}

/// The greater of each pair; vector code as it stands.
fn raise_each(registers: &mut [u8; REGISTERS], others: &[u8; REGISTERS]) {
    for (register, other) in registers.iter_mut().zip(others) {
        *register = (*register).max(*other);
    }
}
