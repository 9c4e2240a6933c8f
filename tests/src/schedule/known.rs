//! What may be: by what a request holds, what the issuer has said in this schedule, and the time. It
//! knows nothing of the module, and errs, where it must, on the side of what may be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::world::{self, BEGIN, CACHE, SHORT, STALE, owner, world};
use super::{Answer, Auth, Cookie, Head, Key, Place, Policy};
use crate::vm::Call;

/// The smallest difference of times.
const SECOND: Duration = Duration::from_secs(1);

/// Something that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Keys,
    Discovered,
    List,
}

/// What was said, and when.
#[derive(Default)]
pub struct Known {
    fetched: BTreeMap<Source, Vec<(Duration, Answer)>>,
    /// How many of those a root context had the chance to see.
    seen: BTreeMap<(u32, Source), usize>,
    /// What a root context got to know of a token, through a cluster.
    told: BTreeMap<(u32, String, String), Told>,
    /// Calls that were begun before any root context was configured again.
    first: BTreeSet<u32>,
    /// Whether one was.
    again: bool,
    /// Host calls failed, so that a root context may not have seen what it had the chance to see.
    pub faulty: bool,
}

/// What a root context got to know of a token.
struct Told {
    time: Duration,
    yes: bool,
    /// Whether the call was begun before any root context was configured again.
    first: bool,
}

/// A request, as the model knows it.
pub struct Asked {
    /// Its head.
    pub head: Head,
    /// Its root context.
    pub root: u32,
    /// When it began.
    pub since: Duration,
    /// The configurations that it may be held against.
    pub policies: BTreeSet<Policy>,
    /// Whether it began before any root context was configured again.
    pub first: bool,
}

/// The identities that a request may go on as: subjects, and anonymous.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct May {
    /// As one of these.
    pub subjects: BTreeSet<String>,
    /// As anonymous.
    pub anonymous: bool,
}

impl May {
    fn anonymous() -> Self {
        Self { anonymous: true, ..Self::default() }
    }

    /// Whether it may go on at all.
    pub fn pass(&self) -> bool {
        self.anonymous || !self.subjects.is_empty()
    }

    fn or(mut self, other: Self) -> Self {
        self.subjects.extend(other.subjects);
        Self { anonymous: self.anonymous || other.anonymous, ..self }
    }
}

impl Known {
    /// A call is answered.
    pub fn learn(&mut self, call: &Call, answer: Answer, now: Duration) {
        let said = matches!(answer, Answer::First | Answer::Second | Answer::Third | Answer::Fourth);
        let source = match call.cluster.as_str() {
            "keys" => Source::Keys,
            "oidc" if !world::is_discovery(call) => Source::Discovered,
            "list" => Source::List,
            "asked" | "cookie" => {
                if let Some(token) = world::asked_after(call).filter(|_| said) {
                    let place = (call.context, call.cluster.clone(), token);
                    let first = self.first.contains(&call.id);
                    self.told.insert(place, Told { time: now, yes: world::is_yes(answer), first });
                }
                return;
            }
            _ => return,
        };
        if said {
            self.fetched.entry(source).or_default().push((now, answer));
        }
        // Under an earlier configuration of the root context it is seen at the next tick.
        if !self.again {
            self.look(call.context, source);
        }
    }

    /// Which calls are open.
    pub fn see(&mut self, calls: impl Iterator<Item = u32>) {
        if !self.again {
            self.first.extend(calls);
        }
    }

    /// A root context was configured again.
    pub fn configured_again(&mut self) {
        self.again = true;
    }

    /// Whether no root context was configured again yet.
    pub fn is_first(&self) -> bool {
        !self.again
    }

    fn look(&mut self, root: u32, source: Source) {
        let latest = self.fetched.get(&source).map_or(0, Vec::len);
        self.seen.insert((root, source), latest.saturating_sub(1));
    }

