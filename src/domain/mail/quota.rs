//! How many mails one person gets because somebody asked for them: GCRA by address, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::config::Rate;
use crate::crypto::digest::Digest;
use crate::domain::core::Core;
use crate::model::ids::TenantId;
use crate::model::text::canonical;
use crate::model::time::Timestamp;

/// For each person who got a mail lately: until when what they got is paid for.
#[derive(Default)]
pub(in crate::domain) struct Quota(Mutex<HashMap<[u8; 32], Timestamp>>);

impl Quota {
    /// Counts one mail; false if it is one too many.
    pub(super) fn take(&self, core: &Core, tenant: TenantId, address: &str) -> bool {
        let (tenant, address) = (tenant.uuid(), canonical(address));
        let person = *Digest::of_parts("gatehouse mail quota", &[tenant.as_bytes(), address.as_bytes()]).as_bytes();
        let size = usize::try_from(core.config.limits.table_size).unwrap_or(usize::MAX);
        self.count(person, core.config.limits.mail_per_person, core.clock.now(), size)
    }

    fn count(&self, person: [u8; 32], rate: Rate, now: Timestamp, size: usize) -> bool {
        let Some(every) = rate.every() else { return true };
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= size {
            table.retain(|_, paid_until| *paid_until > now);
        }
        let paid_until = table.get(&person).copied().unwrap_or(now).max(now);
        if paid_until.since(now) > every.saturating_mul(rate.burst.saturating_sub(1)) {
            return false;
        }
        // Who comes when the table is full is let through uncounted: nobody's memory runs out.
        if table.len() < size || table.contains_key(&person) {
            table.insert(person, paid_until + every);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_one_a_while() {
        let (quota, rate) = (Quota::default(), Rate::per_hour(2, 3));
        let at = |minutes: i64| Timestamp::from_seconds(minutes * 60);
        let outcome: Vec<bool> = [0, 0, 0, 0, 29, 31, 32, 61].map(|m| quota.count([1; 32], rate, at(m), 10)).to_vec();
        assert_eq!(outcome, [true, true, true, false, false, true, false, true]);
        assert!(quota.count([2; 32], rate, at(32), 10), "somebody else");
        assert!(quota.count([1; 32], Rate::OFF, at(32), 10));
    }

    #[test]
    fn the_table_stays_bounded() {
        let (quota, rate) = (Quota::default(), Rate::per_hour(1, 1));
        for n in 0..50_u8 {
            assert!(quota.count([n; 32], rate, Timestamp::from_seconds(0), 10));
        }
        assert_eq!(quota.0.lock().unwrap().len(), 10);
        assert!(quota.count([200; 32], rate, Timestamp::from_seconds(4000), 10), "what has run out makes room");
        assert_eq!(quota.0.lock().unwrap().len(), 1);
    }
}
