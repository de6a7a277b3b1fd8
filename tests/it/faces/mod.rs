//! The REST faces against their contracts: statuses, member names and literals as they are written
//! there.

mod control;
mod idaas;
mod services;
