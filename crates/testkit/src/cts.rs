//! Compatibility cases: a JSON list of command lists and their results, each on a fresh database.
//!
//! A case has `name`, `command` (lines), `result` (JSON values), `since` (the version that must
//! pass it), and sometimes `tags` (`standalone` or `cluster`), `sort_result` (arrays are compared
//! without order), `float_result` (strings that are numbers are compared as numbers),
//! `command_binary` (lines carry the escapes of a quoted string) and `skipped`.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use serde_json::Value as Json;

use crate::client::Client;
use crate::quote;
use crate::value::Value;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// Requests in order.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// The result expected of each.
    pub results: Vec<Json>,
    /// First version that passes it.
    pub since: Version,
    /// Only for a cluster.
    pub cluster: bool,
    /// Marked as not to be run.
    pub skipped: bool,
    /// Arrays are compared without order.
    pub sort_result: bool,
    /// Numbers in strings are compared by value.
    pub float_result: bool,
}

/// A version, as its three numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version(pub [u32; 3]);

impl Version {
    /// Reads `7.0.15`; missing parts are 0.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let mut numbers = [0; 3];
        for number in &mut numbers {
            *number = parts.next().unwrap_or(Some(0))?;
        }
        Some(Self(numbers))
    }
}

/// Reads a file of cases.
///
/// A file that cannot be read, is no JSON or lacks a field is an `io::Error` that says which.
pub fn read(path: &Path) -> io::Result<Vec<Case>> {
    parse(&fs::read_to_string(path)?)
}

/// Reads cases from JSON text.
pub fn parse(text: &str) -> io::Result<Vec<Case>> {
    let json: Json = serde_json::from_str(text)?;
    let cases = json.as_array().ok_or_else(|| invalid("the file is not a list"))?;
    cases.iter().map(case).collect()
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn case(json: &Json) -> io::Result<Case> {
    let name = json.get("name").and_then(Json::as_str).unwrap_or("(unnamed)").to_owned();
    let lacks = |what: &str| invalid(format!("case {name:?}: bad {what}"));
    let flag = |key: &str| json.get(key).and_then(Json::as_bool).unwrap_or(false);
    let list = |key: &str| json.get(key).and_then(Json::as_array).ok_or_else(|| lacks(key));
    let binary = flag("command_binary");
    let commands = list("command")?.iter().map(|line| {
        let line = line.as_str().ok_or_else(|| lacks("command"))?;
        words(line, binary).map_err(|why| lacks(&why))
    });
    let since = json.get("since").and_then(Json::as_str).and_then(Version::parse);
    Ok(Case {
        commands: commands.collect::<io::Result<_>>()?,
        results: list("result")?.clone(),
        since: since.ok_or_else(|| lacks("since"))?,
        cluster: json.get("tags").and_then(Json::as_str) == Some("cluster"),
        skipped: flag("skipped"),
        sort_result: flag("sort_result"),
        float_result: flag("float_result"),
        name,
    })
}

/// The words of a line; in binary lines bare words carry escapes too.
fn words(line: &str, binary: bool) -> Result<Vec<Vec<u8>>, String> {
    if !binary {
        return Ok(quote::split(line)?.into_iter().map(|word| word.bytes).collect());
    }
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, after) = if rest.starts_with('"') {
            let (bytes, after) = quote::quoted(rest.as_bytes())?;
            let used = rest.len() - after.len();
            words.push(bytes);
            rest = rest.get(used..).unwrap_or_default().trim_start();
            continue;
        } else {
            rest.split_once(' ').unwrap_or((rest, ""))
        };
        let quoted = format!("\"{}\"", word.replace('"', "\\\""));
        words.push(quote::quoted(quoted.as_bytes())?.0);
        rest = after.trim_start();
    }
    Ok(words)
}

