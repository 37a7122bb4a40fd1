//! What a link does, told as a talk.

use super::*;
use alloc::string::String;
use proptest::prelude::*;
use vesta_types::{Rng, Unix};

/// A link and a clock, for tests that read as a talk.
struct Situation {
    link: Link,
    now: Now,
}

fn id(seed: u64) -> ReplId {
    ReplId::random(&mut Rng::new(seed))
}

fn hello(from: Option<(ReplId, u64)>) -> Hello {
    Hello {
        credentials: None,
        port: 6380,
        address: None,
        version: "7.2.4",
        from,
        hands_over: false,
    }
}

impl Situation {
    fn new() -> Self {
        let mut link = Link::default();
        link.set_silence(60_000);
        Self { link, now: Now { mono: Mono(1_000_000), unix: Unix(0) } }
    }

    fn after_ms(&mut self, ms: u64) -> &mut Self {
        self.now.mono = self.now.mono.plus_ms(ms);
        self.link.handle(self.now, Event::Tick);
        self
    }

    fn hear(&mut self, event: Event) -> &mut Self {
        self.link.handle(self.now, event);
        self
    }

    fn said(&mut self, text: &str) -> &mut Self {
        assert_eq!(self.link.talk(self.now, text.as_bytes()), text.len(), "{text:?}");
        self
    }

    /// What the link wants, without lines for the log; what it sends, as words.
    fn wants(&mut self) -> Vec<String> {
        let mut wants = Vec::new();
        while let Some(action) = self.link.poll_action() {
            match action {
                Action::Tell(..) => {}
                Action::Send(bytes) => wants.extend(words(&bytes)),
                other @ (Action::Connect { .. }
                | Action::GiveUp { .. }
                | Action::HangUp
                | Action::Copy(_)
                | Action::Resume(_)
                | Action::Acknowledge
                | Action::NotTakenOver(_)) => wants.push(format!("{other:?}")),
            }
        }
        wants
    }

    /// What it logs.
    fn logs(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(action) = self.link.poll_action() {
            if let Action::Tell(_, line) = action {
                lines.push(line);
            }
        }
        lines
    }

    /// As far as PSYNC.
    fn talked(&mut self, hello: Hello) -> &mut Self {
        self.link.follow(self.now);
        self.hear(Event::Connected(Box::new(hello))).said("+PONG\r\n+OK\r\n+OK\r\n-ERR no\r\n");
        self.wants();
        self
    }

    fn streams(&mut self) -> &mut Self {
        self.talked(hello(Some((id(1), 100)))).said("+CONTINUE\r\n");
        self.wants();
        self
    }
}

/// Requests as lines of words.
fn words(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if !text.starts_with('*') {
        return vec![text];
    }
    let requests = text.split('*').filter(|request| !request.is_empty());
    let words = requests.map(|request| {
        let lines = request.split("\r\n").skip(1).collect::<Vec<_>>();
        let words: Vec<_> = lines.chunks(2).filter_map(|pair| pair.get(1).copied()).collect();
        words.join(" ")
    });
    words.collect()
}

#[test]
fn the_talk_goes_as_a_real_replica_leads_it() {
    let mut at = Situation::new();
    at.link.follow(at.now);
    assert_eq!(at.wants(), ["Connect { attempt: 1 }"]);
    let hello = Hello {
        credentials: Some((Some("bob".into()), b"pw".to_vec())),
        address: Some("1.2.3.4".into()),
        ..hello(Some((id(1), 41)))
    };
    at.hear(Event::Connected(Box::new(hello)));
    assert_eq!(at.wants(), ["PING"]);
    at.said("-NOAUTH Authentication required.\r\n");
    let introduction = [
        "AUTH bob pw",
        "REPLCONF listening-port 6380",
        "REPLCONF ip-address 1.2.3.4",
        "REPLCONF capa eof capa psync2",
        "REPLCONF version 7.2.4",
    ];
    assert_eq!(at.wants(), introduction);
    at.said("+OK\r\n-ERR what port\r\n+OK\r\n-ERR what capa\r\n");
    assert_eq!(at.wants(), [""; 0]);
    at.said("-ERR Unrecognized REPLCONF option: version\r\n");
    assert_eq!(at.wants(), [format!("PSYNC {} 42", id(1))]);
    at.said("\n\n\n").said("+CONTINUE\r\n");
    assert_eq!(at.wants(), ["Resume(None)", "Acknowledge"]);
    assert_eq!(at.link.phase(), Phase::Streaming);
}