    /// A root context got a tick: it looked after its sources.
    pub fn tick(&mut self, root: u32) {
        [Source::Keys, Source::Discovered, Source::List].iter().for_each(|source| self.look(root, *source));
    }

    /// What a root context may hold of a source.
    fn held(&self, root: u32, source: Source, now: Duration) -> &[(Duration, Answer)] {
        let all = self.fetched.get(&source).map_or(&[][..], Vec::as_slice);
        let fresh = |(time, _): &(Duration, Answer)| now < *time + Duration::from_secs(STALE) + SECOND;
        if !all.last().is_some_and(fresh) {
            return &[];
        }
        let seen = self.seen.get(&(root, source)).copied().unwrap_or_default();
        if self.faulty { all } else { &all[seen.min(all.len())..] }
    }

    fn fixed(&self, auth: Auth, now: Duration) -> Option<&'static str> {
        let short = Duration::from_secs(BEGIN + SHORT) + SECOND;
        match auth {
            Auth::Fixed => Some("alice"),
            Auth::FixedShort if now < short || self.faulty => Some("dave"),
            _ => None,
        }
    }

    fn fetched(&self, asked: &Asked, source: Source, now: Duration) -> Option<&'static str> {
        let (bit, subject) = match asked.head.auth {
            Auth::One => (1, "bob"),
            Auth::Two => (2, "carol"),
            _ => return None,
        };
        let has = |(_, answer): &(Duration, Answer)| world::bits(*answer) & bit != 0;
        self.held(asked.root, source, now).iter().any(has).then_some(subject)
    }

    fn told(&self, asked: &Asked, cluster: &str, token: Option<&str>, now: Duration) -> Option<String> {
        let place = (asked.root, cluster.to_owned(), token?.to_owned());
        let Told { time, yes, .. } = *self.told.get(&place)?;
        // One that waited for it gets it however late.
        let fresh = now < time + Duration::from_secs(CACHE) + SECOND || time >= asked.since;
        (yes && fresh).then(|| owner(&place.2))
    }

    /// The identities that a request may go on as now.
    pub fn may(&self, asked: &Asked, now: Duration) -> May {
        asked.policies.iter().fold(May::default(), |may, policy| may.or(self.by(*policy, asked, now)))
    }

    fn by(&self, policy: Policy, asked: &Asked, now: Duration) -> May {
        let Head { place, auth, cookie, key, .. } = asked.head;
        let strict = policy == Policy::Strict;
        let some =
            |subject: Option<String>| May { subjects: subject.into_iter().collect(), anonymous: false };
        let fixed = || self.fixed(auth, now).map(str::to_owned);
        let opaque = || self.told(asked, "asked", world().auth(auth)?.strip_prefix("Bearer "), now);
        let session = || match cookie {
            Cookie::Nothing => None,
            Cookie::OpaqueC | Cookie::OpaqueD => self.told(asked, "cookie", world::cookie(cookie), now),
        };
        let basic = || (auth == Auth::BasicRight).then(|| "johndoe".to_owned());
        match place {
            Place::Public if !strict => May::anonymous(),
            Place::Public => some(fixed()),
            Place::Fixed if strict => May::default(),
            Place::Fixed => some(fixed()),
            Place::Remote => some(self.fetched(asked, Source::Keys, now).map(str::to_owned)),
            Place::Found => some(self.fetched(asked, Source::Discovered, now).map(str::to_owned)),
            Place::Asked => some(opaque()),
            Place::Cookie => some(session()),
            Place::Listed => some(fixed().filter(|subject| {
                let held = self.held(asked.root, Source::List, now);
                held.iter().any(|(_, list)| !world::revokes(*list, subject))
            })),
            Place::Either => some(session()).or(some(basic())),
            Place::Both if key == Key::Good => {
                some(self.fetched(asked, Source::Keys, now).map(str::to_owned))
            }
            Place::Both => May::default(),
            Place::Two => match (opaque(), session()) {
                (Some(first), Some(second)) => some(Some(first)).or(some(Some(second))),
                _ => May::default(),
            },
            // Without a token for the scheme it goes on as anonymous; what is no token is none.
            Place::Perhaps => match auth {
                Auth::Nothing | Auth::BasicRight | Auth::BasicWrong | Auth::Garbage => May::anonymous(),
                _ => some(opaque()),
            },
            Place::Trial => some(opaque()).or(May::anonymous()),
            Place::Password => some(basic()),
            Place::Login | Place::Nowhere => May::default(),
        }
    }

    /// Whether a request is never refused: it needs nothing that has to be fetched.
    pub fn must(&self, asked: &Asked) -> bool {
        let Head { place, auth, .. } = asked.head;
        let lenient = !asked.policies.contains(&Policy::Strict);
        !self.faulty
            && match place {
                Place::Public => lenient,
                Place::Fixed => lenient && auth == Auth::Fixed,
                Place::Password => auth == Auth::BasicRight,
                Place::Perhaps => auth == Auth::Nothing,
                Place::Trial => true,
                Place::Remote
                | Place::Found
                | Place::Asked
                | Place::Cookie
                | Place::Listed
                | Place::Either
                | Place::Both
                | Place::Two
                | Place::Login
                | Place::Nowhere => false,
            }
    }

    /// Whether all that a request may wait for is there, so that it waits no longer.
    pub fn is_ripe(&self, asked: &Asked, now: Duration) -> bool {
        let told = |cluster: &str, token: Option<&str>| {
            let place = token.map(|token| (asked.root, cluster.to_owned(), token.to_owned()));
            place.and_then(|place| self.told.get(&place)).is_some_and(|told| {
                told.first && asked.first && now + SECOND < told.time + Duration::from_secs(CACHE)
            })
        };
        let fetched = |source: Source, bit: u8| {
            let latest = self.fetched.get(&source).and_then(|all| all.last());
            latest.is_some_and(|(time, answer)| {
                let fresh = now + SECOND < *time + Duration::from_secs(STALE);
                fresh && (source == Source::List || world::bits(*answer) & bit != 0)
            })
        };
        let bit = match asked.head.auth {
            Auth::One | Auth::OneForged => 1,
            Auth::Two => 2,
            _ => 0,
        };
        let opaque =
            || told("asked", world().auth(asked.head.auth).and_then(|auth| auth.strip_prefix("Bearer ")));
        match asked.head.place {
            Place::Remote | Place::Both => fetched(Source::Keys, bit),
            Place::Found => fetched(Source::Discovered, bit),
            Place::Asked => opaque(),
            Place::Cookie => told("cookie", world::cookie(asked.head.cookie)),
            Place::Two => opaque() && told("cookie", world::cookie(asked.head.cookie)),
            Place::Listed => fetched(Source::List, 0),
            Place::Public
            | Place::Fixed
            | Place::Either
            | Place::Perhaps
            | Place::Trial
            | Place::Password
            | Place::Login
            | Place::Nowhere => false,
        }
    }

    /// Whether a header holds a credential of a scheme that the place asks for, so that it goes no
    /// further.
    pub fn strips(head: Head, name: &str) -> bool {
        let basic = matches!(head.auth, Auth::BasicRight | Auth::BasicWrong);
        match head.place {
            Place::Public | Place::Trial | Place::Login | Place::Nowhere => false,
            Place::Cookie => name == "cookie",
            Place::Either => name == "cookie" || (name == "authorization" && basic),
            Place::Two => name == "cookie" || name == "authorization",
            Place::Both => name == "x-api-key" || name == "authorization",
            Place::Perhaps => name == "authorization" && !basic && head.auth != Auth::Garbage,
            Place::Fixed | Place::Remote | Place::Found | Place::Asked | Place::Listed | Place::Password => {
                name == "authorization"
            }
        }
    }
}
