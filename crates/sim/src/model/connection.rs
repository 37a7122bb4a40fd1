//! Commands about the connection, other connections and the server.

use vesta_config::AppendFsync;
use vesta_types::Mono;

use super::keys::select;
use super::{Answer, Ask, Kind, Known, LogSetting, Pause, Reply, integer, syntax_error};

pub(super) const COMMANDS: &[Known] = &[
    Known { name: "ping", words: (1, 2), kind: Kind::Plain, run: ping },
    Known { name: "echo", words: (2, 2), kind: Kind::Plain, run: echo },
    Known { name: "select", words: (2, 2), kind: Kind::Plain, run: select },
    Known { name: "quit", words: (1, 0), kind: Kind::Free, run: quit },
    Known { name: "reset", words: (1, 1), kind: Kind::Free, run: reset },
    Known { name: "hello", words: (1, 0), kind: Kind::Free, run: hello },
    Known { name: "client|id", words: (2, 2), kind: Kind::Plain, run: id },
    Known { name: "client|getname", words: (2, 2), kind: Kind::Plain, run: getname },
    Known { name: "client|setname", words: (3, 3), kind: Kind::Plain, run: setname },
    Known { name: "client|no-touch", words: (3, 3), kind: Kind::Plain, run: ok },
    Known { name: "client|no-evict", words: (3, 3), kind: Kind::Plain, run: ok },
    Known { name: "client|reply", words: (3, 3), kind: Kind::Plain, run: reply },
    Known { name: "client|pause", words: (3, 0), kind: Kind::Plain, run: pause },
    Known { name: "client|unpause", words: (2, 2), kind: Kind::Plain, run: unpause },
    Known { name: "client|kill", words: (3, 0), kind: Kind::Plain, run: kill },
    Known { name: "client|unblock", words: (3, 4), kind: Kind::Plain, run: unblock },
    Known { name: "config|set", words: (4, 0), kind: Kind::Plain, run: config_set },
    Known { name: "debug", words: (2, 0), kind: Kind::Plain, run: debug },
    Known { name: "bgsave", words: (1, 2), kind: Kind::Plain, run: bgsave },
    Known { name: "bgrewriteaof", words: (1, 1), kind: Kind::Plain, run: bgrewriteaof },
    Known { name: "info", words: (1, 0), kind: Kind::Plain, run: info },
];

/// A client as the server knows it.
#[derive(Debug)]
pub(crate) struct Session {
    id: u64,
    addr: String,
    pub(crate) db: usize,
    pub(crate) proto: u8,
    pub(super) replies: Replies,
    name: Vec<u8>,
    /// Nothing more is executed for it.
    pub(crate) closing: bool,
    /// Bytes the server was given and has not executed.
    pub(crate) input: Vec<u8>,
    /// The reply that comes when an action is finished.
    pub(crate) awaits: Option<Reply>,
    /// Since when its pending replies exceed the soft limit.
    pub(crate) soft_since: Option<Mono>,
}

/// Which replies a client wants.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Replies {
    #[default]
    On,
    Off,
    /// SKIP was the last request.
    SkipNext,
    /// SKIP was the request before.
    SkipThis,
}

impl Replies {
    /// At the start of the next request.
    pub(super) fn next(self) -> Self {
        match self {
            Self::SkipNext => Self::SkipThis,
            Self::SkipThis => Self::On,
            Self::On | Self::Off => self,
        }
    }
}

impl Session {
    pub(super) fn new(id: u64, addr: &str) -> Self {
        Self {
            id,
            addr: addr.to_owned(),
            db: 0,
            proto: 2,
            replies: Replies::On,
            name: Vec::new(),
            closing: false,
            input: Vec::new(),
            awaits: None,
            soft_since: None,
        }
    }

    /// Whether too many replies have been pending for more than `seconds`.
    pub(crate) fn is_too_slow(&self, now: Mono, seconds: u64) -> bool {
        self.soft_since.is_some_and(|since| now.since_us(since) > seconds * 1_000_000)
    }
}

const OK: Answer = Ok(Reply::Simple("OK"));

fn ok(_: &mut Ask<'_>) -> Answer {
    OK
}

fn ping(ask: &mut Ask<'_>) -> Answer {
    if ask.words.len() == 1 { Ok(Reply::Simple("PONG")) } else { echo(ask) }
}

fn echo(ask: &mut Ask<'_>) -> Answer {
    Ok(Reply::Bulk(ask.bytes(1)))
}

fn quit(ask: &mut Ask<'_>) -> Answer {
    ask.session()?.closing = true;
    OK
}

