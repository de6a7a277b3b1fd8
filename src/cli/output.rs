//! The one place that prints: answers on standard output, everything else on standard error.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;

use super::failure::Failure;
use super::record::Record;

/// How the answer is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the answer is wanted in JSON.
    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints one thing.
    pub(super) fn record(self, record: &Record) -> Result<(), Failure> {
        if self.json { answer(&json(record)?) } else { answer(&record.lines()) }
    }

    /// Prints an answer that looks different in JSON.
    pub(super) fn either(self, machines: &impl Serialize, people: &str) -> Result<(), Failure> {
        if self.json { answer(&json(machines)?) } else { answer(people) }
    }

    /// Prints a list: a JSON array, or these columns as a table.
    pub(super) fn list(self, columns: &[&'static str], rows: &[Record]) -> Result<(), Failure> {
        let mut listing = self.listing(columns);
        listing.page(rows)?;
        listing.end()
    }

    /// Begins a list that arrives in pages.
    pub(super) fn listing(self, columns: &[&'static str]) -> Listing {
        Listing { json: self.json, columns: columns.to_vec(), held: Vec::new(), widths: None, any: false }
    }

    /// Tells the operator something that is no part of the answer.
    pub(super) fn note(self, text: &str) {
        diagnose(text);
    }

    /// Tells why it was not done.
    pub(super) fn failure(self, failure: &Failure) -> ExitCode {
        match failure {
            Failure::ReaderGone => {}
            Failure::Config(error) if self.json => {
                diagnose(&serde_json::json!({ "error": error.to_string(), "problems": error.problems }).to_string());
            }
            other if self.json => diagnose(&serde_json::json!({ "error": other.to_string() }).to_string()),
            other => diagnose(&format!("error: {other}")),
        }
        ExitCode::from(failure.exit_code())
    }
}

/// A list that is printed page by page, so that it may be of any length.
pub(super) struct Listing {
    json: bool,
    columns: Vec<&'static str>,
    /// Rows of a table that are not printed yet.
    held: Vec<Record>,
    /// Of each column, taken from the first rows that are printed.
    widths: Option<Vec<usize>>,
    any: bool,
}

impl Listing {
    /// Prints some more rows.
    pub(super) fn page(&mut self, rows: &[Record]) -> Result<(), Failure> {
        if !self.json {
            self.held.extend_from_slice(rows);
            return if self.held.len() < HELD { Ok(()) } else { self.table() };
        }
        let mut text = String::new();
        for row in rows {
            text.push_str(if self.any { ",\n" } else { "[" });
            text.push_str(json(row)?.trim_end());
            self.any = true;
        }
        answer(&text)
    }

    fn table(&mut self) -> Result<(), Failure> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        let cells = |row: &Record| self.columns.iter().map(|column| row.cell(column)).collect::<Vec<_>>();
        let mut lines: Vec<Vec<String>> = held.iter().map(cells).collect();
        let widths = self.widths.get_or_insert_with(|| {
            lines.insert(0, self.columns.iter().map(|column| column.to_uppercase().replace('_', " ")).collect());
            let widest = |column| {
                lines.iter().filter_map(|line| line.get(column)).map(|cell: &String| cell.chars().count()).max()
            };
            (0..self.columns.len()).map(|column| widest(column).unwrap_or_default()).collect()
        });
        let mut text = String::new();
        for line in &lines {
            let padded: Vec<_> = line.iter().zip(&*widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            text.push_str(padded.join("  ").trim_end());
            text.push('\n');
        }
        answer(&text)
    }

    /// Prints what ends the list.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        match (self.json, self.any) {
            (true, true) => answer("]\n"),
            (true, false) => answer("[]\n"),
            (false, _) => self.table(),
        }
    }
}

/// How many rows decide how wide a table is.
const HELD: usize = 500;

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|why| Failure::Refused(format!("writing JSON: {why}")))?;
    Ok(text + "\n")
}

/// Writes to standard output at once.
pub(super) fn answer(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes a line to standard error. There is nobody left to tell that it can't be written.
fn diagnose(text: &str) {
    let mut line = text.trim_end().to_owned();
    line.push('\n');
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// What clap says: help and version are answers, everything else is wrong usage.
pub(super) fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if error.use_stderr() && json {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let first = text.split("\n\n").next().unwrap_or(text);
        diagnose(&serde_json::json!({ "error": first }).to_string());
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
