//! As much of HPACK (RFC 7541) as it takes without a table of headers: literals to send, and what an
//! answer has in any form.

use std::io;

use crate::wire::invalid;

/// A header or a trailer.
pub type Field = (String, Vec<u8>);

/// RFC 7541 appendix A: the names from 15 on.
const NAMES: &str = "accept-charset accept-encoding accept-language accept-ranges accept \
    access-control-allow-origin age allow authorization cache-control content-disposition content-encoding \
    content-language content-length content-location content-range content-type cookie date etag expect \
    expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified \
    link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after \
    server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate";
/// The first of them, which have values.
const PAIRS: [(&str, &str); 14] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
];

/// RFC 7541 appendix B, whose code is canonical: how many bits, and the symbols that have so many, in
/// order. Longer codes than these no answer of ours has.
const CODE: [(u32, &str); 10] = [
    (5, "012aceiost"),
    (6, " %-./3456789=A_bdfghlmnpru"),
    (7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    (8, "&*,;XZ"),
    (10, "!\"()?"),
    (11, "'+|"),
    (12, "#>"),
    (13, "\0$@[]~"),
    (14, "^}"),
    (15, "<`{"),
];

fn integer(value: usize, prefix_bits: u32, first: u8, out: &mut Vec<u8>) {
    let most = (1_usize << prefix_bits) - 1;
    let byte = |value: usize| u8::try_from(value).expect("less than eight bits");
    if value < most {
        out.push(first | byte(value));
        return;
    }
    out.push(first | byte(most));
    let mut rest = value - most;
    while rest >= 128 {
        out.push(byte(rest % 128) | 128);
        rest /= 128;
    }
    out.push(byte(rest));
}

/// Headers as literals that no table keeps (section 6.2.2), without Huffman.
#[must_use]
pub fn encode(headers: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        bytes.push(0);
        for text in [name.as_bytes(), value] {
            integer(text.len(), 7, 0, &mut bytes);
            bytes.extend_from_slice(text);
        }
    }
    bytes
}

/// What a block of an answer says.
///
/// # Errors
/// If it is none, or needs a table of headers.
pub fn decode(mut block: &[u8]) -> io::Result<Vec<Field>> {
    let mut fields = Vec::new();
    while let Some(&first) = block.first() {
        if first & 0x80 != 0 {
            let (name, value) = indexed(number(&mut block, 7)?)?;
            fields.push((name.to_owned(), value.as_bytes().to_vec()));
            continue;
        }
        if first >> 5 == 1 {
            number(&mut block, 5)?;
            continue;
        }
        let index = number(&mut block, if first & 0x40 != 0 { 6 } else { 4 })?;
        let name = match index {
            0 => crate::wire::text(&string(&mut block)?),
            _ => indexed(index)?.0.to_owned(),
        };
        fields.push((name, string(&mut block)?));
    }
    Ok(fields)
}

fn indexed(index: usize) -> io::Result<(&'static str, &'static str)> {
    let place = index.checked_sub(1).ok_or_else(|| invalid("the index 0"))?;
    if let Some(pair) = PAIRS.get(place) {
        return Ok(*pair);
    }
    let name = NAMES.split_ascii_whitespace().nth(place - PAIRS.len());
    Ok((name.ok_or_else(|| invalid("an index into a table that is empty"))?, ""))
}

fn byte(block: &mut &[u8]) -> io::Result<u8> {
    let (first, rest) = block.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
    *block = rest;
    Ok(*first)
}

fn number(block: &mut &[u8], prefix_bits: u32) -> io::Result<usize> {
    let most = (1_usize << prefix_bits) - 1;
    let mut value = usize::from(byte(block)?) & most;
    if value < most {
        return Ok(value);
    }
    for shift in (0..28).step_by(7) {
        let next = byte(block)?;
        value += usize::from(next & 127) << shift;
        if next & 128 == 0 {
            return Ok(value);
        }
    }
    Err(invalid("a number without an end"))
}

fn string(block: &mut &[u8]) -> io::Result<Vec<u8>> {
    let is_huffman = block.first().is_some_and(|first| first & 0x80 != 0);
    let length = number(block, 7)?;
    let (text, rest) = block.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
    *block = rest;
    if is_huffman { huffman(text) } else { Ok(text.to_vec()) }
}

fn huffman(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)));
    let mut text = Vec::new();
    loop {
        let (mut read, mut length) = (0, 0);
        let (mut first, mut before) = (0, 0);
        let symbol = CODE.iter().find_map(|(bits_of_code, symbols)| {
            while length < *bits_of_code {
                let Some(bit) = bits.next() else { return Some(None) };
                read = read << 1 | bit;
                length += 1;
            }
            first <<= bits_of_code - before;
            before = *bits_of_code;
            let symbol = read.checked_sub(first).and_then(|place| symbols.as_bytes().get(place));
            first += symbols.len();
            symbol.map(|symbol| Some(*symbol))
        });
        match symbol {
            Some(Some(symbol)) => text.push(symbol),
            // Nothing but the padding is left, which is all ones.
            Some(None) if read == (1 << length) - 1 && length < 8 => return Ok(text),
            Some(None) | None => return Err(invalid("a code of Huffman's that answers do not have")),
        }
    }
}

#[cfg(test)]
#[path = "hpack_tests.rs"]
mod tests;
