//! The host's functions.

mod stats;
mod wasi;

use std::time::Duration;

use wasmtime::{Caller, Error, Linker, Result};

use super::{Call, Headers, LocalResponse, State};

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const INVALID_MEMORY_ACCESS: u32 = 6;
const CAS_MISMATCH: u32 = 8;

/// Kinds of header maps and buffers.
const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const CALL_RESPONSE_HEADERS: u32 = 6;
const REQUEST_BODY: u32 = 0;
const CALL_RESPONSE_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;

type Host<'a> = Caller<'a, State>;

/// Counts the call; the status it is to fail with.
fn enter(host: &mut Host<'_>, name: &'static str) -> Option<u32> {
    let state = host.data_mut();
    *state.made.entry(name).or_default() += 1;
    if let Some((left, status)) = &mut state.fault_after {
        match left.checked_sub(1) {
            Some(less) => *left = less,
            None => {
                let status = *status;
                state.fault_after = None;
                state.failed = Some(name);
                return Some(status);
            }
        }
    }
    state.faults.iter().find(|fault| fault.0 == name).map(|fault| fault.1)
}

fn read(host: &Host<'_>, at: u32, size: u32) -> Result<Vec<u8>> {
    let memory = host.data().memory.ok_or_else(|| Error::msg("no memory"))?;
    let range = at as usize..(at as usize).saturating_add(size as usize);
    let bytes = memory.data(host).get(range).ok_or_else(|| Error::msg("a pointer out of bounds"))?;
    Ok(bytes.to_vec())
}

fn text(host: &Host<'_>, at: u32, size: u32) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(host, at, size)?).into_owned())
}

fn write(host: &mut Host<'_>, at: u32, bytes: &[u8]) -> Result<()> {
    let memory = host.data().memory.ok_or_else(|| Error::msg("no memory"))?;
    Ok(memory.write(host, at as usize, bytes)?)
}

fn word(host: &mut Host<'_>, at: u32, value: usize) -> Result<()> {
    write(host, at, &u32::try_from(value)?.to_le_bytes())
}

/// Hands bytes over in memory that the plugin allocates.
fn give(host: &mut Host<'_>, bytes: &[u8], data: u32, size: u32) -> Result<u32> {
    let allocate = host.data().allocate.clone().ok_or_else(|| Error::msg("nothing allocates"))?;
    let at = allocate.call(&mut *host, u32::try_from(bytes.len())?)?;
    if at == 0 && !bytes.is_empty() {
        return Ok(INVALID_MEMORY_ACCESS);
    }
    write(host, at, bytes)?;
    word(host, data, at as usize)?;
    word(host, size, bytes.len())?;
    Ok(OK)
}

