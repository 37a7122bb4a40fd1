//! `pipeline get|set COUNT`: executes so many operations, in pipelines, on a node in this process.
//! What runs is deterministic: its instructions can be counted and compared.

use std::process::ExitCode;

use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{ConnId, Meter, Node, Peer, Served, Setup};
use vesta_resp::Conversation;
use vesta_types::{Mono, Now, Unix};

/// Requests sent at once.
const PIPELINE: u32 = 16;
/// Keys that the operations choose from.
const KEYS: u32 = 10_000;
/// Steps from key to key; no common factor with [`KEYS`], so that every key has its turn.
const STRIDE: u32 = 7919;

const NOW: Now = Now { mono: Mono(1_000_000), unix: Unix(1_700_000_000_000_000) };
const CONN: ConnId = ConnId(0);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [operation, count] = args.as_slice() else { return usage() };
    let request = match operation.as_str() {
        "get" => get,
        "set" => set,
        _ => return usage(),
    };
    let Ok(count) = count.parse() else { return usage() };
    let mut node = node();
    run(&mut node, KEYS, set);
    let reply_bytes = run(&mut node, count, request);
    println!("{count} x {operation}: {reply_bytes} bytes of replies");
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: pipeline get|set COUNT");
    ExitCode::FAILURE
}

fn node() -> Node {
    let mut node = Node::new(Setup {
        config: Config::default(),
        process: Process::default(),
        seed: 1,
        now: NOW,
        meter: Meter::still(),
    });
    let (addr, laddr) = ("127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned());
    let peer = Peer { addr, laddr, is_local: true, is_unix: false, fd: -1 };
    node.connect(NOW, CONN, peer).expect("the first client of a node is served");
    node
}

fn get(number: u32) -> String {
    format!("*2\r\n$3\r\nGET\r\n$16\r\nkey:{number:012}\r\n")
}

fn set(number: u32) -> String {
    format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:{number:012}\r\n$16\r\nval:{number:012}\r\n")
}

/// Executes `count` requests; how many bytes the replies had.
fn run(node: &mut Node, count: u32, request: fn(u32) -> String) -> usize {
    // The requests are made before: a few distinct pipelines, sent again and again.
    let key = |index: u32| index * STRIDE % KEYS;
    let pipelines: Vec<String> = (0..KEYS / PIPELINE)
        .map(|at| (0..PIPELINE).map(|step| request(key(at * PIPELINE + step))).collect())
        .collect();
    let mut conversation = Conversation::default();
    let mut reply_bytes = 0;
    for pipeline in pipelines.iter().cycle().take((count / PIPELINE) as usize) {
        let served = node.serve(NOW, CONN, &mut conversation, pipeline.as_bytes());
        assert_eq!(served, Served::Idle, "a short pipeline is executed at once");
        let sent = conversation.outbox.pending_bytes();
        conversation.outbox.advance(sent);
        reply_bytes += sent;
    }
    reply_bytes
}