/// Which cases are run.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Cases of later versions are left out.
    pub version: Version,
    /// Only cases whose commands are all among these (lower case); `None` allows all.
    pub commands: Option<BTreeSet<String>>,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases whose results all agreed.
    pub passed: usize,
    /// Cases left out: reason to count.
    pub skipped: BTreeMap<&'static str, usize>,
    /// What differed.
    pub failures: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failures.iter().try_for_each(|failure| writeln!(f, "{failure}"))?;
        let skipped: usize = self.skipped.values().sum();
        write!(f, "{} passed, {} failed, {skipped} skipped", self.passed, self.failures.len())?;
        self.skipped.iter().try_for_each(|(why, count)| write!(f, "\n  skipped {count}: {why}"))
    }
}

/// The names that `COMMAND LIST` gives, lower case.
pub fn known_commands(client: &mut Client) -> io::Result<BTreeSet<String>> {
    let reply = client.command(&["COMMAND", "LIST"])?;
    let names = reply.items().ok_or_else(|| invalid(format!("COMMAND LIST said {reply}")))?;
    let names = names.iter().filter_map(Value::text);
    Ok(names.map(|name| String::from_utf8_lossy(name).to_lowercase()).collect())
}

/// Runs the cases that `filter` lets through, each after `FLUSHALL` on a new connection.
pub fn run(
    cases: &[Case],
    filter: &Filter,
    mut connect: impl FnMut() -> io::Result<Client>,
) -> io::Result<Report> {
    let mut report = Report::default();
    for case in cases {
        if let Some(why) = left_out(case, filter) {
            *report.skipped.entry(why).or_default() += 1;
            continue;
        }
        let mut client = connect()?;
        client.command(&["FLUSHALL"])?;
        match differs(case, &mut client)? {
            None => report.passed += 1,
            Some(how) => report.failures.push(format!("{}: {how}", case.name)),
        }
    }
    Ok(report)
}

fn left_out(case: &Case, filter: &Filter) -> Option<&'static str> {
    let unknown = |command: &Vec<Vec<u8>>| {
        let name = command.first().map(|name| String::from_utf8_lossy(name).to_lowercase());
        let known = |names: &BTreeSet<String>| name.is_some_and(|name| names.contains(&name));
        !filter.commands.as_ref().is_none_or(known)
    };
    if case.skipped {
        Some("marked as skipped")
    } else if case.cluster {
        Some("for a cluster")
    } else if case.since > filter.version {
        Some("of a later version")
    } else if case.commands.iter().any(unknown) {
        Some("with a command the server lacks")
    } else {
        None
    }
}

fn differs(case: &Case, client: &mut Client) -> io::Result<Option<String>> {
    for (command, expected) in case.commands.iter().zip(&case.results) {
        let got = client.command(command)?;
        if !agrees(expected, &got, case) {
            let request = quote::line(command);
            return Ok(Some(format!("{request}\n  expected {expected}\n  got      {got}")));
        }
    }
    Ok(None)
}

fn agrees(expected: &Json, got: &Value, case: &Case) -> bool {
    match expected {
        Json::Null => matches!(got, Value::NilBulk | Value::NilArray | Value::Null),
        Json::Bool(yes) => {
            matches!(got, Value::Bool(b) if b == yes) || got.int() == Some(i64::from(*yes))
        }
        Json::Number(number) => match (number.as_i64(), got) {
            (Some(n), Value::Int(m)) => n == *m,
            (_, Value::Double(text)) => text.parse::<f64>().ok() == number.as_f64(),
            _ => false,
        },
        Json::String(text) => got.text().or(got.error()).is_some_and(|got| {
            got == text.as_bytes() || case.float_result && same_number(text.as_bytes(), got)
        }),
        Json::Array(items) => got.items().is_some_and(|got| same_items(items, got, case)),
        Json::Object(pairs) => got.pairs().is_some_and(|got| {
            pairs.len() == got.len()
                && pairs.iter().all(|(key, value)| {
                    got.iter()
                        .any(|(k, v)| k.text() == Some(key.as_bytes()) && agrees(value, v, case))
                })
        }),
    }
}

