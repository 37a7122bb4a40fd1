//! The driver for a real server over TCP: the reference or Vesta.
//!
//! Propagation is seen as a replica sees it, through a connection that said `SYNC`. To know that
//! all of it has come, a marker is published: the stream is ordered, so what precedes the marker is
//! complete. Keyspace events are seen by a client that has subscribed to them, up to the same kind
//! of marker.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::process::Server;
use crate::runner::{Command, Driver, Setup, Unable};
use crate::transcript::{Directive, Notification};
use crate::value::Value;

/// Starts a server with further arguments.
pub type Launch = Box<dyn Fn(&[String]) -> io::Result<Server>>;

/// Longer time steps are not waited for.
const ADVANCE_MS_MAX: u64 = 200;

/// Where markers are published.
const MARKERS: &[u8] = b"testkit";

/// How long replies may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A real server and the connections that look after it.
pub struct TcpDriver {
    launch: Launch,
    oracle: bool,
    running: Option<Running>,
}

struct Running {
    start: Vec<Directive>,
    /// Configuration as the server began, to be restored between sections.
    config: BTreeMap<Vec<u8>, Vec<u8>>,
    config_touched: bool,
    admin: Client,
    tap: Option<Client>,
    /// Gets the keyspace events.
    listener: Option<Client>,
    markers: u64,
    server: Server,
}

impl TcpDriver {
    /// A driver that starts its servers with `launch`.
    pub fn new(launch: Launch, oracle: bool) -> Self {
        Self { launch, oracle, running: None }
    }

    fn running(&mut self) -> Result<&mut Running, Unable> {
        self.running.as_mut().ok_or_else(|| Unable::Broken("no server runs".to_owned()))
    }

    fn start(&mut self, start: &[Directive]) -> io::Result<()> {
        self.running = None;
        let args: Vec<String> =
            start.iter().flat_map(|d| [format!("--{}", d.name), d.value.clone()]).collect();
        let server = (self.launch)(&args)?;
        let mut admin = server.client()?;
        admin.set_patience(PATIENCE);
        let config = configuration(&mut admin)?;
        let start = start.to_vec();
        self.running = Some(Running {
            start,
            config,
            config_touched: false,
            admin,
            tap: None,
            listener: None,
            markers: 0,
            server,
        });
        Ok(())
    }
}

fn configuration(admin: &mut Client) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let reply = admin.command(&["CONFIG", "GET", "*"])?;
    let pairs = reply.pairs().unwrap_or_default();
    Ok(pairs.iter().filter_map(|(k, v)| Some((k.text()?.to_vec(), v.text()?.to_vec()))).collect())
}

impl Running {
    /// A working connection for housekeeping: a transcript may have killed the last one.
    fn admin(&mut self) -> io::Result<&mut Client> {
        if self.admin.command(&["PING"]).is_err() {
            self.admin = self.server.client()?;
            self.admin.set_patience(PATIENCE);
        }
        Ok(&mut self.admin)
    }

    /// Gives the server two turns, in which it can do what it has to do.
    fn take_turns(&mut self) -> io::Result<()> {
        self.admin()?;
        self.admin()?;
        Ok(())
    }

    /// Waits until a save or a rewrite in the background has ended: how long that takes is the
    /// disk's affair, and a step in time says that it is over.
    fn await_save(&mut self) -> io::Result<()> {
        let give_up_at = Instant::now() + PATIENCE;
        let admin = self.admin()?;
        while Instant::now() < give_up_at {
            let info = admin.command(&["INFO", "persistence"])?;
            let mut lines = info.text().unwrap_or_default().split(|byte| *byte == b'\n');
            let under_way: [&[u8]; 3] = [
                b"rdb_bgsave_in_progress:1",
                b"aof_rewrite_in_progress:1",
                b"aof_rewrite_scheduled:1",
            ];
            if !lines.any(|line| under_way.iter().any(|word| line.starts_with(word))) {
                return Ok(());
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "a background save does not end"))
    }