#[test]
fn who_has_nothing_asks_for_everything() {
    let mut at = Situation::new();
    at.link.follow(at.now);
    at.hear(Event::Connected(Box::new(hello(None)))).said("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n");
    assert_eq!(at.wants().last().map(String::as_str), Some("PSYNC ? -1"));
    let rest = format!("+FULLRESYNC {} 77\r\n$5\r\n", id(2));
    assert_eq!(at.link.talk(at.now, rest.as_bytes()), rest.len() - 4, "the rest is no talk");
    assert_eq!(at.wants(), [format!("Copy(Some(({:?}, 77)))", id(2))]);
    assert_eq!(at.link.phase(), Phase::Receiving);
}

#[test]
fn a_snapshot_is_received_between_the_talk_and_the_stream() {
    let mut at = Situation::new();
    at.talked(hello(None)).said(&format!("+FULLRESYNC {} 77\r\n", id(2)));
    at.wants();
    let mut snapshot = Vec::new();
    let piece = at.link.receive(at.now, b"\n\n$5\r\nRED", |bytes| snapshot.extend(bytes));
    assert_eq!(piece, Some(Progress::All));
    let piece = at.link.receive(at.now, b"IS*1\r\n", |bytes| snapshot.extend(bytes));
    assert_eq!((piece, snapshot.as_slice()), (Some(Progress::End(2)), &b"REDIS"[..]));
    assert_eq!(at.link.phase(), Phase::Loading);
    at.after_ms(999);
    assert_eq!(at.wants(), [""; 0]);
    at.after_ms(1);
    assert_eq!(at.wants(), ["\n"], "the primary is to know that we are there");
    at.hear(Event::Loaded);
    assert_eq!(at.wants(), ["Acknowledge"], "it waits for that before the stream");
}

#[test]
fn a_primary_that_cannot_yet_is_asked_again_later() {
    for reply in ["-NOMASTERLINK Can't SYNC", "-LOADING Redis is loading"] {
        let mut at = Situation::new();
        at.talked(hello(Some((id(1), 5)))).said(&format!("{reply}\r\n"));
        assert_eq!(at.wants(), ["HangUp"]);
        at.after_ms(999);
        assert_eq!(at.wants(), [""; 0]);
        at.after_ms(1);
        assert_eq!(at.wants(), ["Connect { attempt: 2 }"]);
    }
}

#[test]
fn a_primary_without_psync_is_asked_with_sync() {
    for reply in ["-ERR unknown command", "+WHAT"] {
        let mut at = Situation::new();
        at.talked(hello(Some((id(1), 5)))).said(&format!("{reply}\r\n"));
        assert_eq!(at.wants(), ["SYNC\r\n", "Copy(None)"]);
    }
}

#[test]
fn a_reply_that_names_no_point_is_not_believed() {
    for rest in ["", " x 5", " 1234", &format!(" {} x", id(1)), &format!(" {} -1", id(1))] {
        let mut at = Situation::new();
        at.talked(hello(None)).said(&format!("+FULLRESYNC{rest}\r\n"));
        assert_eq!(at.wants(), ["HangUp"], "{rest}");
    }
}

#[test]
fn a_primary_that_was_promoted_names_its_history_anew() {
    let mut at = Situation::new();
    at.talked(hello(Some((id(1), 5)))).said(&format!("+CONTINUE {}\r\n", id(2)));
    assert_eq!(at.wants(), [format!("Resume(Some({:?}))", id(2)), "Acknowledge".into()]);
    let mut at = Situation::new();
    at.talked(hello(Some((id(1), 5)))).said(&format!("+CONTINUE {}\r\n", id(1)));
    assert_eq!(at.wants(), ["Resume(None)", "Acknowledge"], "it is the old name");
}

#[test]
fn a_wrong_password_ends_the_attempt() {
    let mut at = Situation::new();
    at.link.follow(at.now);
    let hello = Hello { credentials: Some((None, b"pw".to_vec())), ..hello(None) };
    at.hear(Event::Connected(Box::new(hello))).said("-NOAUTH x\r\n");
    assert_eq!(at.wants()[2], "AUTH pw");
    at.said("-WRONGPASS no\r\n");
    assert_eq!(at.logs(), ["Unable to AUTH to MASTER: -WRONGPASS no"]);
    assert_eq!(at.link.phase(), Phase::Away);
}