fn same_items(expected: &[Json], got: &[Value], case: &Case) -> bool {
    if expected.len() != got.len() {
        return false;
    }
    if !case.sort_result {
        return expected.iter().zip(got).all(|(expected, got)| agrees(expected, got, case));
    }
    let mut left: Vec<&Value> = got.iter().collect();
    expected.iter().all(|expected| {
        let found = left.iter().position(|got| agrees(expected, got, case));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

/// Coordinates differ in their last digits from one libm to the next.
const RELATIVE_ERROR_MAX: f64 = 1e-9;

fn same_number(a: &[u8], b: &[u8]) -> bool {
    let number = |text| str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => (a - b).abs() <= RELATIVE_ERROR_MAX * a.abs().max(b.abs()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &str) -> Value {
        Value::decode(bytes.as_bytes()).unwrap().unwrap().0
    }

    fn only(text: &str) -> Case {
        parse(text).unwrap().remove(0)
    }

    #[test]
    fn a_case_is_read_with_its_escapes() {
        let case = only(
            r#"[{"name":"n","since":"7.0.1","tags":"cluster","command_binary":true,"result":["OK"],
                "command":["restore k 0 \\x00\\a\\xe5]","eval \"a\\n\\\"b\" 0"]}]"#,
        );
        assert_eq!(case.commands[0][3], b"\x00\x07\xe5]");
        assert_eq!(case.commands[1][1], b"a\n\"b");
        assert_eq!(case.commands[1][2], b"0");
        assert!(case.cluster && case.since > Version([7, 0, 0]) && case.since < Version([7, 2, 0]));
        assert!(parse(r#"[{"name":"n","command":["a"],"result":["OK"]}]"#).is_err());
        assert!(parse("{}").is_err());
    }

    #[test]
    fn results_are_compared_by_kind() {
        let plain = only(r#"[{"name":"n","since":"1.0","command":[],"result":[]}]"#);
        let sorted = Case { sort_result: true, ..plain.clone() };
        let float = Case { float_result: true, ..plain.clone() };
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        let array = decoded("*2\r\n$1\r\nb\r\n$1\r\na\r\n");
        assert!(agrees(&json("1"), &decoded(":1\r\n"), &plain));
        assert!(!agrees(&json("\"1\""), &decoded(":1\r\n"), &plain));
        assert!(agrees(&json("null"), &decoded("*-1\r\n"), &plain));
        assert!(!agrees(&json("null"), &decoded("$0\r\n\r\n"), &plain));
        assert!(agrees(&json(r#"["b","a"]"#), &array, &plain));
        assert!(!agrees(&json(r#"["a","b"]"#), &array, &plain));
        assert!(agrees(&json(r#"["a","b"]"#), &array, &sorted));
        assert!(!agrees(&json(r#"["a","a"]"#), &array, &sorted));
        assert!(agrees(&json(r#"{"b":"a"}"#), &array, &plain));
        assert!(agrees(&json("\"1.50000000000000001\""), &decoded("$3\r\n1.5\r\n"), &float));
        assert!(!agrees(&json("\"1.6\""), &decoded("$3\r\n1.5\r\n"), &float));
    }

    #[test]
    fn cases_are_left_out_for_a_reason() {
        let case = only(r#"[{"name":"n","since":"7.2","command":["SET k v"],"result":["OK"]}]"#);
        let filter = |version, names: &[&str]| Filter {
            version: Version(version),
            commands: Some(names.iter().map(|&name| name.to_owned()).collect()),
        };
        assert_eq!(left_out(&case, &filter([7, 0, 15], &["set"])), Some("of a later version"));
        assert_eq!(left_out(&case, &filter([7, 2, 4], &["set"])), None);
        let lacking = left_out(&case, &filter([7, 2, 4], &["get"]));
        assert_eq!(lacking, Some("with a command the server lacks"));
    }
}
