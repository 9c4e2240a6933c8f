use super::Upstream;
use crate::http::{self, Request};

#[test]
fn what_arrives_is_echoed_byte_for_byte() {
    let upstream = Upstream::start();
    let request =
        Request::post("/a?b=%20").header("X-Odd", b"\xff").header("X-Odd", "2").body("text/plain", "hello");
    let echo = http::send(upstream.addr(), &request).unwrap().json();
    assert_eq!(echo["method"], "POST");
    assert_eq!(echo["path"], "/a?b=%20");
    assert_eq!(echo["body"], "hello");
    let odd = echo["headers"].as_array().unwrap().iter().filter(|pair| pair[0] == "x-odd").count();
    assert_eq!(odd, 2);
    assert_eq!(upstream.hits(), 1);
}
