//! Real processes: started, killed, started again, told to end.

use std::io::ErrorKind;

use vesta_testkit::process::{Oracle, Signal};

#[test]
fn a_killed_server_starts_again_where_it_was() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed");
        return;
    }
    let mut server = Oracle::start(&[]).unwrap();
    let (address, pid) = (server.address(), server.pid());
    let mut client = server.client().unwrap();
    client.command(&["SET", "k", "v"]).unwrap();
    server.kill().unwrap();
    assert!(!server.is_running());
    assert_eq!(client.command(&["GET", "k"]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    server.restart().unwrap();
    assert_eq!(server.address(), address);
    assert_ne!(server.pid(), pid);
    assert_eq!(server.client().unwrap().command(&["DBSIZE"]).unwrap().int(), Some(0));
    assert_eq!(server.log().matches("Ready to accept connections").count(), 2);
}

#[test]
fn a_server_told_to_end_ends_with_success() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed");
        return;
    }
    let mut server = Oracle::start(&[]).unwrap();
    let dir = server.dir().to_owned();
    server.signal(Signal::Term).unwrap();
    assert!(server.wait_exit().unwrap().success());
    assert!(dir.exists());
    drop(server);
    assert!(!dir.exists());
}

#[test]
fn a_bad_directive_is_told_with_the_log() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed");
        return;
    }
    let error = Oracle::start(&["--no-such-directive".into(), "1".into()]).unwrap_err();
    assert!(error.to_string().contains("no-such-directive"), "{error}");
}
