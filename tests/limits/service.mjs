// A rate limit service (envoy.service.ratelimit.v3.RateLimitService) that lets each descriptor pass once, over node's own
// HTTP/2. Prints its port, then the descriptors of each question.
import http2 from "node:http2";

const OK = 1;
const OVER_LIMIT = 2;
const seen = new Set();

/** The fields of a protobuf message that are bytes: [number, bytes]. */
function fields(bytes) {
  const found = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    if ((key & 7) === 0) {
      varint();
    } else if ((key & 7) === 2) {
      const length = varint();
      found.push([key >> 3, bytes.subarray(at, at + length)]);
      at += length;
    } else {
      throw new Error(`wire type ${key & 7}`);
    }
  }
  return found;
}

const of = (number, bytes) => fields(bytes).filter(([own]) => own === number).map(([, value]) => value);

/** RateLimitRequest.descriptors[].entries[] as key=value. */
const descriptors = (message) =>
  of(2, message).map((descriptor) =>
    of(1, descriptor).map((entry) => `${of(1, entry)[0]}=${of(2, entry)[0]}`).join(","));

const server = http2.createServer();
server.on("stream", (stream) => {
  const parts = [];
  // Envoy has given up the question.
  stream.on("error", (error) => console.error(error.message));
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => {
    // The five bytes of a gRPC frame come before the message.
    const asked = descriptors(Buffer.concat(parts).subarray(5));
    console.log(asked.join(" "));
    const known = asked.filter((name) => seen.has(name));
    asked.forEach((name) => seen.add(name));
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, known.length > 0 ? OVER_LIMIT : OK]));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
