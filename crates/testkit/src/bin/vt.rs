//! `vt run FILE..` runs transcripts on the reference (or on `VESTA_BIN` with `--vesta`);
//! `vt record FILE..` fills the missing replies of drafts from the reference (or, with `--vesta`,
//! from Vesta: for what the reference does not have, to be judged by reading).

use std::path::PathBuf;
use std::process::ExitCode;

use vesta_testkit::process::{Oracle, Vesta};
use vesta_testkit::record;
use vesta_testkit::runner::{self, Report};
use vesta_testkit::tcp::TcpDriver;
use vesta_testkit::transcript::{Mode, Transcript};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let verb = args.next().unwrap_or_default();
    let mut files: Vec<PathBuf> = args.map(PathBuf::from).collect();
    let on_vesta = files.first().is_some_and(|first| first.as_os_str() == "--vesta");
    if on_vesta {
        files.remove(0);
    }
    let outcome = match verb.as_str() {
        "run" => run(&files, on_vesta),
        "record" => record(&files, on_vesta),
        _ => Err("usage: vt run [--vesta] FILE.. | vt record [--vesta] FILE..".to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn driver(on_vesta: bool) -> Result<TcpDriver, String> {
    if !on_vesta {
        return Ok(TcpDriver::new(Box::new(Oracle::start), true));
    }
    let binary = Vesta::binary().ok_or("no vesta binary; set VESTA_BIN")?;
    Ok(TcpDriver::new(Box::new(move |args| Vesta::start(&binary, args)), false))
}

fn run(files: &[PathBuf], on_vesta: bool) -> Result<bool, String> {
    let mut driver = driver(on_vesta)?;
    let mut report = Report::default();
    for path in files {
        let file = Transcript::read(path, Mode::Complete).map_err(|error| error.to_string())?;
        report.merge(runner::run(&mut driver, &file));
    }
    println!("{report}");
    Ok(report.failures.is_empty())
}

fn record(files: &[PathBuf], on_vesta: bool) -> Result<bool, String> {
    let mut driver = driver(on_vesta)?;
    for path in files {
        let source = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let draft = Transcript::parse(path, &source, Mode::Draft).map_err(|e| e.to_string())?;
        let report = runner::run(&mut driver, &draft);
        std::fs::write(path, record::fill(&source, &draft, &report))
            .map_err(|error| error.to_string())?;
        // Differences from what was written already, and anything that broke.
        let left = runner::run(
            &mut driver,
            &Transcript::read(path, Mode::Draft).map_err(|error| error.to_string())?,
        );
        println!("{}: {left}", path.display());
    }
    Ok(true)
}
