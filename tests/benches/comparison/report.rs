//! What came out: a table, JSON and a plot.

use std::fmt::Write as _;

use lychgate_tests::load::spread;
use serde_json::{Value, json};

/// One row: ratios of one run, the goal, and whether a smaller ratio is the better one.
pub struct Row {
    /// The load.
    pub title: String,
    /// What it is held against.
    pub against: String,
    /// The ratio of each round, with an upstream behind the filters.
    pub ratios: Vec<f64>,
    /// The same with nothing behind them; empty where that was not measured.
    pub bare: Vec<f64>,
    /// The goal for their median.
    pub goal: Option<f64>,
    /// Whether the goal is an upper bound: a time, not a throughput.
    pub less_is_better: bool,
}

impl Row {
    /// Whether the goal is met by the median of `ratios`; true where there is none.
    pub fn met(&self, ratios: &[f64]) -> bool {
        let median = (spread(ratios.to_vec()).0 * 100.0).round() / 100.0;
        self.goal.is_none_or(|goal| if self.less_is_better { median <= goal } else { median >= goal })
    }

    /// The median of `ratios` with its spread, and whether it is what was to be reached.
    fn cell(&self, ratios: &[f64]) -> String {
        if ratios.is_empty() {
            return "–".into();
        }
        let (median, least, most) = spread(ratios.to_vec());
        let mark = match self.goal {
            None => "",
            Some(_) if self.met(ratios) => " met",
            Some(_) => " not met",
        };
        format!("**{median:.2}** ({least:.2} … {most:.2}){mark}")
    }

    fn goal_text(&self) -> String {
        let sign = if self.less_is_better { "≤" } else { "≥" };
        self.goal.map_or_else(|| "–".to_owned(), |goal| format!("{sign} {goal:.2}"))
    }
}

/// A single figure with its bound.
pub struct Figure {
    /// What it is, with its unit.
    pub title: String,
    /// The figure.
    pub value: f64,
    /// The bound, if it has one.
    pub at_most: Option<f64>,
}

/// The table, as Markdown, which reads well on a terminal too.
pub fn table(rows: &[Row], figures: &[Figure]) -> String {
    let mut text = String::from(
        "| load | against | goal | with an upstream | with nothing behind |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        let Row { title, against, ratios, bare, .. } = row;
        let (goal, ratios, bare) = (row.goal_text(), row.cell(ratios), row.cell(bare));
        let _ = writeln!(text, "| {title} | {against} | {goal} | {ratios} | {bare} |");
    }
    text.push_str("\n| figure | value | at most |\n|---|---|---|\n");
    for Figure { title, value, at_most } in figures {
        let bound = at_most.map_or_else(|| "–".to_owned(), |bound| format!("{bound}"));
        let _ = writeln!(text, "| {title} | {value:.2} | {bound} |");
    }
    text
}

/// All of it, for machines.
pub fn document(rows: &[Row], figures: &[Figure]) -> Value {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let median = |ratios: &Vec<f64>| (!ratios.is_empty()).then(|| spread(ratios.clone()).0);
            json!({"load": row.title, "against": row.against, "goal": row.goal,
                   "less_is_better": row.less_is_better,
                   "with_upstream": {"median": median(&row.ratios), "ratios": row.ratios},
                   "with_nothing_behind": {"median": median(&row.bare), "ratios": row.bare}})
        })
        .collect();
    let figures: Vec<_> = figures
        .iter()
        .map(|figure| json!({"figure": figure.title, "value": figure.value, "at_most": figure.at_most}))
        .collect();
    json!({"machine": "two shared cores", "rows": rows, "figures": figures})
}

const LINE: usize = 26;
/// The longest label goes before it.
const LEFT: usize = 580;
const WIDTH: usize = 1060;
/// Ratios beyond this are drawn at the edge; their figure says how far they are.
const MOST: f64 = 3.0;

/// The ratios as a plot: a dot for the median, a line for the rounds, a tick for the goal.
pub fn plot(rows: &[Row]) -> String {
    let x = |ratio: f64| LEFT as f64 + (WIDTH - LEFT - 60) as f64 * ratio.min(MOST) / MOST;
    let height = (rows.len() + 3) * LINE;
    let bottom = height - LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"8\" y=\"18\" \
         font-size=\"14\" font-weight=\"bold\">Lychgate against the native filters of one Envoy worker: ratio of \
         throughput, more is better</text>\n",
        height + LINE
    );
    for step in 0..=6_u32 {
        let (ratio, one) = (f64::from(step) / 2.0, step == 2);
        let at = x(ratio);
        let color = if one { "#333" } else { "#ddd" };
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{LINE}\" y2=\"{bottom}\" stroke=\"{color}\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{ratio:.1}</text>",
            bottom + 14
        );
    }
    for (number, row) in rows.iter().filter(|row| !row.less_is_better).enumerate() {
        if !row.bare.is_empty() {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{}\" r=\"4\" fill=\"none\" stroke=\"#777\"/>",
                x(spread(row.bare.clone()).0),
                (number + 2) * LINE
            );
        }
        let (median, least, most) = spread(row.ratios.clone());
        let y = (number + 2) * LINE;
        let color = if row.met(&row.ratios) { "#1a7f37" } else { "#b35900" };
        let label = format!("{} / {}", row.title, row.against).replace('&', "&amp;");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <circle cx=\"{:.1}\" cy=\"{y}\" r=\"5\" fill=\"{color}\"/>\
             <text x=\"{:.1}\" y=\"{}\" fill=\"{color}\">{median:.2}</text>",
            LEFT - 10,
            y + 4,
            x(least),
            x(most),
            x(median),
            WIDTH as f64 - 40.0,
            y + 4
        );
        if let Some(goal) = row.goal {
            let at = x(goal);
            let _ = writeln!(
                svg,
                "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"#0550ae\" stroke-width=\"2\"/>",
                y - 8,
                y + 8
            );
        }
    }
    let _ = writeln!(
        svg,
        "<text x=\"8\" y=\"{}\" fill=\"#555\">dot: median with an upstream; line: all rounds; ring: median with nothing behind; blue tick: goal</text>\n</svg>",
        bottom + 14 + LINE
    );
    svg
}
