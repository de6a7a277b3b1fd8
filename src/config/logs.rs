//! What is logged and how.

use url::Url;

use super::mask::mask_url;
use super::section::section;
use super::value::{Refused, Value};

section! {
    /// What is logged and how. Logs go to standard error, so that standard output stays free for
    /// what a command answers.
    LogConfig, "Logs";

    /// auto (human on a terminal, JSON otherwise), human or json.
    format: LogFormat = "logs.format", LogFormat::Auto;
    /// What is logged: error, warn, info, debug, trace, or by part as in "info,gatehouse::jobs=debug".
    filter: LogFilter = "logs.filter", LogFilter::default();
    /// How many lines may wait to be written. When whoever reads the log stands still, further
    /// lines are dropped and counted; no request ever waits for its log line.
    queue: u32 = "logs.queue", 16_384, from 16, to 1_000_000;
    /// An OpenTelemetry collector that the log goes to as well, over OTLP/HTTP, from a queue of the
    /// same length; needs a build with the feature otlp. Without a path, /v1/logs is meant. Headers
    /// for it, such as a token, come from the variable OTEL_EXPORTER_OTLP_HEADERS.
    otlp_endpoint: Option<OtlpEndpoint> = "logs.otlp_endpoint", None, like "http://localhost:4318/v1/logs";
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// For machines: one JSON object a line.
    Json,
}

impl Value for LogFormat {
    const EXPECTED: &'static str = "\"auto\", \"human\" or \"json\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        match text {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("is not a log format".into()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Auto => "auto",
            Self::Human => "human",
            Self::Json => "json",
        }
        .to_owned()
    }
}

/// What is logged, in the language of `tracing_subscriber::EnvFilter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        // What these two say at each start says the program itself in a line.
        Self("info,actix_server=warn,sea_orm_migration=warn".to_owned())
    }
}

impl Value for LogFilter {
    const EXPECTED: &'static str = "a level such as \"info\", or levels by part such as \"info,gatehouse::jobs=debug\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let level = |word: &str| word.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
        // A bare word would count as a part's name, so that a misspelt level logged nothing.
        let bare_words_are_levels = text.split(',').all(|part| part.contains(['=', '[']) || level(part.trim()));
        if text.is_empty() || !bare_words_are_levels {
            return Err("is not a log filter".into());
        }
        tracing_subscriber::EnvFilter::builder()
            .parse(text)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| "is not a log filter".into())
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Where a collector takes log records as OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(Url);

impl OtlpEndpoint {
    /// The whole address, the path with it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether what is sent there is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl Value for OtlpEndpoint {
    const EXPECTED: &'static str = "an https or http address such as \"https://collector.example.org:4318\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let mut url = Url::parse(text).map_err(|_| "is not a URL")?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("is neither https nor http".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused {
                why: "contains a user name or password".to_owned(),
                remedy: Some("put an authorization header into the variable OTEL_EXPORTER_OTLP_HEADERS".to_owned()),
            });
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("has a query or fragment".into());
        }
        if url.path() == "/" {
            url.set_path("/v1/logs");
        }
        Ok(Self(url))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn mask(text: &str) -> String {
        mask_url(text)
    }
}
