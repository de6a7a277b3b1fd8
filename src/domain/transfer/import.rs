//! Reading the file: every line is checked before the first one is written.

use std::collections::HashSet;
use std::io::{BufRead, Read as _, Seek};

use super::batch::{Batch, Item, NewTenant, Stop, What};
use super::lines::{Header, Line, VERSION};
use super::{Counts, TransferError};
use crate::domain::{Core, DomainError, Invalid, Noun, bootstrap, keys};
use crate::model::ids::TenantId;
use crate::model::signing_key::{KeyState, SigningAlg};
use crate::model::tenant::Tenant;
use crate::model::transfer::OnConflict;
use crate::storage::installation::{self, Installation};
use crate::storage::tenants;

/// How many lines one transaction takes. A file of so many or fewer is taken whole or not at all; of a
/// longer one what was written stays, and the file can be read again with [`OnConflict::Skip`].
const BATCH: usize = 1_000;

/// The longest line, in bytes: one that never ends must not fill the memory.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What is wanted of a file.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Whose its lines shall be, whatever tenant it is of.
    pub into: Option<TenantId>,
    /// What becomes of what is there already.
    pub on_conflict: OnConflict,
    /// Whether nothing shall be written in the end.
    pub rehearse: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Imported {
    /// Lines of each kind that were written.
    pub written: Counts,
    /// Lines of each kind that stood against what is there and were passed over.
    pub passed_over: Counts,
    /// Lines of each kind that count nowhere else: signing keys of a tenant that has some, recovery codes
    /// in a tenant of another id.
    pub left_out: Counts,
    /// Whether the lines were only looked at one by one, since they are too many for one transaction.
    pub only_checked: bool,
}

