//! A model of what is around the module: clients, the issuer, an operator, and a host that fails. A
//! schedule is a random order of what they do. It is run against the module under the emulated host
//! ([`crate::vm`]), and what the module does is held against what it may do by what was sent and said.
//!
//! A schedule is made of bytes as well as of values, so that a fuzzer can make it.

mod counts;
mod judge;
mod known;
mod run;
mod world;

use std::fmt;

pub use counts::Counts;
pub use run::{Violation, run};
pub use world::image;

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$own:meta])* $choice:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$own])* $choice),* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$choice),*];

            fn of(byte: u8) -> Self {
                Self::ALL[usize::from(byte) % Self::ALL.len()]
            }
        }
    };
}

choices!(
    /// Where a request goes: what the policy asks for there.
    Place {
        /// Nothing.
        Public,
        /// A token by fixed keys.
        Fixed,
        /// A token by fetched keys.
        Remote,
        /// A token by keys that are discovered.
        Found,
        /// A token that the issuer is asked after.
        Asked,
        /// The same, in a cookie.
        Cookie,
        /// A token by fixed keys that is on no list.
        Listed,
        /// The cookie's token, or a password.
        Either,
        /// A token by fetched keys, and an API key.
        Both,
        /// Two tokens that the issuer is asked after.
        Two,
        /// A token that the issuer is asked after, or nothing.
        Perhaps,
        /// A token that the issuer is asked after, in a dry run.
        Trial,
        /// A password.
        Password,
        /// The token endpoint.
        Login,
        /// No rule is for it.
        Nowhere,
    }
);

choices!(
    /// What is in `Authorization`.
    Auth {
        /// Nothing.
        Nothing,
        /// A good token by the fixed key.
        Fixed,
        /// A forged one.
        FixedForged,
        /// A good one that expires soon.
        FixedShort,
        /// A good token by the first of the issuer's keys.
        One,
        /// A good token by the second.
        Two,
        /// A token that names the first key and is signed by another.
        OneForged,
        /// A token that names a key that the issuer never has.
        Unknown,
        /// A token that only the issuer can read.
        OpaqueA,
        /// Another.
        OpaqueB,
        /// A long one.
        OpaqueLong,
        /// The right password.
        BasicRight,
        /// A wrong one.
        BasicWrong,
        /// Something else.
        Garbage,
    }
);

choices!(
    /// What is in the cookie.
    Cookie {
        /// Nothing.
        Nothing,
        /// A token that only the issuer can read.
        OpaqueC,
        /// Another.
        OpaqueD,
    }
);

choices!(
    /// What is in the header for API keys.
    Key {
        /// Nothing.
        Nothing,
        /// A good key.
        Good,
        /// A wrong one.
        Wrong,
    }
);

choices!(
    /// A piece of a body.
    Piece {
        /// One byte.
        Byte,
        /// None.
        Empty,
        /// A login with the right password.
        Form,
        /// The first half of it.
        FirstHalf,
        /// The second half of it.
        SecondHalf,
        /// A login with a wrong password.
        WrongForm,
        /// More than a login may have.
        Long,
    }
);

choices!(
    /// How a call is answered. Keys: the first, the second, both, the first. Tokens: thrice yes, then no.
    Answer {
        /// Well.
        First,
        /// Well, otherwise.
        Second,
        /// Well, otherwise.
        Third,
        /// Well, otherwise.
        Fourth,
        /// With something else than was asked for.
        Garbage,
        /// The host could not make the call.
        Nothing,
        /// With a status of 500.
        Error,
        /// With a body cut short.
        Cut,
    }
);

choices!(
    /// How much time passes until the next tick, in milliseconds.
    Span {
        /// 20.
        Moment,
        /// 100.
        Tick,
        /// 300.
        Pause,
        /// 1,000.
        Second,
        /// 4,000.
        Seconds,
        /// 11,000, which is more than a request waits.
        Long,
        /// 45,000, which is more than what was fetched serves.
        VeryLong,
    }
);

choices!(
    /// A configuration.
    Policy {
        /// The first.
        First,
        /// A stricter one: what was public wants a token, and fixed keys open nothing.
        Strict,
        /// One that is refused.
        Broken,
    }
);

choices!(
    /// The status of a call that fails.
    Status {
        /// Not found, in WASI not permitted.
        NotFound,
        /// Bad argument.
        BadArgument,
        /// Another worker was faster.
        Mismatch,
        /// Internal failure.
        Internal,
        /// One that is unknown.
        Unheard,
    }
);

