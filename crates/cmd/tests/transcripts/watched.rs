//! Which commands modify a watched key. Source: each line was tried on redis-server 7.0.15 with
//! WATCH, the command from another client, and EXEC.

use crate::harness::{Harness, Session};
use vesta_config::Config;
use vesta_types::DbIndex;

/// Whether `line` modifies the key `k` after the commands of `before`, each with words between
/// blanks.
fn modifies(before: &[&str], line: &str) -> bool {
    let (mut harness, mut session) = (Harness::new(Config::default()), Session::default());
    let mut ask = |harness: &mut Harness, line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = harness.ask(&mut session, &words).expect("handlers know it");
        assert!(reply.error().is_none(), "{line}: {reply}");
    };
    before.iter().for_each(|line| ask(&mut harness, line));
    harness.store.watch(DbIndex::ZERO, b"k");
    ask(&mut harness, line);
    harness.store.has_modified()
}

#[test]
fn a_watched_key_is_modified_by_what_changes_it() {
    let string = &["SET k v"][..];
    let list = &["RPUSH k a b c"][..];
    let set = &["SADD k a b", "SADD l c"][..];
    let hash = &["HSET k a 1"][..];
    let zset = &["ZADD k 1 a 2 b"][..];
    for (before, lines) in [
        (&[][..], &["SET k v", "RPUSH k a", "XADD k * a b", "PFADD k a", "SETBIT k 1 0"][..]),
        (&[], &["SADD k a", "HSET k a b", "ZADD k 1 a", "INCR k", "XGROUP CREATE k g $ MKSTREAM"]),
        (string, &["SET k v", "DEL k", "APPEND k x", "EXPIRE k 100", "EXPIRE k -1", "RENAME k l"]),
        (string, &["MOVE k 1", "FLUSHDB", "FLUSHALL", "SWAPDB 0 1", "GETDEL k", "GETEX k EX 9"]),
        (&["SET l v"], &["RENAME l k", "COPY l k", "RENAMENX l k"]),
        (&["SET k v EX 9"], &["PERSIST k", "GETEX k PERSIST"]),
        (
            list,
            &[
                "LPOP k",
                "LTRIM k 0 -1",
                "LMOVE k k LEFT RIGHT",
                "LSET k 0 z",
                "SORT k ALPHA STORE k",
            ],
        ),
        (&["RPUSH l a"], &["RPOPLPUSH l k", "SORT l ALPHA STORE k", "LMOVE l k LEFT LEFT"]),
        (set, &["SREM k a", "SPOP k", "SMOVE l k c", "SINTERSTORE k l l", "SDIFFSTORE k l l"]),
        (hash, &["HDEL k a", "HINCRBY k a 0", "HSET k a 1"]),
        (zset, &["ZADD k 3 a", "ZREM k a", "ZINCRBY k 1 a", "ZREMRANGEBYRANK k 0 0"]),
        (&["PFADD k a"], &["PFCOUNT k", "PFMERGE k k"]),
        (&["XADD k 1-1 a b"], &["XDEL k 1-1", "XTRIM k MAXLEN 0", "XADD k * a b"]),
    ] {
        for line in lines {
            assert!(modifies(before, line), "{before:?}, {line}");
        }
    }
}

#[test]
fn a_watched_key_is_not_modified_by_what_leaves_it() {
    let string = &["SET k v"][..];
    let set = &["SADD k a"][..];
    let stream = &["XADD k 1-1 a b", "XGROUP CREATE k g 0"][..];
    for (before, lines) in [
        (&[][..], &["DEL k", "GET k", "EXPIRE k 9", "FLUSHALL", "SWAPDB 0 1", "LPUSHX k a"][..]),
        (&["SET l v"], &["DEL l", "APPEND l v", "COPY l m"]),
        (string, &["SETNX k v", "SET k v NX"]),
        (string, &["EXPIRE k 9 XX", "PERSIST k", "GETEX k", "STRLEN k", "COPY k l", "TOUCH k"]),
        (string, &["RENAME k k", "GETRANGE k 0 1", "SWAPDB 1 2", "SETRANGE k 0 "]),
        (set, &["SADD k a", "SREM k z", "SMOVE k k a", "SMEMBERS k", "SPOP k 0"]),
        (&["HSET k a 1"], &["HSETNX k a 2", "HDEL k z", "HGETALL k"]),
        (&["ZADD k 1 a"], &["ZADD k 1 a", "ZADD k NX 2 a", "ZREM k z", "ZINCRBY k 0 a"]),
        (&["RPUSH k a"], &["LREM k 0 z", "LPOP k 0", "LRANGE k 0 1", "LINSERT k BEFORE z a"]),
        (&["PFADD k a", "PFCOUNT k"], &["PFCOUNT k", "PFADD k a"]),
        (stream, &["XSETID k 9-1", "XGROUP CREATE k h 0", "XGROUP SETID k g 0"]),
        (stream, &["XREADGROUP GROUP g c STREAMS k >", "XGROUP DESTROY k g", "XACK k g 1-1"]),
        (stream, &["XGROUP CREATECONSUMER k g c", "XAUTOCLAIM k g c 0 0", "XDEL k 8-1"]),
        (&["SETBIT k 1 1"], &["SETBIT k 1 1", "GETBIT k 1", "BITOP AND l m n"]),
    ] {
        for line in lines {
            assert!(!modifies(before, line), "{before:?}, {line}");
        }
    }
}
