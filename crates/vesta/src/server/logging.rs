//! The logger that a configuration describes.

use std::ffi::OsStr;

use vesta_config::{Config, LogLevel, SyslogFacility};
use vesta_rt::log::{Level, Logger, Role, Sink, Syslog};

/// A logger for a server that has not found its role. Nothing is opened.
pub(crate) fn logger(config: &Config) -> Logger {
    let sink = match Logger::sink_of(OsStr::new(&config.logfile)) {
        // CONFIG SET dir may change the working directory; the log stays where it is.
        Sink::File(path) => Sink::File(std::path::absolute(&path).unwrap_or(path)),
        Sink::Stdout => Sink::Stdout,
    };
    let syslog = config
        .syslog_enabled
        .then(|| Syslog::local(config.syslog_ident.clone(), facility(config.syslog_facility)));
    Logger { level: level(config.loglevel), role: Role::Child, sink, syslog }
}

/// The logger's level for a value of `loglevel`.
pub(crate) fn level(configured: LogLevel) -> Level {
    match configured {
        LogLevel::Debug => Level::Debug,
        LogLevel::Verbose => Level::Verbose,
        LogLevel::Notice => Level::Notice,
        LogLevel::Warning => Level::Warning,
        LogLevel::Nothing => Level::Nothing,
    }
}

/// The facility's code of RFC 5424: user is 1, local0 to local7 are 16 to 23.
fn facility(configured: SyslogFacility) -> u8 {
    match configured {
        SyslogFacility::User => 1,
        SyslogFacility::Local0 => 16,
        SyslogFacility::Local1 => 17,
        SyslogFacility::Local2 => 18,
        SyslogFacility::Local3 => 19,
        SyslogFacility::Local4 => 20,
        SyslogFacility::Local5 => 21,
        SyslogFacility::Local6 => 22,
        SyslogFacility::Local7 => 23,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_file_keeps_its_place_when_the_directory_changes() {
        let config = Config { logfile: "v.log".into(), ..Config::default() };
        let Sink::File(path) = logger(&config).sink else { panic!("not a file") };
        assert!(path.is_absolute() && path.ends_with("v.log"), "{path:?}");
        assert_eq!(logger(&Config::default()).sink, Sink::Stdout);
    }

    #[test]
    fn syslog_gets_its_own_ident_and_facility() {
        let mut config = Config::default();
        assert_eq!(logger(&config).syslog, None);
        config.syslog_enabled = true;
        config.syslog_ident = "hearth".into();
        config.syslog_facility = SyslogFacility::Local3;
        assert_eq!(logger(&config).syslog, Some(Syslog::local("hearth".into(), 19)));
    }
}
