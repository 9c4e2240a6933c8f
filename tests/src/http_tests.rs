use super::{Request, send};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

/// A server that answers one request with these bytes.
fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(answer).unwrap();
    });
    addr
}

#[test]
fn bodies_come_by_length_by_chunks_and_until_the_end() {
    for answer in [
        &b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: A\r\nwww-authenticate: B\r\nContent-Length: 5\r\n\r\nhello"[..],
        b"HTTP/1.1 401 x\r\nWWW-Authenticate: A\r\nwww-authenticate: B\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 401 x\r\nWWW-Authenticate: A\r\nwww-authenticate: B\r\n\r\nhello",
    ] {
        let response = send(server(answer), &Request::get("/")).unwrap();
        assert_eq!((response.status, response.text().as_str()), (401, "hello"));
        assert_eq!(response.all("WWW-Authenticate"), ["A", "B"]);
    }
}
