//! What a connection costs that once asked something and now is silent.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Options;
use super::report::{Report, Target};
use super::servers::{Pair, Sides};
use super::usage;

/// Servers take back buffers after some seconds of silence; so long must memory stay the same.
const STILL: Duration = Duration::from_secs(4);

/// Most bytes of user space per connection.
const BYTES_MAX: f64 = 2048.0;

/// File descriptors that a process needs for other things.
const OTHER_FILES: usize = 200;

/// Adds the row.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    if !options.wants("idle") {
        return Ok(());
    }
    eprintln!("idle");
    let count = options.idle_connections;
    allow_files(count + OTHER_FILES)?;
    let maxclients = (count + OTHER_FILES / 2).to_string();
    let mut samples = Sides { vesta: Vec::new(), redis: Vec::new() };
    pair.each_alone(&["--maxclients", &maxclients], 0, &mut samples, |server, figures| {
        let before = usage::settled_rss_bytes(server.pid(), STILL)?;
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            let mut client = server.client()?;
            client.command(&["PING"])?;
            clients.push(client);
        }
        let after = usage::settled_rss_bytes(server.pid(), STILL)?;
        // All are still served.
        for client in &mut clients {
            client.command(&["PING"])?;
        }
        figures.push(after.saturating_sub(before) as f64 / count as f64);
        Ok(())
    })?;
    report.push("idle", "B/conn", samples, Some(Target::Figure(BYTES_MAX)));
    Ok(())
}

/// Raises the limit of open files, for us and for the servers we start.
fn allow_files(count: usize) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = count as u64;
    if current.is_none_or(|limit| limit >= wanted) {
        return Ok(());
    }
    let maximum = maximum.map(|limit| limit.max(wanted));
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
        .map_err(|error| io::Error::other(format!("{wanted} open files are not allowed: {error}")))
}