    fn clean(&mut self, setup: Setup<'_>) -> io::Result<()> {
        // A listener of the last section would be seen among the clients of this one.
        if let Some(mut listener) = self.listener.take() {
            listener.send(&["QUIT"])?;
            while listener.reply()?.is_some() {}
        }
        let restore = self.config_touched;
        let original = self.config.clone();
        let admin = self.admin()?;
        // Both may be unknown to a server under test: only what follows must succeed.
        let _ = admin.command(&["CLIENT", "UNPAUSE"])?;
        // What expires goes when it is asked for: when a server looks by itself is chance here.
        let _ = admin.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"])?;
        if restore {
            for (name, value) in configuration(admin)? {
                match original.get(&name) {
                    Some(old) if *old != value => {
                        admin.command(&[&b"CONFIG"[..], b"SET", &name, old])?;
                    }
                    _ => {}
                }
            }
        }
        must(admin.command(&["FLUSHALL"])?)?;
        for directive in setup.config {
            must(admin.command(&["CONFIG", "SET", &directive.name, &directive.value])?)?;
        }
        self.config_touched = !setup.config.is_empty();
        if setup.notifications {
            self.listener = listen(&self.server)?;
        }
        if setup.propagation {
            if self.tap.is_none() {
                self.tap = attach(&self.server)?;
            }
            self.stream()?;
        }
        Ok(())
    }

    /// Publishes a marker that has not been before.
    fn mark(&mut self) -> io::Result<Vec<u8>> {
        self.markers += 1;
        let marker = format!("marker-{}", self.markers).into_bytes();
        self.admin()?.command(&[&b"PUBLISH"[..], MARKERS, &marker])?;
        Ok(marker)
    }

    /// The keyspace events since the last call.
    fn events(&mut self) -> io::Result<Option<Vec<Notification>>> {
        let marker = self.mark()?;
        let Some(listener) = &mut self.listener else { return Ok(None) };
        let mut events = Vec::new();
        loop {
            let Some(value) = listener.reply()? else {
                return Err(io::Error::other("the server disconnected who listens"));
            };
            let words: Vec<&[u8]> =
                value.items().unwrap_or_default().iter().filter_map(Value::text).collect();
            match words.as_slice() {
                [_, _, channel, text] if *channel == MARKERS && *text == marker => {
                    return Ok(Some(events));
                }
                [_, _, channel, key] => events.extend(Notification::of_message(channel, key)),
                _ => {}
            }
        }
    }

    /// What the stream brought since the last call.
    fn stream(&mut self) -> io::Result<Option<Vec<Command>>> {
        let marker = self.mark()?;
        let Some(tap) = &mut self.tap else { return Ok(None) };
        let mut commands = Vec::new();
        loop {
            let Some(value) = tap.reply()? else {
                return Err(io::Error::other("the server ended the replication stream"));
            };
            let args = value.items().unwrap_or_default();
            let command: Command =
                args.iter().filter_map(|arg| arg.text().map(<[u8]>::to_vec)).collect();
            match command.first().map(|name| name.to_ascii_uppercase()).as_deref() {
                Some(b"PUBLISH") if command.last() == Some(&marker) => {
                    // A database selected last was selected for the marker.
                    commands.pop_if(|last: &mut Command| {
                        last.first().is_some_and(|name| name == b"SELECT")
                    });
                    return Ok(Some(commands));
                }
                Some(b"PING" | b"REPLCONF") => {}
                // A marker that was meant for who listens to events.
                Some(b"PUBLISH") if command.get(1).is_some_and(|channel| channel == MARKERS) => {}
                _ => commands.push(command),
            }
        }
    }
}

fn must(reply: Value) -> io::Result<()> {
    match reply.error() {
        None => Ok(()),
        Some(text) => Err(io::Error::other(String::from_utf8_lossy(text).into_owned())),
    }
}

/// Subscribes to keyspace events; `None` if the server cannot.
fn listen(server: &Server) -> io::Result<Option<Client>> {
    let mut listener = server.client()?;
    listener.set_patience(PATIENCE);
    listener.send(&[&b"PSUBSCRIBE"[..], b"__keyevent@*__:*", MARKERS])?;
    for _ in 0..2 {
        if listener.reply()?.is_none_or(|reply| reply.error().is_some()) {
            return Ok(None);
        }
    }
    Ok(Some(listener))
}