fn serialize(headers: &Headers) -> Vec<u8> {
    let word = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    let mut bytes = word(headers.len()).to_vec();
    headers.iter().for_each(|(name, value)| bytes.extend([word(name.len()), word(value.len())].concat()));
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn parse(bytes: &[u8]) -> Headers {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
    let count = if bytes.len() < 4 { 0 } else { word(0) };
    let mut at = 4 + 8 * count;
    let mut take = |size: usize| {
        let text = String::from_utf8_lossy(&bytes[at..at + size]).into_owned();
        at += size + 1;
        text
    };
    (0..count).map(|n| (take(word(4 + 8 * n)), take(word(8 + 8 * n)))).collect()
}

/// The headers or trailers that the plugin may look at now.
fn map(state: &mut State, kind: u32) -> Option<&mut Headers> {
    match kind {
        REQUEST_HEADERS => state.head(),
        REQUEST_TRAILERS => state.tail(),
        CALL_RESPONSE_HEADERS => Some(&mut state.answer.0),
        _ => None,
    }
}

/// Defines all of them.
pub fn define(linker: &mut Linker<State>) {
    headers(linker)
        .and_then(|()| streams(linker))
        .and_then(|()| outside(linker))
        .and_then(|()| stats::define(linker))
        .and_then(|()| wasi::define(linker))
        .expect("defined once");
}

fn headers(linker: &mut Linker<State>) -> Result<()> {
    const ENV: &str = "env";
    linker.func_wrap(
        ENV,
        "proxy_get_header_map_pairs",
        |mut host: Host<'_>, kind: u32, data: u32, size: u32| {
            if let Some(status) = enter(&mut host, "proxy_get_header_map_pairs") {
                return Ok(status);
            }
            let Some(map) = map(host.data_mut(), kind).map(|map| serialize(map)) else {
                return Ok(BAD_ARGUMENT);
            };
            give(&mut host, &map, data, size)
        },
    )?;
    for (call, replaces) in [("proxy_replace_header_map_value", true), ("proxy_add_header_map_value", false)]
    {
        linker.func_wrap(
            ENV,
            call,
            move |mut host: Host<'_>, kind: u32, name: u32, name_size: u32, value: u32, value_size: u32| {
                if let Some(status) = enter(&mut host, call) {
                    return Ok(status);
                }
                let (name, value) = (text(&host, name, name_size)?, text(&host, value, value_size)?);
                let Some(map) = map(host.data_mut(), kind) else { return Ok(BAD_ARGUMENT) };
                map.retain(|(own, _)| !replaces || *own != name);
                map.push((name, value));
                Ok::<u32, wasmtime::Error>(OK)
            },
        )?;
    }
    linker.func_wrap(
        ENV,
        "proxy_remove_header_map_value",
        |mut host: Host<'_>, kind: u32, name: u32, size: u32| -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_remove_header_map_value") {
                return Ok(status);
            }
            let name = text(&host, name, size)?;
            let Some(map) = map(host.data_mut(), kind) else { return Ok(BAD_ARGUMENT) };
            map.retain(|(own, _)| *own != name);
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_buffer_bytes",
        |mut host: Host<'_>, kind: u32, _start: u32, most: u32, data: u32, size: u32| {
            if let Some(status) = enter(&mut host, "proxy_get_buffer_bytes") {
                return Ok(status);
            }
            let bytes = match kind {
                REQUEST_BODY => match host.data_mut().buffer() {
                    Some(body) => body.clone(),
                    None => return Ok(BAD_ARGUMENT),
                },
                CALL_RESPONSE_BODY => host.data().answer.1.clone(),
                PLUGIN_CONFIGURATION => host.data().configuration.clone(),
                _ => return Ok(BAD_ARGUMENT),
            };
            let bytes = &bytes[..bytes.len().min(most as usize)];
            give(&mut host, bytes, data, size)
        },
    )?;
    Ok(())
}

fn streams(linker: &mut Linker<State>) -> Result<()> {
    const ENV: &str = "env";
    linker.func_wrap(
        ENV,
        "proxy_send_local_response",
        |mut host: Host<'_>,
         status: u32,
         details: u32,
         details_size: u32,
         body: u32,
         body_size: u32,
         headers: u32,
         headers_size: u32,
         _grpc: i32|
         -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_send_local_response") {
                host.data_mut().reply_failed();
                return Ok(status);
            }
            let response = LocalResponse {
                status,
                body: read(&host, body, body_size)?,
                details: text(&host, details, details_size)?,
                headers: parse(&read(&host, headers, headers_size)?),
            };
            Ok(host.data_mut().reply(response))
        },
    )?;
    linker.func_wrap(ENV, "proxy_continue_stream", |mut host: Host<'_>, _kind: u32| -> u32 {
        if let Some(status) = enter(&mut host, "proxy_continue_stream") {
            return status;
        }
        host.data_mut().resume()
    })?;
    linker.func_wrap(ENV, "proxy_set_effective_context", |mut host: Host<'_>, context: u32| -> u32 {
        if let Some(status) = enter(&mut host, "proxy_set_effective_context") {
            return status;
        }
        host.data_mut().speak_of(context)
    })?;
    linker.func_wrap(
        ENV,
        "proxy_set_tick_period_milliseconds",
        |mut host: Host<'_>, period: u32| -> u32 {
            if let Some(status) = enter(&mut host, "proxy_set_tick_period_milliseconds") {
                return status;
            }
            host.data_mut().period(period);
            OK
        },
    )?;
    linker.func_wrap(ENV, "proxy_get_log_level", |mut host: Host<'_>, level: u32| -> Result<u32> {
        if let Some(status) = enter(&mut host, "proxy_get_log_level") {
            return Ok(status);
        }
        let lowest = host.data().log_level;
        write(&mut host, level, &lowest.to_le_bytes())?;
        Ok(OK)
    })?;
    linker.func_wrap(
        ENV,
        "proxy_log",
        |mut host: Host<'_>, level: u32, message: u32, size: u32| -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_log") {
                return Ok(status);
            }
            let line = text(&host, message, size)?;
            host.data_mut().log.push((level, line));
            Ok(OK)
        },
    )?;
    Ok(())
}

