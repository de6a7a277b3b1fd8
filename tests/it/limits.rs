//! How much one address or one key may ask for.