/// Reads the first line.
///
/// # Errors
/// It is none of ours, or of a later version.
pub fn header(from: &mut impl BufRead) -> Result<Header, TransferError> {
    let mut first = Vec::new();
    (&mut *from).take(LONGEST).read_until(b'\n', &mut first)?;
    let refuse = |why: String| TransferError::Line { line: 1, why };
    let header: Header = serde_json::from_slice(&first).map_err(|why| {
        refuse(format!("not the header of an export, as {}: {why}", r#"{"gatehouse":"export","version":1}"#))
    })?;
    if header.version != VERSION {
        return Err(refuse(format!("version {} is not known here", header.version)));
    }
    Ok(header)
}

/// Reads a file and writes what it says. Where there is no installation yet, one that holds a whole
/// installation makes it.
///
/// # Errors
/// [`TransferError::Line`] says which line and why; then nothing of its transaction was written.
pub async fn import(
    core: &Core,
    from: &mut (impl BufRead + Seek + Send),
    wish: Wish,
) -> Result<Imported, TransferError> {
    from.rewind()?;
    let header = header(from)?;
    let there = installation::find(core.db.read()).await?.map(|found| found.default_tenant);
    if there.is_some() {
        // Nothing is sealed with a key that is not this installation's.
        bootstrap::ensure(core).await?;
    } else if !header.installation {
        return Err(DomainError::NotFound(Noun::Tenant).into());
    }
    let mut reader = Reader { core, wish, whose: None, default: there };
    let survey = reader.survey(from)?;
    from.rewind()?;
    self::header(from)?;
    reader = Reader { core, wish, whose: None, default: there };
    let done = reader.write(from, &survey).await?;
    if !wish.rehearse {
        bootstrap::ensure(core).await?;
    }
    Ok(done)
}

/// What is known of a file before anything is written.
#[derive(Default)]
struct Survey {
    lines: usize,
    /// Which tenants of the file bring what to sign with.
    signing: HashSet<(TenantId, SigningAlg)>,
}

struct Reader<'a> {
    core: &'a Core,
    wish: Wish,
    /// The tenant of the lines that follow: as the file knows it, and as it is here.
    whose: Option<(TenantId, TenantId)>,
    /// None before there is an installation.
    default: Option<TenantId>,
}

/// The next line that is not empty, and its number.
fn next_line(from: &mut impl BufRead, number: &mut u64) -> Result<Option<Line>, TransferError> {
    let mut text = Vec::new();
    loop {
        text.clear();
        if (&mut *from).take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        *number += 1;
        let refused = |why| TransferError::Line { line: *number, why };
        if !text.ends_with(b"\n") && u64::try_from(text.len()).is_ok_and(|length| length == LONGEST) {
            return Err(refused(format!("is longer than {LONGEST} bytes")));
        }
        let line = text.trim_ascii();
        if !line.is_empty() {
            // It says "line 1" of each.
            let why = |why: serde_json::Error| refused(why.to_string().replace(" at line 1 column ", " at column "));
            return serde_json::from_slice(line).map(Some).map_err(why);
        }
    }
}

impl Reader<'_> {
    /// Whose the rows of a tenant of the file are here.
    fn target(&self, tenant: &Tenant) -> TenantId {
        match (self.wish.into, self.default) {
            (Some(into), _) => into,
            (None, Some(default)) if tenant.is_default => default,
            _ => tenant.id,
        }
    }

    /// The tenant of the next line.
    fn whose(&self) -> Result<(TenantId, TenantId), DomainError> {
        let here = self.whose.or_else(|| self.wish.into.or(self.default).map(|id| (id, id)));
        here.ok_or_else(|| Invalid::new("kind", "must be tenant: nothing says whose this line is").into())
    }

    /// Every line by the rules that need no database.
    fn survey(&mut self, from: &mut impl BufRead) -> Result<Survey, TransferError> {
        let (mut survey, mut number) = (Survey::default(), 1);
        while let Some(line) = next_line(from, &mut number)? {
            survey.lines += 1;
            self.check(line, &mut survey).map_err(TransferError::at(number))?;
        }
        Ok(survey)
    }

    fn check(&mut self, line: Line, survey: &mut Survey) -> Result<(), DomainError> {
        match line {
            Line::Tenant(line) => {
                let (tenant, _) = line.read()?;
                self.begin(&tenant)?;
            }
            other => {
                if let Line::SigningKey(key) = &other
                    && key.state == KeyState::Active
                {
                    survey.signing.insert((self.whose()?.1, key.alg));
                }
                other.read(self.core, self.whose()?.1)?;
            }
        }
        Ok(())
    }

    /// The lines that follow are of this tenant.
    fn begin(&mut self, tenant: &Tenant) -> Result<TenantId, DomainError> {
        if self.wish.into.is_some() && self.whose.is_some() {
            return Err(Invalid::new("kind", "is a second tenant, and all lines shall go to one").into());
        }
        if self.default.is_none() && !tenant.is_default {
            return Err(Invalid::new("is_default", "must be true of the first tenant of an installation").into());
        }
        let here = self.target(tenant);
        self.default = self.default.or(Some(here));
        self.whose = Some((tenant.id, here));
        Ok(here)
    }

    async fn write(&mut self, from: &mut impl BufRead, survey: &Survey) -> Result<Imported, TransferError> {
        let mut done = Imported { only_checked: self.wish.rehearse && survey.lines > BATCH, ..Imported::default() };
        if done.only_checked {
            return Ok(done);
        }
        let mut number = 1;
        let mut made = HashSet::new();
        let mut items = Vec::new();
        while let Some(line) = next_line(from, &mut number)? {
            let kind = line.kind();
            let what = self.prepare(line, &mut made, survey).await;
            match what.map_err(TransferError::at(number))? {
                Some(what) => items.push(Item { line: number, kind, tenant: self.whose()?.1, what }),
                None => *done.left_out.entry(kind).or_default() += 1,
            }
            if items.len() == BATCH {
                self.commit(std::mem::take(&mut items), &mut done).await?;
            }
        }
        self.commit(items, &mut done).await?;
        Ok(done)
    }

    /// What a line comes to here; nothing if it counts only elsewhere.
    async fn prepare(
        &mut self,
        line: Line,
        made: &mut HashSet<TenantId>,
        survey: &Survey,
    ) -> Result<Option<What>, DomainError> {
        if let Line::Tenant(line) = line {
            let (tenant, tenant_keys) = line.read()?;
            let is_first = self.default.is_none();
            let here = self.begin(&tenant)?;
            let is_new = tenants::find(&self.core.db.read().of(here)).await?.is_none();
            let installation = is_first.then(|| Installation {
                default_tenant: here,
                key_check: self.core.key_check.to_vec(),
                created_at: self.core.clock.now(),
            });
            let mut signing_keys = Vec::new();
            if is_new {
                made.insert(here);
                signing_keys = keys::generate_first(self.core, here).await?;
                signing_keys.retain(|key| !survey.signing.contains(&(here, key.alg)));
            }
            let tenant = Tenant { id: here, is_default: installation.is_some(), ..tenant };
            let may_be_there = Some(here) == self.default || self.wish.into.is_some();
            let new = NewTenant { tenant, tenant_keys, signing_keys, installation, may_be_there };
            return Ok(Some(What::Tenant(Box::new(new))));
        }
        let (there, here) = self.whose()?;
        let counts = match &line {
            Line::SigningKey(_) | Line::SamlKey(_) => made.contains(&here),
            Line::RecoveryCode(_) => there == here,
            _ => true,
        };
        if !counts {
            return Ok(None);
        }
        Ok(line.read(self.core, here)?.map(|row| What::Row(Box::new(row))))
    }

    async fn commit(&self, items: Vec<Item>, done: &mut Imported) -> Result<(), TransferError> {
        let batch = Batch::new(self.core, items, self.wish.on_conflict, self.wish.rehearse);
        let outcome = match self.core.db.write(batch, |tx, batch| Box::pin(batch.write(tx))).await {
            Ok(outcome) | Err(Stop::Rehearsed(outcome)) => outcome,
            Err(Stop::Refused(why)) => return Err(why),
        };
        self.core.logouts.notify_one();
        for (kind, was_written) in outcome {
            let counts = if was_written { &mut done.written } else { &mut done.passed_over };
            *counts.entry(kind).or_default() += 1;
        }
        Ok(())
    }
}
