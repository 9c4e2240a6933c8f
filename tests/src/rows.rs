//! One row of a table, run alone: `LYCHGATE_ROW` is a part of its name.

/// The variable that names a row.
pub const VARIABLE: &str = "LYCHGATE_ROW";

/// Whether `LYCHGATE_ROW` asks for some rows alone.
#[must_use]
pub fn is_filtered() -> bool {
    part().is_some()
}

/// The rows whose name has `LYCHGATE_ROW` in it, upper and lower case alike; all of them where it is not set.
///
/// # Panics
/// If none has: a test that tried nothing would pass.
#[must_use]
pub fn chosen<R>(rows: Vec<R>, name: impl Fn(&R) -> String) -> Vec<R> {
    pick(part().as_deref(), rows, name).unwrap_or_else(|why| panic!("{why}"))
}

fn part() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|part| !part.is_empty())
}

fn pick<R>(part: Option<&str>, rows: Vec<R>, name: impl Fn(&R) -> String) -> Result<Vec<R>, String> {
    let Some(part) = part else { return Ok(rows) };
    let all = rows.len();
    let folded = part.to_lowercase();
    let chosen: Vec<R> = rows.into_iter().filter(|row| name(row).to_lowercase().contains(&folded)).collect();
    if chosen.is_empty() {
        return Err(format!("{VARIABLE}: none of {all} rows has {part:?} in its name"));
    }
    for row in &chosen {
        println!("row: {}", name(row));
    }
    Ok(chosen)
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