#[test]
fn nobody_there_is_tried_every_second() {
    let mut at = Situation::new();
    at.link.follow(at.now);
    for attempt in 1..5 {
        assert_eq!(at.wants(), [format!("Connect {{ attempt: {attempt} }}")]);
        at.hear(Event::NotConnected("Connection refused".into()));
        assert_eq!(at.link.next_deadline(), Mono(0), "there is something to be done");
        assert_eq!(at.logs(), ["Error condition on socket for SYNC: Connection refused"]);
        assert_eq!(at.link.next_deadline(), at.now.mono.plus_ms(1000));
        at.after_ms(1000);
    }
}

#[test]
fn an_attempt_without_an_answer_is_given_up() {
    let mut at = Situation::new();
    at.link.follow(at.now);
    at.after_ms(59_999).wants();
    at.after_ms(1);
    assert_eq!(at.wants(), ["GiveUp { attempt: 1 }"]);
    at.hear(Event::Connected(Box::new(hello(None))));
    assert_eq!(at.wants(), [""; 0], "that is too late");
}

#[test]
fn a_silent_primary_is_dropped_and_redialled() {
    let mut at = Situation::new();
    at.streams();
    at.after_ms(59_000);
    at.link.note_heard(at.now);
    at.after_ms(59_999);
    assert!(!at.wants().contains(&"HangUp".to_string()));
    at.after_ms(1);
    assert_eq!(at.wants(), ["HangUp", "Connect { attempt: 2 }"]);
}

#[test]
fn a_silent_primary_is_dropped_in_every_phase() {
    let mut at = Situation::new();
    at.talked(hello(None)).after_ms(60_000);
    assert_eq!(at.wants(), ["HangUp"]);
    let mut at = Situation::new();
    at.talked(hello(None)).said(&format!("+FULLRESYNC {} 77\r\n", id(2)));
    at.after_ms(30_000);
    assert_eq!(at.link.receive(at.now, b"\n", |_| {}), Some(Progress::All));
    at.after_ms(59_999).wants();
    at.after_ms(1);
    assert_eq!(at.wants(), ["HangUp"]);
}

#[test]
fn a_good_link_that_is_lost_is_made_anew_at_once_and_a_short_one_later() {
    let mut at = Situation::new();
    at.streams().hear(Event::Closed);
    assert_eq!(at.wants(), [""; 0]);
    at.after_ms(1000).wants();
    at.hear(Event::Connected(Box::new(hello(None))));
    at.said("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+CONTINUE\r\n").after_ms(1000).wants();
    at.hear(Event::Closed);
    assert_eq!(at.wants(), ["Connect { attempt: 3 }"]);
}

#[test]
fn a_short_link_that_was_of_use_is_made_anew_at_once() {
    let mut at = Situation::new();
    at.streams().link.note_applied();
    at.hear(Event::Closed);
    assert_eq!(at.wants(), ["Connect { attempt: 2 }"]);
}

#[test]
fn what_is_applied_is_acknowledged_soon_and_else_every_second() {
    let mut at = Situation::new();
    at.streams();
    at.after_ms(10).link.note_applied();
    at.after_ms(89);
    assert_eq!(at.wants(), [""; 0]);
    at.after_ms(1);
    assert_eq!(at.wants(), ["Acknowledge"]);
    at.after_ms(999);
    assert_eq!(at.wants(), [""; 0]);
    at.after_ms(1);
    assert_eq!(at.wants(), ["Acknowledge"]);
    at.link.acknowledge(at.now);
    assert_eq!(at.wants(), ["Acknowledge"], "it was asked for");
}

#[test]
fn a_primary_that_will_not_take_over_is_not_copied() {
    let mut at = Situation::new();
    at.talked(Hello { hands_over: true, ..hello(Some((id(1), 5))) });
    at.said("-ERR not me\r\n");
    assert_eq!(at.wants(), ["NotTakenOver(\"-ERR not me\")", "HangUp"]);
}

