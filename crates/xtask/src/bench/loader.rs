//! Filling a server through one pipelined connection.

use std::io;
use std::time::{Duration, Instant};

use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Server;

/// Requests sent before their replies are read.
const BATCH: usize = 200;

/// A connection that forgives long pauses.
pub(super) fn client(server: &Server) -> io::Result<Client> {
    let mut client = server.client()?;
    client.set_patience(Duration::from_secs(120));
    Ok(client)
}

/// Sends every request, pipelined; an error reply is an error.
pub(super) fn send_all(
    client: &mut Client,
    requests: impl IntoIterator<Item = Vec<u8>>,
) -> io::Result<()> {
    send_in_batches(client, requests, BATCH, |_| ())
}

/// Sends requests, so many before their replies are read; `answered` hears after each batch how
/// long it took. An error reply is an error.
pub(super) fn send_in_batches(
    client: &mut Client,
    requests: impl IntoIterator<Item = Vec<u8>>,
    pipeline: usize,
    mut answered: impl FnMut(Duration),
) -> io::Result<()> {
    let mut requests = requests.into_iter().peekable();
    while requests.peek().is_some() {
        let batch: Vec<Vec<u8>> = requests.by_ref().take(pipeline).collect();
        let bytes = batch.concat();
        let sent_at = Instant::now();
        client.send_raw(&bytes)?;
        for _ in &batch {
            let reply = client.reply()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if let Some(text) = reply.error() {
                return Err(io::Error::other(String::from_utf8_lossy(text).into_owned()));
            }
        }
        answered(sent_at.elapsed());
    }
    Ok(())
}

/// `SET` of a 16-byte key and a 16-byte value, with more arguments.
pub(super) fn set_16_16(number: usize, more: &[&str]) -> Vec<u8> {
    let (key, value) = (format!("key:{number:012}"), format!("val:{number:012}"));
    let words = ["SET", &key, &value];
    encode(&words.iter().chain(more).collect::<Vec<_>>())
}

/// Empties the server.
pub(super) fn flush(client: &mut Client) -> io::Result<()> {
    send_all(client, [encode(&["FLUSHALL"])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_16_bytes() {
        let sent = set_16_16(7, &["EX", "100"]);
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "*5\r\n$3\r\nSET\r\n$16\r\nkey:000000000007\r\n$16\r\nval:000000000007\r\n\
             $2\r\nEX\r\n$3\r\n100\r\n"
        );
    }
}
