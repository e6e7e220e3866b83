//! Medians and minima, as a table and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::shells::{Contestant, Shell, version};

/// How long one thing took, again and again.
#[derive(Default, Clone)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub fn minimum(&self) -> Duration {
        self.0.iter().copied().min().unwrap_or_default()
    }

    /// The median of what each sample took more than the one of `floor` that was taken right before or after it, in
    /// microseconds. A machine that gets slower for a second is slower for both.
    fn median_above(&self, floor: &Self) -> f64 {
        let floors = floor.0.iter().copied();
        let mut differences: Vec<f64> = self
            .0
            .iter()
            .zip(floors.chain(std::iter::repeat(Duration::ZERO)))
            .map(|(sample, floor)| more(*sample, floor))
            .collect();
        differences.sort_by(f64::total_cmp);
        differences.get(differences.len() / 2).copied().unwrap_or_default()
    }
}

/// Microseconds that one thing takes more than another, which may be fewer than none.
fn more(one: Duration, other: Duration) -> f64 {
    (one.as_secs_f64() - other.as_secs_f64()) * 1e6
}

/// A table in Markdown whose columns line up in a terminal too.
pub struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    json: Vec<Value>,
}

impl Table {
    pub fn new(title: &str, first: &str, columns: impl IntoIterator<Item = String>) -> Self {
        Self {
            title: title.to_owned(),
            head: [first.to_owned()].into_iter().chain(columns).collect(),
            rows: Vec::new(),
            json: Vec::new(),
        }
    }

    /// One row. Cells are what is measured and the floor below it, if the floor is to be subtracted.
    pub fn row(&mut self, name: &str, cells: &[(&Samples, Option<&Samples>)]) {
        let mut row = vec![name.to_owned()];
        for (column, (samples, floor)) in self.head[1..].iter().zip(cells) {
            let zero = Samples::default();
            let floor = floor.unwrap_or(&zero);
            assert!(floor.0.is_empty() || floor.0.len() == samples.0.len());
            let median = samples.median_above(floor);
            let minimum = more(samples.minimum(), floor.minimum());
            row.push(format!("{} ({})", microseconds(median), microseconds(minimum)));
            self.json.push(json!({
                "table": self.title, "row": name, "column": column,
                "median_us": median, "minimum_us": minimum, "samples": samples.0.len(),
            }));
        }
        self.rows.push(row);
    }

    pub fn print(&self) {
        let rows = || [&self.head].into_iter().chain(&self.rows);
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| rows().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        println!("\n{}\n", self.title);
        for (index, row) in rows().enumerate() {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            println!("| {} |", cells.join(" | "));
            if index == 0 {
                let lines: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                println!("|-{}-|", lines.join("-|-"));
            }
        }
    }

    pub fn json(self) -> Vec<Value> {
        self.json
    }
}

fn microseconds(value: f64) -> String {
    if value.abs() < 1000.0 {
        format!("{value:.0} µs")
    } else {
        format!("{:.2} ms", value / 1000.0)
    }
}

/// What was measured on what.
pub fn machine() -> Value {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo").lines().find_map(|line| {
        line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.to_owned())
    });
    let kernel = std::process::Command::new("uname").args(["-s", "-r", "-m"]).output();
    let versions = Shell::ALL
        .map(Shell::name)
        .into_iter()
        .chain(Contestant::ALL[2..].iter().map(|it| it.name()));
    json!({
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "processor": processor,
        "kernel": kernel.map(|kernel| String::from_utf8_lossy(&kernel.stdout).trim().to_owned()).unwrap_or_default(),
        "load": read("/proc/loadavg").split(' ').next(),
        "versions": versions.filter_map(|name| Some((name.to_owned(), version(name)?.into()))).collect::<serde_json::Map<_, _>>(),
    })
}
