//! Carrying out what the node wishes, and telling it what has become of that.

use vesta_cmd::host::Usage;
use vesta_node::{Action, DiskNews, DiskWish, Event as NodeEvent, FileStep, LogStep};
use vesta_types::Now;

use super::{Building, Server, Wish, World};
use crate::Flaw;
use crate::checker::{Check, Sends};
use crate::chronicle::LogFacts;
use crate::plan::BASE_BYTES;
use crate::trace::{Event, shown};

impl Server {
    /// Takes over the wishes of the node: what clients are sent, and who is to be disconnected.
    pub(super) fn gather(&mut self, world: &mut World<'_>) -> (Sends, Vec<u32>) {
        let (mut sends, mut closed) = (Sends::new(), Vec::new());
        while let Some(mut action) = self.node.poll_action() {
            note(&action, world);
            if let Action::Send { conn, .. } = &mut action
                && self.flaw == Some(Flaw::RepliesGoAstray)
                && let Some(other) = self.connections.keys().find(|other| **other != conn.0)
                && self.rng.below(20) == 0
            {
                conn.0 = *other;
            }
            match &action {
                Action::Send { conn, bytes, .. } => {
                    // The outcome of an action is looked at when it is appended.
                    if let Some(connection) = self.connections.get(&conn.0)
                        && !world.checker.awaits_outcome(connection.link)
                    {
                        sends.push_back((connection.link, bytes.clone()));
                    }
                }
                Action::Close(conn) => closed.push(conn.0),
                Action::Log { .. }
                | Action::Resume(_)
                | Action::Measure
                | Action::Apply { .. }
                | Action::RewriteConfig { .. }
                | Action::PurgeMemory
                | Action::Sleep { .. }
                | Action::Disk(_)
                | Action::Release { .. }
                | Action::Connect { .. }
                | Action::GiveUpConnect { .. }
                | Action::Feed(_)
                | Action::Role { .. }
                | Action::Ready
                | Action::Exit(_) => {}
            }
            let is_failing = self.log_facts().is_failing;
            self.wishes.queue.push_back(Wish { action, from: 0, offset: 0, is_failing });
        }
        (sends, closed)
    }

    /// The checker knows the stream up to here: this is where the wishes belong that have come
    /// since it was at `from`.
    pub(super) fn date_wishes(&mut self, world: &mut World<'_>, from: u64) -> Check {
        let fresh = self.wishes.queue.iter_mut().skip(self.wishes.dated);
        let Some(chronicle) = &mut world.checker.chronicle else {
            self.wishes.dated = self.wishes.queue.len();
            return Ok(());
        };
        let mut is_ready = false;
        for wish in fresh {
            (wish.from, wish.offset) = (from.min(chronicle.end()), chronicle.end());
            match &wish.action {
                Action::Disk(DiskWish::LogAppend { batch, .. }) => {
                    chronicle.appended(*batch);
                    self.heard.appended = *batch;
                }
                Action::Ready => is_ready = true,
                Action::Log { .. }
                | Action::Close(_)
                | Action::Send { .. }
                | Action::Resume(_)
                | Action::Measure
                | Action::Apply { .. }
                | Action::RewriteConfig { .. }
                | Action::PurgeMemory
                | Action::Sleep { .. }
                | Action::Disk(_)
                | Action::Release { .. }
                | Action::Connect { .. }
                | Action::GiveUpConnect { .. }
                | Action::Feed(_)
                | Action::Role { .. }
                | Action::Exit(_) => {}
            }
        }
        self.wishes.dated = self.wishes.queue.len();
        if is_ready { self.is_ready(world) } else { Ok(()) }
    }

    /// Takes over wishes that come although nothing was executed.
    pub(super) fn settle(&mut self, world: &mut World<'_>) -> Check {
        let stream = self.node.take_stream();
        let (sends, closed) = self.gather(world);
        self.picture_snapshot(world.clock.now());
        self.check_closed(world, &closed)?;
        if !stream.is_empty() || !sends.is_empty() {
            return Err("the node has executed something without any cause".to_owned());
        }
        self.date_wishes(world, u64::MAX)
    }

