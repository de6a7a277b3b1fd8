//! The table, on the terminal and in `docs/performance.md`.

use std::path::Path;

use super::load::{Contest, shown};

/// One line.
pub struct Line {
    pub what: String,
    pub engine: &'static str,
    pub ours: String,
    pub theirs: String,
    pub ratio: String,
    pub cpu: String,
    pub aim: String,
    pub met: Option<bool>,
}

/// A share of what is possible.
pub enum Aim {
    None,
    /// In answers a second: where one thread is the bound, and the other cores do the rest.
    Rate(f64),
    /// Also in processor time for one answer.
    RateAndCpu(f64),
}

#[derive(Default)]
pub struct Table(Vec<Line>);

const HEAD: &str = "| What | Database | gatehouse | Compared with | Ratio | By processor time | Aim | Met |\n|---|---|---|---|---|---|---|---|\n";
const BEGIN: &str = "<!-- measured: what stands here is written by the command above -->";
const END: &str = "<!-- measured: end -->";

impl Table {
    pub fn add(&mut self, line: Line) {
        eprintln!("{}", line.markdown());
        self.0.push(line);
    }

    /// Two sides that took turns, and the share that is aimed at.
    pub fn contest(&mut self, what: &str, engine: &'static str, against: &str, contest: &Contest, aim: Aim) {
        let (rates, cpu) = (contest.rates(), contest.cpu());
        let aim = match aim {
            Aim::None => None,
            Aim::Rate(aim) => Some((aim, rates.median)),
            Aim::RateAndCpu(aim) => Some((aim, rates.median.min(cpu))),
        };
        self.add(Line {
            what: what.to_owned(),
            engine,
            ours: shown(&contest.ours),
            theirs: format!("{against}: {}", shown(&contest.theirs)),
            ratio: format!("{:.2} ({:.2} to {:.2})", rates.median, rates.min, rates.max),
            cpu: format!("{cpu:.2}"),
            aim: aim.map_or_else(String::new, |(aim, _)| format!("≥ {aim:.2}")),
            met: aim.map(|(aim, reached)| reached >= aim),
        });
    }

    /// One figure with a bound.
    pub fn figure(&mut self, what: &str, engine: &'static str, ours: String, aim: &str, met: Option<bool>) {
        self.add(Line {
            what: what.to_owned(),
            engine,
            ours,
            theirs: String::new(),
            ratio: String::new(),
            cpu: String::new(),
            aim: aim.to_owned(),
            met,
        });
    }

    pub fn markdown(&self) -> String {
        HEAD.to_owned() + &self.0.iter().map(|line| line.markdown() + "\n").collect::<String>()
    }

    /// Puts the table between the marks of the document; lines that were not measured this time stay.
    pub fn write(&self, document: &Path, about: &str) {
        let text = std::fs::read_to_string(document).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect("the beginning of what is measured");
        let (measured, after) = rest.split_once(END).expect("the end of what is measured");
        let mut lines: Vec<String> =
            measured.lines().filter(|line| line.starts_with("| ")).skip(1).map(str::to_owned).collect();
        for line in &self.0 {
            let (name, new) = (format!("| {} | {} |", line.what, line.engine), line.markdown());
            match lines.iter_mut().find(|old| old.starts_with(&name)) {
                Some(old) => *old = new,
                None => lines.push(new),
            }
        }
        let lines: String = lines.into_iter().map(|line| line + "\n").collect();
        std::fs::write(document, format!("{before}{BEGIN}\n\n{about}\n\n{HEAD}{lines}\n{END}{after}")).unwrap();
    }
}

impl Line {
    fn markdown(&self) -> String {
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let Self { what, engine, ours, theirs, ratio, cpu, aim, .. } = self;
        format!("| {what} | {engine} | {ours} | {theirs} | {ratio} | {cpu} | {aim} | {met} |")
    }
}
