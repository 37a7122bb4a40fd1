//! The one program: `vesta server`, `vesta check` and, as they come, their sister roles.
//!
//! The binary holds no decisions. It reads the command line, prepares the process, and interprets
//! what a node wants done with the mechanisms of `vesta-rt`.

mod args;
mod check;
mod server;
mod version;

use std::process::ExitCode;

use args::Invocation;

#[global_allocator]
static HEAP: vesta_rt::alloc::Heap = vesta_rt::alloc::Heap;

fn main() -> ExitCode {
    match args::parse(std::env::args_os().collect()) {
        Ok(Invocation::Serve(arguments)) => server::start(&arguments),
        Ok(Invocation::Check(task)) => check::start(&task),
        Ok(Invocation::Say(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Invocation::Refuse(text)) => {
            println!("{text}");
            ExitCode::FAILURE
        }
        Err(refusal) => {
            // Nothing is left to tell the user with if the terminal is gone.
            let _ = refusal.print();
            // 0 for `--help` and `--version`, 2 for a command line that makes no sense.
            ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
        }
    }
}
