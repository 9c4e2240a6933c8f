//! What came out: tables, JSON and a plot.

use std::fmt::Write as _;

use lychgate_tests::load::spread;
use serde_json::{Value, json};

use crate::contenders::Artefact;
use crate::measure::Run;

/// One artefact beside what it is held against: a run of each in every round.
pub struct Side {
    /// The artefact's.
    pub ours: Vec<Run>,
    /// The other's, in the same rounds.
    pub theirs: Vec<Run>,
    /// The ratio to reach; none: it is shown for comparison.
    pub goal: Option<f64>,
}

/// The least that Envoy took for a request in any round. What else the machine does can only add to it.
fn least(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.cost).fold(f64::INFINITY, f64::min)
}

impl Side {
    /// How much less of a processor a request takes than with the other: more is better.
    fn cost_ratio(&self) -> f64 {
        least(&self.theirs) / least(&self.ours)
    }

    /// The ratio of throughput in each round.
    fn rate_ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours.rate / theirs.rate).collect()
    }

    fn met(&self) -> bool {
        self.goal.is_none_or(|goal| (self.cost_ratio() * 100.0).round() / 100.0 >= goal)
    }

    /// The goal, the ratio of processor time with both times, and that of throughput with its spread.
    fn cells(&self) -> String {
        let goal = self.goal.map_or_else(|| "–".to_owned(), |goal| format!("{goal:.2}"));
        let mark = match self.goal {
            None => "",
            Some(_) if self.met() => " met",
            Some(_) => " not met",
        };
        let (ours, theirs) = (least(&self.ours), least(&self.theirs));
        let (median, low, high) = spread(self.rate_ratios());
        let cost = self.cost_ratio();
        format!(
            "{goal} | **{cost:.2}**{mark} ({ours:.1} / {theirs:.1} µs) | {median:.2} ({low:.2} … {high:.2})"
        )
    }

    fn document(&self) -> Value {
        json!({"goal": self.goal, "cpu": self.cost_ratio(), "cpu_micros": least(&self.ours),
               "rival_cpu_micros": least(&self.theirs), "throughput": spread(self.rate_ratios()).0,
               "throughputs": self.rate_ratios()})
    }
}

/// One load.
pub struct Row {
    /// The load.
    pub title: String,
    /// What it is held against.
    pub against: &'static str,
    /// The artefacts, in the order of [`Artefact::BOTH`].
    pub sides: [Side; 2],
}