/// Becomes a replica that only listens; `None` if the server knows no `SYNC`.
fn attach(server: &Server) -> io::Result<Option<Client>> {
    let mut tap = server.client()?;
    tap.send(&["SYNC"])?;
    let mut line = Vec::new();
    loop {
        match tap.read_exactly(1)?.first() {
            Some(b'\n') if line.is_empty() => {}
            Some(b'\n') => break,
            Some(&byte) => line.push(byte),
            None => {}
        }
    }
    let length = str::from_utf8(&line).ok().and_then(|text| text.trim().strip_prefix('$'));
    match length.and_then(|digits| digits.parse().ok()) {
        Some(bytes) => {
            tap.read_exactly(bytes)?;
            Ok(Some(tap))
        }
        None => Ok(None),
    }
}

impl Driver for TcpDriver {
    type Conn = Client;

    fn is_oracle(&self) -> bool {
        self.oracle
    }

    fn open_file(&mut self, start: &[Directive]) -> Result<(), Unable> {
        let usable = self
            .running
            .as_mut()
            .is_some_and(|running| running.start == start && running.server.is_running());
        if usable { Ok(()) } else { Ok(self.start(start)?) }
    }

    fn open_section(&mut self, setup: Setup<'_>) -> Result<(), Unable> {
        let running = self.running()?;
        if running.clean(setup).is_ok() {
            return Ok(());
        }
        // The last section may have shut the server down, or broken it: a new one then.
        let start = running.start.clone();
        self.start(&start)?;
        Ok(self.running()?.clean(setup)?)
    }

    fn connect(&mut self) -> Result<Client, Unable> {
        let mut client = self.running()?.server.client()?;
        client.set_patience(PATIENCE);
        Ok(client)
    }

    fn send(&mut self, conn: &mut Client, args: &[Vec<u8>]) -> Result<(), Unable> {
        let running = self.running()?;
        running.config_touched |=
            args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"CONFIG"));
        Ok(conn.send(args)?)
    }

    fn send_raw(&mut self, conn: &mut Client, bytes: &[u8]) -> Result<(), Unable> {
        self.running()?.config_touched = true;
        // A server that closes at the first bad bytes may not take the rest: its replies tell.
        match conn.send_raw(bytes) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ) =>
            {
                Ok(())
            }
            other => Ok(other?),
        }
    }

    fn reply(&mut self, conn: &mut Client) -> Result<Option<Value>, Unable> {
        Ok(conn.reply()?)
    }

    fn is_silent(&mut self, conn: &mut Client) -> Result<bool, Unable> {
        self.running()?.take_turns()?;
        Ok(!conn.has_bytes()?)
    }

    fn close(&mut self, conn: Client) -> Result<(), Unable> {
        drop(conn);
        // The reference forgets a client only at the end of the turn in which it sees that it has
        // gone: without this, the next request might come in the same turn.
        Ok(self.running()?.take_turns()?)
    }

    fn addresses(&mut self, conn: &mut Client) -> Result<(String, String), Unable> {
        let found = conn.addresses().map(|(own, server)| (own.to_string(), server.to_string()));
        found.ok_or_else(|| Unable::Skip("no addresses".to_owned()))
    }

    fn advance(&mut self, ms: u64) -> Result<bool, Unable> {
        if ms > ADVANCE_MS_MAX {
            return Ok(false);
        }
        let until = self.unix_ms()?.saturating_add_unsigned(ms);
        while self.unix_ms()? <= until {}
        self.running()?.await_save()?;
        Ok(true)
    }

    fn unix_ms(&mut self) -> Result<i64, Unable> {
        let time = self.running()?.admin.command(&["TIME"])?;
        let part = |at: usize| {
            let text = time.items()?.get(at)?.text()?;
            str::from_utf8(text).ok()?.parse::<i64>().ok()
        };
        match (part(0), part(1)) {
            (Some(seconds), Some(micros)) => Ok(seconds * 1000 + micros / 1000),
            _ => Err(Unable::Broken(format!("TIME answered {time}"))),
        }
    }

    fn propagated(&mut self) -> Result<Option<Vec<Command>>, Unable> {
        Ok(self.running()?.stream()?)
    }

    fn notified(&mut self) -> Result<Option<Vec<Notification>>, Unable> {
        Ok(self.running()?.events()?)
    }
}
