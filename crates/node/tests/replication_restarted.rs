//! A replica that starts from what it has on disk, and what clients of one may do.

mod driver;

use driver::World;
use driver::link::{ID, copy, files, linked, restarted};
use driver::logged::keys;
use vesta_config::Config;

#[test]
fn a_replica_that_starts_from_a_snapshot_goes_on_where_that_ends() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    let length = world.stream(link, &["SELECT 5", "SET b 2", "PING"]);
    world.send(client, b"SAVE\r\n");
    world.advance(500);
    let files = files(&world);
    let mut world = restarted(Config::default(), files);
    let (link, asked) = world.greet();
    assert_eq!(asked, format!("PSYNC {ID} {}", 101 + length));
    world.send(link, b"+CONTINUE\r\n");
    world.stream(link, &["SET c 3"]);
    assert_eq!(keys(&mut world, 5), "b=\"2\" c=\"3\"");
}

#[test]
fn a_replica_that_starts_from_its_log_goes_on_where_that_ends() {
    let config = || Config { appendonly: true, ..Config::default() };
    let (mut world, _, link) = {
        let mut world = World::new(config());
        world.dials.answers = true;
        world.node.load_at_start(world.now);
        world.advance(300);
        let client = world.connect().unwrap();
        world.ask(client, &["SET", "mine", "1"]);
        world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]);
        let (link, _) = world.greet();
        copy(&mut world, link, &["SET a 1"], 100);
        (world, client, link)
    };
    world.advance(1000);
    world.heard(link);
    let mut length = world.stream(link, &["SELECT 5", "SET b 2", "MULTI", "SET c 3", "EXEC"]);
    length += world.stream(link, &["PUBLISH c x", "PING", "REPLCONF GETACK *"]);
    world.advance(2500);
    let acked = world.heard(link).pop().unwrap();
    assert_eq!(acked, format!("REPLCONF ACK {0} FACK {0}", 100 + length));
    let files = files(&world);
    let mut world = restarted(config(), files);
    assert_eq!(keys(&mut world, 0), "a=\"1\"", "{:#?}", world.log);
    let (link, asked) = world.greet();
    assert_eq!(asked, format!("PSYNC {ID} {}", 101 + length));
    world.send(link, b"+CONTINUE\r\n");
    world.stream(link, &["SET d 4"]);
    assert_eq!(keys(&mut world, 5), "b=\"2\" c=\"3\" d=\"4\"");
}

#[test]
fn the_old_log_stays_until_there_is_one_of_the_new_data() {
    let mut world = World::new(Config { appendonly: true, ..Config::default() });
    world.dials.answers = true;
    world.node.load_at_start(world.now);
    world.advance(300);
    let client = world.connect().unwrap();
    world.ask(client, &["SET", "mine", "1"]);
    world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]);
    world.disk.holds_jobs = true;
    let (link, _) = world.greet();
    copy(&mut world, link, &["SET a 1"], 100);
    world.stream(link, &["SELECT 0", "SET b 2"]);
    world.advance(100);
    assert_eq!(keys(&mut world, 0), "a=\"1\" b=\"2\"");
    let mut again = restarted(Config { appendonly: true, ..Config::default() }, files(&world));
    assert_eq!(keys(&mut again, 0), "mine=\"1\"");
    assert!(!again.greet().1.contains(ID));
}

#[test]
fn what_clients_of_a_replica_write_is_kept_and_told_nobody() {
    let config = Config { appendonly: true, replica_read_only: false, ..Config::default() };
    let mut world = World::new(config.clone());
    world.dials.answers = true;
    world.node.load_at_start(world.now);
    world.advance(300);
    let client = world.connect().unwrap();
    world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]);
    let (link, _) = world.greet();
    copy(&mut world, link, &["SET a 1"], 100);
    world.advance(1000);
    world.node.keep_stream();
    world.node.take_stream();
    let mut length = world.stream(link, &["SELECT 5", "SET b 2"]);
    assert_eq!(world.ask(client, &["SET", "own", "1"]), "+OK\r\n");
    assert_eq!(world.info(client, "slave_repl_offset"), (100 + length).to_string());
    length += world.stream(link, &["SET c 3"]);
    assert_eq!(world.node.take_stream().len() as u64, length);
    world.advance(1000);
    let mut world = restarted(config, files(&world));
    assert_eq!(keys(&mut world, 0), "a=\"1\" own=\"1\"");
    assert_eq!(keys(&mut world, 5), "b=\"2\" c=\"3\"");
    assert_eq!(world.greet().1, format!("PSYNC {ID} {}", 101 + length));
}
