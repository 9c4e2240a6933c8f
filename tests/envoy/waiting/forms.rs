//! Every form of a request, in pieces: what of it comes before the answer that it waits for, and what
//! after.

use lychgate_tests::h2;

/// When the body comes, seen from the answer that the request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With the head, in one piece.
    Before,
    /// A part of it before, a part of it after.
    During,
    /// After.
    After,
}

/// What a request looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    NoBody,
    OneByte,
    Length,
    Chunked,
    EmptyChunked,
    Trailers,
    Expect,
    WebSocket,
    Mebibyte,
    OverTheBuffer,
    Http2NoBody,
    Http2Data,
    Http2EmptyData,
    Http2Trailers,
    Http2TrailersAlone,
    GrpcUnary,
    GrpcStreaming,
}

pub const FORMS: [Form; 17] = [
    Form::NoBody,
    Form::OneByte,
    Form::Length,
    Form::Chunked,
    Form::EmptyChunked,
    Form::Trailers,
    Form::Expect,
    Form::WebSocket,
    Form::Mebibyte,
    Form::OverTheBuffer,
    Form::Http2NoBody,
    Form::Http2Data,
    Form::Http2EmptyData,
    Form::Http2Trailers,
    Form::Http2TrailersAlone,
    Form::GrpcUnary,
    Form::GrpcStreaming,
];
pub const WHENS: [When; 3] = [When::Before, When::During, When::After];

/// Envoy's `per_connection_buffer_limit_bytes`, which is what it holds of a body.
pub const BUFFER: usize = 1024 * 1024;

/// A header or a trailer.
pub type Field = (String, String);

/// What is sent, and what must arrive of it.
pub struct Script {
    pub is_http2: bool,
    /// Pieces that are sent before the answer that the request waits for, and those after it.
    pub early: Vec<Vec<u8>>,
    pub late: Vec<Vec<u8>>,
    pub body: Vec<u8>,
    pub has_trailers: bool,
}

/// What is said whatever the form.
pub struct Message<'m> {
    pub path: &'m str,
    pub fields: &'m [Field],
    /// The body in two parts, where the form does not say what it is.
    pub body: [&'m str; 2],
    pub content_type: &'m str,
}

