//! The process: how it runs, what it logs, what it is called.

use alloc::vec::Vec;

use crate::{Config, Opt, Refusal, value};

use super::INT_MAX;

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("daemonize", daemonize).start().works(),
    choice!("supervised", supervised).start().works(),
    text!("pidfile", pidfile).start().works(),
    choice!("loglevel", loglevel).rim().works(),
    text!("logfile", logfile).start().works(),
    yes_no!("syslog-enabled", syslog_enabled).start().works(),
    text!("syslog-ident", syslog_ident).start().works(),
    choice!("syslog-facility", syslog_facility).start().works(),
    yes_no!("crash-log-enabled", crash_log_enabled),
    yes_no!("crash-memcheck-enabled", crash_memcheck_enabled),
    number!("databases", databases, 1..=INT_MAX).start().works(),
    yes_no!("always-show-logo", always_show_logo).start().works(),
    yes_no!("set-proc-title", set_proc_title).start().works(),
    PROC_TITLE_TEMPLATE.rim().works(),
    text!("locale-collate", locale_collate),
    text!("ignore-warnings", ignore_warnings),
    yes_no!("disable-thp", disable_thp).start(),
    text_or_none!("server-cpulist", server_cpulist).alias("server_cpulist").start(),
    text_or_none!("bio-cpulist", bio_cpulist).alias("bio_cpulist").start(),
    text_or_none!("aof-rewrite-cpulist", aof_rewrite_cpulist).alias("aof_rewrite_cpulist").start(),
    text_or_none!("bgsave-cpulist", bgsave_cpulist).alias("bgsave_cpulist").start(),
    LOADMODULE.file_only(),
];

const PROC_TITLE_TEMPLATE: Opt =
    Opt::new("proc-title-template", set_proc_title_template, |config| {
        config.proc_title_template.as_bytes().to_vec()
    });

fn set_proc_title_template(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    let template = value::text(words)?;
    if template.trim().is_empty() || !variables_are_known(&template) {
        return Err(Refusal::Rule("template format is invalid or contains unknown variables"));
    }
    config.proc_title_template = template;
    Ok(())
}

/// Whether every `{` begins a known variable that is closed.
fn variables_are_known(template: &str) -> bool {
    const VARIABLES: &[&str] =
        &["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"];
    template
        .split('{')
        .skip(1)
        .all(|rest| rest.split_once('}').is_some_and(|(variable, _)| VARIABLES.contains(&variable)))
}

const LOADMODULE: Opt = Opt::new("loadmodule", set_loadmodule, |_| Vec::new())
    .written_as(|config| config.loadmodule.clone());

fn set_loadmodule(config: &mut Config, words: &[&[u8]]) -> Result<(), Refusal> {
    if words.is_empty() {
        return Err(Refusal::Rule("Bad directive or wrong number of arguments"));
    }
    config.loadmodule.push(words.iter().map(|word| word.to_vec()).collect());
    Ok(())
}
