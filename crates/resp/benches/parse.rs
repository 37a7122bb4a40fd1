//! Framing of a pipeline and encoding of its replies.

use divan::Bencher;
use divan::counter::ItemsCount;
use vesta_resp::{Batch, Inbox, Limits, Outbox, Proto, Reply};

/// Requests of a pipeline.
const REQUESTS: usize = 64;

fn main() {
    divan::main();
}

fn pipeline(request: &str) -> Vec<u8> {
    request.repeat(REQUESTS).into_bytes()
}

fn frame(bencher: Bencher<'_, '_>, request: &str) {
    let input = pipeline(request);
    let (mut inbox, mut batch, limits) = (Inbox::default(), Batch::default(), Limits::default());
    bencher.counter(ItemsCount::new(REQUESTS)).bench_local(|| {
        // A batch holds only so many requests.
        let (mut framed, mut from) = (0, 0);
        while framed < REQUESTS {
            let (_, outcome) = inbox.frame(divan::black_box(&input), from, &limits, &mut batch);
            outcome.expect("the requests are well formed");
            framed += divan::black_box(batch.len());
            from = batch.end();
        }
    });
}

#[divan::bench]
fn frame_get(bencher: Bencher<'_, '_>) {
    frame(bencher, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n");
}

#[divan::bench]
fn frame_set(bencher: Bencher<'_, '_>) {
    frame(bencher, "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$16\r\nval:000000000042\r\n");
}

#[divan::bench]
fn frame_inline(bencher: Bencher<'_, '_>) {
    frame(bencher, "GET key:000000000042\r\n");
}

fn encode(bencher: Bencher<'_, '_>, reply: fn(&mut Reply<'_>)) {
    let mut outbox = Outbox::default();
    bencher.counter(ItemsCount::new(REQUESTS)).bench_local(|| {
        for _ in 0..REQUESTS {
            reply(&mut Reply::new(&mut outbox, Proto::Two));
        }
        let sent = outbox.pending_bytes();
        outbox.advance(sent);
        sent
    });
}

#[divan::bench]
fn encode_ok(bencher: Bencher<'_, '_>) {
    encode(bencher, |reply| reply.ok());
}

#[divan::bench]
fn encode_bulk(bencher: Bencher<'_, '_>) {
    encode(bencher, |reply| reply.bulk(divan::black_box(b"val:000000000042")));
}

#[divan::bench]
fn encode_int(bencher: Bencher<'_, '_>) {
    encode(bencher, |reply| reply.int(divan::black_box(1_234_567)));
}
