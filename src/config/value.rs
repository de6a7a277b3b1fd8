//! How one setting is read from text and written back: every type that a key can have.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::mask::HIDDEN;
use crate::model::secret::Secret;
use crate::model::text::Email;

/// A value as its source gave it.
#[derive(Clone)]
pub enum Raw {
    /// Text: of the environment, of a flag, or quoted in the file.
    Text(String),
    /// A number or a boolean of the file, written without quotes.
    Bare(String),
    /// A list of the file.
    List(Vec<String>),
    /// Something that no key takes, by its name: a date, a list of lists.
    Unfit(&'static str),
}

/// Why a value is not taken, worded to follow the key's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong with it.
    pub why: String,
    /// What to do instead, where that is more than "write what the key expects".
    pub remedy: Option<String>,
}

impl From<&str> for Refused {
    fn from(why: &str) -> Self {
        Self { why: why.to_owned(), remedy: None }
    }
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self { why, remedy: None }
    }
}

/// A type that a key can have, in its textual form.
pub trait Value: Sized {
    /// What to write, with an example.
    const EXPECTED: &'static str;
    /// Whether the file may write it without quotes.
    const BARE: bool = false;

    /// Reads it.
    ///
    /// # Errors
    /// Says why the text is not such a value, without repeating the text.
    fn parse(text: &str) -> Result<Self, Refused>;

    /// Writes it so that `parse` reads the same value back.
    fn text(&self) -> String;

    /// The text with what is secret in it hidden; also for texts that `parse` refuses.
    fn mask(text: &str) -> String {
        text.to_owned()
    }

    /// The masked text as the file writes it.
    fn toml(text: &str) -> String {
        if Self::BARE { text.to_owned() } else { quoted(text) }
    }
}

/// A key's place in the configuration, whatever its type.
pub trait Setting {
    /// Takes the value.
    ///
    /// # Errors
    /// Says why it can't; the setting is then unchanged.
    fn set(&mut self, raw: &Raw) -> Result<(), Refused>;

    /// What to write.
    fn expected(&self) -> String;

    /// The text with what is secret in it hidden.
    fn mask(&self, text: &str) -> String;

    /// The present value with what is secret in it hidden; nothing when unset.
    fn shown(&self) -> Option<String>;

    /// The present value as the file writes it, secrets hidden; nothing when unset.
    fn toml(&self) -> Option<String>;

    /// The smallest and the largest value, in words, where there are any.
    fn range(&self) -> Option<String> {
        None
    }
}

/// Text in quotes, as TOML and people write it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn scalar<T: Value>(raw: &Raw) -> Result<T, Refused> {
    match raw {
        Raw::Text(text) => T::parse(text.trim()),
        Raw::Bare(text) if T::BARE => T::parse(text),
        Raw::Bare(_) => Err("is not in quotes".into()),
        Raw::List(_) => Err("is a list, where one value is wanted".into()),
        Raw::Unfit(what) => Err(format!("is {what}").into()),
    }
}

fn toml_of<T: Value>(value: &T) -> String {
    T::toml(&T::mask(&value.text()))
}

impl<T: Value> Setting for T {
    fn set(&mut self, raw: &Raw) -> Result<(), Refused> {
        *self = scalar(raw)?;
        Ok(())
    }

    fn expected(&self) -> String {
        T::EXPECTED.to_owned()
    }

    fn mask(&self, text: &str) -> String {
        T::mask(text)
    }

    fn shown(&self) -> Option<String> {
        Some(T::mask(&self.text()))
    }

    fn toml(&self) -> Option<String> {
        Some(toml_of(self))
    }
}

/// A key that may stay unset; empty text unsets it.
impl<T: Value> Setting for Option<T> {
    fn set(&mut self, raw: &Raw) -> Result<(), Refused> {
        *self = match raw {
            Raw::Text(text) if text.trim().is_empty() => None,
            raw => Some(scalar(raw)?),
        };
        Ok(())
    }

    fn expected(&self) -> String {
        T::EXPECTED.to_owned()
    }

    fn mask(&self, text: &str) -> String {
        T::mask(text)
    }

    fn shown(&self) -> Option<String> {
        self.as_ref().map(|value| T::mask(&value.text()))
    }

    fn toml(&self) -> Option<String> {
        self.as_ref().map(toml_of)
    }
}

/// A list: of the file, or text with commas.
impl<T: Value> Setting for Vec<T> {
    fn set(&mut self, raw: &Raw) -> Result<(), Refused> {
        let parse = |items: &mut dyn Iterator<Item = &str>| {
            items.map(str::trim).filter(|item| !item.is_empty()).map(T::parse).collect::<Result<Self, _>>()
        };
        *self = match raw {
            Raw::Text(text) => parse(&mut text.split(','))?,
            Raw::List(items) => parse(&mut items.iter().map(String::as_str))?,
            Raw::Bare(_) => return Err("is not a list".into()),
            Raw::Unfit(what) => return Err(format!("is {what}").into()),
        };
        Ok(())
    }

    fn expected(&self) -> String {
        format!("a list, each item {}", T::EXPECTED)
    }

    fn mask(&self, text: &str) -> String {
        T::mask(text)
    }

    fn shown(&self) -> Option<String> {
        let items: Vec<_> = self.iter().map(|item| T::mask(&item.text())).collect();
        Some(items.join(", "))
    }

