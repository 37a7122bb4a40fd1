//! Finding a command by the bytes of its name.

use divan::Bencher;
use vesta_cmd::Commands;

fn main() {
    divan::main();
}

fn find(bencher: Bencher<'_, '_>, name: &[u8], second: Option<&[u8]>) {
    let commands = Commands::new(&[]).expect("nothing is renamed");
    bencher.bench_local(|| {
        let found = commands.find(divan::black_box(name), divan::black_box(second));
        found.is_ok_and(|found| found.is_some())
    });
}

#[divan::bench]
fn a_command(bencher: Bencher<'_, '_>) {
    find(bencher, b"GET", Some(b"key:000000000042"));
}

#[divan::bench]
fn in_lower_case(bencher: Bencher<'_, '_>) {
    find(bencher, b"incrbyfloat", Some(b"key:000000000042"));
}

#[divan::bench]
fn a_sub_command(bencher: Bencher<'_, '_>) {
    find(bencher, b"CLIENT", Some(b"SETINFO"));
}

#[divan::bench]
fn no_command(bencher: Bencher<'_, '_>) {
    find(bencher, b"NOSUCHCOMMAND", None);
}
