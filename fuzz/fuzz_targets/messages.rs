//! Any bytes as a message of either side: read or refused, never a panic; what is read is written back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::directive::inbox::{Inbox, Reader, read_answer};
use protocol::fact::FactKind;
use protocol::fact::intake::read_batch;
use protocol::json::{Limits, canonical, read};
use protocol::keys::Keys;
use protocol::kinds;
use protocol::text::time::Moment;
use protocol::text::whole::Cursor;

const LIMITS: Limits = Limits { bytes: 1 << 16, depth: 12, values: 10_000 };

fuzz_target!(|bytes: &[u8]| {
    for fact in read_batch(bytes).unwrap_or_default() {
        let _ = fact.verify(&Keys::new());
        let _ = fact.content();
    }
    if let (Ok(answer), Ok(me), Ok(now)) = (read_answer(bytes), "north".parse(), Moment::from_microseconds(0)) {
        let reader = Reader { me: &me, keys: &Keys::new(), now };
        let _ = Inbox::new().receive(Cursor::LEAST, &answer, reader, |_| None);
    }
    let Ok(value) = read(bytes, &LIMITS) else { return };
    let text = canonical(&value).expect("what is read has a canonical form");
    assert_eq!(read(text.as_bytes(), &LIMITS), Ok(value.clone()));
    let bodies = match value {
        serde_json::Value::Array(list) => list,
        one => vec![one],
    };
    for body in bodies {
        for &kind in FactKind::ALL {
            if let Ok(again) = kinds::fact_again(kind, &body) {
                assert_eq!(again, body, "a fact is exactly what we would write");
            }
        }
        for kind in kinds::messages() {
            if let Ok(again) = (kind.again)(&body) {
                assert_eq!((kind.again)(&again).as_ref(), Ok(&again));
            }
        }
    }
});