fn outside(linker: &mut Linker<State>) -> Result<()> {
    const ENV: &str = "env";
    linker.func_wrap(
        ENV,
        "proxy_get_property",
        |mut host: Host<'_>, path: u32, path_size: u32, data: u32, size: u32| -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_get_property") {
                return Ok(status);
            }
            match read(&host, path, path_size)?.as_slice() {
                b"source\0address" if host.data().has_client() => {
                    let address = host.data().client();
                    give(&mut host, address.as_bytes(), data, size)
                }
                b"connection\0id" => match host.data().connection() {
                    Some(connection) => give(&mut host, &connection.to_le_bytes(), data, size),
                    None => Ok(NOT_FOUND),
                },
                b"request\0total_size" => match host.data().received() {
                    Some(received) => give(&mut host, &received.to_le_bytes(), data, size),
                    None => Ok(NOT_FOUND),
                },
                _ => Ok(NOT_FOUND),
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_shared_data",
        |mut host: Host<'_>, key: u32, key_size: u32, data: u32, size: u32, version: u32| -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_get_shared_data") {
                return Ok(status);
            }
            let key = read(&host, key, key_size)?;
            let Some((value, own)) = host.data().shared.get(&key).cloned() else { return Ok(NOT_FOUND) };
            word(&mut host, version, own as usize)?;
            give(&mut host, &value, data, size)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_shared_data",
        |mut host: Host<'_>,
         key: u32,
         key_size: u32,
         value: u32,
         value_size: u32,
         version: u32|
         -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_set_shared_data") {
                return Ok(status);
            }
            let (key, value) = (read(&host, key, key_size)?, read(&host, value, value_size)?);
            let shared = &mut host.data_mut().shared;
            let own = shared.get(&key).map_or(0, |(_, own)| *own);
            if version != 0 && version != own {
                return Ok(CAS_MISMATCH);
            }
            shared.insert(key, (value, own + 1));
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_http_call",
        |mut host: Host<'_>,
         cluster: u32,
         cluster_size: u32,
         headers: u32,
         headers_size: u32,
         body: u32,
         body_size: u32,
         _trailers: u32,
         _trailers_size: u32,
         timeout: u32,
         id: u32|
         -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_http_call") {
                return Ok(status);
            }
            let (cluster, headers) =
                (text(&host, cluster, cluster_size)?, parse(&read(&host, headers, headers_size)?));
            let number = u32::try_from(host.data().made["proxy_http_call"])?;
            let body = read(&host, body, body_size)?;
            let state = host.data_mut();
            let until = state.now + Duration::from_millis(timeout.into());
            let context = state.context();
            state.calls.push_back(Call { id: number, context, cluster, headers, body, until });
            word(&mut host, id, number as usize)?;
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_call_foreign_function",
        |mut host: Host<'_>,
         _name: u32,
         _name_size: u32,
         argument: u32,
         argument_size: u32,
         data: u32,
         size: u32|
         -> Result<u32> {
            if let Some(status) = enter(&mut host, "proxy_call_foreign_function") {
                return Ok(status);
            }
            let argument = read(&host, argument, argument_size)?;
            let judged = host.data().judge.as_ref().map(|judge| judge(&argument));
            match judged.or(host.data().verdict) {
                None => Ok(NOT_FOUND),
                Some(true) => give(&mut host, &[0x08, 0x01], data, size),
                Some(false) => give(&mut host, &[0x12, 0x03, b'b', b'a', b'd'], data, size),
            }
        },
    )?;
    Ok(())
}