/// A request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where it goes.
    pub place: Place,
    /// What is in `Authorization`.
    pub auth: Auth,
    /// What is in the cookie.
    pub cookie: Cookie,
    /// What is in the header for API keys.
    pub key: Key,
    /// Whether nothing follows.
    pub complete: bool,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request begins.
    Open(Head),
    /// So many of the kind begin.
    Flood(Head, u8),
    /// More of a request's body comes: which request, what, and whether it is all.
    Body(u8, Piece, bool),
    /// A request's trailers come, with forged identity in them.
    Trailers(u8),
    /// An open call is answered.
    Answer(u8, Answer),
    /// Every open call is.
    AnswerAll(Answer),
    /// Time passes, and root contexts get a tick.
    Time(Span),
    /// The upstream answers a request.
    Upstream(u8),
    /// A client goes away.
    HangUp(u8),
    /// Body and trailers of a request come that was never announced.
    Stranger,
    /// Every host call of this name fails during the next event.
    Fault(u8, Status),
    /// One host call fails during the next event: after so many.
    FaultAfter(u8, Status),
    /// A new root context with a configuration.
    NewRoot(Policy),
    /// The same root context is configured again.
    Again(Policy),
    /// The oldest root context that is no longer used is ended.
    EndRoot,
}

/// A schedule.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Whether a head that is held back holds back what follows, as without
    /// `allow_on_headers_stop_iteration`.
    pub holds_all: bool,
    /// Whether a request is over as soon as it is answered.
    pub ends_at_once: bool,
    /// Whether the host checks signatures.
    pub native: bool,
    /// What happens.
    pub events: Vec<Event>,
}

/// The bytes of one event.
const STEP: usize = 6;

impl Head {
    fn of(bytes: [u8; STEP - 1]) -> Self {
        let [place, auth, cookie, key, _] = bytes;
        Self {
            place: Place::of(place),
            auth: Auth::of(auth),
            cookie: Cookie::of(cookie),
            key: Key::of(key >> 1),
            complete: key & 1 == 1,
        }
    }

    fn bytes(self) -> [u8; 4] {
        let Self { place, auth, cookie, key, complete } = self;
        [place as u8, auth as u8, cookie as u8, (key as u8) << 1 | u8::from(complete)]
    }
}

impl Event {
    fn of(bytes: [u8; STEP]) -> Self {
        let [kind, a, b, c, d, e] = bytes;
        match kind % 15 {
            0 => Self::Open(Head::of([a, b, c, d, e])),
            1 => Self::Flood(Head::of([a, b, c, d, e]), e),
            2 => Self::Body(a, Piece::of(b), c & 1 == 1),
            3 => Self::Trailers(a),
            4 => Self::Answer(a, Answer::of(b)),
            5 => Self::AnswerAll(Answer::of(a)),
            6 => Self::Time(Span::of(a)),
            7 => Self::Upstream(a),
            8 => Self::HangUp(a),
            9 => Self::Stranger,
            10 => Self::Fault(a, Status::of(b)),
            11 => Self::FaultAfter(a, Status::of(b)),
            12 => Self::NewRoot(Policy::of(a)),
            13 => Self::Again(Policy::of(a)),
            _ => Self::EndRoot,
        }
    }

    fn bytes(self) -> [u8; STEP] {
        let head = |kind, head: Head, count| {
            let [a, b, c, d] = head.bytes();
            [kind, a, b, c, d, count]
        };
        let plain = |kind, a, b, c| [kind, a, b, c, 0, 0];
        match self {
            Self::Open(own) => head(0, own, 0),
            Self::Flood(own, count) => head(1, own, count),
            Self::Body(stream, piece, end) => plain(2, stream, piece as u8, u8::from(end)),
            Self::Trailers(stream) => plain(3, stream, 0, 0),
            Self::Answer(call, answer) => plain(4, call, answer as u8, 0),
            Self::AnswerAll(answer) => plain(5, answer as u8, 0, 0),
            Self::Time(span) => plain(6, span as u8, 0, 0),
            Self::Upstream(stream) => plain(7, stream, 0, 0),
            Self::HangUp(stream) => plain(8, stream, 0, 0),
            Self::Stranger => plain(9, 0, 0, 0),
            Self::Fault(call, status) => plain(10, call, status as u8, 0),
            Self::FaultAfter(calls, status) => plain(11, calls, status as u8, 0),
            Self::NewRoot(policy) => plain(12, policy as u8, 0, 0),
            Self::Again(policy) => plain(13, policy as u8, 0, 0),
            Self::EndRoot => plain(14, 0, 0, 0),
        }
    }
}

impl Schedule {
    /// The schedule that these bytes are.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (flags, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let event = |step: &[u8]| Event::of(step.try_into().expect("a whole step"));
        Self {
            holds_all: flags & 1 == 1,
            ends_at_once: flags & 2 == 2,
            native: flags & 4 == 4,
            events: rest.chunks_exact(STEP).map(event).collect(),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let flags = u8::from(self.holds_all) | u8::from(self.ends_at_once) << 1 | u8::from(self.native) << 2;
        let mut bytes = vec![flags];
        bytes.extend(self.events.iter().flat_map(|event| event.bytes()));
        bytes
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holds_all, ends_at_once, native, events } = self;
        writeln!(f, "holds all: {holds_all}, ends at once: {ends_at_once}, native: {native}")?;
        events.iter().enumerate().try_for_each(|(number, event)| writeln!(f, "{number:3}. {event:?}"))?;
        write!(f, "as bytes: ")?;
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
