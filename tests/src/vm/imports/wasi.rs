//! The host's functions of WASI.

use wasmtime::{Error, Linker, Result};

use super::{Host, OK, State, enter, word, write};

/// Defines them.
pub fn define(linker: &mut Linker<State>) -> Result<()> {
    const WASI: &str = "wasi_snapshot_preview1";
    linker.func_wrap(WASI, "random_get", |mut host: Host<'_>, at: u32, size: u32| -> Result<u32> {
        if let Some(errno) = enter(&mut host, "random_get") {
            return Ok(errno);
        }
        let seed = host.data().made["random_get"];
        let byte = |n: u32| (u64::from(n).wrapping_mul(0x9E37_79B9).wrapping_add(seed) % 251) as u8;
        write(&mut host, at, &(0..size).map(byte).collect::<Vec<_>>())?;
        Ok(OK)
    })?;
    linker.func_wrap(
        WASI,
        "clock_time_get",
        |mut host: Host<'_>, _clock: u32, _precision: u64, at: u32| -> Result<u32> {
            if let Some(errno) = enter(&mut host, "clock_time_get") {
                return Ok(errno);
            }
            let state = host.data_mut();
            state.now += state.pace;
            let nanos = u64::try_from(state.now.as_nanos())?;
            write(&mut host, at, &nanos.to_le_bytes())?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        WASI,
        "environ_sizes_get",
        |mut host: Host<'_>, count: u32, size: u32| -> Result<u32> {
            if let Some(errno) = enter(&mut host, "environ_sizes_get") {
                return Ok(errno);
            }
            let (number, bytes) = {
                let all = &host.data().environment;
                (all.len(), all.iter().map(|(name, value)| name.len() + value.len() + 2).sum())
            };
            word(&mut host, count, number)?;
            word(&mut host, size, bytes)?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        WASI,
        "environ_get",
        |mut host: Host<'_>, pointers: u32, buffer: u32| -> Result<u32> {
            if let Some(errno) = enter(&mut host, "environ_get") {
                return Ok(errno);
            }
            let mut at = buffer;
            for (number, (name, value)) in host.data().environment.clone().into_iter().enumerate() {
                word(&mut host, pointers + 4 * u32::try_from(number)?, at as usize)?;
                let text = format!("{name}={value}\0");
                write(&mut host, at, text.as_bytes())?;
                at += u32::try_from(text.len())?;
            }
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        WASI,
        "fd_write",
        |mut host: Host<'_>, _fd: u32, _vectors: u32, _count: u32, written: u32| -> Result<u32> {
            if let Some(errno) = enter(&mut host, "fd_write") {
                return Ok(errno);
            }
            word(&mut host, written, 0)?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(WASI, "proc_exit", |_: Host<'_>, code: u32| -> Result<()> {
        Err(Error::msg(format!("the module left with {code}")))
    })?;
    Ok(())
}
