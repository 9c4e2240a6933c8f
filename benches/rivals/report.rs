//! What came out: a table, JSON and a plot.

use std::fmt::Write as _;

use lychgate_testkit::load::spread;
use serde_json::{Value, json};

/// One row: ratios of one run, the goal, and whether a smaller ratio is the better one.
pub struct Row {
    /// The load.
    pub title: String,
    /// What it is held against.
    pub against: String,
    /// The ratio of each round.
    pub ratios: Vec<f64>,
    /// The goal for their median.
    pub goal: Option<f64>,
    /// Whether the goal is an upper bound: a time, not a throughput.
    pub less_is_better: bool,
}

impl Row {
    /// Their median.
    pub fn median(&self) -> f64 {
        spread(self.ratios.clone()).0
    }

    /// Whether the goal is met; true where there is none.
    pub fn met(&self) -> bool {
        let median = (self.median() * 100.0).round() / 100.0;
        self.goal.is_none_or(|goal| if self.less_is_better { median <= goal } else { median >= goal })
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
    let mut text =
        String::from("| load | against | ratio | rounds from … to | goal | |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let (median, least, most) = spread(row.ratios.clone());
        let (title, against, goal) = (&row.title, &row.against, row.goal_text());
        let mark = if row.goal.is_none() {
            ""
        } else if row.met() {
            "met"
        } else {
            "not met"
        };
        let _ = writeln!(
            text,
            "| {title} | {against} | {median:.2} | {least:.2} … {most:.2} | {goal} | {mark} |"
        );
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
            json!({"load": row.title, "against": row.against, "median": row.median(), "ratios": row.ratios,
                   "goal": row.goal, "less_is_better": row.less_is_better, "met": row.met()})
        })
        .collect();
    let figures: Vec<_> = figures
        .iter()
        .map(|figure| json!({"figure": figure.title, "value": figure.value, "at_most": figure.at_most}))
        .collect();
    json!({"machine": "two shared cores", "rows": rows, "figures": figures})
}

const LINE: usize = 26;
const LEFT: usize = 480;
const WIDTH: usize = 960;
/// Ratios beyond this are drawn at the edge; their figure says how far they are.
const MOST: f64 = 3.0;

/// The ratios as a plot: a dot for the median, a line for the rounds, a tick for the goal.
pub fn plot(rows: &[Row]) -> String {
    let x = |ratio: f64| LEFT as f64 + (WIDTH - LEFT - 60) as f64 * ratio.min(MOST) / MOST;
    let height = (rows.len() + 3) * LINE;
    let bottom = height - LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"8\" y=\"18\" \
         font-size=\"14\" font-weight=\"bold\">Lychgate against the native filters of one Envoy worker: ratio of \
         throughput, more is better</text>\n"
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
        let (median, least, most) = spread(row.ratios.clone());
        let y = (number + 2) * LINE;
        let color = if row.met() { "#1a7f37" } else { "#b35900" };
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
            x(most) + 9.0,
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
        "<text x=\"8\" y=\"{}\" fill=\"#555\">dot: median; line: all rounds; blue tick: goal</text>\n</svg>",
        bottom + 14
    );
    svg
}
