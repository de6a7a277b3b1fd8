//! How often something may happen.

use std::time::Duration;

use super::value::{Refused, Value};

/// How many events are let through: so many in a period, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many a period; zero lets everything through.
    pub count: u32,
    /// The period.
    pub period: Duration,
    /// How many at once after a quiet time; at least one.
    pub burst: u32,
}

impl Rate {
    /// No limit.
    pub const OFF: Self = Self { count: 0, period: Duration::from_secs(60), burst: 1 };

    /// So many a minute, so many at once.
    #[must_use]
    pub const fn per_minute(count: u32, burst: u32) -> Self {
        Self { count, period: Duration::from_secs(60), burst }
    }

    /// So many an hour, so many at once.
    #[must_use]
    pub const fn per_hour(count: u32, burst: u32) -> Self {
        Self { count, period: Duration::from_secs(3600), burst }
    }

    /// Whether it lets everything through.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.count == 0
    }

    /// After how long one more is let through; nothing when there is no limit.
    #[must_use]
    pub fn every(&self) -> Option<Duration> {
        self.period.checked_div(self.count)
    }
}

impl Value for Rate {
    const EXPECTED: &'static str = "a rate such as \"600/minute burst 200\" (second, minute or hour) or \"off\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        const NOT: &str = "is not a rate";
        if text == "off" {
            return Ok(Self::OFF);
        }
        let mut words = text.split_whitespace();
        let (count, period) = words.next().and_then(|w| w.split_once('/')).ok_or(NOT)?;
        let count = count.parse::<u32>().map_err(|_| NOT)?;
        let period = Duration::from_secs(match period {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            _ => return Err(NOT.into()),
        });
        let burst = match (words.next(), words.next(), words.next()) {
            (None, ..) => count,
            (Some("burst"), Some(burst), None) => burst.parse().map_err(|_| NOT)?,
            _ => return Err(NOT.into()),
        };
        if count == 0 || burst == 0 {
            return Err(Refused {
                why: "lets nothing through".to_owned(),
                remedy: Some("write \"off\" for no limit".to_owned()),
            });
        }
        Ok(Self { count, period, burst })
    }

    fn text(&self) -> String {
        if self.is_off() {
            return "off".to_owned();
        }
        let period = match self.period.as_secs() {
            1 => "second",
            60 => "minute",
            _ => "hour",
        };
        format!("{}/{period} burst {}", self.count, self.burst)
    }
}
