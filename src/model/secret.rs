//! Values that must not be printed.

use zeroize::Zeroize;

/// A value that has neither `Debug` nor `Display`, is wiped when dropped, and is read only by
/// asking for it by name.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value into custody.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the caller must not log it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