fn reset(ask: &mut Ask<'_>) -> Answer {
    let session = ask.session()?;
    session.db = 0;
    session.proto = 2;
    session.name.clear();
    session.replies = match session.replies {
        Replies::SkipThis => Replies::SkipThis,
        Replies::On | Replies::Off | Replies::SkipNext => Replies::On,
    };
    Ok(Reply::Simple("RESET"))
}

fn hello(ask: &mut Ask<'_>) -> Answer {
    let proto = match ask.words.len() {
        1 => ask.session()?.proto,
        _ if ask.word(1) == b"2" => 2,
        _ if ask.word(1) == b"3" => 3,
        _ if integer(ask.word(1)).is_some() => {
            return Err("NOPROTO unsupported protocol version".to_owned());
        }
        _ => {
            return Err("ERR Protocol version is not an integer or out of range".to_owned());
        }
    };
    if ask.words.len() > 2 {
        let option = String::from_utf8_lossy(ask.word(2)).into_owned();
        return Err(format!("ERR Syntax error in HELLO option '{option}'"));
    }
    let session = ask.session()?;
    session.proto = proto;
    let id = i64::try_from(session.id).unwrap_or(i64::MAX);
    let pairs = [
        ("server", Reply::bulk("redis")),
        ("version", Reply::bulk(vesta_node::REDIS_VERSION)),
        ("proto", Reply::Int(proto.into())),
        ("id", Reply::Int(id)),
        ("mode", Reply::bulk("standalone")),
        ("role", Reply::bulk("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Ok(Reply::Map(pairs.into_iter().map(|(key, value)| (Reply::bulk(key), value)).collect()))
}

fn id(ask: &mut Ask<'_>) -> Answer {
    Ok(Reply::Int(i64::try_from(ask.session()?.id).unwrap_or(i64::MAX)))
}

fn getname(ask: &mut Ask<'_>) -> Answer {
    let name = &ask.session()?.name;
    Ok(if name.is_empty() { Reply::Null } else { Reply::Bulk(name.as_slice().into()) })
}

fn setname(ask: &mut Ask<'_>) -> Answer {
    let name = ask.word(2).to_vec();
    ask.session()?.name = name;
    OK
}

fn reply(ask: &mut Ask<'_>) -> Answer {
    let wanted = match () {
        () if ask.is(2, "on") => Replies::On,
        () if ask.is(2, "off") => Replies::Off,
        () if ask.is(2, "skip") => Replies::SkipNext,
        () => return Err(syntax_error()),
    };
    let session = ask.session()?;
    if wanted != Replies::SkipNext || session.replies != Replies::Off {
        session.replies = wanted;
    }
    OK
}

fn pause(ask: &mut Ask<'_>) -> Answer {
    let all = !ask.is(3, "write");
    let ms = u64::try_from(ask.number(2)?).unwrap_or(0);
    let (now, until) = (ask.now.mono, ask.now.mono.plus_ms(ms));
    let pause = match ask.model.pause.filter(|pause| pause.until > now) {
        Some(old) => Pause { until: old.until.max(until), all: all || old.all },
        None => Pause { until, all },
    };
    let had_one = ask.model.pause.is_some();
    ask.model.pause = Some(pause).filter(|pause| pause.until > now);
    if had_one && ask.model.pause.is_none() {
        ask.model.data.touch_all();
    }
    OK
}

fn unpause(ask: &mut Ask<'_>) -> Answer {
    if ask.model.pause.take().is_some() {
        ask.model.data.touch_all();
    }
    OK
}

/// `CLIENT UNBLOCK id [TIMEOUT | ERROR]`
fn unblock(ask: &mut Ask<'_>) -> Answer {
    let id = ask.number(2)?;
    let reply = if ask.words.len() == 3 || ask.is(3, "timeout") {
        Reply::NullArray
    } else if ask.is(3, "error") {
        Reply::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".to_owned())
    } else {
        return Err("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR".to_owned());
    };
    let sessions = &ask.model.sessions;
    let meant =
        ask.model.waiters.iter().map(|waiter| waiter.link).find(|link| {
            sessions.get(link).is_some_and(|session| i64::try_from(session.id) == Ok(id))
        });
    let Some(link) = meant else { return Ok(Reply::Int(0)) };
    ask.model.answer(link, reply)?;
    Ok(Reply::Int(1))
}

/// By address in the old form; by ID, ADDR or TYPE, with SKIPME, in the new one.
fn kill(ask: &mut Ask<'_>) -> Answer {
    let link = ask.link;
    if ask.words.len() == 3 {
        let addr = String::from_utf8_lossy(ask.word(2)).into_owned();
        let killed = kill_all(ask, |_, session| session.addr == addr);
        return if killed == 0 { Err("ERR No such client".to_owned()) } else { OK };
    }
    let value = String::from_utf8_lossy(ask.word(3)).into_owned();
    let skip_me = !(ask.is(4, "skipme") && ask.is(5, "no"));
    let filter: fn(&Session, &str) -> bool = match () {
        () if ask.is(2, "id") => |session, value| session.id.to_string() == value,
        () if ask.is(2, "addr") => |session, value| session.addr == value,
        () if ask.is(2, "type") => |_, value| value == "normal",
        () => return Err(syntax_error()),
    };
    let killed =
        kill_all(ask, |other, session| !(skip_me && other == link) && filter(session, &value));
    Ok(Reply::Int(killed))
}

fn kill_all(ask: &mut Ask<'_>, meant: impl Fn(usize, &Session) -> bool) -> i64 {
    let mut killed = 0;
    for (other, session) in &mut ask.model.sessions {
        if !session.closing && meant(*other, session) {
            session.closing = true;
            killed += 1;
        }
    }
    ask.model.dismiss_the_killed();
    killed
}

/// The options that clients set here; `maxclients` is brought into force by the rim.
fn config_set(ask: &mut Ask<'_>) -> Answer {
    let name = String::from_utf8_lossy(ask.word(2)).to_ascii_lowercase();
    let value = String::from_utf8_lossy(ask.word(3)).into_owned();
    let number = || value.parse::<u64>().unwrap_or(0);
    let settings = &mut ask.model.settings;
    match name.as_str() {
        "maxmemory" => settings.maxmemory_bytes = number(),
        "maxmemory-policy" => settings.policy = value,
        "lazyfree-lazy-expire" => settings.lazy_expire = value == "yes",
        "client-output-buffer-limit" => {
            let mut words = value.split(' ').skip(1).map(|word| word.parse().unwrap_or(0));
            settings.output_limit = [(); 3].map(|()| words.next().unwrap_or(0));
        }
        "maxclients" => {
            let wanted = usize::try_from(number()).unwrap_or(usize::MAX);
            if wanted != settings.maxclients {
                ask.model.applying.push_back(wanted);
                return Ok(Reply::Later(Box::new(Reply::Simple("OK"))));
            }
        }
        "appendonly" => {
            settings.log.push(if value == "yes" { LogSetting::On } else { LogSetting::Off });
            return Ok(Reply::NowOrLater(&[
                "+OK",
                "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to \
                 turn on AOF. Check server logs.",
                "-ERR The rewrite of the AOF was given up.",
            ]));
        }
        "appendfsync" => settings.log.push(LogSetting::Sync(match value.as_str() {
            "always" => AppendFsync::Always,
            "everysec" => AppendFsync::Everysec,
            _ => AppendFsync::No,
        })),
        "no-such-option" => {
            return Err(format!(
                "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
            ));
        }
        // Without any effect on replies.
        _ => {}
    }
    OK
}

fn debug(ask: &mut Ask<'_>) -> Answer {
    if ask.is(1, "set-active-expire") {
        ask.model.settings.active_expire = ask.word(2) == b"1";
    }
    if ask.is(1, "sleep") {
        return Ok(Reply::Later(Box::new(Reply::Simple("OK"))));
    }
    OK
}

/// What it says depends on what is being saved.
fn bgsave(_: &mut Ask<'_>) -> Answer {
    Ok(Reply::NowOrLater(&[
        "+Background saving started",
        "+Background saving scheduled",
        "-ERR Background save already in progress",
        "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE \
         in order to schedule a BGSAVE whenever possible.",
    ]))
}

/// So does this.
fn bgrewriteaof(_: &mut Ask<'_>) -> Answer {
    Ok(Reply::NowOrLater(&[
        "+Background append only file rewriting started",
        "+Background append only file rewriting scheduled",
        "-ERR Background append only file rewriting already in progress",
        "-ERR Can't execute an AOF background rewriting. Please check the server logs for more \
         information.",
        "-ERR The rewrite of the AOF was given up.",
    ]))
}

fn info(ask: &mut Ask<'_>) -> Answer {
    let data = &ask.model.data;
    let sizes = (0..data.databases()).map(|db| (db, data.size(db)));
    Ok(Reply::Keyspace(
        sizes
            .filter(|(_, (keys, _))| *keys > 0)
            .map(|(db, (keys, expiring))| (db, keys, expiring))
            .collect(),
    ))
}
