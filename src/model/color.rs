//! Colours, and whether one can be read on another (WCAG 2.2, contrast).

use std::fmt;
use std::str::FromStr;

/// A colour of the sRGB space, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// A text is not a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written #rrggbb, with hexadecimal digits")]
pub struct NotAColor;

impl Color {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);

    /// The colour with these shares of red, green and blue.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// Relative luminance: 0 for black, 1 for white.
    fn luminance(self) -> f64 {
        let linear = |share: u8| match f64::from(share) / 255.0 {
            share if share <= 0.04045 => share / 12.92,
            share => ((share + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast between two colours, from 1 to 21; text needs 4.5 (success criterion 1.4.3).
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// White or black, whichever can better be read on it: always enough for text.
    #[must_use]
    pub fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The nearest to it, on the way to `end`, that stands out from `paper` by this contrast.
    #[must_use]
    pub fn toward(self, end: Self, paper: Self, contrast: f64) -> Self {
        (0..=32_u16).map(|step| self.mixed(end, step)).find(|mixed| mixed.contrast(paper) >= contrast).unwrap_or(end)
    }

    /// So many thirty-seconds of the other one in it.
    fn mixed(self, other: Self, parts: u16) -> Self {
        let mix = |(a, b): (u8, u8)| {
            u8::try_from((u16::from(a) * (32 - parts) + u16::from(b) * parts) / 32).unwrap_or(u8::MAX)
        };
        let ([r, g, b], [or, og, ob]) = (self.0, other.0);
        Self([(r, or), (g, og), (b, ob)].map(mix))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl serde::Serialize for Color {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Color {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Color {
    type Err = NotAColor;

    fn from_str(text: &str) -> Result<Self, NotAColor> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())).ok_or(NotAColor)?;
        let value = u32::from_str_radix(digits, 16).map_err(|_| NotAColor)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_digits_are_a_color() {
        assert_eq!("#1F5fbf".parse::<Color>().unwrap().to_string(), "#1f5fbf");
        for bad in ["", "#", "#fff", "1f5fbf", "#1f5fbg", "#1f5fbf;", "#+f5fbf", "red", "#1f5fb\u{e9}"] {
            assert!(bad.parse::<Color>().is_err(), "{bad}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((Color::WHITE.contrast(Color::BLACK) - 21.0).abs() < 0.01);
        assert!((Color::new(0x76, 0x76, 0x76).contrast(Color::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_color_can_be_made_readable() {
        let shares = || (0..=255_u8).step_by(15);
        for color in shares().flat_map(|r| shares().flat_map(move |g| shares().map(move |b| Color::new(r, g, b)))) {
            assert!(color.contrast(color.ink()) >= 4.5, "{color}");
            assert!(color.toward(Color::BLACK, Color::WHITE, 4.5).contrast(Color::WHITE) >= 4.5, "{color}");
        }
        // One that is readable already stays what it is.
        let blue = Color::new(0x1d, 0x5b, 0xbf);
        assert_eq!(blue.toward(Color::BLACK, Color::WHITE, 4.5), blue);
    }
}
