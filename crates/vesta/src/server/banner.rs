//! The banner: a hearth, and who is starting.

use crate::version::{BITS, COMMIT, VERSION};

/// The picture with the facts beside it, ending in an empty line.
pub(crate) fn banner(mode: &str, port: u16, pid: u32) -> String {
    let facts = [
        String::new(),
        format!("Vesta {VERSION} ({COMMIT}/0) {BITS} bit"),
        String::new(),
        format!("Running in {mode} mode"),
        format!("Port: {port}"),
        format!("PID: {pid}"),
    ];
    let mut text = String::new();
    let beside = facts.iter().map(String::as_str).chain(std::iter::repeat(""));
    for (line, fact) in HEARTH.lines().zip(beside) {
        text.push_str(format!("  {line:<26}{fact}").trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}

const HEARTH: &str = r"
          (   )
         )  (  (
        (  ) ) )
       ) (( ( ( (
      (_ ))_) )_ )
     _\_/__|_|__\_/_
     \_____________/
       |_|     |_|";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_tells_version_mode_port_and_pid() {
        let text = banner("standalone", 6379, 42);
        let expected =
            [format!("Vesta {VERSION} "), "Running in standalone mode".into(), "Port: 6379".into()];
        for fact in expected {
            assert!(text.contains(&fact), "{text}");
        }
        assert!(text.contains("PID: 42\n"), "{text}");
        assert!(text.ends_with("\n\n") && !text.contains(" \n"), "{text}");
    }
}