    /// Remembers what must be in a snapshot that begins now, if one does.
    pub(super) fn picture_snapshot(&mut self, now: Now) {
        let fresh = self.wishes.queue.iter().skip(self.wishes.dated);
        let mut opened = fresh.filter_map(|wish| {
            let Action::Disk(DiskWish::SaveOpen { id, .. }) = &wish.action else { return None };
            Some(*id)
        });
        if let Some(id) = opened.next_back() {
            self.pictures.take(id, &mut self.node, now);
        }
    }

    /// Whoever is disconnected must have given cause.
    pub(super) fn check_closed(&mut self, world: &mut World<'_>, closed: &[u32]) -> Check {
        let now = world.clock.now();
        for place in closed {
            if let Some(connection) = self.connections.get(place) {
                let pending = connection.conversation.outbox.pending_bytes();
                world.checker.expelled(connection.link, now, pending, world.trace)?;
            }
        }
        Ok(())
    }

    pub(super) fn carry_out(&mut self, world: &mut World<'_>) -> Check {
        let mut exit = None;
        loop {
            let (_, closed) = self.gather(world);
            self.check_closed(world, &closed)?;
            self.date_wishes(world, u64::MAX)?;
            let Some(wish) = self.wishes.queue.pop_front() else {
                return exit.map_or(Ok(()), |cause| self.exit(world, cause));
            };
            let Wish { action, from, offset, is_failing } = wish;
            self.wishes.dated = self.wishes.dated.saturating_sub(1);
            let now = world.clock.now();
            match action {
                Action::Log { .. }
                | Action::PurgeMemory
                | Action::Ready
                | Action::GiveUpConnect { .. }
                | Action::Feed(_)
                | Action::Role { .. } => {}
                Action::Connect { attempt, .. } => {
                    let outcome = Err("Connection refused".to_owned());
                    self.node.handle(now, NodeEvent::Linked { attempt, outcome });
                }
                Action::Close(conn) => {
                    if self.connections.contains_key(&conn.0) {
                        self.close(world, conn.0, false);
                    }
                }
                Action::Send { conn, bytes, batch } => {
                    self.append_reply(world, conn.0, &bytes, (batch, offset))?;
                }
                Action::Resume(conn) => {
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        connection.waiting = false;
                        connection.more = true;
                    }
                }
                Action::Measure => {
                    let data = world.checker.model.data.weight_bytes();
                    let usage = Usage { allocated_bytes: BASE_BYTES + data, ..Usage::default() };
                    self.node.handle(now, NodeEvent::Measured(usage));
                }
                Action::Apply { conn, config, options } => {
                    let outcome = Ok(());
                    world.checker.model.applied();
                    let applied = NodeEvent::Applied { conn, config, options, outcome };
                    self.node.handle(now, applied);
                }
                Action::RewriteConfig { conn, .. } => {
                    let outcome = Ok(());
                    self.node.handle(now, NodeEvent::Rewritten { conn, outcome });
                }
                Action::Sleep { conn, us } => {
                    world.clock.pass_us(us);
                    self.node.handle(now, NodeEvent::Slept { conn });
                }
                Action::Disk(wish) => self.disk_wish(wish, world, (from, offset)),
                Action::Release { batch } => {
                    // It is right if it was right then.
                    let now = self.log_facts();
                    let facts = LogFacts { is_failing: is_failing || now.is_failing, ..now };
                    self.release(world, batch, facts)?;
                }
                // Whatever else is wished for comes first.
                Action::Exit(cause) => exit = Some(cause),
            }
        }
    }

    /// `span`: the stream when the wish was made.
    fn disk_wish(&mut self, wish: DiskWish, world: &mut World<'_>, span: (u64, u64)) {
        let now = world.clock.now();
        if matches!(wish, DiskWish::SaveFinish) && self.flaw == Some(Flaw::SnapshotsComeLate) {
            self.pictures.take_anew(&mut self.node, now);
        }
        if matches!(wish, DiskWish::LogSync) && self.flaw == Some(Flaw::NobodySyncs) {
            return;
        }
        let is_open = matches!(wish, DiskWish::SaveOpen { .. });
        if let DiskWish::Files { id, steps } = &wish {
            let base = self.heard.base.as_ref();
            if base.is_some_and(|(base, _)| steps.iter().any(|step| names(step, base))) {
                self.heard.naming = Some(*id);
            }
            let replaces = |end: &str| {
                steps.iter().any(|step| replaced(step).is_some_and(|n| n.ends_with(end)))
            };
            if replaces(".incr.aof") && !replaces(".manifest") {
                let before = self.heard.building.take();
                let behind = before.map_or(self.heard.appended, |before| before.behind);
                self.heard.building = Some(Building { job: *id, behind });
            }
        }
        self.disk.take(now.mono, wish);
        if let Some(chronicle) = world.checker.chronicle.as_mut().filter(|_| is_open) {
            chronicle.snapshot_began(self.disk.snapshots_begun(), span);
        }
    }

    /// Tells the node what has become of files.
    pub(super) fn hear_of_files(&mut self, world: &mut World<'_>) -> Check {
        while let Some(news) = self.disk.news() {
            let now = world.clock.now();
            world.trace.note(now, Event::Heard { news: text_of(&news) });
            self.note_news(&news, world)?;
            let mut written = 0;
            if let DiskNews::LogWritten { batch } = news
                && self.flaw == Some(Flaw::NobodySyncs)
            {
                written = batch;
            }
            self.node.handle(now, NodeEvent::Disk(news));
            self.settle(world)?;
            if written > 0 {
                self.release(world, written, self.log_facts())?;
            }
        }
        Ok(())
    }

    /// Draws conclusions from what the node is about to be told.
    fn note_news(&mut self, news: &DiskNews, world: &mut World<'_>) -> Check {
        match news {
            DiskNews::SaveDone { id, outcome } => {
                if outcome.is_ok() {
                    self.snapshot_is_there(*id, world)?;
                }
                self.heard.has_failed |= outcome.is_err();
            }
            DiskNews::LogWritten { batch } => {
                self.heard.write_failed &= *batch < self.heard.appended;
            }
            DiskNews::LogSynced { batch } => {
                // It says nothing about what went to a file that could not be synced.
                let is_failing = self.log_facts().is_failing;
                if let Some(chronicle) = world.checker.chronicle.as_mut().filter(|_| !is_failing) {
                    chronicle.synced(*batch);
                }
            }
            DiskNews::LogFailed { step, .. } => {
                self.heard.has_failed = true;
                match step {
                    LogStep::Write => self.heard.write_failed = true,
                    LogStep::Sync => {
                        self.heard.sync_failed = true;
                    }
                }
            }
            DiskNews::LogOpened(outcome) => self.heard.has_failed |= outcome.is_err(),
            DiskNews::FilesDone { id, outcome } => {
                self.heard.has_failed |= outcome.is_err();
                if self.heard.naming.take_if(|job| job == id).is_some() && outcome.is_ok() {
                    self.base_is_named(world);
                } else if outcome.is_err() && !self.config.appendonly {
                    // There will be none.
                    self.heard.building.take_if(|building| building.job == *id);
                }
            }
            DiskNews::SaveWritten { .. }
            | DiskNews::Listed(_)
            | DiskNews::Running(_)
            | DiskNews::LoadOpened(_)
            | DiskNews::LoadPiece(_)
            | DiskNews::ShipOpened { .. }
            | DiskNews::ShipPiece { .. } => {}
            DiskNews::LogClosed => {
                self.heard.write_failed = false;
                self.heard.sync_failed = false;
            }
        }
        // Refused once, writes may be refused until the node has seen that all is well again.
        world.checker.log_is_faulty |= self.heard.has_failed;
        Ok(())
    }

    /// A snapshot is in its place.
    fn snapshot_is_there(&mut self, id: u64, world: &mut World<'_>) -> Check {
        let Some((name, number)) = self.disk.last_saved() else { return Ok(()) };
        let file = self.disk.read(&name).unwrap_or_default();
        if file.starts_with(b"REDIS") && self.pictures.compare(id, file)? {
            world.trace.reached.snapshots += 1;
        }
        if name != self.config.dbfilename {
            let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
            self.heard.base = Some((name, number));
        } else if let Some(chronicle) = &mut world.checker.chronicle {
            chronicle.snapshot_is_saved(number);
        }
        Ok(())
    }

    /// A log was written anew.
    fn base_is_named(&mut self, world: &mut World<'_>) {
        let base = self.heard.base.take();
        if let (Some(chronicle), Some((_, number))) = (&mut world.checker.chronicle, base) {
            chronicle.has_base(number);
        }
        self.heard.sync_failed = false;
        self.heard.building = None;
        self.disk.forget_old_log();
        self.log_is_there(world);
        world.trace.reached.rewrites += 1;
    }
}

