//! What a script engine is, as seen by a server that shall not know which language scripts are in.
//!
//! An engine is a machine. It runs a [`Job`] up to the next thing that it cannot do alone, says
//! what that is as a [`Step`], and goes on when it is told the [`Answer`]. Between two steps it
//! lies still for as long as the server likes: nothing of it runs, and it holds no borrow.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

/// What an engine is asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Job<'a> {
    /// Runs the body of a script that [`Engine::compile`] has accepted under this name.
    Script {
        /// The name it was compiled under: 40 hexadecimal digits.
        name: &'a str,
        /// The array `KEYS`.
        keys: &'a [&'a [u8]],
        /// The array `ARGV`.
        args: &'a [&'a [u8]],
    },
    /// Runs the code of a library so that it registers its functions. The library is kept aside
    /// under its name until [`Engine::keep_library`] or [`Engine::drop_library`].
    Library {
        /// Its name, as its first line gives it.
        name: &'a str,
        /// Its code, without the first line.
        code: &'a [u8],
    },
    /// Runs a function of a library that is kept.
    Function {
        /// The name it was registered under.
        name: &'a str,
        /// Its first argument.
        keys: &'a [&'a [u8]],
        /// Its second argument.
        args: &'a [&'a [u8]],
    },
}

/// How far an engine has come.
#[derive(Debug)]
pub enum Step {
    /// The script calls a command: its words are [`Engine::words`], the answer is
    /// [`Answer::Reply`].
    Call {
        /// Whether an error comes back to the script as a value (`pcall`) instead of ending it.
        protected: bool,
    },
    /// The script asks whether its user may run the command whose words are [`Engine::words`]:
    /// the answer is [`Answer::Flag`], or [`Answer::Refused`] when there is no such command.
    MayCall,
    /// The script writes a line to the log of the server; the answer is [`Answer::Go`].
    Log {
        /// 0 debug, 1 verbose, 2 notice, 3 warning.
        level: u8,
        /// The line.
        text: Vec<u8>,
    },
    /// The script has chosen the version of the protocol for replies of commands, 2 or 3; the
    /// answer is [`Answer::Go`].
    Protocol(u8),
    /// The script has chosen who gets the effects of its commands: bit 0 the log, bit 1 the
    /// replicas; the answer is [`Answer::Go`].
    Repeat(u8),
    /// It has run for a while and would go on: the answer is [`Answer::Go`] or [`Answer::Kill`].
    Busy,
    /// It has ended.
    Done(Value),
    /// It has ended with an error.
    Failed(Failure),
    /// A library has been run to its end, and registers these functions.
    Registered(Vec<Function>),
}

/// What an engine goes on with.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// Go on.
    Go,
    /// End: the script cannot catch this.
    Kill,
    /// The reply of a command, encoded in the version of the protocol that the script has chosen.
    Reply(&'a [u8]),
    /// Yes or no.
    Flag(bool),
    /// The request made no sense: the text of the error, with its code, that the script gets.
    Refused(&'a str),
}

/// Why a script ended without a result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The error as the client gets it, with its code.
    pub text: String,
    /// Whether it is the error of a command as that gave it, which has been counted already.
    pub is_counted: bool,
}

/// A function that a library registers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Its flags, as written: `no-writes`, `allow-oom`, `allow-stale`, `no-cluster`,
    /// `allow-cross-slot-keys`.
    pub flags: Vec<String>,
}

/// The result of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: `nil`, and `false` for a client that speaks RESP2.
    Nil,
    /// A truth value, when the script speaks RESP3.
    Boolean(bool),
    /// A number, cut to an integer.
    Int(i64),
    /// A string.
    Bulk(Vec<u8>),
    /// A status (`{ok=..}`).
    Status(Vec<u8>),
    /// An error (`{err=..}`), with its code.
    Error(Vec<u8>),
    /// A table, up to its first `nil`.
    Array(Vec<Self>),
    /// A map (`{map={..}}`).
    Map(Vec<(Self, Self)>),
    /// A set (`{set={..}}`).
    Set(Vec<Self>),
    /// A float (`{double=..}`).
    Double(f64),
    /// A number of any size (`{big_number=..}`).
    BigNumber(Vec<u8>),
    /// Text with the three letters of its format (`{verbatim_string={format=.., string=..}}`).
    Verbatim([u8; 3], Vec<u8>),
}

/// Runs scripts and the functions of libraries, one at a time.
pub trait Engine: Debug {
    /// Compiles a script and keeps it under a name of 40 hexadecimal digits.
    ///
    /// # Errors
    /// The text of the error, with its code, when it is no program.
    fn compile(&mut self, name: &str, body: &[u8]) -> Result<(), String>;

    /// Forgets a script.
    fn forget(&mut self, name: &str);

    /// Forgets all scripts and what they have left behind; libraries stay.
    fn flush_scripts(&mut self);

    /// Begins a job. Nothing else may be under way.
    fn start(&mut self, job: Job<'_>) -> Step;

    /// Goes on with what is under way.
    fn resume(&mut self, answer: Answer<'_>) -> Step;

    /// The words of the command that the last step is about.
    fn words(&self) -> Vec<&[u8]>;

    /// Has a library whose code has just been run take the place of the one of its name.
    fn keep_library(&mut self, name: &str);

    /// Forgets a library whose code has just been run, or one that was kept.
    fn drop_library(&mut self, name: &str);

    /// Memory that scripts take, in bytes.
    fn script_bytes(&self) -> usize;

    /// Memory that libraries take, in bytes.
    fn library_bytes(&self) -> usize;
}

/// An engine somewhere on the heap.
pub type BoxedEngine = Box<dyn Engine>;
