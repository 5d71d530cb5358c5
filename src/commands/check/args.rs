//! The options of `check`.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::{ArgGroup, Args, ValueEnum};

use crate::{
    args::EXIT_STATUSES,
    names::{ObjectName, ReleaseName},
    report::Format,
    substra::Side,
    values::ValuesKey,
};

/// `check`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
#[command(group = ArgGroup::new("what").args(["values", "federation", "explain"]).required(true).multiple(true))]
pub struct CheckArgs {
    /// The federation file of `bootstrap`
    #[arg(value_name = "FEDERATION.yaml", conflicts_with_all = ["values", "values_key", "release", "side", "connect", "ca_cert", "ca_secret"])]
    pub federation: Option<PathBuf>,
    /// Values file (repeatable, same order as for helm)
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub values: Vec<PathBuf>,
    /// Umbrella chart: the key under which the sub-chart's values are (its name or alias)
    #[arg(long, value_name = "KEY", hide_short_help = true)]
    pub values_key: Option<ValuesKey>,
    /// Release [default: the only one of this chart in the namespace]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub release: Option<ReleaseName>,
    /// Whose release it is [default: told by the values, else by the chart of the release]
    #[arg(long, value_enum, hide_short_help = true)]
    pub side: Option<Side>,
    /// Make real TLS connections to the orchestrator too
    #[arg(long)]
    pub live: bool,
    /// Where to dial with --live [default: orchestrator.host and port, or ingress.hostname and port 443]
    #[arg(long, value_name = "HOST:PORT", requires = "live", value_parser = dialled, hide_short_help = true)]
    pub connect: Option<String>,
    /// Show only what failed or warned
    #[arg(short, long)]
    pub quiet: bool,
    /// Only this check (repeatable)
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// All but this check (repeatable)
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub skip: Vec<String>,
    /// failed or warning: exit with 3
    #[arg(long, value_enum, default_value_t, value_name = "STATUS", hide_possible_values = true)]
    pub fail_on: FailOn,
    /// When to warn before expiry
    #[arg(long, value_name = "30d|33%", default_value_t)]
    pub warn_before: WarnBefore,
    /// The federation's CA; the issue log is beside it
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Orchestrator: Secret with the CA; the issue log is in ConfigMaps beside it
    #[arg(long, value_name = "NAME", conflicts_with = "ca_cert", hide_short_help = true)]
    pub ca_secret: Option<ObjectName>,
    /// Say what a check looks at, and why
    #[arg(long, value_name = "ID")]
    pub explain: Option<String>,
    /// text, json or prometheus
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}

/// From which status on the exit status is 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// A check failed.
    #[default]
    Failed,
    /// A check failed or warned.
    Warning,
}

/// When to warn of the end of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarnBefore {
    /// So long before.
    Time(Duration),
    /// In the last part of its life, in percent.
    Part(u8),
}

impl Default for WarnBefore {
    /// The last third, in which `enroll` renews too.
    fn default() -> Self {
        Self::Part(33)
    }
}

impl fmt::Display for WarnBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{}", humantime::format_duration(*time)),
            Self::Part(part) => write!(f, "{part}%"),
        }
    }
}

impl FromStr for WarnBefore {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let bad = || format!("{given:?} is neither a time such as 30d nor a part of the life from 0% to 100%");
        if let Some(part) = given.strip_suffix('%') {
            return part.parse().ok().filter(|part| *part <= 100).map(Self::Part).ok_or_else(bad);
        }
        let time = humantime::parse_duration(given).map_err(|_| bad())?;
        // A hundred years are beyond every certificate, and within every calendar.
        Some(time).filter(|time| time.as_secs() <= 36_500 * 86_400).map(Self::Time).ok_or_else(bad)
    }
}

/// A host and a port as a socket takes them: `orchestrator.example.org:443`, `[::1]:9000`.
fn dialled(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').ok_or("a port is missing: HOST:PORT")?;
    let is_bare = host.contains(':') && !host.starts_with('[');
    match port.parse::<u16>() {
        Ok(1..) if !host.is_empty() && !is_bare => Ok(text.to_owned()),
        Ok(_) if is_bare => Err("write an IPv6 address in brackets: [::1]:443".to_owned()),
        Ok(_) | Err(_) => Err("what follows the colon is no port: HOST:PORT".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_a_time_or_a_part_of_the_life_before() {
        assert_eq!("30d".parse(), Ok(WarnBefore::Time(Duration::from_hours(30 * 24))));
        assert_eq!("33%".parse(), Ok(WarnBefore::default()));
        for bad in ["", "%", "101%", "-1%", "x", "30", "9999999d"] {
            assert!(bad.parse::<WarnBefore>().is_err(), "{bad}");
        }
    }
    #[test]
    fn where_to_dial_has_a_host_and_a_port() {
        for good in ["a.example.org:443", "127.0.0.1:1", "[::1]:65535"] {
            assert_eq!(dialled(good), Ok(good.to_owned()));
        }
        for bad in ["a.example.org", ":443", "a:0", "a:65536", "a:", "::1:443", "https://a"] {
            assert!(dialled(bad).is_err(), "{bad}");
        }
    }
}
