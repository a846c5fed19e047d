//! Start to execution, printed and not judged: times belong to `benches/`.

use crate::rig::{Rig, everyone};

#[test]
fn start_times_are_printed() {
    for who in everyone() {
        let mut times: Vec<f64> = (0..11).map(|_| Rig::new(who, &["true"]).run().succeeded().start * 1e3).collect();
        times.sort_by(f64::total_cmp);
        println!("{who:?}: start to execution, median of {}: {:.1} ms", times.len(), times[times.len() / 2]);
        assert_eq!(times.len(), 11);
    }
}
