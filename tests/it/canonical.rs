//! Spellings of one e-mail address are one account.