#[test]
fn who_stops_following_hangs_up_once() {
    let mut at = Situation::new();
    at.streams();
    at.link.stop();
    at.link.stop();
    assert_eq!(at.wants(), ["HangUp"]);
    at.after_ms(100_000).hear(Event::Closed);
    assert_eq!((at.wants().len(), at.link.next_deadline()), (0, Mono::NEVER));
}

#[test]
fn an_endless_reply_is_dropped() {
    let mut at = Situation::new();
    at.talked(hello(None));
    for _ in 0..100 {
        at.link.talk(at.now, &[b'+'; 100]);
    }
    assert_eq!(at.wants(), ["HangUp"]);
}

/// One thing that can happen to a link.
fn events() -> impl Strategy<Value = (u8, Vec<u8>, u64)> {
    let bytes = prop_oneof![
        Just(b"+PONG\r\n+OK\r\n+OK\r\n+OK\r\n".to_vec()),
        Just(format!("+FULLRESYNC {} 5\r\n", id(3)).into_bytes()),
        Just(b"+CONTINUE\r\n".to_vec()),
        Just(b"$3\r\nabc".to_vec()),
        Just(b"-ERR\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    (0_u8..9, bytes, 0_u64..70_000)
}

proptest! {
    /// Whatever happens, a link that follows somebody has something to wait for, and never both a
    /// connection and an attempt at another one.
    #[test]
    fn a_link_is_never_stuck(events in prop::collection::vec(events(), 1..60)) {
        let mut at = Situation::new();
        at.link.follow(at.now);
        let (mut is_connecting, mut is_connected) = (false, false);
        for (kind, bytes, ms) in events {
            let phase = at.link.phase();
            match kind {
                0 if is_connecting => {
                    at.hear(Event::Connected(Box::new(hello(None))));
                    (is_connecting, is_connected) = (false, true);
                }
                1 if is_connecting => {
                    at.hear(Event::NotConnected("no".into()));
                    is_connecting = false;
                }
                2 if is_connected => {
                    at.hear(Event::Closed);
                    is_connected = false;
                }
                3 if phase == Phase::Loading => {
                    at.hear(Event::Loaded);
                }
                4 => {
                    at.hear(Event::GivenUp);
                }
                5 if phase == Phase::Streaming => {
                    at.link.note_heard(at.now);
                    at.link.note_applied();
                }
                6 | 7 if is_connected => {
                    if phase == Phase::Talking {
                        prop_assert!(at.link.talk(at.now, &bytes) <= bytes.len());
                    } else {
                        at.link.receive(at.now, &bytes, |_| {});
                    }
                }
                _ => {
                    at.after_ms(ms);
                }
            }
            while let Some(action) = at.link.poll_action() {
                match action {
                    Action::Connect { .. } => {
                        prop_assert!(!is_connecting && !is_connected);
                        is_connecting = true;
                    }
                    Action::GiveUp { .. } => {
                        prop_assert!(is_connecting);
                        is_connecting = false;
                    }
                    Action::HangUp => {
                        prop_assert!(is_connected);
                        is_connected = false;
                    }
                    Action::Send(_)
                    | Action::Copy(_)
                    | Action::Resume(_)
                    | Action::Acknowledge => prop_assert!(is_connected),
                    Action::NotTakenOver(_) | Action::Tell(..) => {}
                }
            }
            prop_assert!(at.link.next_deadline() < Mono::NEVER);
        }
    }

    /// The talk does not depend on how its bytes are cut.
    #[test]
    fn replies_may_be_cut_anywhere(step in 1_usize..30) {
        let talk = "+PONG\r\n+OK\r\n\n-ERR\r\n+OK\r\n\n\n+CONTINUE 12\r\n*1\r\n$4\r\nPING\r\n";
        let mut at = Situation::new();
        at.link.follow(at.now);
        at.hear(Event::Connected(Box::new(hello(None))));
        let mut taken = 0;
        while taken < talk.len() && at.link.phase() == Phase::Talking {
            let end = (taken + step).min(talk.len());
            taken += at.link.talk(at.now, &talk.as_bytes()[taken..end]);
        }
        prop_assert_eq!(&talk[taken..], "*1\r\n$4\r\nPING\r\n");
        prop_assert_eq!(at.link.phase(), Phase::Streaming);
    }
}