    fn toml(&self) -> Option<String> {
        let items: Vec<_> = self.iter().map(toml_of).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// A setting with a smallest and a largest value.
pub(super) struct Bounded<'a, T> {
    pub(super) value: &'a mut T,
    pub(super) low: T,
    pub(super) high: T,
}

impl<T: Value + PartialOrd> Bounded<'_, T> {
    fn in_words(&self) -> String {
        format!("from {} to {}", self.low.text(), self.high.text())
    }
}

impl<T: Value + PartialOrd> Setting for Bounded<'_, T> {
    fn set(&mut self, raw: &Raw) -> Result<(), Refused> {
        let value = scalar::<T>(raw)?;
        if value < self.low || value > self.high {
            return Err("is out of range".into());
        }
        *self.value = value;
        Ok(())
    }

    fn expected(&self) -> String {
        format!("{}, {}", T::EXPECTED, self.in_words())
    }

    fn mask(&self, text: &str) -> String {
        T::mask(text)
    }

    fn shown(&self) -> Option<String> {
        self.value.shown()
    }

    fn toml(&self) -> Option<String> {
        self.value.toml()
    }

    fn range(&self) -> Option<String> {
        Some(self.in_words().replacen("from", "From", 1))
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "true or false";
    const BARE: bool = true;

    fn parse(text: &str) -> Result<Self, Refused> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("is neither true nor false".into()),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

macro_rules! number {
    ($($ty:ty),+) => { $(
        impl Value for $ty {
            const EXPECTED: &'static str = "a whole number";
            const BARE: bool = true;

            fn parse(text: &str) -> Result<Self, Refused> {
                text.replace('_', "").parse().map_err(|_| match text.parse::<i128>() {
                    Ok(_) => "is out of range".into(),
                    Err(_) => "is not a whole number".into(),
                })
            }

            fn text(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}
number!(u8, u16, u32, usize);

/// The units of time, largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Value for Duration {
    const EXPECTED: &'static str =
        "a length of time such as \"500ms\", \"10s\", \"5m\", \"24h\", \"90d\" or a number of seconds";
    const BARE: bool = true;

    fn parse(text: &str) -> Result<Self, Refused> {
        const NOT: &str = "is not a length of time";
        if let Ok(seconds) = text.parse() {
            return Ok(Self::from_secs(seconds));
        }
        let mut rest = text;
        let mut millis: u64 = 0;
        let mut above = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at_checked(digits).ok_or(NOT)?;
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at_checked(letters).ok_or(NOT)?;
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(NOT)?;
            if *unit >= above {
                return Err(NOT.into());
            }
            let number: u64 = number.parse().map_err(|_| NOT)?;
            let part = number.checked_mul(*unit).ok_or("is out of range")?;
            millis = millis.checked_add(part).ok_or("is out of range")?;
            above = *unit;
            rest = tail.trim_start();
        }
        if above == u64::MAX {
            return Err(NOT.into());
        }
        Ok(Self::from_millis(millis))
    }

    fn text(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return "0s".to_owned();
        }
        UNITS
            .iter()
            .find(|(_, unit)| millis.is_multiple_of(*unit))
            .map_or_else(String::new, |(name, unit)| format!("{}{name}", millis / unit))
    }

    fn toml(text: &str) -> String {
        quoted(text)
    }
}

impl Value for String {
    const EXPECTED: &'static str = "text in quotes";

    fn parse(text: &str) -> Result<Self, Refused> {
        if text.is_empty() {
            return Err("is empty".into());
        }
        if text.chars().any(char::is_control) {
            return Err("contains control characters".into());
        }
        Ok(text.to_owned())
    }

    fn text(&self) -> String {
        self.clone()
    }
}

impl Value for Secret<String> {
    const EXPECTED: &'static str = "text in quotes";

    fn parse(text: &str) -> Result<Self, Refused> {
        String::parse(text).map(Self::new)
    }

    fn text(&self) -> String {
        self.expose().clone()
    }

    fn mask(_: &str) -> String {
        HIDDEN.to_owned()
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Result<Self, Refused> {
        if text.is_empty() {
            return Err("is empty".into());
        }
        if text.contains('\0') {
            return Err("contains a NUL".into());
        }
        Ok(text.into())
    }

    fn text(&self) -> String {
        self.display().to_string()
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::1]:8080\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        if let Some(port) = text.strip_prefix("localhost:") {
            let port = port.parse().map_err(|_| "has no valid port")?;
            return Ok(Self::from(([127, 0, 0, 1], port)));
        }
        text.parse().map_err(|_| match text.parse::<IpAddr>() {
            Ok(_) => "has no port".into(),
            Err(_) => "is not an address and port".into(),
        })
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for IpNet {
    const EXPECTED: &'static str = "a network such as \"10.0.0.0/8\" or an address such as \"192.0.2.1\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => Self::from(address),
            Err(_) => text.parse::<Self>().map_err(|_| "is not a network")?,
        };
        if net.addr() != net.network() {
            return Err(Refused {
                why: "has bits set behind its prefix".to_owned(),
                remedy: Some(format!("write {:?}", net.trunc().to_string())),
            });
        }
        Ok(net)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Value for Email {
    const EXPECTED: &'static str = "an e-mail address such as \"admin@example.org\"";

    fn parse(text: &str) -> Result<Self, Refused> {
        text.parse().map_err(|why| format!("{why}").into())
    }

    fn text(&self) -> String {
        self.as_str().to_owned()
    }
}
