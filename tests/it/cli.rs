//! The program itself, run as operators run it.