/// The file that a step writes anew.
fn replaced(step: &FileStep) -> Option<&str> {
    match step {
        FileStep::Replace { name, .. } => Some(name),
        FileStep::MakeDir { .. }
        | FileStep::Rename { .. }
        | FileStep::Remove { .. }
        | FileStep::Cut { .. } => None,
    }
}

/// Whether a step writes a list of files that names this one and an increment: without one there
/// is no log.
fn names(step: &FileStep, file: &str) -> bool {
    match step {
        FileStep::Replace { bytes, .. } => {
            let has = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
            has(file) && has(" type i")
        }
        FileStep::MakeDir { .. }
        | FileStep::Rename { .. }
        | FileStep::Remove { .. }
        | FileStep::Cut { .. } => false,
    }
}

/// Puts an action on record.
fn note(action: &Action, world: &mut World<'_>) {
    world.trace.note(world.clock.now(), Event::Wished { action: wish_text(action) });
}

/// An action for the record; settings, and what is in files, are too long to be shown.
pub(crate) fn wish_text(action: &Action) -> String {
    match action {
        Action::Apply { conn, .. } => format!("Apply for {conn:?}"),
        Action::RewriteConfig { conn, .. } => format!("RewriteConfig for {conn:?}"),
        Action::Log { text, .. } => text.clone(),
        Action::Send { conn, bytes, batch } => {
            format!("Send {} to {conn:?} after batch {batch}", shown(bytes))
        }
        Action::Disk(DiskWish::SaveWrite(bytes)) => format!("SaveWrite {}", shown(bytes)),
        Action::Disk(DiskWish::LogAppend { batch, bytes, sync }) => {
            format!("LogAppend {batch} {} sync {sync}", shown(bytes))
        }
        Action::Close(_)
        | Action::Resume(_)
        | Action::Measure
        | Action::PurgeMemory
        | Action::Sleep { .. }
        | Action::Disk(_)
        | Action::Release { .. }
        | Action::Connect { .. }
        | Action::GiveUpConnect { .. }
        | Action::Feed(_)
        | Action::Role { .. }
        | Action::Ready
        | Action::Exit(_) => format!("{action:?}"),
    }
}

/// News for the record, without what is in files.
fn text_of(news: &DiskNews) -> String {
    match news {
        DiskNews::LoadPiece(Ok(bytes)) => format!("LoadPiece of {} bytes", bytes.len()),
        DiskNews::ShipPiece { ship, outcome: Ok(bytes) } => {
            format!("ShipPiece {ship} of {} bytes", bytes.len())
        }
        DiskNews::LoadPiece(Err(_))
        | DiskNews::ShipPiece { outcome: Err(_), .. }
        | DiskNews::ShipOpened { .. }
        | DiskNews::SaveWritten { .. }
        | DiskNews::SaveDone { .. }
        | DiskNews::FilesDone { .. }
        | DiskNews::Listed(_)
        | DiskNews::Running(_)
        | DiskNews::LoadOpened(_)
        | DiskNews::LogOpened(_)
        | DiskNews::LogWritten { .. }
        | DiskNews::LogSynced { .. }
        | DiskNews::LogFailed { .. }
        | DiskNews::LogClosed => format!("{news:?}"),
    }
}
