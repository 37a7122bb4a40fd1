//! Signals and crashes.
//!
//! `SIGTERM` and `SIGINT` ask for an orderly end: they set a bit and wake the reactor, and the loop
//! takes the request when it comes round. Somebody who presses Ctrl-C again while we are still
//! shutting down means it: the process exits at once with status 1. `SIGHUP` and `SIGPIPE` are
//! ignored, all as Redis does. Dispositions belong to the process, so there is one [`Signals`].

use std::io;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::log::{Level, Logger};
use crate::reactor::Waker;
use crate::sys::process::{ignore_signal, on_signal};

/// A request to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signal {
    /// `SIGTERM`: a supervisor or `kill`.
    Term,
    /// `SIGINT`: Ctrl-C.
    Int,
}

impl Signal {
    /// The signal's name as logs spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Term => 1,
            Self::Int => 2,
        }
    }

    const fn number(self) -> libc::c_int {
        match self {
            Self::Term => libc::SIGTERM,
            Self::Int => libc::SIGINT,
        }
    }
}

/// The requests received and not yet taken.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Bits of [`Signal`]; those in the upper half were taken before.
    bits: Arc<AtomicU8>,
}

const TAKEN_SHIFT: u32 = 4;

impl Signals {
    /// Installs the handlers. From now on a signal sets a bit and wakes through `waker`.
    ///
    /// # Errors
    /// What `sigaction` gives; not expected.
    pub fn install(waker: &Waker) -> io::Result<Self> {
        ignore_signal(libc::SIGHUP)?;
        ignore_signal(libc::SIGPIPE)?;
        let bits = Arc::new(AtomicU8::new(0));
        for signal in [Signal::Term, Signal::Int] {
            let (bits, waker) = (Arc::clone(&bits), waker.clone());
            on_signal(signal.number(), move || {
                let before = bits.fetch_or(signal.bit(), Ordering::SeqCst);
                if before != 0 && signal == Signal::Int {
                    signal_hook::low_level::exit(1);
                }
                // The only failure is a reactor that is gone, and then nobody is waiting.
                let _ = waker.wake();
            })?;
        }
        Ok(Self { bits })
    }

    /// The next request, each once. A `SIGINT` that follows any request ends the process at once,
    /// also after the request was taken, until [`forgive`](Self::forgive).
    #[must_use]
    pub fn take(&self) -> Option<Signal> {
        let bits = self.bits.load(Ordering::SeqCst);
        let fresh = bits & !(bits >> TAKEN_SHIFT);
        let signal =
            [Signal::Term, Signal::Int].into_iter().find(|signal| fresh & signal.bit() != 0)?;
        self.bits.fetch_or(signal.bit() << TAKEN_SHIFT, Ordering::SeqCst);
        Some(signal)
    }

    /// Starts afresh, after a shutdown was cancelled (`SHUTDOWN ABORT`).
    pub fn forgive(&self) {
        self.bits.store(0, Ordering::SeqCst);
    }
}

/// Logs a panic as a report that stands out in the log, with a backtrace; the process then aborts.
pub fn report_panics(logger: Logger) {
    std::panic::set_hook(Box::new(move |panic| {
        for line in report(panic).lines() {
            logger.log(Level::Warning, line);
        }
        // The release profile aborts anyway; a test or a debug build must not go on either.
        std::process::abort();
    }));
}

fn report(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = panic.payload_as_str().unwrap_or("no message");
    let backtrace = std::backtrace::Backtrace::force_capture();
    format!(
        "=== VESTA BUG REPORT START: Cut & paste starting from here ===\n\
         Vesta {} crashed at {place}: {text}\n\
         {}\n\
         {backtrace}\n\
         === VESTA BUG REPORT END. Please include this text in a report ===",
        env!("CARGO_PKG_VERSION"),
        crate::process::operating_system(),
    )
}