impl Form {
    /// Why the body cannot come then.
    pub fn why_not(self, when: When) -> Option<&'static str> {
        match (self, when) {
            (Self::NoBody | Self::Http2NoBody, When::During | When::After) => {
                Some("there is no body that could come later")
            }
            (Self::OneByte | Self::EmptyChunked | Self::Http2EmptyData | Self::Expect, When::During) => {
                Some("it has no two parts")
            }
            (Self::Http2TrailersAlone, When::During) => Some("trailers come at once"),
            (Self::GrpcUnary, When::During) => Some("that is a stream"),
            (Self::GrpcStreaming, When::Before | When::After) => Some("that is unary"),
            (
                Self::NoBody
                | Self::OneByte
                | Self::Length
                | Self::Chunked
                | Self::EmptyChunked
                | Self::Trailers
                | Self::Expect
                | Self::WebSocket
                | Self::Mebibyte
                | Self::OverTheBuffer
                | Self::Http2NoBody
                | Self::Http2Data
                | Self::Http2EmptyData
                | Self::Http2Trailers
                | Self::Http2TrailersAlone
                | Self::GrpcUnary
                | Self::GrpcStreaming,
                When::Before | When::During | When::After,
            ) => None,
        }
    }

    pub fn is_grpc(self) -> bool {
        matches!(self, Self::GrpcUnary | Self::GrpcStreaming)
    }

    /// The request, in pieces.
    pub fn script(self, when: When, message: &Message<'_>) -> Script {
        let is_http2 = matches!(
            self,
            Self::Http2NoBody
                | Self::Http2Data
                | Self::Http2EmptyData
                | Self::Http2Trailers
                | Self::Http2TrailersAlone
                | Self::GrpcUnary
                | Self::GrpcStreaming
        );
        let (mut pieces, body) = if is_http2 { self.http2(message) } else { self.http1(message) };
        let early = match when {
            When::Before => pieces.len(),
            When::During => 2,
            When::After => 1,
        };
        let late = pieces.split_off(early);
        // What waits for "100 Continue" does not come with its head.
        if when == When::Before && self != Self::Expect {
            pieces = vec![pieces.concat()];
        }
        if is_http2 {
            pieces.insert(0, h2::preface());
        }
        let has_trailers = matches!(self, Self::Trailers | Self::Http2Trailers | Self::Http2TrailersAlone);
        Script { is_http2, early: pieces, late, body, has_trailers }
    }

    fn http1(self, message: &Message<'_>) -> (Vec<Vec<u8>>, Vec<u8>) {
        let [one, two] = message.body.map(|part| part.as_bytes().to_vec());
        let half = vec![b'm'; BUFFER / 2];
        // More than is held even where a part of it is already in the upstream's connection.
        let much = vec![b'o'; BUFFER * 3 / 4];
        let sized = |length: usize| format!("content-length: {length}\r\n");
        let chunked = "transfer-encoding: chunked\r\n".to_owned();
        let (method, framing, parts) = match self {
            Self::NoBody => ("GET", String::new(), vec![]),
            Self::OneByte => ("GET", sized(1), vec![b"1".to_vec()]),
            Self::Length => ("POST", sized(one.len() + two.len()), vec![one, two]),
            Self::Chunked | Self::Trailers => ("POST", chunked, vec![one, two]),
            Self::EmptyChunked => ("POST", chunked, vec![]),
            Self::Expect => {
                let framing = sized(one.len() + two.len()) + "expect: 100-continue\r\n";
                ("POST", framing, vec![[one, two].concat()])
            }
            Self::WebSocket => {
                let framing = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                               sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
                ("GET", framing.to_owned(), vec![one, two])
            }
            Self::Mebibyte => ("POST", sized(BUFFER), vec![half.clone(), half]),
            Self::OverTheBuffer => ("POST", sized(2 * much.len()), vec![much.clone(), much]),
            Self::Http2NoBody
            | Self::Http2Data
            | Self::Http2EmptyData
            | Self::Http2Trailers
            | Self::Http2TrailersAlone
            | Self::GrpcUnary
            | Self::GrpcStreaming => panic!("{self:?} is HTTP/2"),
        };
        let body = parts.concat();
        let mut head = format!("{method} {} HTTP/1.1\r\nhost: localhost\r\n{framing}", message.path);
        if method == "POST" {
            head += &format!("content-type: {}\r\n", message.content_type);
        }
        for (name, value) in message.fields.iter().chain(&forged()) {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let is_chunked = matches!(self, Self::Chunked | Self::Trailers | Self::EmptyChunked);
        let mut pieces = vec![head.into_bytes()];
        for part in parts {
            let chunk = format!("{:x}\r\n", part.len());
            pieces.push(if is_chunked { [chunk.as_bytes(), &part, b"\r\n"].concat() } else { part });
        }
        if is_chunked {
            let mut end = "0\r\n".to_owned();
            if self == Self::Trailers {
                for (name, value) in trailers() {
                    end += &format!("{name}: {value}\r\n");
                }
            }
            end += "\r\n";
            match pieces.last_mut() {
                Some(last) if self != Self::EmptyChunked => last.extend_from_slice(end.as_bytes()),
                _ => pieces.push(end.into_bytes()),
            }
        }
        (pieces, body)
    }

    fn http2(self, message: &Message<'_>) -> (Vec<Vec<u8>>, Vec<u8>) {
        let [one, two] = message.body.map(|part| part.as_bytes().to_vec());
        let grpc = |part: &[u8]| {
            let length = u32::try_from(part.len()).unwrap().to_be_bytes();
            [&[0], &length[..], part].concat()
        };
        let kind = if self.is_grpc() { "application/grpc" } else { message.content_type };
        let method = if self == Self::Http2NoBody { "GET" } else { "POST" };
        let mut request = h2::Request::new(method, message.path).header("content-type", kind);
        if self.is_grpc() {
            request = request.header("te", "trailers");
        }
        for (name, value) in message.fields.iter().chain(&forged()) {
            request = request.header(&name.to_ascii_lowercase(), value);
        }
        let end: Vec<_> = trailers().into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let end = h2::head(1, &end, true);
        let data = |part: &[u8], ends| h2::data(1, part, ends);
        let head = request.open_head(1);
        let (one, two) = if self.is_grpc() { (grpc(&one), grpc(&two)) } else { (one, two) };
        let both = [one.clone(), two.clone()].concat();
        match self {
            Self::Http2NoBody => (vec![request.frames(1)], Vec::new()),
            Self::Http2Data | Self::GrpcStreaming => (vec![head, data(&one, false), data(&two, true)], both),
            Self::Http2EmptyData => (vec![head, data(&[], true)], Vec::new()),
            Self::Http2Trailers => (vec![head, data(&one, false), [data(&two, false), end].concat()], both),
            Self::Http2TrailersAlone => (vec![head, end], Vec::new()),
            Self::GrpcUnary => (vec![head, data(&one, true)], one),
            Self::NoBody
            | Self::OneByte
            | Self::Length
            | Self::Chunked
            | Self::EmptyChunked
            | Self::Trailers
            | Self::Expect
            | Self::WebSocket
            | Self::Mebibyte
            | Self::OverTheBuffer => panic!("{self:?} is HTTP/1.1"),
        }
    }
}

/// What the client says of itself, of which nothing may arrive: the word is `root`.
fn forged() -> Vec<Field> {
    let forged = ["x-auth-subject", "x-auth-scopes", "x-auth-scheme", "X-Auth-Subject", "x_auth_subject"];
    forged.map(|name| (name.to_owned(), "root".to_owned())).to_vec()
}

/// The same behind the body, and one trailer that does arrive.
fn trailers() -> Vec<Field> {
    let pairs = [("x-auth-subject", "root"), ("x-checksum", "7"), ("x-auth-scopes", "root")];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