/// The time to an answer at half the peak load: the ratio of each round; less is better.
pub struct Latency {
    /// Which part of the answers, and of which artefact.
    pub title: String,
    /// The ratios.
    pub ratios: Vec<f64>,
    /// What their median may be at most.
    pub at_most: Option<f64>,
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

/// What was measured.
#[derive(Default)]
pub struct Results {
    /// With an upstream behind the filters.
    pub rows: Vec<Row>,
    /// With nothing behind them but Envoy's own answer.
    pub bare: Vec<Row>,
    /// With an upstream.
    pub latencies: Vec<Latency>,
    /// Of the Wasm module alone.
    pub figures: Vec<Figure>,
}

impl Results {
    /// The tables, as Markdown, which reads well on a terminal too.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (title, rows) in [("with an upstream", &self.rows), ("with nothing behind", &self.bare)] {
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(
                text,
                "| load, {title} | against | native: goal | CPU | throughput | Wasm: goal | CPU | throughput |\n\
                 |---|---|---|---|---|---|---|---|"
            );
            for Row { title, against, sides: [native, wasm] } in rows {
                let _ = writeln!(text, "| {title} | {against} | {} | {} |", native.cells(), wasm.cells());
            }
            text.push('\n');
        }
        text.push_str(
            "| time to an answer at half the peak load, of jwt_authn's | at most | ratio |\n|---|---|---|\n",
        );
        for Latency { title, ratios, at_most } in &self.latencies {
            let (median, least, most) = spread(ratios.clone());
            let bound = at_most.map_or_else(|| "–".to_owned(), |bound| format!("{bound:.2}"));
            let _ = writeln!(text, "| {title} | {bound} | **{median:.2}** ({least:.2} … {most:.2}) |");
        }
        text.push_str("\n| figure of the Wasm module | value | at most |\n|---|---|---|\n");
        for Figure { title, value, at_most } in &self.figures {
            let bound = at_most.map_or_else(|| "–".to_owned(), |bound| format!("{bound}"));
            let _ = writeln!(text, "| {title} | {value:.2} | {bound} |");
        }
        text
    }

    /// All of it, for machines.
    pub fn document(&self) -> Value {
        let rows = |rows: &[Row]| -> Vec<Value> {
            let row = |row: &Row| {
                let [native, wasm] = &row.sides;
                json!({"load": row.title, "against": row.against,
                       "native": native.document(), "wasm": wasm.document()})
            };
            rows.iter().map(row).collect()
        };
        let latency = |latency: &Latency| json!({"title": latency.title, "ratios": latency.ratios, "at_most": latency.at_most});
        let figure = |figure: &Figure| json!({"figure": figure.title, "value": figure.value, "at_most": figure.at_most});
        json!({"machine": "two shared cores", "with_upstream": rows(&self.rows),
               "with_nothing_behind": rows(&self.bare),
               "latencies": self.latencies.iter().map(latency).collect::<Vec<_>>(),
               "figures": self.figures.iter().map(figure).collect::<Vec<_>>()})
    }

    /// The rows with an upstream as a plot: a dot for the ratio of processor time, a line for the throughput of all
    /// rounds, a tick for the goal.
    pub fn plot(&self) -> String {
        let height = (self.rows.len() + 3) * LINE;
        let bottom = height - LINE;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"8\" y=\"18\" \
             font-size=\"14\" font-weight=\"bold\">Lychgate against the native filters of one Envoy worker: more \
             than 1.0 means that a request takes less</text>\n",
            height + LINE
        );
        for step in 0..=6_u32 {
            let (ratio, is_one) = (f64::from(step) / 2.0, step == 2);
            let at = x(ratio);
            let color = if is_one { "#333" } else { "#ddd" };
            let _ = writeln!(
                svg,
                "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{LINE}\" y2=\"{bottom}\" stroke=\"{color}\"/>\
                 <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{ratio:.1}</text>",
                bottom + 14
            );
        }
        for (number, row) in self.rows.iter().enumerate() {
            let y = (number + 2) * LINE;
            let label = format!("{} / {}", row.title, row.against).replace('&', "&amp;");
            let _ =
                writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>", LEFT - 10, y + 4);
            let [native, wasm] = &row.sides;
            draw(&mut svg, native, Artefact::Native, y - 7);
            draw(&mut svg, wasm, Artefact::Wasm, y + 7);
        }
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{}\" fill=\"#555\">green: native module, brown: Wasm module; dot: processor time of \
             Envoy for a request, filled if the goal is met; line: throughput in all rounds; blue tick: goal</text>\n</svg>",
            bottom + 14 + LINE
        );
        svg
    }
}

const LINE: usize = 34;
/// The longest label goes before it.
const LEFT: usize = 580;
const WIDTH: usize = 1060;
/// Ratios beyond this are drawn at the edge; their figure says how far they are.
const MOST: f64 = 3.0;

fn x(ratio: f64) -> f64 {
    LEFT as f64 + (WIDTH - LEFT - 60) as f64 * ratio.min(MOST) / MOST
}

fn draw(svg: &mut String, side: &Side, artefact: Artefact, y: usize) {
    let color = match artefact {
        Artefact::Native => "#1a7f37",
        Artefact::Wasm => "#b35900",
    };
    let (_, least, most) = spread(side.rate_ratios());
    let cost = side.cost_ratio();
    let fill = if side.met() { color } else { "#fff" };
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\" stroke=\"{color}\" stroke-width=\"2\"/>\
         <circle cx=\"{:.1}\" cy=\"{y}\" r=\"5\" fill=\"{fill}\" stroke=\"{color}\" stroke-width=\"2\"/>\
         <text x=\"{:.1}\" y=\"{}\" fill=\"{color}\">{cost:.2}</text>",
        x(least),
        x(most),
        x(cost),
        WIDTH as f64 - 40.0,
        y + 4
    );
    if let Some(goal) = side.goal {
        let at = x(goal);
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"#0550ae\" stroke-width=\"2\"/>",
            y - 6,
            y + 6
        );
    }
}
