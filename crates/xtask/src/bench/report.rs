//! The table, and the same as JSON.

use std::fmt;

use serde_json::{Value, json};

use super::servers::Sides;

/// What a row is to reach.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Vesta's figure divided by Redis's is at most this.
    Ratio(f64),
    /// Vesta's figure is at most this.
    Figure(f64),
}

/// One measured thing.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) unit: &'static str,
    /// A figure per round.
    pub(super) samples: Sides<Vec<f64>>,
    pub(super) target: Option<Target>,
}

impl Row {
    fn median(&self) -> Sides<f64> {
        Sides { vesta: median(&self.samples.vesta), redis: median(&self.samples.redis) }
    }

    fn ratio(&self) -> f64 {
        let Sides { vesta, redis } = self.median();
        vesta / redis
    }

    /// Whether the target, if there is one, is met.
    pub(super) fn passes(&self) -> bool {
        match self.target {
            Some(Target::Ratio(max)) => self.ratio() <= max,
            Some(Target::Figure(max)) => self.median().vesta <= max,
            None => true,
        }
    }

    fn to_json(&self) -> Value {
        let median = self.median();
        json!({
            "name": self.name,
            "unit": self.unit,
            "vesta": median.vesta,
            "redis": median.redis,
            "ratio": self.ratio(),
            "target": self.target.map(|target| target.to_string()),
            "passes": self.passes(),
            "samples": { "vesta": self.samples.vesta, "redis": self.samples.redis },
        })
    }
}

/// The middle sample, or the mean of the two in the middle; NaN without samples.
fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    } else {
        at(middle)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(max) => write!(f, "<= {max:.2}x"),
            Self::Figure(max) => write!(f, "<= {max}"),
        }
    }
}

/// All rows and the machine they were measured on.
#[derive(Debug)]
pub(super) struct Report {
    machine: Value,
    pub(super) rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(machine: Value) -> Self {
        Self { machine, rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn push(
        &mut self,
        name: impl Into<String>,
        unit: &'static str,
        samples: Sides<Vec<f64>>,
        target: Option<Target>,
    ) {
        self.rows.push(Row { name: name.into(), unit, samples, target });
    }

    /// Machine facts and rows.
    pub(super) fn to_json(&self) -> String {
        let rows: Vec<Value> = self.rows.iter().map(Row::to_json).collect();
        format!("{:#}\n", json!({ "machine": self.machine, "rows": rows }))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(
            f,
            "{:<24} {:>8} {:>12} {:>12} {:>7}  {:<9} verdict",
            "what", "unit", "vesta", "redis", "ratio", "target"
        )?;
        for row in &self.rows {
            let Sides { vesta, redis } = row.median();
            let target = row.target.map_or(String::new(), |target| target.to_string());
            let verdict = match row.target {
                None => "",
                Some(_) if row.passes() => "pass",
                Some(_) => "FAIL",
            };
            writeln!(
                f,
                "{:<24} {:>8} {vesta:>12.1} {redis:>12.1} {:>7}  {target:<9} {verdict}",
                row.name,
                row.unit,
                ratio_text(row.ratio()),
            )?;
        }
        Ok(())
    }
}

/// A ratio as the table shows it; two zeros have none.
fn ratio_text(ratio: f64) -> String {
    if ratio.is_finite() { format!("{ratio:.2}x") } else { String::from("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_round_does_not_move_a_figure() {
        assert_eq!(median(&[3.0, 900.0, 1.0, 2.0, 2.5]), 2.5);
        assert_eq!(median(&[1.0, 2.0]), 1.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_row_passes_by_ratio_or_by_figure() {
        let row = |vesta: f64, target| Row {
            name: "x".into(),
            unit: "ns/op",
            samples: Sides { vesta: vec![vesta], redis: vec![10.0] },
            target,
        };
        assert!(row(8.0, Some(Target::Ratio(0.8))).passes());
        assert!(!row(8.1, Some(Target::Ratio(0.8))).passes());
        assert!(row(60.0, Some(Target::Figure(60.0))).passes());
        assert!(!row(f64::NAN, Some(Target::Figure(60.0))).passes());
        assert!(row(99.0, None).passes());
    }
}
