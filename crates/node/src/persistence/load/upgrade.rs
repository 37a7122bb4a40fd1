//! Taking over a log of one file, as servers before 7.0 wrote it.
//!
//! It becomes the base of a log of several: the manifest is written first and names it, then it is
//! moved. A crash in between leaves a manifest that names a file which is not there, beside the
//! old one that is; then it is moved at the next start.

use super::find::{LOADER_JOB, LogPlan, Question};
use super::{Job, Refusal};
use crate::disk::{DiskWish, FileFault, FileStep};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use vesta_persist::aof::Manifest;

impl Server {
    /// Asks whether a log of one file, which is there, has got to its place as well: the manifest
    /// may say so before it is true.
    pub(super) fn ask_where_old(&mut self, job: Box<Job>) {
        let name = self.in_log(self.config.appendfilename.as_bytes());
        self.wish(DiskWish::LoadOpen { name });
        self.ask(job, Question::MovedFile);
    }

    /// Has a log of one file become the base of one of several: first it is entered in the
    /// manifest, then it is moved. If that is cut off in between, it is done again.
    pub(super) fn move_old(&mut self, mut job: Box<Job>) -> Result<(), Refusal> {
        let name = self.config.appendfilename.clone();
        let manifest = Manifest::of_single_file(name.as_bytes());
        let steps = vec![
            FileStep::MakeDir { name: self.log_dir() },
            FileStep::Replace { name: self.manifest_path(), bytes: manifest.to_text() },
            FileStep::Rename { to: self.in_log(name.as_bytes()), from: name },
        ];
        job.log = Some(LogPlan::new(&manifest)?);
        job.manifest = manifest;
        self.wish(DiskWish::Files { id: LOADER_JOB, steps });
        self.ask(job, Question::Move);
        Ok(())
    }

    pub(super) fn two_old(&self) -> Refusal {
        let (name, dir) = (&self.config.appendfilename, &self.config.appenddirname);
        let line = format!(
            "Fatal error: both {name} and {dir}/{name} are there, and no manifest says which is \
             the AOF. Move one of them away."
        );
        line.into()
    }

    pub(super) fn not_moved(&self, fault: &FileFault) -> Refusal {
        let (dir, why) = (&self.config.appenddirname, &fault.why);
        let name = &self.config.appendfilename;
        let line = match fault.step {
            0 => format!("Can't open or create append-only dir {dir}: {why}"),
            1 => format!("Error trying to write the AOF manifest file {name}.manifest: {why}"),
            _ => format!("Error trying to move the old AOF file {name} into dir {dir}: {why}"),
        };
        line.into()
    }
}
