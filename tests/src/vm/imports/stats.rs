//! Stats, and properties that are set.

use wasmtime::{Caller, Linker, Result};

use super::super::State;
use super::{BAD_ARGUMENT, OK, enter, text, word};

type Host<'a> = Caller<'a, State>;

const GAUGE: u32 = 1;

/// Defines them.
pub fn define(linker: &mut Linker<State>) -> Result<()> {
    const ENV: &str = "env";
    linker.func_wrap(
        ENV,
        "proxy_define_metric",
        |mut host: Host<'_>, kind: u32, name: u32, size: u32, id: u32| -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_define_metric") {
                return Ok(status);
            }
            let name = text(&host, name, size)?;
            if kind > GAUGE {
                return Ok(BAD_ARGUMENT);
            }
            let State { stats, stat_numbers, .. } = host.data_mut();
            let number = *stat_numbers.entry(name).or_insert_with_key(|name| {
                stats.push((name.clone(), 0));
                stats.len() - 1
            });
            word(&mut host, id, number)?;
            Ok(OK)
        },
    )?;
    let change = |name: &'static str, change: fn(&mut i64, i64)| {
        move |mut host: Host<'_>, id: u32, value: i64| -> u32 {
            if let Some(status) = enter(&mut host, name) {
                return status;
            }
            match host.data_mut().stats.get_mut(id as usize) {
                Some((_, stat)) => {
                    change(stat, value);
                    OK
                }
                None => BAD_ARGUMENT,
            }
        }
    };
    linker.func_wrap(
        ENV,
        "proxy_increment_metric",
        change("proxy_increment_metric", |stat, by| *stat += by),
    )?;
    linker.func_wrap(
        ENV,
        "proxy_record_metric",
        change("proxy_record_metric", |stat, value| *stat = value),
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_property",
        |mut host: Host<'_>, path: u32, path_size: u32, value: u32, size: u32| -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_set_property") {
                return Ok(status);
            }
            let (path, value) = (text(&host, path, path_size)?, text(&host, value, size)?);
            host.data_mut().properties.insert(path, value);
            Ok(OK)
        },
    )?;
    Ok(())
}
